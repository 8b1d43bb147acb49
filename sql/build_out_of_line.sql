-- A build reads vectors that lie out of line, in whatever order and shape they are;
-- one that is missed or mixed up is found by the check.
CREATE TABLE t (id int, a vector(700), b vector(1000), c vector(5000));
ALTER TABLE t ALTER c SET STORAGE EXTENDED;

-- Values of three columns between each other; the last one is compressed.
INSERT INTO t SELECT i,
	(SELECT array_agg(sin(i * j)) FROM generate_series(1, 700) j)::vector,
	(SELECT array_agg(cos(i * j)) FROM generate_series(1, 1000) j)::vector,
	(SELECT array_agg(i % 7 + j % 3) FROM generate_series(1, 5000) j)::vector
	FROM generate_series(1, 200) i;

-- Rows in another order than their values, values without rows, and rows of an
-- aborted transaction between them.
UPDATE t SET a = a::text::vector WHERE id % 3 = 0;
BEGIN;
UPDATE t SET a = a::text::vector, b = b::text::vector WHERE id % 5 = 0;
ROLLBACK;
UPDATE t SET b = b::text::vector WHERE id IN (SELECT id FROM t WHERE id % 4 = 0 ORDER BY id DESC);
DELETE FROM t WHERE id % 11 = 0;
INSERT INTO t (id, b) SELECT id + 1000, b FROM t ORDER BY id DESC LIMIT 20;
INSERT INTO t (id) VALUES (2000);

CREATE INDEX t_a ON t USING ivfflat (a) WITH (lists = 5);
CREATE INDEX t_b ON t USING ivfflat (b) WITH (lists = 5);
CREATE INDEX t_c ON t USING ivfflat (c) WITH (lists = 5);
CREATE INDEX t_b_hnsw ON t USING hnsw (b vector_l2_ops);
SELECT i, vsearch_check(i::regclass, true)
	FROM unnest('{t_a,t_b,t_c,t_b_hnsw}'::text[]) i;
DROP TABLE t;
