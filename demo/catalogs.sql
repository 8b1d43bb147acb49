-- Passages from the server itself, where its manual is not at hand: what the
-- catalogs say about functions, operators, types, ..., and about settings.

INSERT INTO passage (section, title, body)
SELECT place.type, place.identity, d.description
FROM pg_description d,
    pg_identify_object(d.classoid, d.objoid, d.objsubid) place
ORDER BY place.type, place.identity;

INSERT INTO passage (section, title, body)
SELECT 'setting', category || ' > ' || name,
    concat_ws(' ', short_desc, extra_desc,
        'Unit: ' || unit, 'Values: ' || array_to_string(enumvals, ', '))
FROM pg_settings
ORDER BY name;
