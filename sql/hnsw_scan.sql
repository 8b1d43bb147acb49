-- Searches: the order of the exact answer, how many rows come back, where a
-- scan stops, rescans, cursors, filters.

-- Points that float16 holds exactly, so that the index knows true distances;
-- their distances to the queries below differ clearly.
CREATE TABLE scan (id int PRIMARY KEY, label int, v vector(3));
INSERT INTO scan
    SELECT i, i % 100, ARRAY[i, 0.25 * (i * i % 11), 0.125 * (i % 7)]::vector
    FROM generate_series(1, 2000) i;
CREATE INDEX scan_l2 ON scan USING hnsw (v vector_l2_ops);
CREATE INDEX scan_ip ON scan USING hnsw (v vector_ip_ops);
CREATE INDEX scan_cosine ON scan USING hnsw (v vector_cosine_ops);
ANALYZE scan;
SET enable_seqscan = off;

-- In the exact order, as plain as it gets.
EXPLAIN (COSTS OFF) SELECT id FROM scan ORDER BY v <-> '[7.3,0.4,0]' LIMIT 5;
SELECT id, round((v <-> '[7.3,0.4,0]')::numeric, 3) AS distance
FROM scan ORDER BY v <-> '[7.3,0.4,0]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM scan ORDER BY v <#> '[1,0,0]' LIMIT 5;
SELECT id, v <#> '[1,0,0]' AS distance
FROM scan ORDER BY v <#> '[1,0,0]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM scan ORDER BY v <=> '[0,1,0]' LIMIT 3;
SELECT id, round((v <=> '[0,1,0]')::numeric, 3) AS distance
FROM scan ORDER BY v <=> '[0,1,0]' LIMIT 3;
-- Only its own operator is an index's.
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT id FROM scan ORDER BY v <+> '[1,0,0]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM scan ORDER BY v <-> '[1,0,0]' DESC LIMIT 5;
SET enable_seqscan = off;
CREATE INDEX scan_l1 ON scan USING hnsw (v vector_l1_ops);
EXPLAIN (COSTS OFF) SELECT id FROM scan ORDER BY v <+> '[7.3,0.4,0]' LIMIT 5;
SELECT id, round((v <+> '[7.3,0.4,0]')::numeric, 3) AS distance
FROM scan ORDER BY v <+> '[7.3,0.4,0]' LIMIT 5;

-- The same as without an index, for each of many queries: equal distances may
-- come in any order, so their sums are compared.
CREATE FUNCTION scan_differences(operator text) RETURNS TABLE (queries bigint,
    differences bigint) LANGUAGE plpgsql AS $$
DECLARE
    query text := format('
        SELECT q.id, sum(n.d) AS total
        FROM scan q CROSS JOIN LATERAL (
            SELECT t.v %1$s q.v AS d
            FROM scan t ORDER BY t.v %1$s q.v LIMIT 10) n
        WHERE q.id %% 40 = 7
        GROUP BY q.id', operator);
BEGIN
    SET LOCAL enable_indexscan = off;
    EXECUTE 'CREATE TEMP TABLE scan_exact AS ' || query;
    SET LOCAL enable_indexscan = on;
    EXECUTE 'CREATE TEMP TABLE scan_found AS ' || query;
    RETURN QUERY SELECT count(*),
        count(*) FILTER (WHERE abs(e.total - f.total) > 1e-5 * abs(e.total))
    FROM scan_exact e JOIN scan_found f USING (id);
    DROP TABLE scan_exact, scan_found;
END
$$;
SELECT * FROM scan_differences('<->');
SELECT * FROM scan_differences('<#>');
SELECT * FROM scan_differences('<+>');
DROP FUNCTION scan_differences;

-- A query gets the rows its LIMIT asked for, also past ef_search, once each.
SET hnsw.ef_search = 10;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 300) s;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[500,0,0]' LIMIT 2000) s;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[500,0,0]' LIMIT 3000) s;
SELECT min(id), max(id)
FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 300) s;
SELECT id FROM scan ORDER BY v <-> '[0,0,0]' OFFSET 250 LIMIT 3;

-- With iterative scans off it gets what the first pass found.
SET hnsw.iterative_scan = off;
SELECT count(*) FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 300) s;
SELECT count(*) FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 7) s;
SET hnsw.iterative_scan = relaxed_order;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[500,0,0]' LIMIT 2000) s;
SET hnsw.iterative_scan = strict_order;
SELECT count(*) FILTER (WHERE d < before) AS disorder FROM (
    SELECT d, lag(d) OVER () AS before FROM (
        SELECT v <-> '[500,0,0]' AS d FROM scan
        ORDER BY v <-> '[500,0,0]' LIMIT 1000) s) o;
RESET hnsw.iterative_scan;

-- A filter that few rows pass: the scan goes on until it has them, to the end
-- if need be.
EXPLAIN (COSTS OFF)
SELECT id FROM scan WHERE label = 42 ORDER BY v <-> '[0,0,0]' LIMIT 5;
SELECT id FROM scan WHERE label = 42 ORDER BY v <-> '[0,0,0]' LIMIT 5;
SELECT count(*) FROM (
    SELECT id FROM scan WHERE label = 42
    ORDER BY v <-> '[0,0,0]' LIMIT 100) s;
SELECT id FROM scan WHERE label = 99 AND id > 1900
ORDER BY v <-> '[0,0,0]' LIMIT 5;
SELECT id FROM scan WHERE label = -1 ORDER BY v <-> '[0,0,0]' LIMIT 5;
SET hnsw.iterative_scan = off;
SELECT id FROM scan WHERE label = 42 ORDER BY v <-> '[0,0,0]' LIMIT 5;
RESET hnsw.iterative_scan;

-- max_scan_tuples and the memory limit bound the work that is kept in order,
-- not what a query gets.
SET hnsw.max_scan_tuples = 1;
SELECT count(*) FROM (
    SELECT id FROM scan WHERE label = 42
    ORDER BY v <-> '[0,0,0]' LIMIT 20) s;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[500,0,0]' LIMIT 2000) s;
RESET hnsw.max_scan_tuples;
SET work_mem = '64kB';
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[500,0,0]' LIMIT 2000) s;
RESET work_mem;
RESET hnsw.ef_search;

-- A NULL query: rows in any order, and no error.
SELECT count(*) FROM (
    SELECT id FROM scan ORDER BY v <-> NULL::vector LIMIT 5) s;
SELECT count(*), count(DISTINCT id) FROM (
    SELECT id FROM scan
    ORDER BY v <-> (SELECT NULL::vector) LIMIT 100) s;
-- A zero query under cosine, likewise.
SELECT count(*), count(DISTINCT id) FROM (
    SELECT id FROM scan ORDER BY v <=> '[0,0,0]' LIMIT 100) s;
-- A query with other dimensions.
\set VERBOSITY sqlstate
SELECT id FROM scan ORDER BY v <-> '[1,2]' LIMIT 5;
\set VERBOSITY default

-- Rescans: the inner side of a nested loop, parameters and all.
EXPLAIN (COSTS OFF)
SELECT q.id, n.id FROM (VALUES (3), (1500), (77)) q(id)
CROSS JOIN LATERAL (
    SELECT t.id FROM scan t
    ORDER BY t.v <-> ARRAY[q.id + 0.1, 0, 0]::vector LIMIT 3) n;
SELECT q.id, array_agg(n.id ORDER BY n.id) FROM (VALUES (3), (1500), (77)) q(id)
CROSS JOIN LATERAL (
    SELECT t.id FROM scan t
    ORDER BY t.v <-> ARRAY[q.id + 0.1, 0, 0]::vector LIMIT 3) n
GROUP BY q.id ORDER BY q.id;
-- NULL among the parameters.
SELECT q.n, count(t.id) FROM (VALUES (1, '[1,0,0]'::vector), (2, NULL),
    (3, '[2000,0,0]')) q(n, v)
CROSS JOIN LATERAL (
    SELECT t.id FROM scan t ORDER BY t.v <-> q.v LIMIT 4) t
GROUP BY q.n ORDER BY q.n;

-- Cursors: in parts, past ef_search, to the end, and held.
BEGIN;
SET LOCAL hnsw.ef_search = 5;
SET LOCAL enable_sort = off;
DECLARE c CURSOR FOR SELECT id FROM scan ORDER BY v <-> '[0,0,0]';
FETCH 3 FROM c;
FETCH 3 FROM c;
MOVE FORWARD 100 FROM c;
FETCH 2 FROM c;
MOVE FORWARD ALL FROM c;
FETCH 1 FROM c;
CLOSE c;
DECLARE s SCROLL CURSOR FOR SELECT id FROM scan ORDER BY v <-> '[0,0,0]';
FETCH 3 FROM s;
FETCH BACKWARD 2 FROM s;
FETCH ABSOLUTE 20 FROM s;
CLOSE s;
DECLARE h CURSOR WITH HOLD FOR
    SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 8;
FETCH 2 FROM h;
COMMIT;
FETCH 2 FROM h;
CLOSE h;

-- Two scans of one index at once, of two indexes at once.
SELECT a.id AS a, b.id AS b FROM
    (SELECT id, row_number() OVER () AS n FROM (
        SELECT id FROM scan ORDER BY v <-> '[10,0,0]' LIMIT 3) s) a
    JOIN (SELECT id, row_number() OVER () AS n FROM (
        SELECT id FROM scan ORDER BY v <-> '[1000,0,0]' LIMIT 3) s) b USING (n)
ORDER BY n;

-- Only with ORDER BY.
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT v FROM scan WHERE v IS NOT NULL LIMIT 1;

-- Identical vectors share an element of up to ten rows.
SET enable_seqscan = off;
CREATE TABLE scan_dups (id int, v vector(3));
INSERT INTO scan_dups SELECT i, '[1,1,1]' FROM generate_series(1, 20) i;
INSERT INTO scan_dups VALUES (21, '[5,5,5]');
CREATE INDEX scan_dups_idx ON scan_dups USING hnsw (v vector_l2_ops);
SET hnsw.ef_search = 1;
SET hnsw.iterative_scan = off;
SELECT count(*) FROM (
    SELECT FROM scan_dups ORDER BY v <-> '[1,1,1]' LIMIT 100) s;
SET hnsw.iterative_scan = strict_order;
SELECT count(*) FROM (
    SELECT FROM scan_dups ORDER BY v <-> '[1,1,1]' LIMIT 100) s;
SET hnsw.iterative_scan = relaxed_order;
SELECT count(*) FROM (
    SELECT FROM scan_dups ORDER BY v <-> '[1,1,1]' LIMIT 100) s;
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;

DROP TABLE scan, scan_dups;
