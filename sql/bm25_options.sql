-- Storage parameters and settings of bm25 indexes, the operator class, and the
-- type that names an index.
--
-- Breaks if a parameter takes values that scores cannot be computed with, or does
-- not count, or if bm25query loses its index.

CREATE TABLE docs (id int, tsv tsvector);
CREATE INDEX docs_tsv ON docs USING bm25 (tsv);

CREATE INDEX ON docs USING bm25 (tsv) WITH (k1 = -0.1);
CREATE INDEX ON docs USING bm25 (tsv) WITH (b = 1.01);
CREATE INDEX ON docs USING bm25 (tsv) WITH (weight_a = 'heavy');
CREATE INDEX ON docs USING bm25 (tsv) WITH (weight_d = -1);
CREATE INDEX ON docs USING bm25 (tsv) WITH (weight = 1);
CREATE INDEX ON docs USING bm25 (id);
CREATE INDEX ON docs USING bm25 (tsv, tsv);
CREATE UNIQUE INDEX ON docs USING bm25 (tsv);
CREATE INDEX ON docs USING bm25 (tsv DESC);
CREATE INDEX ON docs USING bm25 (tsv) INCLUDE (id);

SELECT opcname, opcdefault, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE amname = 'bm25';
SELECT amopstrategy, amoppurpose, amopopr::regoperator, amopsortfamily > 0 AS sorts
FROM pg_amop JOIN pg_am a ON a.oid = amopmethod WHERE amname = 'bm25' ORDER BY 1;
CREATE OPERATOR CLASS wrong_ops FOR TYPE tsvector USING bm25 AS
    OPERATOR 1 pg_catalog.@@ (tsvector, tsquery);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'wrong_ops';
DROP OPERATOR FAMILY wrong_ops USING bm25;

-- each parameter counts, also when it is changed later
SET enable_indexscan = off;
INSERT INTO docs VALUES (1, 'cat:1 dog:2 horse:3,4,5,6'), (2, 'cat:1A,2B,3C,4'), (3, 'cow');
SELECT id, round(bm25_score(tsv, 'cat')::numeric, 6) AS score FROM docs ORDER BY 1;
ALTER INDEX docs_tsv SET (k1 = 0);
SELECT id, round(bm25_score(tsv, 'cat')::numeric, 6) AS score FROM docs ORDER BY 1;
ALTER INDEX docs_tsv SET (k1 = 2, b = 0);
SELECT id, round(bm25_score(tsv, 'cat')::numeric, 6) AS score FROM docs ORDER BY 1;
ALTER INDEX docs_tsv SET (b = 1);
SELECT id, round(bm25_score(tsv, 'cat')::numeric, 6) AS score FROM docs ORDER BY 1;
ALTER INDEX docs_tsv SET (k1 = 2, b = 0, weight_a = 8, weight_b = 4, weight_c = 2, weight_d = 0);
SELECT id, round(bm25_score(tsv, 'cat')::numeric, 6) AS score,
    round(bm25_score(tsv, 'cat:a')::numeric, 6) AS a,
    round(bm25_score(tsv, 'cat:bc')::numeric, 6) AS bc,
    round(bm25_score(tsv, 'cat:d')::numeric, 6) AS d
FROM docs ORDER BY 1;
ALTER INDEX docs_tsv SET (k1 = -1);
ALTER INDEX docs_tsv RESET (k1, b, weight_a, weight_b, weight_c, weight_d);
SELECT id, round(bm25_score(tsv, 'cat')::numeric, 6) AS score FROM docs ORDER BY 1;

-- a partitioned index has its own, and gives them to its partitions
CREATE TABLE parted (id int, tsv tsvector) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (9);
CREATE INDEX parted_tsv ON parted USING bm25 (tsv) WITH (k1 = 0);
INSERT INTO parted SELECT * FROM docs;
SELECT id, round(bm25_score(tsv, 'cat')::numeric, 6) AS score FROM parted ORDER BY 1;
-- for good, and whatever its partitions' indexes come to have
ALTER INDEX parted_tsv SET (k1 = 1);
ALTER INDEX parted_1_tsv_idx SET (k1 = 2, b = 0);
SELECT id, round(bm25_score(p.tsv, 'cat')::numeric, 6) AS parted, round(bm25_score(p_1.tsv, 'cat')::numeric, 6) AS parted_1
FROM parted p JOIN parted_1 p_1 USING (id) ORDER BY 1;

-- the setting
SELECT setting, context, min_val FROM pg_settings WHERE name = 'bm25.max_prefix_lexemes';
SET bm25.max_prefix_lexemes = 0;
SET bm25.max_prefix_lexeme = 1;

-- the type
SELECT bm25_query('docs_tsv', 'cat & dog:a*'), bm25_query('docs_tsv', 'cat & dog:a*')::tsquery;
CREATE SCHEMA "a:b""c";
CREATE TABLE "a:b""c".docs (tsv tsvector);
CREATE INDEX "tsv: x" ON "a:b""c".docs USING bm25 (tsv);
SELECT bm25_query('"a:b""c"."tsv: x"', 'cat');
SELECT bm25_query('docs_tsv', '');
-- no literals, which would outlive their index
SELECT 'docs_tsv: cat'::bm25query;
SELECT (bm25_query('docs_tsv', 'cat')::text)::bm25query;
SELECT bm25_query('docs', 'cat');
SELECT bm25_query('pg_class_oid_index', 'cat');
SELECT bm25_query(0, 'cat');
SELECT bm25_query(NULL, 'cat') IS NULL, bm25_query('docs_tsv', NULL) IS NULL;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'docs_tsv'::regclass;
SELECT bm25_query('docs_tsv', 'cat');
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'docs_tsv'::regclass;

SET client_min_messages = warning;
DROP SCHEMA "a:b""c" CASCADE;
DROP TABLE docs, parted;
