-- Functions of one vector.
--
-- Breaks if dimensions, norm, normalization, quantization or parts of a vector
-- come out otherwise than applications expect of pgvector.
\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt

SELECT vector_dims('[1,2,3]'::vector), vector_dims(NULL::vector);

-- the norm is summed in double: no overflow where float4 would
SELECT vector_norm('[3,4]'), vector_norm('[0,0]'), vector_norm('[0,-1]'),
    vector_norm(NULL);
SELECT vector_norm('[3e37,4e37]')::real, vector_norm('[3e-38,4e-38]')::real,
    vector_norm('[3.4e38,3.4e38]') > 4.8e38 AS beyond_float4;

SELECT l2_normalize('[3,4]'::vector), l2_normalize('[3,0]'::vector), l2_normalize('[0,0.1]'::vector),
    l2_normalize('[-7]'::vector), l2_normalize(NULL::vector);
SELECT l2_normalize('[0,0]'::vector), l2_normalize('[-0]'::vector);
SELECT l2_normalize('[3e38]'::vector), l2_normalize('[3e38,4e37]'::vector) IS NOT NULL AS finite,
    l2_normalize('[1e-45]'::vector), l2_normalize('[1e-45,3e38]'::vector);

SELECT binary_quantize('[1,0,-1]'::vector), binary_quantize('[-0,1e-45,-1e-45,3e38]'::vector),
    binary_quantize(NULL::vector);
SELECT binary_quantize('[0,0.1,-0.2,-0.3,0.4,0.5,0.6,-0.7,0.8]'::vector);
SELECT length(binary_quantize(array_fill(1, ARRAY[16000])::vector)),
    bit_count(binary_quantize(array_fill(1, ARRAY[16000])::vector));
SELECT pg_typeof(binary_quantize('[1]'::vector));
-- unused bits are zero: bit's comparison relies on it
SELECT binary_quantize('[1,1,1]'::vector) = B'111' AS equal,
    bit_send(binary_quantize('[1,1,1]'::vector)) = bit_send(B'111') AS identical;

-- a part of a vector, its position counted from 1
SELECT start, count,
    pg_temp.attempt(format('SELECT subvector(''[1,2,3,4,5]''::vector, %s, %s)', start, count)) AS result
FROM (VALUES
    (1, 1, 3), (2, 3, 2), (3, 5, 1), (4, 1, 5),
    -- clamped at either end
    (10, 4, 9), (11, 0, 3), (12, -1, 3), (13, -1, 9), (14, 2, 2147483647),
    (15, 1, 2147483647), (16, -2147483647, 2147483647),
    -- nothing left
    (20, 1, 0), (21, 1, -1), (22, 6, 1), (23, -1, 2), (24, -5, 3), (25, 0, 1),
    (26, 2147483647, 1), (27, 2147483647, 2147483647), (28, -2147483648, 1),
    (29, 1, -2147483648), (30, -2147483648, -2147483648),
    (31, -2147483648, 2147483647), (32, 6, 0)
) AS t(n, start, count)
ORDER BY n;
SELECT subvector(NULL::vector, 1, 1), subvector('[1]'::vector, NULL, 1), subvector('[1]'::vector, 1, NULL);
