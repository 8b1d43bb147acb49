-- What the planner thinks of distances.
--
-- Breaks if distances are taken to be as cheap as a comparison of integers:
-- then exact scans look better than indexes, and rows have their distance
-- computed before cheaper conditions could have dismissed them.

CREATE TABLE items (id int, v3 vector(3), v400 vector(400), v600 vector(600), v vector);

-- four operators before one distance
EXPLAIN (COSTS OFF) SELECT FROM items WHERE v400 <-> v400 < 1 AND (id + 1) % 7 * 2 = 4;

-- the cost of 1000 rows with one call each
CREATE FUNCTION pg_temp.cost_of(expression text) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT ' || expression || ' FROM items' INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Total Cost')::float8 /
        (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8 * 1000;
END
$$;
SET seq_page_cost = 0;
SET cpu_tuple_cost = 0;
SET cpu_operator_cost = 0.001;
SELECT expression, round(pg_temp.cost_of(expression)) AS operators
FROM (VALUES
    (1, 'id + 1'),
    (2, 'v3 <-> ''[1,2,3]'''),
    (3, 'v400 <-> v400'),
    -- toasted
    (4, 'v600 <-> v600'),
    (5, 'l2_distance(v600, v)'),
    -- of unknown dimensions
    (9, '(v600 + v600) <-> v'),
    (10, 'v <-> ''[1,2,3]'''), (11, 'v <#> ''[1,2,3]'''), (12, 'v <=> ''[1,2,3]'''),
    (13, 'v <+> ''[1,2,3]'''), (14, 'vector_l2_squared_distance(v, v)'),
    (15, 'vector_spherical_distance(v, v)'), (16, 'inner_product(v, v)'),
    -- known from the other side
    (20, 'v <-> v3'), (21, '''[1,2,3]'' <-> v3')
) AS t(n, expression)
ORDER BY n;
DROP TABLE items;
