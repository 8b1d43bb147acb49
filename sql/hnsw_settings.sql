-- Settings of searches: defaults, ranges, and which of SET, storage parameter
-- and default wins.

-- A setting made before the library is loaded counts once it is.
SET hnsw.ef_search = 17;
SELECT '[1,2,3]'::vector;
SHOW hnsw.ef_search;
RESET hnsw.ef_search;

SELECT name, setting, unit, context, vartype, min_val, max_val, enumvals
FROM pg_settings
WHERE name IN ('hnsw.ef_search', 'hnsw.iterative_scan',
    'hnsw.max_scan_tuples', 'hnsw.scan_mem_multiplier')
ORDER BY name;

SET hnsw.ef_search = 1;
SET hnsw.ef_search = 1000;
SET hnsw.ef_search = 0;
\echo :LAST_ERROR_SQLSTATE
SET hnsw.ef_search = 1001;
SET hnsw.ef_search = 'many';
SET hnsw.ef_search = '40kB';
SHOW hnsw.ef_search;
RESET hnsw.ef_search;

SET hnsw.iterative_scan = off;
SET hnsw.iterative_scan = relaxed_order;
SET hnsw.iterative_scan = strict_order;
SET hnsw.iterative_scan = on;
\echo :LAST_ERROR_SQLSTATE
SHOW hnsw.iterative_scan;
RESET hnsw.iterative_scan;

SET hnsw.max_scan_tuples = 1;
SET hnsw.max_scan_tuples = 2147483647;
SET hnsw.max_scan_tuples = 0;
SET hnsw.max_scan_tuples = 2147483648;
SHOW hnsw.max_scan_tuples;
RESET hnsw.max_scan_tuples;

SET hnsw.scan_mem_multiplier = 1;
SET hnsw.scan_mem_multiplier = 1000;
SET hnsw.scan_mem_multiplier = 0.5;
SET hnsw.scan_mem_multiplier = 1001;
SHOW hnsw.scan_mem_multiplier;
RESET hnsw.scan_mem_multiplier;

-- The prefix is ours: a misspelt name is an error, not a new setting.
SET hnsw.ef_serach = 100;
\echo :LAST_ERROR_SQLSTATE

-- Anyone may set them, for a role, a function, a transaction.
CREATE ROLE regress_vsearch_user;
SET ROLE regress_vsearch_user;
SET hnsw.ef_search = 50;
RESET hnsw.ef_search;
RESET ROLE;
DROP ROLE regress_vsearch_user;
CREATE FUNCTION effort() RETURNS text LANGUAGE sql SET hnsw.ef_search = 90
    RETURN current_setting('hnsw.ef_search');
SELECT effort(), current_setting('hnsw.ef_search');
DROP FUNCTION effort();
BEGIN;
SET LOCAL hnsw.ef_search = 60;
SHOW hnsw.ef_search;
ROLLBACK;
SHOW hnsw.ef_search;

-- Precedence, seen from the outside: twenty duplicates lie in elements of ten
-- heap rows, so a scan that does not go on returns ten rows for each element
-- that ef_search lets it keep.  The other rows make the index a graph.
CREATE TABLE settings_dups (id int, v vector(3));
INSERT INTO settings_dups SELECT i, '[1,1,1]' FROM generate_series(1, 20) i;
INSERT INTO settings_dups
    SELECT i, ARRAY[i, i % 7, 0]::vector FROM generate_series(21, 1500) i;
CREATE INDEX settings_dups_idx ON settings_dups USING hnsw (v vector_l2_ops);
CREATE FUNCTION rows_found() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (
        SELECT v FROM settings_dups ORDER BY v <-> '[1,1,1]' LIMIT 100) s
    WHERE v = '[1,1,1]'
$$;
SET enable_seqscan = off;
SET hnsw.iterative_scan = off;
SELECT rows_found();
SET hnsw.ef_search = 1;
SELECT rows_found();
-- An explicit SET wins over the storage parameter ...
ALTER INDEX settings_dups_idx SET (ef_search = 100);
SELECT rows_found();
SET hnsw.ef_search = 40;
ALTER INDEX settings_dups_idx SET (ef_search = 1);
SELECT rows_found();
-- ... which wins over the default ...
RESET hnsw.ef_search;
SELECT rows_found();
ALTER INDEX settings_dups_idx SET (ef_search = 2);
SELECT rows_found();
-- ... which holds when neither is there.
ALTER INDEX settings_dups_idx RESET (ef_search);
SELECT rows_found();
BEGIN;
ALTER INDEX settings_dups_idx SET (ef_search = 1);
SELECT rows_found();
SET LOCAL hnsw.ef_search = 40;
SELECT rows_found();
ROLLBACK;
SELECT rows_found();
-- It can be given at creation; its range is the setting's.
CREATE INDEX settings_dups_idx2 ON settings_dups
    USING hnsw (v vector_l2_ops) WITH (ef_search = 1);
DROP INDEX settings_dups_idx;
SELECT rows_found();
SELECT reloptions FROM pg_class WHERE relname = 'settings_dups_idx2';
\set VERBOSITY sqlstate
ALTER INDEX settings_dups_idx2 SET (ef_search = 1001);
ALTER INDEX settings_dups_idx2 SET (ef_search = -5);
ALTER INDEX settings_dups_idx2 SET (ef_search = 'many');
\set VERBOSITY default

DROP TABLE settings_dups;
DROP FUNCTION rows_found();
