-- Inserts, updates, deletes and vacuum, from an empty table on, whose index has
-- one list; then into many lists.

CREATE TABLE ins (id int PRIMARY KEY, label int, v vector(3));
CREATE INDEX ins_idx ON ins USING ivfflat (v vector_l2_ops);
CREATE INDEX ins_cosine ON ins USING ivfflat (v vector_cosine_ops);
CREATE INDEX ON ins (label);

CREATE FUNCTION ins_errors() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*)
    FROM unnest(ARRAY['ins_idx', 'ins_cosine']::regclass[]) i,
        LATERAL vsearch_check(i, true) c
    WHERE severity = 'error'
$$;

-- How many of the rows does a search find that asks for all, and is the first
-- of the answer the exact one?
CREATE FUNCTION ins_found(query vector) RETURNS TABLE (nrows bigint,
    nfound bigint, nearest int) LANGUAGE sql
    SET enable_seqscan = off SET enable_sort = off SET ivfflat.probes = 20 AS $$
    SELECT (SELECT count(*) FROM ins WHERE v IS NOT NULL), (
            SELECT count(DISTINCT id) FROM (
                SELECT id FROM ins ORDER BY v <-> query LIMIT 10000) s), (
            SELECT id FROM ins ORDER BY v <-> query LIMIT 1)
$$;

SELECT * FROM ins_found('[0,0,0]');
INSERT INTO ins VALUES (1, 0, '[1,0,0]');
SELECT * FROM ins_found('[0,0,0]');
INSERT INTO ins VALUES (0, 0, NULL), (-1, 0, '[0,0,0]');
SELECT * FROM ins_found('[0.1,0,0]');
SELECT ins_errors();

-- Growth, with a look at each stage.
INSERT INTO ins SELECT i, i % 10, ARRAY[i, i % 5, i % 3]::vector
    FROM generate_series(2, 500) i;
SELECT * FROM ins_found('[250,0,1]');
SELECT ins_errors();
INSERT INTO ins SELECT i, i % 10, ARRAY[i, i % 5, i % 3]::vector
    FROM generate_series(501, 990) i;
SELECT * FROM ins_found('[750,0,0]');
INSERT INTO ins SELECT i, i % 10, ARRAY[i, i % 5, i % 3]::vector
    FROM generate_series(991, 1030) i;
SELECT * FROM ins_found('[1000,0,1]');
SELECT ins_errors();
INSERT INTO ins SELECT i, i % 10, ARRAY[i, i % 5, i % 3]::vector
    FROM generate_series(1031, 2500) i;
SELECT * FROM ins_found('[2000,0,2]');
SELECT ins_errors();

-- A transaction that is rolled back, a subtransaction, a failed statement.
BEGIN;
INSERT INTO ins SELECT i, 0, ARRAY[4900 - i, 0, 0]::vector
    FROM generate_series(5001, 5050) i;
SELECT * FROM ins_found('[-120,0,0]');
ROLLBACK;
SELECT * FROM ins_found('[-120,0,0]');
BEGIN;
INSERT INTO ins VALUES (5001, 0, '[-1001,0,0]');
SAVEPOINT s;
INSERT INTO ins VALUES (5002, 0, '[-1002,0,0]');
ROLLBACK TO s;
COMMIT;
INSERT INTO ins VALUES (5003, 0, '[-1003,0,0]'), (1, 0, '[-1004,0,0]');
SELECT * FROM ins_found('[-1002,0,0]');
INSERT INTO ins VALUES (5005, 0, '[1,2]');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM ins WHERE id > 5000;
SELECT ins_errors();

-- Updates that move a vector, that leave it, and both ways through NULL.
UPDATE ins SET v = '[0,100,0]' WHERE id = 1200;
SELECT * FROM ins_found('[0,99,0]');
UPDATE ins SET label = label + 1 WHERE id <= 200;
SELECT * FROM ins_found('[100,0,1]');
UPDATE ins SET v = NULL WHERE id = 1200;
SELECT * FROM ins_found('[100,0,1]');
UPDATE ins SET v = '[0,-100,0]' WHERE id = 1200;
SELECT * FROM ins_found('[0,-99,0]');
INSERT INTO ins VALUES (1200, 0, '[7777,0,0]')
    ON CONFLICT (id) DO UPDATE SET v = excluded.v;
SELECT * FROM ins_found('[7777,0,1]');
SELECT ins_errors();

-- What updates leave behind is used again after a vacuum.
VACUUM (INDEX_CLEANUP ON) ins;
UPDATE ins SET label = label + 1;
VACUUM (INDEX_CLEANUP ON) ins;
SELECT pg_relation_size('ins_idx') AS size_before \gset
UPDATE ins SET label = label + 1;
VACUUM (INDEX_CLEANUP ON) ins;
UPDATE ins SET label = label + 1;
SELECT pg_relation_size('ins_idx') <= 1.1 * :size_before AS space_reused;
SELECT * FROM ins_found('[100,0,1]');
VACUUM (INDEX_CLEANUP ON) ins;
SELECT * FROM ins_found('[100,0,1]');
SELECT ins_errors();

-- The same in many lists.
REINDEX TABLE ins;
SELECT pg_relation_size('ins_idx') AS size_before \gset
SELECT ins_errors();
SELECT * FROM ins_found('[100,0,1]');

-- Deletes, before and after vacuum, and rows that take the place of others.
DELETE FROM ins WHERE id % 3 = 0;
SELECT * FROM ins_found('[300,0,0]');
VACUUM (INDEX_CLEANUP ON) ins;
SELECT * FROM ins_found('[300,0,0]');
SELECT ins_errors();
INSERT INTO ins SELECT i, 0, ARRAY[-i, 0, 0]::vector
    FROM generate_series(3, 2400, 3) i;
SELECT nrows, nfound FROM ins_found('[-300,0,0]');
SELECT ins_errors();
SELECT pg_relation_size('ins_idx') <= 1.2 * :size_before AS space_reused;

-- Nothing left, and a new beginning in the same index.
DELETE FROM ins;
SELECT * FROM ins_found('[0,0,0]');
VACUUM (INDEX_CLEANUP ON) ins;
SELECT * FROM ins_found('[0,0,0]');
SELECT ins_errors();
INSERT INTO ins SELECT i, 0, ARRAY[i, 0, 0]::vector
    FROM generate_series(1, 1500) i;
SELECT * FROM ins_found('[700.2,0,0]');
SELECT ins_errors();
SELECT pg_relation_size('ins_idx') <= 1.5 * :size_before AS space_reused;
TRUNCATE ins;

-- Duplicates, in several statements.
INSERT INTO ins SELECT i, 0, '[1,2,3]' FROM generate_series(1, 9) i;
INSERT INTO ins SELECT i, 0, '[1,2,3]' FROM generate_series(10, 1200) i;
INSERT INTO ins VALUES (2000, 0, '[9,9,9]');
SELECT * FROM ins_found('[9,9,9]');
SELECT ins_errors();
DELETE FROM ins WHERE id % 2 = 0;
VACUUM (INDEX_CLEANUP ON) ins;
SELECT nrows, nfound FROM ins_found('[1,2,3.1]');
SELECT ins_errors();

-- VACUUM FULL and CLUSTER by another index write it anew.
VACUUM FULL ins;
SELECT ins_errors();
CLUSTER ins USING ins_pkey;
SELECT ins_errors();
SELECT nrows, nfound FROM ins_found('[1,2,3]');

DROP TABLE ins;
DROP FUNCTION ins_found, ins_errors;
