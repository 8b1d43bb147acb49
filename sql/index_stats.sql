-- vsearch_index_stats: what it counts, what it advises, and who may ask.
--
-- Breaks if numbers do not follow inserts, deletes and vacuum, if rows that have
-- left their centroids go unnoticed, or if strangers may look.

-- Vectors of a few clusters, with noise of some size around them.
CREATE FUNCTION stats_vector(i int, noise float8) RETURNS float8[] LANGUAGE sql
    IMMUTABLE AS $$
    SELECT array_agg(10 * sin(i % 7 * 3.7 + j * 1.3) +
                     noise * sin(i * 1.7 + j * j * (0.3 + i % 101)))
    FROM generate_series(1, 96) j
$$;
CREATE FUNCTION stats(index regclass) RETURNS TABLE (name text, value numeric)
    LANGUAGE sql AS $$
    SELECT name, value::numeric FROM vsearch_index_stats(index)
    WHERE name IN ('rows', 'nodes', 'linking_nodes', 'deleted_nodes', 'levels',
                   'code_bits', 'centroids')
$$;
CREATE FUNCTION stat(index regclass, what text) RETURNS float8 LANGUAGE sql AS $$
    SELECT value FROM vsearch_index_stats(index) WHERE name = what
$$;
CREATE FUNCTION advice(index regclass) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(detail, '\d+%', 'N%', 'g')
    FROM vsearch_index_stats(index) WHERE name = 'advice'
$$;

-- An index of few rows is flat; rows of one vector share a node.
CREATE TABLE stats_few (v vector(96));
CREATE INDEX stats_few_idx ON stats_few USING hnsw (v vector_l2_ops);
INSERT INTO stats_few SELECT stats_vector(i % 20, 1) FROM generate_series(1, 60) i;
SELECT name, value, detail FROM vsearch_index_stats('stats_few_idx')
WHERE name NOT IN ('bytes', 'free_bytes', 'fragmentation');
SELECT stat('stats_few_idx', 'bytes') = pg_relation_size('stats_few_idx');

-- A graph: levels, codes, and what vacuum frees.
CREATE TABLE stats_many (id int, v vector(96));
INSERT INTO stats_many
    SELECT i, stats_vector(i, 1) FROM generate_series(1, 3000) i;
CREATE INDEX stats_many_idx ON stats_many USING hnsw (v vector_l2_ops);
SELECT name, value FROM stats('stats_many_idx') WHERE name <> 'levels';
SELECT detail FROM vsearch_index_stats('stats_many_idx') WHERE name = 'state';
SELECT stat('stats_many_idx', 'levels') BETWEEN 2 AND 6 AS levels,
       stat('stats_many_idx', 'level_0_nodes') = 3000 AS bottom,
       stat('stats_many_idx', 'level_1_nodes') BETWEEN 50 AND 500 AS above,
       abs(stat('stats_many_idx', 'drift')) < 0.05 AS stays,
       stat('stats_many_idx', 'fragmentation') < 0.05 AS dense;
SELECT advice('stats_many_idx');
DELETE FROM stats_many WHERE id % 3 = 0;
VACUUM (INDEX_CLEANUP ON) stats_many;
SELECT name, value FROM stats('stats_many_idx')
WHERE name IN ('rows', 'nodes', 'deleted_nodes');
SELECT stat('stats_many_idx', 'fragmentation') BETWEEN 0.25 AND 0.4 AS a_third,
       stat('stats_many_idx', 'dead_bytes') AS dead,
       stat('stats_many_idx', 'free_bytes') > 100000 AS is_free;
SELECT advice('stats_many_idx');

-- Vectors so short that codes are exact have no centroids to drift from.
CREATE TABLE stats_short (v vector(3));
INSERT INTO stats_short SELECT ARRAY[i, i * i % 91, i % 13] FROM generate_series(1, 1500) i;
CREATE INDEX stats_short_idx ON stats_short USING hnsw (v vector_l2_ops);
SELECT name, value FROM stats('stats_short_idx')
WHERE name IN ('rows', 'code_bits', 'centroids');
SELECT stat('stats_short_idx', 'drift') IS NULL AS no_drift;

-- Rows that lie farther from any centroid than those the codes were trained from.
TRUNCATE stats_many;
INSERT INTO stats_many
    SELECT i, stats_vector(i, 1) FROM generate_series(1, 1500) i;
REINDEX INDEX stats_many_idx;
INSERT INTO stats_many
    SELECT i, stats_vector(i, 3) FROM generate_series(1, 2000) i;
SELECT stat('stats_many_idx', 'drift') > 0.5 AS drifts;
SELECT advice('stats_many_idx');
REINDEX INDEX stats_many_idx;
SELECT advice('stats_many_idx');

-- Lists: a rebuild is advised for pages that it would save, not for ends of lists
-- that a new index has as well; and for rows that lie farther from their centroids.
CREATE TABLE stats_lists (id int, v vector(384));
INSERT INTO stats_lists
    SELECT i, s || s || s || s
    FROM generate_series(1, 3000) i, stats_vector(i, 1) s;
CREATE INDEX stats_lists_idx ON stats_lists USING ivfflat (v) WITH (lists = 300);
SELECT stat('stats_lists_idx', 'bytes') > 4e6 AS many_pages,
       stat('stats_lists_idx', 'fragmentation') AS fragmentation;
SELECT advice('stats_lists_idx');
DROP INDEX stats_lists_idx;
CREATE INDEX stats_lists_idx ON stats_lists USING ivfflat (v) WITH (lists = 5);
SELECT name, value FROM vsearch_index_stats('stats_lists_idx')
WHERE name IN ('rows', 'rows_at_build', 'lists', 'empty_lists', 'mean_list_rows',
               'code_bits', 'free_bytes');
SELECT stat('stats_lists_idx', 'median_list_rows') BETWEEN 150 AND 1000 AS median,
       stat('stats_lists_idx', 'largest_list_rows') BETWEEN 600 AND 1750 AS largest,
       abs(stat('stats_lists_idx', 'drift')) < 0.05 AS stays;
SELECT advice('stats_lists_idx');
DELETE FROM stats_lists WHERE id % 3 > 0;
VACUUM (INDEX_CLEANUP ON) stats_lists;
SELECT stat('stats_lists_idx', 'rows') AS rows,
       stat('stats_lists_idx', 'fragmentation') BETWEEN 0.55 AND 0.67 AS two_thirds;
SELECT advice('stats_lists_idx');
INSERT INTO stats_lists
    SELECT 3000 + i, s || s || s || s
    FROM generate_series(1, 2000) i, stats_vector(i, 3) s;
SELECT stat('stats_lists_idx', 'fragmentation') < 0.1 AS dense,
       stat('stats_lists_idx', 'drift') > 0.1 AS drifts;
SELECT advice('stats_lists_idx');
DELETE FROM stats_lists WHERE id <= 3000;
REINDEX INDEX stats_lists_idx;
SELECT advice('stats_lists_idx');

-- An index that was made before there were rows has one list.
CREATE TABLE stats_empty (v vector(384));
CREATE INDEX stats_empty_idx ON stats_empty USING ivfflat (v) WITH (lists = 20);
INSERT INTO stats_empty
    SELECT s || s || s || s FROM generate_series(1, 300) i, stats_vector(i, 1) s;
SELECT advice('stats_empty_idx');
REINDEX INDEX stats_empty_idx;
SELECT advice('stats_empty_idx');

-- By inner product, one row of garbage does not decide on all others.
CREATE TABLE stats_garbage (v vector(384));
INSERT INTO stats_garbage
    SELECT s || s || s || s FROM generate_series(1, 300) i, stats_vector(i, 1) s;
INSERT INTO stats_garbage
    SELECT array_agg(1e18)::vector FROM generate_series(1, 384);
CREATE INDEX stats_garbage_idx ON stats_garbage
    USING ivfflat (v vector_ip_ops) WITH (lists = 20);
SELECT stat('stats_garbage_idx', 'centroid_distance_at_build') < 1000 AS at_build,
       stat('stats_garbage_idx', 'centroid_distance') < 1000 AS now;

-- An owner's and a monitor's, nobody else's; an index of ours that is whole.
CREATE ROLE vsearch_regress_stats;
SET ROLE vsearch_regress_stats;
SELECT * FROM vsearch_index_stats('stats_few_idx');
RESET ROLE;
GRANT pg_monitor TO vsearch_regress_stats;
SET ROLE vsearch_regress_stats;
SELECT value FROM vsearch_index_stats('stats_few_idx') WHERE name = 'rows';
RESET ROLE;
DROP ROLE vsearch_regress_stats;
CREATE INDEX stats_btree_idx ON stats_many (id);
SELECT * FROM vsearch_index_stats('stats_btree_idx');
CREATE TABLE stats_parted (v vector(3)) PARTITION BY LIST (v);
CREATE INDEX stats_parted_idx ON stats_parted USING hnsw (v vector_l2_ops);
SELECT * FROM vsearch_index_stats('stats_parted_idx');
SELECT count(*) FROM vsearch_index_stats(NULL);

DROP TABLE stats_few, stats_many, stats_short, stats_lists, stats_parted;
DROP FUNCTION stats, stat, advice, stats_vector;
