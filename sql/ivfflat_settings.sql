-- Settings of ivfflat scans: defaults, ranges, and which of SET, storage
-- parameter and default wins.

-- A setting made before the library is loaded counts once it is.
SET ivfflat.probes = 17;
SELECT '[1,2,3]'::vector;
SHOW ivfflat.probes;
RESET ivfflat.probes;

SELECT name, setting, unit, context, vartype, min_val, max_val, enumvals
FROM pg_settings WHERE name LIKE 'ivfflat.%' ORDER BY name;

SET ivfflat.probes = 1;
SET ivfflat.probes = 32768;
SET ivfflat.probes = 0;
\echo :LAST_ERROR_SQLSTATE
SET ivfflat.probes = 32769;
SHOW ivfflat.probes;
RESET ivfflat.probes;
SET ivfflat.iterative_scan = off;
SET ivfflat.iterative_scan = relaxed_order;
SET ivfflat.iterative_scan = strict_order;
SET ivfflat.iterative_scan = on;
\echo :LAST_ERROR_SQLSTATE
RESET ivfflat.iterative_scan;
SET ivfflat.max_probes = 0;
SET ivfflat.max_probes = 32769;

-- The prefix is ours: a misspelt name is an error, not a new setting.
SET ivfflat.porbes = 100;
\echo :LAST_ERROR_SQLSTATE

-- Precedence, seen from the outside: two clusters far apart are two lists, and a
-- scan that does not go on returns the rows of the lists that it probes.
CREATE TABLE settings_ivf (id int, v vector(3));
INSERT INTO settings_ivf
    SELECT i, ARRAY[i % 2 * 1000, i % 7, i % 3]::vector FROM generate_series(1, 300) i;
CREATE INDEX settings_ivf_idx ON settings_ivf USING ivfflat (v) WITH (lists = 2);
CREATE FUNCTION rows_found() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (
        SELECT v FROM settings_ivf ORDER BY v <-> '[1,1,1]' LIMIT 1000) s
$$;
SET enable_seqscan = off;
SET ivfflat.iterative_scan = off;
SELECT rows_found();
SET ivfflat.probes = 2;
SELECT rows_found();
-- An explicit SET wins over the storage parameter ...
ALTER INDEX settings_ivf_idx SET (probes = 1);
SELECT rows_found();
SET ivfflat.probes = 1;
ALTER INDEX settings_ivf_idx SET (probes = 2);
SELECT rows_found();
-- ... which wins over the default ...
RESET ivfflat.probes;
SELECT rows_found();
-- ... which holds when neither is there.
ALTER INDEX settings_ivf_idx RESET (probes);
SELECT rows_found();
-- More probes than there are lists.
SET ivfflat.probes = 32768;
SELECT rows_found();
RESET ivfflat.probes;
\set VERBOSITY sqlstate
ALTER INDEX settings_ivf_idx SET (probes = 32769);
ALTER INDEX settings_ivf_idx SET (probes = -5);
\set VERBOSITY default

DROP TABLE settings_ivf;
DROP FUNCTION rows_found();
