-- CREATE INDEX USING hnsw: what it takes, what it refuses, and that the index
-- it makes is whole.

CREATE FUNCTION errors_of(index regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM vsearch_check(index, true) WHERE severity = 'error'
$$;

CREATE TABLE build (id int PRIMARY KEY, v vector(3));
INSERT INTO build
    SELECT i, ARRAY[i % 13, i % 17, i % 19]::vector
    FROM generate_series(1, 1500) i;

-- Operator classes.
CREATE INDEX build_l2 ON build USING hnsw (v vector_l2_ops);
CREATE INDEX build_ip ON build USING hnsw (v vector_ip_ops);
CREATE INDEX build_cosine ON build USING hnsw (v vector_cosine_ops);
CREATE INDEX build_l1 ON build USING hnsw (v vector_l1_ops);
SELECT errors_of('build_l2'), errors_of('build_ip'), errors_of('build_cosine'),
    errors_of('build_l1');
SELECT opcname, opcdefault, amname
FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE amname = 'hnsw' AND opcname IN
    ('vector_l2_ops', 'vector_ip_ops', 'vector_cosine_ops', 'vector_l1_ops')
ORDER BY opcname;
SELECT opcname, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE amname = 'hnsw' AND opcname LIKE 'vector%' AND NOT amvalidate(c.oid);
DROP INDEX build_l2, build_ip, build_cosine, build_l1;

-- There is no default operator class, one key column, no unique index, no
-- order, no INCLUDE.
CREATE INDEX ON build USING hnsw (v);
CREATE INDEX ON build USING hnsw (v vector_l2_ops, v vector_ip_ops);
CREATE UNIQUE INDEX ON build USING hnsw (v vector_l2_ops);
CREATE INDEX ON build USING hnsw (v vector_l2_ops DESC);
CREATE INDEX ON build USING hnsw (v vector_l2_ops) INCLUDE (id);
CREATE INDEX ON build USING hnsw (id vector_l2_ops);

-- Storage parameters.
CREATE INDEX build_idx ON build USING hnsw (v vector_l2_ops)
    WITH (m = 2, ef_construction = 4);
SELECT errors_of('build_idx');
DROP INDEX build_idx;
CREATE INDEX build_idx ON build USING hnsw (v vector_l2_ops)
    WITH (m = 100, ef_construction = 1000);
SELECT errors_of('build_idx');
SELECT reloptions FROM pg_class WHERE relname = 'build_idx';
DROP INDEX build_idx;
CREATE INDEX ON build USING hnsw (v vector_l2_ops) WITH (m = 1);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON build USING hnsw (v vector_l2_ops) WITH (m = 101);
CREATE INDEX ON build USING hnsw (v vector_l2_ops) WITH (ef_construction = 3);
CREATE INDEX ON build USING hnsw (v vector_l2_ops)
    WITH (ef_construction = 1001);
CREATE INDEX ON build USING hnsw (v vector_l2_ops)
    WITH (m = 16, ef_construction = 31);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON build USING hnsw (v vector_l2_ops) WITH (m = 33);
CREATE INDEX ON build USING hnsw (v vector_l2_ops) WITH (lists = 100);
\echo :LAST_ERROR_SQLSTATE

-- Columns whose vectors have no dimension.
CREATE TABLE build_dims (v vector);
CREATE INDEX ON build_dims USING hnsw (v vector_l2_ops);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO build_dims VALUES ('[1,2,3]');
CREATE INDEX ON build_dims USING hnsw (v vector_l2_ops);
-- An expression or a cast can give it one.
CREATE INDEX build_cast ON build_dims USING hnsw ((v::vector(3)) vector_l2_ops);
SELECT errors_of('build_cast');
INSERT INTO build_dims VALUES ('[1,2]');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE build_dims;

-- Every dimension that the type can hold, to the last one.
CREATE TABLE build_wide (
    a vector(1), b vector(2001), c vector(4096), d vector(16000));
INSERT INTO build_wide
    SELECT ARRAY[i]::vector,
        array_fill(i, ARRAY[2001])::vector,
        array_fill(i, ARRAY[4096])::vector,
        array_fill(i, ARRAY[16000])::vector
    FROM generate_series(1, 12) i;
CREATE INDEX build_1 ON build_wide USING hnsw (a vector_l2_ops);
CREATE INDEX build_2001 ON build_wide USING hnsw (b vector_l2_ops);
CREATE INDEX build_4096 ON build_wide USING hnsw (c vector_cosine_ops);
CREATE INDEX build_16000 ON build_wide USING hnsw (d vector_l2_ops);
INSERT INTO build_wide
    SELECT ARRAY[-i]::vector,
        array_fill(-i, ARRAY[2001])::vector,
        array_fill(-i, ARRAY[4096])::vector,
        array_fill(-i, ARRAY[16000])::vector
    FROM generate_series(1, 3) i;
SELECT errors_of('build_1'), errors_of('build_2001'),
    errors_of('build_4096'), errors_of('build_16000');
SET enable_seqscan = off;
SELECT a FROM build_wide ORDER BY a <-> '[0.2]' LIMIT 3;
SELECT a FROM build_wide
    ORDER BY b <-> array_fill(7.2, ARRAY[2001])::vector LIMIT 3;
SELECT count(*) FROM (
    SELECT c <=> array_fill(1, ARRAY[4096])::vector AS d
    FROM build_wide
    ORDER BY c <=> array_fill(1, ARRAY[4096])::vector LIMIT 12) s
WHERE d < 1e-3;
SELECT a FROM build_wide
    ORDER BY d <-> array_fill(-1.2, ARRAY[16000])::vector LIMIT 3;
RESET enable_seqscan;
DROP TABLE build_wide;

-- NULLs are not indexed; zero vectors not where a cosine is asked for.
CREATE TABLE build_gaps (id int, v vector(3));
INSERT INTO build_gaps VALUES
    (1, NULL), (2, '[0,0,0]'), (3, '[1,2,3]'), (4, NULL), (5, '[-1,0,0]');
CREATE INDEX build_gaps_l2 ON build_gaps USING hnsw (v vector_l2_ops);
CREATE INDEX build_gaps_ip ON build_gaps USING hnsw (v vector_ip_ops);
CREATE INDEX build_gaps_cosine ON build_gaps USING hnsw (v vector_cosine_ops);
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

-- Magnitudes that float16 alone cannot hold.
CREATE TABLE build_scale (id int, v vector(3));
INSERT INTO build_scale VALUES
    (1, '[1e-30,2e-30,0]'), (2, '[1e30,0,0]'), (3, '[1e-5,1,1e5]'),
    (4, '[3e-38,0,0]'), (5, '[70000,1,0]'), (6, '[0,0,0]');
CREATE INDEX build_scale_idx ON build_scale USING hnsw (v vector_l2_ops);
SELECT errors_of('build_scale_idx');
SET enable_seqscan = off;
SELECT id FROM build_scale ORDER BY v <-> '[70000,0,0]' LIMIT 1;
SELECT id FROM build_scale ORDER BY v <-> '[0,1,100000]' LIMIT 1;
SELECT count(*)
FROM (SELECT id FROM build_scale ORDER BY v <-> '[1,1,1]' LIMIT 10) s;
RESET enable_seqscan;
DROP TABLE build_scale;

-- All vectors equal, two rows, one row, none.
CREATE TABLE build_equal (id int, v vector(3));
CREATE INDEX build_none ON build_equal USING hnsw (v vector_l2_ops);
INSERT INTO build_equal VALUES (1, '[1,1,1]');
CREATE INDEX build_one ON build_equal USING hnsw (v vector_l2_ops);
INSERT INTO build_equal SELECT i, '[1,1,1]' FROM generate_series(2, 300) i;
CREATE INDEX build_equal_idx ON build_equal USING hnsw (v vector_l2_ops);
SELECT errors_of('build_none'), errors_of('build_one'),
    errors_of('build_equal_idx');
DROP TABLE build_equal;

-- Expression and partial indexes; an expression, too, needs dimensions.
CREATE INDEX build_expression ON build
    USING hnsw ((v + '[1,1,1]'::vector) vector_l2_ops);
CREATE INDEX build_expression ON build
    USING hnsw (((v + '[1,1,1]')::vector(3)) vector_l2_ops);
SELECT errors_of('build_expression');
CREATE INDEX build_partial ON build
    USING hnsw (v vector_l2_ops) WHERE id % 10 = 0;
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
CREATE INDEX build_unlogged_idx ON build_unlogged
    USING hnsw (v vector_l2_ops);
CREATE TEMP TABLE build_temp AS SELECT * FROM build;
CREATE INDEX build_temp_idx ON build_temp USING hnsw (v vector_l2_ops);
INSERT INTO build_unlogged VALUES (2001, '[1,2,3]');
INSERT INTO build_temp VALUES (2001, '[1,2,3]');
SELECT errors_of('build_unlogged_idx'), errors_of('build_temp_idx');
ALTER TABLE build_unlogged SET LOGGED;
SELECT errors_of('build_unlogged_idx');
DROP TABLE build_unlogged, build_temp;

-- Rebuilding, also in little memory.
CREATE INDEX build_idx ON build USING hnsw (v vector_l2_ops);
REINDEX INDEX build_idx;
SELECT errors_of('build_idx');
REINDEX INDEX CONCURRENTLY build_idx;
SELECT errors_of('build_idx');
REINDEX TABLE CONCURRENTLY build;
SELECT errors_of('build_idx');
SET maintenance_work_mem = '1MB';
SET client_min_messages = warning;
REINDEX INDEX build_idx;
RESET client_min_messages;
RESET maintenance_work_mem;
SELECT errors_of('build_idx');
DROP INDEX build_idx;
CREATE INDEX CONCURRENTLY build_idx ON build USING hnsw (v vector_l2_ops);
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
CREATE INDEX build_parts_idx ON build_parts USING hnsw (v vector_l2_ops);
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
    FROM pg_am a, generate_series(1, 20) n WHERE amname = 'hnsw') s
WHERE phase IN ('initializing', 'loading tuples') ORDER BY phase;
SELECT pg_indexam_progress_phasename(oid, 0),
    pg_indexam_progress_phasename(oid, 1),
    pg_indexam_progress_phasename(oid, 1000)
FROM pg_am WHERE amname = 'hnsw';

-- What the access method tells of itself.
SELECT property, pg_indexam_has_property(a.oid, property) AS can
FROM pg_am a, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col',
    'can_exclude', 'can_include']) property
WHERE amname = 'hnsw';
SELECT property, pg_index_column_has_property('build_idx', 1, property) AS can
FROM unnest(ARRAY['asc', 'orderable', 'returnable',
    'search_array', 'search_nulls']) property;
SELECT property, pg_index_has_property('build_idx', property) AS can
FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan',
    'backward_scan']) property;

DROP TABLE build;
DROP FUNCTION errors_of(regclass);
