-- avg() and sum() of vectors.
--
-- Breaks if they lose precision or rows, if parallel workers' parts are not
-- joined to the same result, or if a malformed state crashes.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', '[3,5,7]']::vector[]) AS v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', NULL, '[3,5,7]']::vector[]) AS v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]']::vector[]) AS v WHERE false;
SELECT avg(v), sum(v) FROM unnest(ARRAY[NULL]::vector[]) AS v;
-- avg is summed in double: the float4 sum would overflow, or lose the ones
SELECT avg(v) FROM unnest(ARRAY['[3e38]', '[3e38]']::vector[]) AS v;
SELECT avg(v) FROM unnest(ARRAY['[16777216]', '[1]', '[1]', '[-16777216]']::vector[]) AS v;
SELECT n % 2 AS odd, avg(ARRAY[n, 2 * n]::vector), sum(ARRAY[n, 2 * n]::vector)
FROM generate_series(1, 10) AS n GROUP BY 1 ORDER BY 1;
SELECT n, avg(v) OVER w, sum(v) OVER w
FROM (SELECT n, ARRAY[n, -n]::vector AS v FROM generate_series(1, 4) AS n) AS t
WINDOW w AS (ORDER BY n);

-- in parallel
CREATE TABLE items AS
    SELECT n, ARRAY[n, n % 10, 1]::vector AS v FROM generate_series(1, 4000) AS n;
INSERT INTO items VALUES (0, NULL);
ANALYZE items;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM items;
SELECT avg(v), sum(v) FROM items;
-- some workers have no rows to add
SELECT avg(v), sum(v) FROM items WHERE n = 7;
SELECT avg(v), sum(v) FROM items WHERE n = 0;
RESET max_parallel_workers_per_gather;
RESET min_parallel_table_scan_size;
RESET parallel_tuple_cost;
RESET parallel_setup_cost;
DROP TABLE items;

-- the parts
SELECT vector_accum('{0}', '[1,2]'), vector_accum('{1,1,2}', '[3,4]'),
    vector_combine('{1,1,2}', '{2,3,4}'), vector_combine('{0}', '{2,3,4}'),
    vector_combine('{1,1,2}', '{0}'), vector_combine('{0}', '{0}');
SELECT vector_avg('{2,4,6}'), vector_avg('{0}');
-- outside of an aggregate a state is not changed, not even where the function
-- is handed the page's own bytes
CREATE TABLE states AS SELECT array_fill(1::float8, ARRAY[41]) AS state;
SELECT vector_accum(state, array_fill(1, ARRAY[40])::vector) = array_fill(2::float8, ARRAY[41]) AS added,
    vector_combine(state, state) = array_fill(2::float8, ARRAY[41]) AS combined FROM states;
SELECT state = array_fill(1::float8, ARRAY[41]) AS unchanged FROM states;
DROP TABLE states;

SELECT command, pg_temp.attempt('SELECT ' || command) AS result
FROM (VALUES
    (1, 'avg(v) FROM unnest(ARRAY[''[1,2]'', ''[3]'']::vector[]) AS v'),
    (2, 'sum(v) FROM unnest(ARRAY[''[1,2]'', ''[3]'']::vector[]) AS v'),
    (3, 'sum(v) FROM unnest(ARRAY[''[3e38]'', ''[3e38]'']::vector[]) AS v'),
    (10, 'vector_accum(''{}'', ''[1]'')'),
    (11, 'vector_accum(''{{0,1}}'', ''[1]'')'),
    (12, 'vector_accum(''{1,NULL}'', ''[1]'')'),
    (13, 'vector_accum(''{1,2,3}'', ''[1]'')'),
    (14, 'vector_accum(''{5}'', ''[1]'')'),
    (15, 'vector_accum(''{1,Infinity}'', ''[1]'')'),
    (20, 'vector_combine(''{}'', ''{0}'')'),
    (21, 'vector_combine(''{0}'', ''{}'')'),
    (22, 'vector_combine(''{1,2}'', ''{1,2,3}'')'),
    (23, 'vector_combine(''{1,1e308}'', ''{1,1e308}'')'),
    (30, 'vector_avg(''{}'')'),
    (31, 'vector_avg(''{1}'')'),
    (32, 'vector_avg(''{{1}}'')'),
    (33, 'vector_avg(''{1,1e39}'')'),
    (34, 'vector_avg(''{1,NaN}'')'),
    (35, 'vector_avg(array_fill(1::float8, ARRAY[16002]))')
) AS t(n, command)
ORDER BY n;
