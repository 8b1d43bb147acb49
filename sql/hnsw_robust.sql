-- What could take a graph apart, lose rows or lend rights: most rows deleted at
-- once, everything deleted while others insert, lists over several pages,
-- queries that need all rows, expressions of somebody else's index.

CREATE FUNCTION robust_vector(i int, dim int) RETURNS float8[] LANGUAGE sql
    IMMUTABLE AS $$
    SELECT array_agg(sin(i * 0.7 + j * (1 + i % 7))) FROM generate_series(1, dim) j
$$;

-- Nearly all rows go in one vacuum; the rest is still found by the graph alone,
-- and so are rows that come after.
CREATE TABLE robust (id int, v vector(8));
INSERT INTO robust SELECT i, robust_vector(i, 8) FROM generate_series(1, 12000) i;
CREATE INDEX robust_idx ON robust USING hnsw (v vector_l2_ops);
DELETE FROM robust WHERE id % 150 <> 0;
VACUUM (INDEX_CLEANUP ON) robust;
SELECT * FROM vsearch_check('robust_idx', true);
SET enable_seqscan = off;
SET hnsw.iterative_scan = off;
SET hnsw.ef_search = 200;
SELECT count(*) FROM (
    SELECT FROM robust ORDER BY v <-> robust_vector(600, 8)::vector LIMIT 100) s;
INSERT INTO robust SELECT i, robust_vector(i, 8) FROM generate_series(1, 50) i;
SELECT count(*) FROM (
    SELECT FROM robust ORDER BY v <-> robust_vector(600, 8)::vector LIMIT 200) s;
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;
SELECT * FROM vsearch_check('robust_idx', true);

-- A node's list over several pages: vacuum names no neighbour twice.
CREATE TABLE robust_wide (id int, v vector(4000));
INSERT INTO robust_wide
    SELECT i, robust_vector(i, 4000) FROM generate_series(1, 1100) i;
CREATE INDEX robust_wide_idx ON robust_wide USING hnsw (v vector_l2_ops);
DELETE FROM robust_wide WHERE id % 5 = 0;
VACUUM (INDEX_CLEANUP ON) robust_wide;
INSERT INTO robust_wide
    SELECT i, robust_vector(i, 4000) FROM generate_series(1, 50) i;
SELECT * FROM vsearch_check('robust_wide_idx', true) WHERE severity = 'error';
DROP TABLE robust_wide;

-- The index of upper levels does not grow when rows are replaced over and over.
CREATE TABLE robust_churn (id int, v vector(128));
INSERT INTO robust_churn
    SELECT i, robust_vector(i, 128) FROM generate_series(1, 1500) i;
CREATE INDEX robust_churn_idx ON robust_churn USING hnsw (v vector_l2_ops);
DELETE FROM robust_churn WHERE id % 3 = 0;
VACUUM (INDEX_CLEANUP ON) robust_churn;
INSERT INTO robust_churn
    SELECT i, robust_vector(-i, 128) FROM generate_series(3, 1500, 3) i;
SELECT pg_relation_size('robust_churn_idx') AS size_before \gset
DO $$
BEGIN
    FOR round IN 1..6 LOOP
        DELETE FROM robust_churn WHERE id % 3 = round % 3;
        INSERT INTO robust_churn
            SELECT i, robust_vector(i * 7 + round, 128)
            FROM generate_series(3 + round % 3, 1500, 3) i;
    END LOOP;
END
$$;
VACUUM (INDEX_CLEANUP ON) robust_churn;
INSERT INTO robust_churn
    SELECT i, robust_vector(-i * 11, 128) FROM generate_series(1, 3000) i;
SELECT pg_relation_size('robust_churn_idx') <= 4.5 * :size_before AS space_reused;
SELECT * FROM vsearch_check('robust_churn_idx', true) WHERE severity = 'error';
DROP TABLE robust_churn;

-- Rows without a vector count where all rows do.
INSERT INTO robust SELECT i, NULL FROM generate_series(1, 7) i;
SELECT count(*) AS expected FROM robust \gset
SELECT count(*) OVER () = :expected AS counts_all
    FROM robust ORDER BY v <-> robust_vector(600, 8)::vector LIMIT 1;
SELECT count(*) = :expected AS returns_all FROM (
    SELECT id FROM robust ORDER BY v <-> robust_vector(600, 8)::vector LIMIT ALL) s;
SELECT count(*) = :expected AS returns_all FROM (
    SELECT id FROM robust ORDER BY v <-> robust_vector(600, 8)::vector LIMIT NULL) s;
RESET enable_seqscan;

-- VACUUM does not count a partial index's rows as the table's.
CREATE INDEX robust_partial ON robust USING hnsw (v vector_l2_ops)
    WHERE id % 10 = 0;
VACUUM (INDEX_CLEANUP ON) robust;
SELECT reltuples FROM pg_class WHERE relname = 'robust_partial';
DROP TABLE robust;

-- A check runs the expressions of an index as the table's owner, and asks for
-- the right to check before it locks anything.
CREATE ROLE regress_vsearch_owner;
CREATE ROLE regress_vsearch_other;
CREATE TABLE robust_owned (v vector(2));
ALTER TABLE robust_owned OWNER TO regress_vsearch_owner;
INSERT INTO robust_owned VALUES ('[1,2]');
CREATE FUNCTION robust_expression(v vector) RETURNS vector LANGUAGE sql
    IMMUTABLE AS 'SELECT v OPERATOR(public.+) v';
CREATE INDEX robust_owned_idx ON robust_owned
    USING hnsw ((robust_expression(v)::vector(2)) vector_l2_ops);
CREATE OR REPLACE FUNCTION robust_expression(v vector) RETURNS vector
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RAISE NOTICE 'expression runs as %', current_user;
    RETURN v OPERATOR(public.+) v;
END
$$;
SELECT * FROM vsearch_check('robust_owned_idx', true);
SET ROLE regress_vsearch_other;
SELECT * FROM vsearch_check('robust_owned_idx', true);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP TABLE robust_owned;
DROP ROLE regress_vsearch_owner, regress_vsearch_other;
DROP FUNCTION robust_expression, robust_vector;
