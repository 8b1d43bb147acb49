-- Distances between vectors.
--
-- Breaks if a distance has another value than pgvector gives for it, above all
-- where a vector is zero or a sum leaves the range of float4.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

SELECT l2_distance('[0,0]'::vector, '[3,4]'), l2_distance('[0,0]'::vector, '[0,1]'),
    '[0,0]'::vector <-> '[3,4]' AS operator;
SELECT inner_product('[1,2]'::vector, '[3,4]'), inner_product('[1,1,1]'::vector, '[-1,2,3]'),
    '[1,2]'::vector <#> '[3,4]' AS operator;
SELECT cosine_distance('[1,2]'::vector, '[2,4]'), cosine_distance('[1,2]'::vector, '[0,0]'),
    cosine_distance('[1,0]'::vector, '[0,2]'), cosine_distance('[1,1]'::vector, '[-1,-1]'),
    '[1,1]'::vector <=> '[1,1]' AS operator;
SELECT '[1,1,1]'::vector <=> '[1,1,2]';
SELECT l1_distance('[0,0]'::vector, '[3,4]'), l1_distance('[1,-1]'::vector, '[-1,1]'),
    '[0,0]'::vector <+> '[3,4]' AS operator;
SELECT vector_l2_squared_distance('[0,0]', '[3,4]'),
    vector_negative_inner_product('[1,2]', '[3,4]'),
    vector_spherical_distance('[1,0]', '[0,1]');
SELECT vector_spherical_distance('[1,0]', '[1,0]'),
    vector_spherical_distance('[1,0]', '[-1,0]'),
    vector_spherical_distance('[2,0]', '[2,0]');
SELECT l2_distance(NULL::vector, '[1]'), '[1]'::vector <=> NULL;

-- the sign of a zero inner product
SELECT '[1,0]'::vector <#> '[0,1]';

-- results are float8, but sums are float4
SELECT pg_typeof('[1]'::vector <-> '[2]');
SELECT l2_distance('[3e38]'::vector, '[-3e38]'), vector_l2_squared_distance('[1e20]', '[-1e20]'),
    inner_product('[3e38]'::vector, '[3e38]'), inner_product('[3e38]'::vector, '[-3e38]'),
    l1_distance('[3e38]'::vector, '[-3e38]');
SELECT cosine_distance('[3e38]'::vector, '[3e38]'), cosine_distance('[1e-40]'::vector, '[1e-40]');

-- a cosine is kept within its range
SELECT count(*) FILTER (WHERE d < 0) AS below, count(*) FILTER (WHERE d > 2) AS above
FROM (SELECT unnest(ARRAY[v <=> v * scale, v <=> v * (scale - scale - scale)]) AS d
      FROM (SELECT array_agg(sin(i * j))::vector AS v, array_agg(0.1 * i)::vector AS scale
            FROM generate_series(1, 200) AS i, generate_series(1, 33) AS j
            GROUP BY i) AS vectors) AS distances;

-- every length: whole SIMD registers, and what is left over of them
CREATE TABLE lengths AS
    SELECT n, array_agg(i % 7)::vector AS a, array_agg(i % 5 - 2)::vector AS b
    FROM generate_series(1, 300) AS n, generate_series(1, n) AS i
    GROUP BY n;
WITH exact AS (
    SELECT n, sum((x - y) ^ 2) AS l2_squared, sum(x * y) AS ip,
        sum(abs(x - y)) AS l1, sum(x * x) AS norm_a, sum(y * y) AS norm_b
    FROM lengths, unnest(a::real[], b::real[]) AS element(x, y)
    GROUP BY n
)
SELECT count(*) AS lengths,
    count(*) FILTER (WHERE vector_l2_squared_distance(a, b) <> l2_squared) AS l2_differs,
    count(*) FILTER (WHERE inner_product(a, b) <> ip) AS ip_differs,
    count(*) FILTER (WHERE l1_distance(a, b) <> l1) AS l1_differs,
    count(*) FILTER (WHERE norm_a * norm_b > 0 AND abs(cosine_distance(a, b)
        - (1 - ip / sqrt(norm_a::float8 * norm_b))) > 1e-15) AS cosine_differs
FROM lengths JOIN exact USING (n);
DROP TABLE lengths;

-- the dimensions must agree
SELECT command, pg_temp.attempt('SELECT ' || command) AS result
FROM (VALUES
    (1, 'l2_distance(''[1,2]''::vector, ''[3]'')'),
    (2, 'inner_product(''[1,2]''::vector, ''[3]'')'),
    (3, 'cosine_distance(''[1,2]''::vector, ''[3]'')'),
    (4, 'l1_distance(''[1]''::vector, ''[3,4]'')'),
    (5, 'vector_l2_squared_distance(''[1,2]'', ''[3]'')'),
    (6, 'vector_negative_inner_product(''[1,2]'', ''[3]'')'),
    (7, 'vector_spherical_distance(''[1,2]'', ''[3]'')'),
    (8, '''[1,2]''::vector <-> ''[3]'''),
    (9, '''[1,2]''::vector <#> ''[3]'''),
    (10, '''[1,2]''::vector <=> ''[3]'''),
    (11, '''[1,2]''::vector <+> ''[3]''')
) AS t(n, command)
ORDER BY n;

-- nearest rows, the way applications ask for them
CREATE TABLE items (id int, v vector(3));
INSERT INTO items SELECT i, ARRAY[i, i % 3, 1]::vector FROM generate_series(1, 9) AS i;
INSERT INTO items VALUES (10, NULL);
PREPARE nearest(vector, int) AS SELECT id FROM items ORDER BY v <-> $1 LIMIT $2;
EXECUTE nearest('[5,1,1]', 3);
EXECUTE nearest(ARRAY[1,1,1]::vector, 2);
DEALLOCATE nearest;
SELECT id FROM items ORDER BY v <-> '[1,1,1]' DESC NULLS LAST LIMIT 2;
SELECT id FROM items WHERE v <-> '[1,1,1]' < 2 ORDER BY id;
SELECT a.id, b.id FROM items a CROSS JOIN LATERAL
    (SELECT id FROM items i WHERE i.id <> a.id ORDER BY i.v <-> a.v LIMIT 1) AS b
WHERE a.id IN (1, 4) ORDER BY 1;
DROP TABLE items;
