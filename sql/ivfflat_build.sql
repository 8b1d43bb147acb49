-- CREATE INDEX USING ivfflat: what it takes, what it refuses, and that the index
-- it makes is whole.

CREATE FUNCTION errors_of(index regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM vsearch_check(index, true)
$$;

CREATE TABLE build (id int PRIMARY KEY, v vector(3));
INSERT INTO build
    SELECT i, ARRAY[i % 13, i % 17, i % 19]::vector
    FROM generate_series(1, 1500) i;

-- Operator classes; L2 is the default.
CREATE INDEX build_default ON build USING ivfflat (v);
CREATE INDEX build_l2 ON build USING ivfflat (v vector_l2_ops);
CREATE INDEX build_ip ON build USING ivfflat (v vector_ip_ops);
CREATE INDEX build_cosine ON build USING ivfflat (v vector_cosine_ops);
SELECT errors_of('build_default'), errors_of('build_l2'), errors_of('build_ip'),
    errors_of('build_cosine');
SELECT pg_get_indexdef('build_default'::regclass);
SELECT opcname, opcdefault, amname
FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE amname = 'ivfflat' ORDER BY opcname;
SELECT opcname FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE amname = 'ivfflat' AND NOT amvalidate(c.oid);
DROP INDEX build_default, build_l2, build_ip, build_cosine;

-- One key column, no unique index, no order, no INCLUDE.
CREATE INDEX ON build USING ivfflat (v vector_l2_ops, v vector_ip_ops);
CREATE UNIQUE INDEX ON build USING ivfflat (v vector_l2_ops);
CREATE INDEX ON build USING ivfflat (v vector_l2_ops DESC);
CREATE INDEX ON build USING ivfflat (v vector_l2_ops) INCLUDE (id);
CREATE INDEX ON build USING ivfflat (id vector_l2_ops);
CREATE INDEX ON build USING ivfflat (v vector_l1_ops);

-- Storage parameters.
CREATE INDEX build_idx ON build USING ivfflat (v) WITH (lists = 1);
SELECT errors_of('build_idx');
DROP INDEX build_idx;
CREATE INDEX build_idx ON build USING ivfflat (v)
    WITH (lists = 1000, probes = 1000);
SELECT errors_of('build_idx');
SELECT reloptions FROM pg_class WHERE relname = 'build_idx';
DROP INDEX build_idx;
CREATE INDEX build_idx ON build USING ivfflat (v) WITH (auto_lists = on);
SELECT errors_of('build_idx');
SELECT value FROM vsearch_index_stats('build_idx') WHERE name = 'lists';
ALTER INDEX build_idx RESET (auto_lists);
ALTER INDEX build_idx SET (lists = 7);
REINDEX INDEX build_idx;
SELECT value FROM vsearch_index_stats('build_idx') WHERE name = 'lists';
DROP INDEX build_idx;
CREATE INDEX ON build USING ivfflat (v) WITH (lists = 0);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON build USING ivfflat (v) WITH (lists = 32769);
CREATE INDEX ON build USING ivfflat (v) WITH (auto_lists = 'perhaps');
CREATE INDEX ON build USING ivfflat (v) WITH (probes = 0);
CREATE INDEX ON build USING ivfflat (v) WITH (m = 16);
\echo :LAST_ERROR_SQLSTATE

-- Columns whose vectors have no dimension, or none that has a direction.
CREATE TABLE build_dims (v vector, one vector(1));
CREATE INDEX ON build_dims USING ivfflat (v);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON build_dims USING ivfflat (one vector_ip_ops);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON build_dims USING ivfflat (one vector_cosine_ops);
INSERT INTO build_dims VALUES ('[1,2,3]', '[1]');
CREATE INDEX ON build_dims USING ivfflat (v);
CREATE INDEX build_cast ON build_dims USING ivfflat ((v::vector(3)))
    WITH (lists = 1);
SELECT errors_of('build_cast');
INSERT INTO build_dims VALUES ('[1,2]', '[2]');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE build_dims;

-- Every dimension that the type can hold, to the last one; where one vector to a
-- page, where it takes several.
CREATE TABLE build_wide (
    a vector(1), b vector(33), c vector(2001), d vector(4079), e vector(4080),
    f vector(16000));
CREATE FUNCTION build_wide_row(i int) RETURNS SETOF build_wide LANGUAGE sql AS $$
    SELECT ARRAY[i]::vector, array_fill(i, ARRAY[33])::vector,
        array_fill(i, ARRAY[2001])::vector, array_fill(i, ARRAY[4079])::vector,
        array_fill(i, ARRAY[4080])::vector, array_fill(i, ARRAY[16000])::vector
$$;
INSERT INTO build_wide
    SELECT w.* FROM generate_series(1, 12) i, build_wide_row(i) w;
CREATE INDEX build_1 ON build_wide USING ivfflat (a) WITH (lists = 3);
CREATE INDEX build_33 ON build_wide USING ivfflat (b) WITH (lists = 3);
CREATE INDEX build_2001 ON build_wide USING ivfflat (c) WITH (lists = 3);
CREATE INDEX build_4079 ON build_wide
    USING ivfflat (d vector_cosine_ops) WITH (lists = 1);
CREATE INDEX build_4080 ON build_wide
    USING ivfflat (e vector_ip_ops) WITH (lists = 3);
CREATE INDEX build_16000 ON build_wide USING ivfflat (f) WITH (lists = 3);
INSERT INTO build_wide
    SELECT w.* FROM generate_series(-1, -9, -1) i, build_wide_row(i) w;
SELECT errors_of('build_1'), errors_of('build_33'), errors_of('build_2001'),
    errors_of('build_4079'), errors_of('build_4080'), errors_of('build_16000');
SET enable_seqscan = off;
SET ivfflat.probes = 3;
SELECT a FROM build_wide ORDER BY a <-> '[0.2]' LIMIT 3;
SELECT a FROM build_wide ORDER BY b <-> array_fill(7.2, ARRAY[33])::vector LIMIT 3;
SELECT a FROM build_wide ORDER BY c <-> array_fill(7.2, ARRAY[2001])::vector LIMIT 3;
SELECT count(*) FROM (
    SELECT d <=> array_fill(1, ARRAY[4079])::vector AS d
    FROM build_wide
    ORDER BY d <=> array_fill(1, ARRAY[4079])::vector LIMIT 12) s
WHERE d < 1e-3;
SELECT a FROM build_wide ORDER BY e <#> array_fill(1, ARRAY[4080])::vector LIMIT 3;
SELECT a FROM build_wide
    ORDER BY f <-> array_fill(-1.2, ARRAY[16000])::vector LIMIT 3;
DELETE FROM build_wide WHERE a <-> '[0]' < 5;
VACUUM (INDEX_CLEANUP ON) build_wide;
INSERT INTO build_wide
    SELECT w.* FROM generate_series(101, 106) i, build_wide_row(i) w;
SELECT errors_of('build_1'), errors_of('build_33'), errors_of('build_2001'),
    errors_of('build_4079'), errors_of('build_4080'), errors_of('build_16000');
SELECT a FROM build_wide
    ORDER BY f <-> array_fill(103.2, ARRAY[16000])::vector LIMIT 3;
RESET ivfflat.probes;
RESET enable_seqscan;
DROP TABLE build_wide CASCADE;

-- NULLs are not indexed; zero vectors not where a cosine is asked for.
CREATE TABLE build_gaps (id int, v vector(3));
INSERT INTO build_gaps VALUES
    (1, NULL), (2, '[0,0,0]'), (3, '[1,2,3]'), (4, NULL), (5, '[-1,0,0]');
CREATE INDEX build_gaps_l2 ON build_gaps USING ivfflat (v) WITH (lists = 2);
CREATE INDEX build_gaps_ip ON build_gaps
    USING ivfflat (v vector_ip_ops) WITH (lists = 2);
CREATE INDEX build_gaps_cosine ON build_gaps
    USING ivfflat (v vector_cosine_ops) WITH (lists = 2);
INSERT INTO build_gaps VALUES (6, NULL), (7, '[0,0,0]'), (8, '[2,2,2]');
SELECT errors_of('build_gaps_l2'), errors_of('build_gaps_ip'),
    errors_of('build_gaps_cosine');
SET enable_seqscan = off;
SELECT array_agg(id ORDER BY id)
FROM (SELECT id FROM build_gaps ORDER BY v <-> '[1,2,3]' LIMIT 10) s;
SELECT array_agg(id ORDER BY id)
FROM (SELECT id FROM build_gaps ORDER BY v <#> '[1,2,3]' LIMIT 10) s;
SELECT array_agg(id ORDER BY id)
FROM (SELECT id FROM build_gaps ORDER BY v <=> '[1,2,3]' LIMIT 10) s;
RESET enable_seqscan;
DROP TABLE build_gaps;

-- Magnitudes that float16 alone cannot hold, whole and as codes.
CREATE TABLE build_scale (id int, v vector(3), w vector(40));
INSERT INTO build_scale
    SELECT id, v, (v::real[] || array_fill(0::real, ARRAY[37]))::vector FROM (VALUES
        (1, '[1e-30,2e-30,0]'::vector), (2, '[1e30,0,0]'), (3, '[1e-5,1,1e5]'),
        (4, '[3e-38,0,0]'), (5, '[70000,1,0]'), (6, '[0,0,0]')) s(id, v);
CREATE INDEX build_scale_v ON build_scale USING ivfflat (v) WITH (lists = 1);
CREATE INDEX build_scale_w ON build_scale USING ivfflat (w) WITH (lists = 1);
SELECT errors_of('build_scale_v'), errors_of('build_scale_w');
SET enable_seqscan = off;
SELECT id FROM build_scale ORDER BY v <-> '[70000,0,0]' LIMIT 1;
SELECT id FROM build_scale ORDER BY v <-> '[0,1,100000]' LIMIT 1;
SELECT id FROM build_scale ORDER BY w <->
    ('{70000,0,0}'::real[] || array_fill(0::real, ARRAY[37]))::vector LIMIT 1;
SELECT id FROM build_scale ORDER BY w <->
    ('{0,1,100000}'::real[] || array_fill(0::real, ARRAY[37]))::vector LIMIT 1;
SELECT count(*)
FROM (SELECT id FROM build_scale ORDER BY w <-> array_fill(1, ARRAY[40])::vector
    LIMIT 10) s;
RESET enable_seqscan;
DROP TABLE build_scale;

-- All vectors equal, fewer rows than lists, one row, none.
CREATE TABLE build_equal (id int, v vector(40));
CREATE INDEX build_none ON build_equal USING ivfflat (v);
INSERT INTO build_equal VALUES (1, array_fill(1, ARRAY[40])::vector);
CREATE INDEX build_one ON build_equal USING ivfflat (v);
INSERT INTO build_equal
    SELECT i, array_fill(1, ARRAY[40])::vector FROM generate_series(2, 300) i;
CREATE INDEX build_equal_idx ON build_equal USING ivfflat (v);
SELECT errors_of('build_none'), errors_of('build_one'),
    errors_of('build_equal_idx');
DROP TABLE build_equal;

-- Without the memory for as many centroids as are asked for.
CREATE TABLE build_memory AS
    SELECT array_fill(i, ARRAY[1000])::vector(1000) AS v FROM generate_series(1, 200) i;
SET maintenance_work_mem = '1MB';
CREATE INDEX ON build_memory USING ivfflat (v) WITH (lists = 200);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX build_memory_idx ON build_memory USING ivfflat (v) WITH (lists = 20);
RESET maintenance_work_mem;
SELECT errors_of('build_memory_idx');
DROP TABLE build_memory;

-- 6 MB of rows: written to a file as they come, when the training needs the
-- room, and never.
CREATE TABLE build_spool AS
    SELECT array_fill(i, ARRAY[1000])::vector(1000) AS v
    FROM generate_series(1, 3000) i;
SET max_parallel_maintenance_workers = 0;
SET maintenance_work_mem = '4MB';
CREATE INDEX build_spool_idx ON build_spool USING ivfflat (v) WITH (lists = 10);
SELECT errors_of('build_spool_idx');
SET maintenance_work_mem = '13MB';
REINDEX INDEX build_spool_idx;
SELECT errors_of('build_spool_idx');
SET maintenance_work_mem = '64MB';
REINDEX INDEX build_spool_idx;
SELECT errors_of('build_spool_idx');
RESET maintenance_work_mem;
RESET max_parallel_maintenance_workers;
DROP TABLE build_spool;

-- Expression and partial indexes; an expression, too, needs dimensions.
CREATE INDEX build_expression ON build USING ivfflat ((v + '[1,1,1]'::vector));
CREATE INDEX build_expression ON build
    USING ivfflat (((v + '[1,1,1]')::vector(3))) WITH (lists = 10);
SELECT errors_of('build_expression');
CREATE INDEX build_partial ON build
    USING ivfflat (v) WITH (lists = 10) WHERE id % 10 = 0;
SELECT errors_of('build_partial');
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM build
    ORDER BY (v + '[1,1,1]')::vector(3) <-> '[1,1,1]' LIMIT 1;
SELECT v FROM build
    ORDER BY (v + '[1,1,1]')::vector(3) <-> '[2.1,2,2]' LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM build
    WHERE id % 10 = 0 ORDER BY v <-> '[0,0,0]' LIMIT 1;
SELECT count(*), bool_and(id % 10 = 0) FROM (
    SELECT id FROM build WHERE id % 10 = 0
    ORDER BY v <-> '[0,0,0]' LIMIT 1000) s;
RESET enable_seqscan;
INSERT INTO build VALUES (1501, '[0,0,0]'), (1510, '[0,0,1]');
SELECT errors_of('build_expression'), errors_of('build_partial');
DROP INDEX build_expression, build_partial;

-- Unlogged and temporary tables.
CREATE UNLOGGED TABLE build_unlogged AS SELECT * FROM build;
CREATE INDEX build_unlogged_idx ON build_unlogged USING ivfflat (v);
CREATE TEMP TABLE build_temp AS SELECT * FROM build;
CREATE INDEX build_temp_idx ON build_temp USING ivfflat (v);
INSERT INTO build_unlogged VALUES (2001, '[1,2,3]');
INSERT INTO build_temp VALUES (2001, '[1,2,3]');
SELECT errors_of('build_unlogged_idx'), errors_of('build_temp_idx');
ALTER TABLE build_unlogged SET LOGGED;
SELECT errors_of('build_unlogged_idx');
DROP TABLE build_unlogged, build_temp;

-- Rebuilding, also in little memory.
CREATE INDEX build_idx ON build USING ivfflat (v);
REINDEX INDEX build_idx;
SELECT errors_of('build_idx');
REINDEX INDEX CONCURRENTLY build_idx;
SELECT errors_of('build_idx');
REINDEX TABLE CONCURRENTLY build;
SELECT errors_of('build_idx');
SET maintenance_work_mem = '1MB';
REINDEX INDEX build_idx;
RESET maintenance_work_mem;
SELECT errors_of('build_idx');
DROP INDEX build_idx;
CREATE INDEX CONCURRENTLY build_idx ON build USING ivfflat (v);
SELECT errors_of('build_idx');
TRUNCATE build;
SELECT errors_of('build_idx');
INSERT INTO build VALUES (1, '[1,2,3]');
SELECT errors_of('build_idx');
CLUSTER build USING build_idx;
\echo :LAST_ERROR_SQLSTATE

-- A partitioned table's index.
CREATE TABLE build_parts (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE build_part1 PARTITION OF build_parts FOR VALUES FROM (0) TO (100);
CREATE TABLE build_part2 PARTITION OF build_parts
    FOR VALUES FROM (100) TO (200);
CREATE INDEX build_parts_idx ON build_parts USING ivfflat (v) WITH (lists = 1);
INSERT INTO build_parts
    SELECT i, ARRAY[i, 0, 0]::vector FROM generate_series(50, 150) i;
SELECT errors_of(c.oid) FROM pg_class c
WHERE relname LIKE 'build_part__v_idx' ORDER BY relname;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT id FROM build_parts ORDER BY v <-> '[99.4,0,0]' LIMIT 4;
RESET enable_seqscan;
RESET enable_sort;
DROP TABLE build_parts;

-- What pg_stat_progress_create_index calls the phases.
SELECT phase FROM (
    SELECT pg_indexam_progress_phasename(a.oid, n) AS phase
    FROM pg_am a, generate_series(1, 20) n WHERE amname = 'ivfflat') s
WHERE phase IN ('initializing', 'performing k-means', 'assigning tuples',
    'loading tuples') ORDER BY phase;
SELECT pg_indexam_progress_phasename(oid, 0),
    pg_indexam_progress_phasename(oid, 1),
    pg_indexam_progress_phasename(oid, 1000)
FROM pg_am WHERE amname = 'ivfflat';

-- What the access method tells of itself.
SELECT property, pg_indexam_has_property(a.oid, property) AS can
FROM pg_am a, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col',
    'can_exclude', 'can_include']) property
WHERE amname = 'ivfflat';
SELECT property, pg_index_has_property('build_idx', property) AS can
FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan',
    'backward_scan']) property;

DROP TABLE build;
DROP FUNCTION errors_of(regclass);
