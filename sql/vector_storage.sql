-- Vectors as PostgreSQL stores them: short headers, TOAST, compression, arrays.
--
-- Breaks if a function reads a vector without detoasting it, or if the
-- dimensions of a toasted vector cannot be told from its first bytes.

CREATE TABLE items (id int, v vector);
-- with a short header, plain, toasted, toasted in many chunks
INSERT INTO items VALUES (1, '[1,2]'),
    (2, array_fill(1, ARRAY[400])::vector),
    (3, array_fill(1, ARRAY[600])::vector),
    (4, array_fill(1, ARRAY[16000])::vector);
SELECT id, pg_column_size(v), vector_dims(v) FROM items ORDER BY id;
SELECT attstorage FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'v';

-- compressed, in place and outside
ALTER TABLE items ALTER COLUMN v SET STORAGE extended;
INSERT INTO items SELECT id + 10, v + (v * (v - v)) FROM items;
SELECT id, pg_column_size(v) < 4 * vector_dims(v) AS compressed, vector_dims(v)
FROM items WHERE id > 10 ORDER BY id;

SELECT a.id, b.id, a.v <-> b.v AS l2, a.v <#> b.v AS ip, a.v <=> b.v AS cosine,
    a.v <+> b.v AS l1, a.v = b.v AS equal, vector_norm(a.v)
FROM items a JOIN items b ON b.id = a.id + 10 ORDER BY a.id;
SELECT id, binary_quantize(v) = binary_quantize(l2_normalize(v)) AS same_signs,
    subvector(v, 1, 2), vector_dims(v || '[1]'::vector)
FROM items WHERE id NOT IN (4, 14) ORDER BY id;
SELECT avg(v) = sum(v) * array_fill(0.5, ARRAY[16000])::vector AS consistent
FROM items WHERE id IN (4, 14);
SELECT id, md5(v::text) = md5(v::real[]::vector::text) AS same,
    length(vector_send(v)) = 4 + 4 * vector_dims(v) AS sent
FROM items ORDER BY id;

-- through a modifier
SELECT vector_dims(v::vector(16000)) FROM items WHERE id IN (4, 14);
SELECT v::vector(3) FROM items WHERE id = 4;
SELECT v::vector(3) FROM items WHERE id = 14;

-- arrays of vectors
SELECT array_agg(v ORDER BY id) FROM items WHERE id IN (1, 11);
SELECT '{"[1,2]",NULL,"[3]"}'::vector[];
SELECT (ARRAY['[1,2]', '[3]']::vector[])[2];

DROP TABLE items;
