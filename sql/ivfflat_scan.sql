-- Searches: the order of the exact answer, how many rows come back, where a
-- scan stops, rescans, cursors, filters; by whole vectors and by codes.

-- Points that float16 holds exactly, so that the index knows true distances;
-- their distances to the queries below differ clearly.
CREATE TABLE scan (id int PRIMARY KEY, label int, v vector(3), w vector(48));
INSERT INTO scan
    SELECT i, i % 100, ARRAY[i, 0.25 * (i * i % 11), 0.125 * (i % 7)]::vector, (
        SELECT array_agg(0.125 * (i * i * j % 61 + i * j % 17)) || ARRAY[0.5 * i]
        FROM generate_series(1, 47) j)::vector
    FROM generate_series(1, 2000) i;
CREATE INDEX scan_l2 ON scan USING ivfflat (v vector_l2_ops) WITH (lists = 20);
CREATE INDEX scan_ip ON scan USING ivfflat (v vector_ip_ops) WITH (lists = 20);
CREATE INDEX scan_cosine ON scan
    USING ivfflat (v vector_cosine_ops) WITH (lists = 20);
CREATE INDEX scan_w_l2 ON scan USING ivfflat (w vector_l2_ops) WITH (lists = 20);
CREATE INDEX scan_w_ip ON scan USING ivfflat (w vector_ip_ops) WITH (lists = 20);
CREATE INDEX scan_w_cosine ON scan
    USING ivfflat (w vector_cosine_ops) WITH (lists = 20);
ANALYZE scan;
SET enable_seqscan = off;
SET ivfflat.probes = 20;

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

-- The same as without an index, for each of many queries, where all lists are
-- probed: equal distances may come in any order, so their sums are compared.
CREATE FUNCTION scan_differences(col text, operator text) RETURNS TABLE (
    queries bigint, differences bigint) LANGUAGE plpgsql AS $$
DECLARE
    query text := format('
        SELECT q.id, sum(n.d) AS total
        FROM scan q CROSS JOIN LATERAL (
            SELECT t.%1$s %2$s q.%1$s AS d
            FROM scan t ORDER BY t.%1$s %2$s q.%1$s LIMIT 10) n
        WHERE q.id %% 40 = 7
        GROUP BY q.id', col, operator);
BEGIN
    SET LOCAL enable_indexscan = off;
    EXECUTE 'CREATE TEMP TABLE scan_exact AS ' || query;
    SET LOCAL enable_indexscan = on;
    EXECUTE 'CREATE TEMP TABLE scan_found AS ' || query;
    RETURN QUERY SELECT count(*),
        count(*) FILTER (WHERE abs(e.total - f.total) > 1e-4 * abs(e.total) + 1e-5)
    FROM scan_exact e JOIN scan_found f USING (id);
    DROP TABLE scan_exact, scan_found;
END
$$;
SELECT * FROM scan_differences('v', '<->');
SELECT * FROM scan_differences('v', '<#>');
SELECT * FROM scan_differences('w', '<->');
SELECT * FROM scan_differences('w', '<#>');
SELECT * FROM scan_differences('w', '<=>');
SET ivfflat.exact_probe = on;
SELECT * FROM scan_differences('w', '<->');
SELECT * FROM scan_differences('w', '<#>');
SELECT * FROM scan_differences('w', '<=>');
RESET ivfflat.exact_probe;
DROP FUNCTION scan_differences;

-- A query gets the rows its LIMIT asked for, also past the lists probed first,
-- once each.
SET ivfflat.probes = 1;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 1000) s;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[500,0,0]' LIMIT 2000) s;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY v <-> '[500,0,0]' LIMIT 3000) s;
SELECT count(*), count(DISTINCT id) FROM (
    SELECT id FROM scan ORDER BY w <-> (SELECT w FROM scan WHERE id = 9)
    LIMIT 3000) s;

-- With iterative scans off it gets what the first lists have.
SET ivfflat.iterative_scan = off;
SELECT count(*) BETWEEN 2 AND 1999
FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 3000) s;
SELECT count(*) FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 2) s;
SET ivfflat.probes = 100;
SELECT count(*) FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 3000) s;
SET ivfflat.probes = 3;
SET ivfflat.iterative_scan = relaxed_order;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM scan ORDER BY w <-> (SELECT w FROM scan WHERE id = 9)
    LIMIT 3000) s;

-- In strict order rows come in order as long as the scan has not come to those
-- that were found too late for their place.
SET ivfflat.iterative_scan = strict_order;
SELECT count(*) FILTER (WHERE d < before) AS disorder, count(*) FROM (
    SELECT d, lag(d) OVER () AS before FROM (
        SELECT v <-> '[500,0,0]' AS d FROM scan
        ORDER BY v <-> '[500,0,0]' LIMIT 1000) s) o;
SELECT count(*) FILTER (WHERE d < before) <= 1 AS orderly, count(*) FROM (
    SELECT d, lag(d) OVER () AS before FROM (
        SELECT w <-> (SELECT w FROM scan WHERE id = 9) AS d FROM scan
        ORDER BY w <-> (SELECT w FROM scan WHERE id = 9) LIMIT 3000) s) o;
RESET ivfflat.iterative_scan;

-- max_probes ends a scan; it does not bound the first lists.
SET ivfflat.max_probes = 4;
SELECT count(*) BETWEEN 4 AND 1999
FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 3000) s;
SET ivfflat.probes = 20;
SELECT count(*) FROM (SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 3000) s;
RESET ivfflat.max_probes;
SET ivfflat.probes = 1;

-- A filter that few rows pass: the scan goes on until it has them, to the end
-- if need be.
EXPLAIN (COSTS OFF)
SELECT id FROM scan WHERE label = 42 ORDER BY v <-> '[0,0,0]' LIMIT 5;
SELECT count(*) FROM (
    SELECT id FROM scan WHERE label = 42 ORDER BY v <-> '[0,0,0]' LIMIT 5) s;
SELECT count(*) FROM (
    SELECT id FROM scan WHERE label = 42 ORDER BY v <-> '[0,0,0]' LIMIT 100) s;
SELECT id FROM scan WHERE label = 99 AND id > 1900
ORDER BY v <-> '[0,0,0]' LIMIT 5;
SELECT id FROM scan WHERE label = -1 ORDER BY v <-> '[0,0,0]' LIMIT 5;

-- A NULL query: rows in any order, and no error.
SELECT count(*) FROM (
    SELECT id FROM scan ORDER BY v <-> NULL::vector LIMIT 5) s;
SELECT count(*), count(DISTINCT id) FROM (
    SELECT id FROM scan
    ORDER BY v <-> (SELECT NULL::vector) LIMIT 3000) s;
-- A zero query under cosine, likewise.
SELECT count(*), count(DISTINCT id) FROM (
    SELECT id FROM scan ORDER BY v <=> '[0,0,0]' LIMIT 3000) s;
-- A query with other dimensions.
\set VERBOSITY sqlstate
SELECT id FROM scan ORDER BY v <-> '[1,2]' LIMIT 5;
\set VERBOSITY default

-- Rescans: the inner side of a nested loop, parameters and all.
SET ivfflat.probes = 20;
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

-- Cursors: in parts, past the first lists, to the end, and held.
BEGIN;
SET LOCAL ivfflat.probes = 5;
SET LOCAL enable_sort = off;
DECLARE c CURSOR FOR SELECT id FROM scan ORDER BY v <-> '[0,0,0]';
FETCH 3 FROM c;
FETCH 3 FROM c;
MOVE FORWARD 1000 FROM c;
MOVE FORWARD ALL FROM c;
FETCH 1 FROM c;
CLOSE c;
DECLARE h CURSOR WITH HOLD FOR
    SELECT id FROM scan ORDER BY v <-> '[0,0,0]' LIMIT 8;
FETCH 2 FROM h;
COMMIT;
FETCH 2 FROM h;
CLOSE h;

-- Two scans of one index at once.
SELECT a.id AS a, b.id AS b FROM
    (SELECT id, row_number() OVER () AS n FROM (
        SELECT id FROM scan ORDER BY v <-> '[10,0,0]' LIMIT 3) s) a
    JOIN (SELECT id, row_number() OVER () AS n FROM (
        SELECT id FROM scan ORDER BY v <-> '[1000,0,0]' LIMIT 3) s) b USING (n)
ORDER BY n;

-- Only with ORDER BY.
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT v FROM scan WHERE v IS NOT NULL LIMIT 1;

DROP TABLE scan;
RESET ivfflat.probes;
