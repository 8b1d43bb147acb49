-- The binary format of vector: what COPY BINARY and libpq send and receive.
--
-- Breaks if clients that speak pgvector's binary format are misread, or if
-- malformed bytes get past the checks that text input makes.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

-- int16 dim, int16 zero, then float4 each, in network order
SELECT vector_send('[1,-2,0.5]');
SELECT vector_send('[3.4028235e38,1e-45,-0]');

-- A round trip.  The server writes a file in its data directory, which is
-- where COPY runs programs.
CREATE TABLE items (id int, v vector(3), w vector);
INSERT INTO items SELECT i, ARRAY[i, 1.0 / i, -i]::vector,
    array_fill(i + 0.1, ARRAY[i * 100])::vector FROM generate_series(1, 50) AS i;
INSERT INTO items VALUES (51, NULL, NULL);
COPY items TO PROGRAM 'cat > vsearch_regress.data' WITH (FORMAT binary);
CREATE TABLE copied (LIKE items);
COPY copied FROM PROGRAM 'cat vsearch_regress.data' WITH (FORMAT binary);
SELECT count(*) AS rows, count(*) FILTER (WHERE i.v IS NOT DISTINCT FROM c.v
    AND i.w IS NOT DISTINCT FROM c.w) AS equal
FROM items i JOIN copied c USING (id);
-- into a column of other dimensions
CREATE TABLE shorter (id int, v vector(2), w vector);
COPY shorter FROM PROGRAM 'cat vsearch_regress.data' WITH (FORMAT binary);
COPY (SELECT) TO PROGRAM 'rm vsearch_regress.data';
DROP TABLE items, copied, shorter;

-- Bytes from outside: a COPY file of one row with one field, as octal escapes
-- for printf.
CREATE FUNCTION pg_temp.receive(field bytea, type text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    file bytea := '\x5047434f50590aff0d0a00' || int4send(0) || int4send(0)
        || int2send(1::int2) || int4send(length(field)) || field
        || int2send((-1)::int2);
    escapes text;
    result text;
BEGIN
    SELECT string_agg(format('\%s%s%s', byte >> 6, byte >> 3 & 7, byte & 7), '' ORDER BY i)
    FROM generate_series(0, length(file) - 1) AS i, get_byte(file, i) AS byte
    INTO escapes;
    EXECUTE format('CREATE TEMP TABLE received (v %s)', type);
    EXECUTE format('COPY received FROM PROGRAM %L WITH (FORMAT binary)',
        format('printf ''%s''', escapes));
    SELECT v::text FROM received INTO result;
    DROP TABLE received;
    RETURN result;
END
$$;
SELECT field, type, pg_temp.attempt(format('SELECT pg_temp.receive(%L, %L)',
    field, type)) AS result
FROM (VALUES
    (1, '\x0001 0000 3f800000'::bytea, 'vector'),
    (2, '\x0002 0000 3f800000 c0000000', 'vector(2)'),
    (3, '\x0002 0000 3f800000 c0000000', 'vector(3)'),
    -- dimensions
    (10, '\x0000 0000', 'vector'),
    (11, '\xffff 0000 3f800000', 'vector'),
    (12, '\x8000 0000 3f800000', 'vector'),
    (13, '\x3e81 0000 3f800000', 'vector'),
    (14, '\x7fff 0000 3f800000', 'vector'),
    -- the field that must be zero
    (20, '\x0001 0001 3f800000', 'vector'),
    (21, '\x0001 ffff 3f800000', 'vector'),
    -- too short or too long
    (30, '\x', 'vector'),
    (31, '\x00', 'vector'),
    (32, '\x0001', 'vector'),
    (33, '\x0001 0000', 'vector'),
    (34, '\x0001 0000 3f8000', 'vector'),
    (35, '\x0002 0000 3f800000', 'vector'),
    (36, '\x0001 0000 3f800000 00', 'vector'),
    (37, '\x3e80 0000 3f800000', 'vector'),
    -- elements
    (40, '\x0001 0000 7fc00000', 'vector'),
    (41, '\x0001 0000 ffffffff', 'vector'),
    (42, '\x0001 0000 7f800000', 'vector'),
    (43, '\x0002 0000 3f800000 ff800000', 'vector')
) AS t(n, field, type)
ORDER BY n;

-- text
CREATE TABLE items (v vector);
COPY items FROM stdin;
[1,2,3]
\N
 [ 4 , 5 ]
\.
COPY items TO stdout;
COPY items FROM stdin;
[1,2
\.
DROP TABLE items;
