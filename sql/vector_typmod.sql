-- The number of dimensions as a type modifier, vector(n).
--
-- Breaks if a column takes vectors of another dimension than it declares, or if
-- tools print the column's type in a form that does not restore.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

SELECT command, pg_temp.attempt(command) AS result
FROM (VALUES
    (1, 'SELECT ''[1,2,3]''::vector(3)'),
    (2, 'SELECT ''[1,2,3]''::vector(2)'),
    (3, 'SELECT ''[1,2,3]''::vector(16000)'),
    (4, 'SELECT ''[1,2,3]''::vector::vector(3)'),
    (5, 'SELECT ''[1,2,3]''::vector::vector(4)'),
    (6, 'SELECT ''[1,2,3]''::vector(3)::vector'),
    (7, 'SELECT NULL::vector(3)'),
    (8, 'SELECT ARRAY[1,2,3]::vector(2)'),
    (9, 'SELECT ''{"[1,2]","[3,4]"}''::vector(2)[]'),
    (10, 'SELECT ''{"[1,2]","[3]"}''::vector(2)[]'),
    (20, 'SELECT ''[1]''::vector(0)'),
    (21, 'SELECT ''[1]''::vector(-1)'),
    (22, 'SELECT ''[1]''::vector(16001)'),
    (23, 'SELECT ''[1]''::vector(2147483648)'),
    (24, 'SELECT ''[1]''::vector(1,1)'),
    (25, 'SELECT ''[1]''::vector(''a'')'),
    (26, 'SELECT ''[1]''::vector(''1'')'),
    (27, 'SELECT ''[1]''::vector(1.5)')
) AS t(n, command)
ORDER BY n;

CREATE TABLE items (id int, v vector(3), w vector);
\d items
SELECT format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'items'::regclass AND attname = 'v';

INSERT INTO items VALUES (1, '[1,2,3]', '[1,2]');
INSERT INTO items VALUES (2, '[1,2]', '[1,2]');
INSERT INTO items VALUES (2, '[1,2]'::vector, '[1,2]');
INSERT INTO items VALUES (2, ARRAY[1,2,3], ARRAY[1,2]);
INSERT INTO items VALUES (3, ARRAY[1,2]);
UPDATE items SET v = w;
UPDATE items SET w = v WHERE id = 1;
COPY items FROM stdin;
3	[7,8,9]	\N
4	[7,8]	[1]
\.
COPY items FROM stdin;
3	[7,8,9]	\N
\.
SELECT * FROM items ORDER BY id;

-- changing the modifier checks what is there
ALTER TABLE items ALTER COLUMN v TYPE vector(4);
ALTER TABLE items ALTER COLUMN v TYPE vector;
ALTER TABLE items ALTER COLUMN v TYPE vector(3);

-- and so does a domain
CREATE DOMAIN embedding AS vector(2) CHECK (vector_norm(VALUE) > 0);
SELECT '[3,4]'::embedding;
SELECT '[3,4,5]'::embedding;
SELECT '[0,0]'::embedding;
DROP DOMAIN embedding;
DROP TABLE items;
