-- What could lose rows or space: most rows deleted at once, rows that are
-- replaced over and over, queries that need all rows, far too many probes.

CREATE FUNCTION robust_vector(i int, dim int) RETURNS float8[] LANGUAGE sql
    IMMUTABLE AS $$
    SELECT array_agg(sin(i * 0.7 + j * (1 + i % 7))) FROM generate_series(1, dim) j
$$;

CREATE TABLE robust (id int, v vector(200));
INSERT INTO robust
    SELECT i, robust_vector(i, 200) FROM generate_series(1, 6000) i;
CREATE INDEX robust_idx ON robust USING ivfflat (v) WITH (lists = 12);
SELECT pg_relation_size('robust_idx') AS size_before \gset
DELETE FROM robust WHERE id % 150 <> 0;
VACUUM (INDEX_CLEANUP ON) robust;
SELECT * FROM vsearch_check('robust_idx', true);
SET enable_seqscan = off;
SELECT count(*) FROM (
    SELECT FROM robust ORDER BY v <-> robust_vector(600, 200)::vector
    LIMIT 100) s;

-- The space of rows that went is used for rows that come.
INSERT INTO robust
    SELECT i, robust_vector(i, 200) FROM generate_series(1, 5900) i;
SELECT * FROM vsearch_check('robust_idx', true);
SELECT pg_relation_size('robust_idx') <= 1.02 * :size_before AS space_reused;
DO $$
BEGIN
    FOR round IN 1..4 LOOP
        DELETE FROM robust WHERE id % 3 = round % 3;
        INSERT INTO robust
            SELECT i, robust_vector(i, 200)
            FROM generate_series(3 + round % 3, 5900, 3) i;
    END LOOP;
END
$$;
SELECT pg_relation_size('robust_idx') AS size_before \gset
VACUUM (INDEX_CLEANUP ON) robust;
SELECT * FROM vsearch_check('robust_idx', true);
INSERT INTO robust
    SELECT i, robust_vector(i, 200) FROM generate_series(1, 5900) i;
SELECT pg_relation_size('robust_idx') <= 1.02 * :size_before AS space_reused;
SELECT * FROM vsearch_check('robust_idx', true);

-- So many lists that their centroids are found by way of groups of them.
CREATE TABLE robust_lists (id int, v vector(34), w vector(3));
INSERT INTO robust_lists
    SELECT i, robust_vector(i, 34), robust_vector(i, 3)
    FROM generate_series(1, 4000) i;
CREATE INDEX robust_lists_v ON robust_lists USING ivfflat (v) WITH (lists = 2100);
CREATE INDEX robust_lists_w ON robust_lists USING ivfflat (w) WITH (lists = 2100);
SELECT * FROM vsearch_check('robust_lists_v', true);
SELECT * FROM vsearch_check('robust_lists_w', true);
SELECT count(*), count(DISTINCT id) FROM (
    SELECT id FROM robust_lists
    ORDER BY v <-> robust_vector(70, 34)::vector LIMIT 10000) s;
SELECT count(*) FROM generate_series(7, 4000, 40) i, LATERAL (
    SELECT v <-> robust_vector(i, 34)::vector AS d FROM robust_lists
    ORDER BY v <-> robust_vector(i, 34)::vector LIMIT 1) n
WHERE d < 0.1;
INSERT INTO robust_lists
    SELECT i, robust_vector(i, 34), robust_vector(i, 3)
    FROM generate_series(4001, 4400) i;
SELECT * FROM vsearch_check('robust_lists_v', true);
SELECT * FROM vsearch_check('robust_lists_w', true);
SELECT count(*) FROM generate_series(4001, 4400, 7) i, LATERAL (
    SELECT v <-> robust_vector(i, 34)::vector AS d FROM robust_lists
    ORDER BY v <-> robust_vector(i, 34)::vector LIMIT 1) n
WHERE d < 0.1;
DROP TABLE robust_lists;

-- Rows without a vector count where all rows do.
INSERT INTO robust SELECT i, NULL FROM generate_series(1, 7) i;
SELECT count(*) AS expected FROM robust \gset
SELECT count(*) OVER () = :expected AS counts_all
    FROM robust ORDER BY v <-> robust_vector(600, 200)::vector LIMIT 1;
SELECT count(*) = :expected AS returns_all FROM (
    SELECT id FROM robust ORDER BY v <-> robust_vector(600, 200)::vector
    LIMIT ALL) s;
RESET enable_seqscan;

-- VACUUM does not count a partial index's rows as the table's.
CREATE INDEX robust_partial ON robust USING ivfflat (v) WITH (lists = 4)
    WHERE id % 10 = 0;
VACUUM (INDEX_CLEANUP ON) robust;
SELECT reltuples = (SELECT count(*) FROM robust WHERE id % 10 = 0 AND v IS NOT NULL)
FROM pg_class WHERE relname = 'robust_partial';
DROP TABLE robust;
DROP FUNCTION robust_vector;
