-- Casts between vector and arrays of numbers.
--
-- Breaks if a client that passes arrays gets an error or other values, if a
-- cast applies where PostgreSQL would find it ambiguous, or if numbers that a
-- vector cannot hold slip in.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

SELECT ARRAY[1,2,3]::vector;
SELECT ARRAY[1.5,2.25,-3]::vector;
SELECT ARRAY[1.5,2.25,-3]::real[]::vector;
SELECT ARRAY[1.5,0.1,1e-40,-1e-50]::double precision[]::vector;
SELECT '{1.5,0.1,123456789012345678901234567890,1e-50}'::numeric[]::vector;
SELECT '{2147483647,-2147483648,16777217}'::integer[]::vector;
SELECT '[5:7]={1,2,3}'::int[]::vector;
SELECT '[1,2.5,3]'::vector::real[];
SELECT '[1,2.5,3]'::vector::real[] = ARRAY[1,2.5,3]::real[] AS equal;
SELECT array_ndims('[1,2]'::vector::real[]), array_lower('[1,2]'::vector::real[], 1),
    array_upper('[1,2]'::vector::real[], 1);
-- numeric is rounded once: through float8 the first would be 1, too
SELECT ARRAY[1.00000005960464477539062500000000001]::numeric[]::vector,
    ARRAY[1.000000059604644775390625]::numeric[]::vector;

-- implicit to real[], in assignments from arrays
CREATE FUNCTION pg_temp.second(real[]) RETURNS real LANGUAGE sql AS 'SELECT $1[2]';
CREATE FUNCTION pg_temp.second_of(vector) RETURNS real LANGUAGE sql AS 'SELECT ($1::real[])[2]';
SELECT pg_temp.second('[1,2]'::vector);
SELECT pg_temp.second_of(ARRAY[1,2]::real[]);
CREATE TABLE items (v vector, r real[]);
INSERT INTO items VALUES (ARRAY[1,2]::int[], '[1,2]'::vector);
INSERT INTO items VALUES (ARRAY[1,2]::real[]), (ARRAY[1,2]::float8[]), (ARRAY[1,2]::numeric[]);
SELECT * FROM items;
DROP TABLE items;
SELECT ARRAY[1,2,3] = ARRAY[1,2,3] AS unambiguous,
    ARRAY[1,2,3]::real[] < ARRAY[1,2,4]::real[] AS unambiguous_real;
SELECT ARRAY[1,2,3] || ARRAY[4];
SELECT '[1,2]'::vector <-> ARRAY[1,2];
SELECT '[1,2]'::vector <-> ARRAY[1,2]::vector;
SELECT '[1,2]'::vector <-> '[4,6]';

SELECT command, pg_temp.attempt('SELECT ' || command) AS result
FROM (VALUES
    (1, '''{}''::int[]::vector'),
    (2, '''{}''::real[]::vector'),
    (3, 'ARRAY[1,NULL]::vector'),
    (4, 'ARRAY[NULL]::real[]::vector'),
    (5, 'ARRAY[[1,2],[3,4]]::vector'),
    (6, 'ARRAY[[1]]::real[]::vector'),
    (7, 'ARRAY[[1,NULL]]::real[]::vector'),
    (10, '''{NaN}''::real[]::vector'),
    (11, '''{Infinity}''::real[]::vector'),
    (12, '''{-Infinity}''::float8[]::vector'),
    (13, '''{4e38}''::float8[]::vector'),
    (14, '''{1,-4e38}''::float8[]::vector'),
    (15, '''{4e38}''::numeric[]::vector'),
    (16, '''{-1e400}''::numeric[]::vector'),
    (17, '''{NaN}''::numeric[]::vector'),
    (18, '''{Infinity}''::numeric[]::vector'),
    (20, 'ARRAY[1,2,3]::vector(2)'),
    (21, 'ARRAY[1,2,3]::real[]::vector(4)'),
    (22, 'vector_dims(array_fill(1, ARRAY[16000])::vector)'),
    (23, 'array_fill(1, ARRAY[16001])::vector'),
    (24, 'array_fill(1::real, ARRAY[16001])::vector(3)'),
    (30, 'ARRAY[1,2]::bigint[]::vector'),
    (31, 'ARRAY[''1'']::text[]::vector'),
    (32, '''[1]''::vector::integer[]'),
    (33, '''[1]''::vector::double precision[]')
) AS t(n, command)
ORDER BY n;

-- the function itself checks the type of the elements
CREATE FUNCTION pg_temp.from_bigint(bigint[], integer, boolean) RETURNS vector
    AS '$libdir/vsearch', 'vs_vector_from_array' LANGUAGE C STRICT;
SELECT pg_temp.attempt('SELECT pg_temp.from_bigint(''{1}'', -1, true)');
