-- Sorting, grouping, uniqueness and btree indexes of vectors.
--
-- Breaks if vector_ops does not order as the operators do, or is not what
-- PostgreSQL picks by default.

CREATE TABLE items (id int, v vector);
INSERT INTO items
    SELECT i, ARRAY[i % 10, i % 7]::vector FROM generate_series(1, 200) AS i;
INSERT INTO items VALUES (201, '[3]'), (202, '[3,0,0]'), (203, NULL), (204, '[-0,0]');
CREATE INDEX items_v ON items (v);
ANALYZE items;

SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE v = '[3,0]' ORDER BY id;
SELECT id FROM items WHERE v = '[3,0]' ORDER BY id;
SELECT id FROM items WHERE v > '[3]' AND v <= '[3,0,0]' ORDER BY v, id;
SELECT id FROM items WHERE v = '[0,0]' ORDER BY id;
SELECT id FROM items WHERE v IS NULL;
EXPLAIN (COSTS OFF) SELECT v FROM items ORDER BY v LIMIT 3;
SELECT v FROM items ORDER BY v LIMIT 3;
SELECT v FROM items ORDER BY v DESC NULLS LAST LIMIT 3;
RESET enable_seqscan;
RESET enable_bitmapscan;

SELECT count(DISTINCT v), min(id) FROM items;
SELECT v, count(*) FROM items GROUP BY v HAVING count(*) > 2 ORDER BY v LIMIT 3;
SELECT count(*) FROM items a JOIN items b ON a.v = b.v;

-- unique
CREATE TABLE one_of_each (v vector(2) PRIMARY KEY);
INSERT INTO one_of_each VALUES ('[1,2]'), ('[2,1]');
INSERT INTO one_of_each VALUES ('[1,2]');
INSERT INTO one_of_each VALUES ('[1,2]') ON CONFLICT DO NOTHING;
SELECT * FROM one_of_each ORDER BY v;

-- a sort of values that are toasted
CREATE TABLE long AS
    SELECT i, (ARRAY[i % 5] || array_fill(i % 3, ARRAY[2000]))::vector AS v
    FROM generate_series(1, 100) AS i;
SELECT count(*) AS out_of_order
FROM (SELECT v, lag(v) OVER (ORDER BY v) AS previous FROM long) AS t
WHERE previous > v;
SELECT count(DISTINCT v) FROM long;

DROP TABLE items, one_of_each, long;
