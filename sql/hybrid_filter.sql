-- Filters of hybrid_search, and attempts to make it run other SQL.
--
-- Breaks if a condition is not the one that SQL would have, or if a name or value
-- can be anything but a name or value.

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE item (
    id integer PRIMARY KEY,
    n integer, big bigint, price numeric, ratio float8, done boolean, day date,
    name text, code varchar(10), flag char(3), u uuid, m mood, p positive,
    tags text[], meta jsonb, raw json, at point, span int4range,
    v vector(1)
);
CREATE INDEX ON item USING hnsw (v vector_l2_ops);
INSERT INTO item VALUES
    (1, 10, 10, 1.5, .5, true, '2020-01-01', 'one', 'a', 'x', '00000000-0000-0000-0000-000000000001',
        'sad', 1, '{red,blue}', '{"a": 1, "b": [1, 2]}', '{}', '(1,1)', '[1,5)', '[1]'),
    (2, 20, 20, 2.5, 1.5, false, '2021-01-01', 'two', 'b', 'y', '00000000-0000-0000-0000-000000000002',
        'ok', 2, '{red}', '{"a": 2}', '{}', '(2,2)', '[3,9)', '[2]'),
    (3, 30, 30, 3.5, 2.5, true, '2022-01-01', 'it''s \ "three"', 'c', 'z', NULL,
        'happy', 3, '{}', '[1, 2]', '{}', '(3,3)', 'empty', '[3]'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, '[4]');

\set VERBOSITY terse
CREATE FUNCTION pg_temp.filtered(filter jsonb) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN array_agg(key ORDER BY key) FROM hybrid_search('item', '[0]', NULL, filter => filter);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

SELECT filter, pg_temp.filtered(filter::jsonb)
FROM (VALUES
    ('{}'), (NULL),
    -- values
    ('{"n": 20}'), ('{"n": "20"}'), ('{"n": null}'), ('{"n": {"<>": null}}'), ('{"n": {"=": null}}'),
    ('{"n": [10, 30, 99]}'), ('{"n": {"<>": [10, 30]}}'), ('{"n": []}'),
    ('{"n": {">": 10, "<=": 30}}'), ('{"n": {"<": 20}, "done": true}'), ('{"n": {"<>": 20}}'),
    ('{"n": {}}'),
    -- types
    ('{"big": {">=": 20}}'), ('{"price": 2.50}'), ('{"ratio": {"<": 1e0}}'), ('{"done": false}'),
    ('{"day": {">": "2020-06-01"}}'), ('{"name": "two"}'), ('{"code": ["a", "c"]}'), ('{"flag": "y"}'),
    ('{"u": "00000000-0000-0000-0000-000000000002"}'), ('{"m": {">=": "ok"}}'), ('{"p": 2}'), ('{"p": -2}'),
    ('{"p": [1, 3]}'), ('{"name": 2}'), ('{"name": true}'),
    -- containers
    ('{"tags": {"@>": ["red"]}}'), ('{"tags": ["red"]}'), ('{"tags": {"@>": []}}'), ('{"tags": [null]}'),
    ('{"meta": {"@>": {"a": 1}}}'), ('{"meta": {"=": {"a": 2}}}'), ('{"meta": [1, 2]}'),
    ('{"meta": {"@>": [1]}}'), ('{"span": {"@>": "[3,4)"}}'),
    -- errors
    ('[]'), ('7'), ('"n = 1"'), ('{"nosuch": 1}'), ('{"N": 1}'), ('{"": 1}'), ('{"ctid": "(0,1)"}'),
    ('{"n": "x"}'), ('{"n": 1.5}'), ('{"n": {"~": 1}}'), ('{"n": {"= 1 OR true --": 1}}'), ('{"n": {"<": null}}'),
    ('{"n": {"<": [1]}}'), ('{"n": [1, null]}'), ('{"n": [[1]]}'), ('{"n": [{"a": 1}]}'), ('{"n": {"=": {"a": 1}}}'),
    ('{"n": {"@>": 1}}'), ('{"m": "glad"}'), ('{"raw": {"=": 1}}'), ('{"at": "(1,1)"}'), ('{"at": {"<": "(1,1)"}}'),
    ('{"tags": "red"}'), ('{"tags": [["red"]]}'),
    -- attempts
    ('{"name": "one'' OR true --"}'), ('{"name": "it''s \\ \"three\""}'),
    ('{"name\" IS NULL OR true --": 1}'), ('{"n = 1; DROP TABLE item; --": 1}'),
    ('{"name": {"=": "$1"}}'), ('{"name": ["x''; DROP TABLE item; --", "one"]}'),
    ('{"tags": {"@>": ["blue}'' OR true --"]}}'), ('{"tags": {"@>": ["blue"]}}')
) c (filter);

-- names that need quotes, all over
CREATE SCHEMA "My ""Schema";
CREATE TABLE "My ""Schema"."Ta'ble; DROP TABLE item; --" (
    "Pri""mary" integer PRIMARY KEY,
    "select" integer,
    "body; --" text,
    "$1" vector(1)
);
CREATE INDEX ON "My ""Schema"."Ta'ble; DROP TABLE item; --"
    USING bm25 (to_tsvector('english', "body; --"));
CREATE INDEX ON "My ""Schema"."Ta'ble; DROP TABLE item; --" USING hnsw ("$1" vector_l2_ops);
INSERT INTO "My ""Schema"."Ta'ble; DROP TABLE item; --" VALUES (1, 1, 'fox', '[1]'), (2, 2, 'dog', '[2]');
SELECT key, vector_rank, text_rank
FROM hybrid_search('"My ""Schema"."Ta''ble; DROP TABLE item; --"', '[2]', 'fox',
    filter => '{"select": {"<": 9}, "Pri\"mary": 1}');
SELECT key, vector_rank, text_rank
FROM hybrid_search('"My ""Schema"."Ta''ble; DROP TABLE item; --"', '[2]', 'fox',
    key_column => 'body; --', text_column => 'body; --', vector_column => '$1');
SELECT key, vector_rank, text_rank
FROM hybrid_search('"My ""Schema"."Ta''ble; DROP TABLE item; --"', '[2]', 'fox',
    vector_column => '$1', vector_operator => '<->');

-- arguments that are names, but not of columns
SELECT * FROM hybrid_search('item', '[1]', NULL, key_column => 'id FROM item; --');
SELECT * FROM hybrid_search('item', '[1]', NULL, key_column => '"id"');
SELECT * FROM hybrid_search('item', '[1]', NULL, vector_column => 'v"', vector_operator => '<->');
SELECT * FROM hybrid_search('item', '[1]', NULL, vector_column => 'v',
    vector_operator => '<-> v) FROM item; --');
SELECT * FROM hybrid_search('item; DROP TABLE item', '[1]', NULL);
SELECT count(*) FROM item;

-- a text is words, whatever it looks like
SELECT key FROM hybrid_search('"My ""Schema"."Ta''ble; DROP TABLE item; --"', NULL,
    'x''); DROP TABLE item; -- \ :* <-> ! & ( dog');

\set VERBOSITY default
SET client_min_messages = warning;
DROP SCHEMA "My ""Schema" CASCADE;
DROP TABLE item;
DROP TYPE mood;
DROP DOMAIN positive;
