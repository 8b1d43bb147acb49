-- Arithmetic, concatenation and comparison of vectors.
--
-- Breaks if a result differs, if overflow goes unnoticed, or if comparison is
-- not the total order that sorting, grouping and btree rely on.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

SELECT '[1,2,3]'::vector + '[4,5,6]' AS sum, '[1,2,3]'::vector - '[4,5,6]' AS difference,
    '[1,2,3]'::vector * '[4,5,6]' AS product, '[1,2,3]'::vector || '[4,5]' AS concatenation;
SELECT vector_dims(array_fill(1, ARRAY[15999])::vector || '[2]');
SELECT '[1e-40]'::vector * '[0]' AS zero_product, '[-1]'::vector * '[0]' AS negative_zero;

SELECT command, pg_temp.attempt('SELECT ' || command) AS result
FROM (VALUES
    (1, '''[1,2]''::vector + ''[3]'''),
    (2, '''[1,2]''::vector - ''[3]'''),
    (3, '''[1,2]''::vector * ''[3]'''),
    (10, '''[1,3e38]''::vector + ''[1,3e38]'''),
    (11, '''[-3e38]''::vector - ''[3e38]'''),
    (12, '''[1e37]''::vector * ''[1e37]'''),
    (13, '''[1e-37]''::vector * ''[1e-37]'''),
    (14, '''[1,-1e-37]''::vector * ''[1,1e-37]'''),
    (20, 'vector_dims(array_fill(1, ARRAY[8000])::vector || array_fill(1, ARRAY[8001])::vector)'),
    (21, '''[1]''::vector || ARRAY[2]::vector || ''[3]''')
) AS t(n, command)
ORDER BY n;

-- all pairs of values in ascending order
CREATE TABLE vectors (n serial, v vector);
INSERT INTO vectors (v) VALUES ('[-2]'), ('[-1,9]'), ('[0]'), ('[0,-5]'), ('[0,0]'),
    ('[0,0,0]'), ('[0,1]'), ('[1e-45]'), ('[1]'), ('[1,2]'), ('[1,2,3]'), ('[2]'), ('[10]');
SELECT count(*) AS pairs,
    count(*) FILTER (WHERE vector_cmp(a.v, b.v) <> sign(a.n - b.n)) AS cmp_wrong,
    count(*) FILTER (WHERE (a.v < b.v) <> (a.n < b.n)) AS lt_wrong,
    count(*) FILTER (WHERE (a.v <= b.v) <> (a.n <= b.n)) AS le_wrong,
    count(*) FILTER (WHERE (a.v = b.v) <> (a.n = b.n)) AS eq_wrong,
    count(*) FILTER (WHERE (a.v <> b.v) <> (a.n <> b.n)) AS ne_wrong,
    count(*) FILTER (WHERE (a.v >= b.v) <> (a.n >= b.n)) AS ge_wrong,
    count(*) FILTER (WHERE (a.v > b.v) <> (a.n > b.n)) AS gt_wrong
FROM vectors a, vectors b;
DROP TABLE vectors;
SELECT '[0]'::vector = '[-0]' AS zeroes_are_equal;
SELECT '[1]'::vector = NULL AS with_null;

-- what the planner may do with the operators: nothing that needs a hash
-- function, as there is none
SELECT o.oprname, c.oprname AS commutator, n.oprname AS negator, o.oprrest, o.oprjoin,
    o.oprcanhash, o.oprcanmerge
FROM pg_operator o
    LEFT JOIN pg_operator c ON c.oid = o.oprcom
    LEFT JOIN pg_operator n ON n.oid = o.oprnegate
WHERE o.oprleft = 'vector'::regtype AND o.oprright = 'vector'::regtype
ORDER BY o.oprname COLLATE "C";
