-- When the planner takes an ivfflat index and when it does not.

CREATE TABLE cost (id int PRIMARY KEY, label int, v vector(64));
INSERT INTO cost
    SELECT i, i % 5000, (
        SELECT array_agg(sin(i * 0.37 + j * 1.7 + i * j * 0.013))
        FROM generate_series(1, 64) j)::vector
    FROM generate_series(1, 10000) i;
CREATE INDEX cost_label ON cost (label);
CREATE INDEX cost_idx ON cost USING ivfflat (v) WITH (lists = 50);
CREATE TABLE cost_small (id int, v vector(64));
INSERT INTO cost_small SELECT id, v FROM cost WHERE id <= 50;
CREATE INDEX cost_small_idx ON cost_small USING ivfflat (v) WITH (lists = 5);
VACUUM ANALYZE cost, cost_small;

-- Neither inlined nor folded, to keep the plans readable.
CREATE FUNCTION q() RETURNS vector STABLE PARALLEL SAFE COST 1 LANGUAGE plpgsql
    AS $$ BEGIN RETURN array_fill(0.1, ARRAY[64])::vector; END $$;

-- The scan of a query's plan, whatever lies above it.
CREATE FUNCTION scan_of(query text, page_cost text DEFAULT '4') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    PERFORM set_config('random_page_cost', page_cost, true);
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Scan' THEN
            RETURN regexp_replace(line, '^[ >-]+', '');
        END IF;
    END LOOP;
END
$$;

-- Nearest rows of a table that is not small, for disks and for memory.
SELECT nrows, page_cost, scan_of(format(
    'SELECT id FROM cost ORDER BY v <-> q() LIMIT %s', nrows), page_cost)
FROM (VALUES (1, '4'), (1, '1.1'), (10, '4'), (10, '1.1'), (40, '4'),
    (40, '1.1')) t(nrows, page_cost);
-- The whole plan, once.
EXPLAIN (COSTS OFF)
SELECT id, v <-> q() AS distance FROM cost ORDER BY v <-> q() LIMIT 10;
EXPLAIN (COSTS OFF)
SELECT id FROM cost WHERE label <> 3 ORDER BY v <-> q() LIMIT 10 OFFSET 5;

-- LIMIT and query as parameters, custom and generic plans, and cursors.
PREPARE nearest(vector, bigint) AS
    SELECT id FROM cost ORDER BY v <-> $1 LIMIT $2;
SET plan_cache_mode = force_custom_plan;
SELECT scan_of('EXECUTE nearest(q(), 10)');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest(q(), 10);
EXPLAIN (COSTS OFF)
DECLARE c CURSOR FOR SELECT id FROM cost ORDER BY v <-> q();
SET random_page_cost = 1.1;
DEALLOCATE nearest;
PREPARE nearest(vector, bigint) AS
    SELECT id FROM cost ORDER BY v <-> $1 LIMIT $2;
EXPLAIN (COSTS OFF) EXECUTE nearest(q(), 10);
EXPLAIN (COSTS OFF)
DECLARE c CURSOR FOR SELECT id FROM cost ORDER BY v <-> q();
RESET random_page_cost;
RESET plan_cache_mode;

-- Not for a small table ...
SELECT page_cost, scan_of(
    'SELECT id FROM cost_small ORDER BY v <-> q() LIMIT 10',
    page_cost)
FROM unnest(ARRAY['4', '1.1']) page_cost;
-- ... not without a LIMIT, nor with one that nearly takes the table ...
SELECT page_cost, scan_of('SELECT id FROM cost ORDER BY v <-> q()',
    page_cost)
FROM unnest(ARRAY['4', '1.1']) page_cost;
SELECT page_cost, scan_of('SELECT id FROM cost ORDER BY v <-> q() LIMIT 9000',
    page_cost)
FROM unnest(ARRAY['4', '1.1']) page_cost;
-- ... not without ORDER BY, or with another ...
SELECT scan_of('SELECT v FROM cost LIMIT 10');
SELECT scan_of('SELECT id FROM cost ORDER BY v <=> q() LIMIT 10');
SELECT scan_of('SELECT count(*) FROM cost WHERE v <-> q() < 1');
-- ... and not where a condition leaves only two rows.
SELECT page_cost, scan_of(
    'SELECT id FROM cost WHERE label = 7 ORDER BY v <-> q() LIMIT 10',
    page_cost)
FROM unnest(ARRAY['4', '1.1']) page_cost;
-- A condition that most rows pass changes nothing.
SELECT page_cost, scan_of(
    'SELECT id FROM cost WHERE label >= 100 ORDER BY v <-> q() LIMIT 10',
    page_cost)
FROM unnest(ARRAY['4', '1.1']) page_cost;

-- With iterative scans off a search may end before its LIMIT; it is not taken
-- without a LIMIT either.
SET ivfflat.iterative_scan = off;
SELECT scan_of('SELECT id FROM cost ORDER BY v <-> q() LIMIT 10');
SELECT scan_of('SELECT id FROM cost ORDER BY v <-> q()');
RESET ivfflat.iterative_scan;

-- Costs grow with the LIMIT and with probes, and with rows that a condition
-- turns away.
CREATE FUNCTION cost_of(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan -> 0 -> 'Plan' ->> 'Total Cost';
END
$$;
SET enable_seqscan = off;
SELECT cost_of('SELECT id FROM cost ORDER BY v <-> q() LIMIT 10')
    < cost_of('SELECT id FROM cost ORDER BY v <-> q() LIMIT 1000') AS by_limit;
SELECT cost_of('SELECT id FROM cost ORDER BY v <-> q() LIMIT 10')
    < cost_of('SELECT id FROM cost WHERE v <-> q() < id - 9990
        ORDER BY v <-> q() LIMIT 10') AS by_filter;
SELECT cost_of('SELECT id FROM cost ORDER BY v <-> q() LIMIT 10') AS cost_1
\gset
SET ivfflat.probes = 25;
SELECT cost_of('SELECT id FROM cost ORDER BY v <-> q() LIMIT 10')
    > :cost_1 AS by_probes;

DROP TABLE cost, cost_small;
DROP FUNCTION scan_of, cost_of, q;
