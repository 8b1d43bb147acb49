-- Text input and output of vector.
--
-- Breaks if a text that pgvector's clients send is refused or read as another
-- value, if output does not read back, or if bad text gets another SQLSTATE or
-- message than applications know.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

-- accepted
SELECT '[1,2,3]'::vector;
SELECT '[-1,+2,.5,5.,1e3,1E-3,-0]'::vector;
SELECT replace('_[_1_,_2_]_', '_', E' \t\n\r\x0b\f')::vector;
SELECT '[0x1p-1,0XA]'::vector;
SELECT '[007,1e+05,1e-05]'::vector;

-- output is the shortest text that reads back
SELECT '[0.1,0.33333334,16777216,1.1754944e-38,3.4028235e38,1e-45]'::vector;
SELECT '[123456789,0.30000001192092896,1e15,1e16,1.5e-5]'::vector;
SELECT setseed(0.5);
SELECT count(*) AS numbers_that_change
FROM (SELECT ((random() - 0.5) * 10 ^ (random() * 70 - 35)::int)::real AS x
      FROM generate_series(1, 10000)) AS numbers
WHERE ARRAY[x]::vector::text::vector::real[] <> ARRAY[x]
   OR ARRAY[x]::vector::text <> '[' || x || ']';

-- input is rounded to the nearest number, as real's is: numbers of any length,
-- and numbers next to the middle between two
SELECT count(*) AS texts, count(*) FILTER (WHERE v::real[] <> ARRAY[text::real]) AS misread
FROM (SELECT text, ('[' || text || ']')::vector AS v
      FROM (SELECT round((random() - 0.5)::numeric * (10 ^ (i % 5))::int, i % 21)::text AS text
            FROM generate_series(1, 20000) AS i
            UNION ALL
            SELECT (random() * 10 ^ (i % 70 - 35))::text FROM generate_series(1, 20000) AS i
            UNION ALL
            SELECT i || fraction FROM generate_series(16777216, 16778216) AS i,
                unnest(ARRAY['', '.00000000001', '.99999999999', '.0000000001', '.9999999999']) AS fraction
           ) AS texts
     ) AS vectors;
SELECT '[16777217.00000000001,16777217.0,16777216.99999999999,16777219]'::vector::real[]::float8[];
SELECT '[340282350000000000000000000000000000000,1234567890123456789e19]'::vector;

-- what is too small becomes zero, with its sign, or subnormal
SELECT '[1e-46,-1e-46,1e-400,-1e-400,1e-40]'::vector;

-- the largest number of dimensions
SELECT vector_dims(('[' || repeat('1,', 15999) || '2]')::vector);
SELECT md5(v::text) = md5('[' || repeat('1,', 15999) || '2]') AS same
FROM (SELECT ('[' || repeat('1,', 15999) || '2]')::vector) AS t(v);

-- refused
SELECT input, pg_temp.attempt(format('SELECT %L::vector', input)) AS result
FROM (VALUES
    -- syntax
    (1, ''), (2, ' '), (3, '1,2,3'), (4, '{1,2,3}'), (5, '('), (6, 'a[1]'),
    (10, '['), (11, '[ '), (12, '[1'), (13, '[1 '), (14, '[1,'), (15, '[1,2'),
    (16, '[,'), (17, '[,]'), (18, '[1,]'), (19, '[1, ]'), (20, '[,1]'),
    (21, '[1,,2]'), (22, '[1, ,2]'), (23, '[1 2]'), (24, '[1;2]'),
    (25, '[a]'), (26, '[1a]'), (27, '[1e]'), (28, '[--1]'), (29, '[+]'),
    (30, '[[1]]'), (31, '[1}'), (32, '[1,2,3)'), (33, '["1"]'), (34, '[1.2.3]'),
    (40, '[1]9'), (41, '[1]]'), (42, '[1] ,'), (43, '[1][2]'),
    -- dimensions
    (50, '[]'), (51, '[ ]'), (52, ' [] '),
    -- numbers
    (60, '[NaN]'), (61, '[nan,1]'), (62, '[-nan]'), (63, '[Infinity]'),
    (64, '[1,-Infinity]'), (65, '[inf]'), (66, '[+INF]'),
    (70, '[4e38]'), (71, '[1,-4e38]'), (72, '[ 1e400 ,1]'),
    (73, '[3.4028236e38]'), (74, '[0x1p128]'), (75, '[1234567890123456789e21]')
) AS t(n, input)
ORDER BY n;

-- refused without an error where PostgreSQL can (from 16 on), as in COPY ...
-- (ON_ERROR ignore)
DO $$
DECLARE
    input text;
    valid boolean;
BEGIN
    IF current_setting('server_version_num')::int < 160000 THEN
        RETURN;
    END IF;
    FOREACH input IN ARRAY ARRAY['', '[', '[]', '[1', '[1,]', '[1]9', '[nan]',
        '[4e38]', '[1,2]', '[' || repeat('1,', 16000) || '2]']
    LOOP
        EXECUTE 'SELECT pg_input_is_valid($1, ''vector(3)'')' INTO valid USING input;
        IF valid THEN
            RAISE EXCEPTION '% is said to be valid', left(input, 9);
        END IF;
    END LOOP;
    EXECUTE 'SELECT pg_input_is_valid($1, ''vector(3)'')' INTO valid USING '[1,2,3]';
    IF NOT valid THEN
        RAISE EXCEPTION '[1,2,3] is said to be invalid';
    END IF;
END
$$;

SELECT pg_temp.attempt(format('SELECT %L::vector', '[' || repeat('1,', 16000) || '2]'));
-- too many dimensions are found before bad syntax behind them
SELECT pg_temp.attempt(format('SELECT %L::vector', '[' || repeat('1,', 16000) || 'a]'));
-- the text is quoted whole
SELECT length(pg_temp.attempt(format('SELECT %L::vector', '[' || repeat('1,', 20000))));
