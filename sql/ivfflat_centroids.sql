-- centroids_from: an ivfflat index built from centroids made elsewhere.
--
-- Breaks if other lists are made than the table says, if rows end up in other lists
-- than that of their nearest centroid, or if a build reads what its owner may not.

CREATE SCHEMA made;
CREATE TABLE made.centroids (id int, v vector(3));
INSERT INTO made.centroids VALUES (1, '[0,0,0]'), (2, '[10,0,0]'), (3, '[0,20,0]'),
    (4, '[0,0,40]');
CREATE TABLE given (id int, v vector(3));
INSERT INTO given
    SELECT i, c.v + ARRAY[sin(i), cos(i), sin(i * i)]::vector
    FROM generate_series(1, 1000) i JOIN made.centroids c ON c.id = i % 10 % 4 + 1;

-- One list for each row of the table, whatever "lists" says.
CREATE INDEX given_idx ON given USING ivfflat (v)
    WITH (centroids_from = 'made.centroids', lists = 77, auto_lists = on);

-- What the index says it has; and the rows of the list nearest to a vector.
CREATE FUNCTION state() RETURNS TABLE (name text, value float8) LANGUAGE sql AS $$
    SELECT name, value FROM vsearch_index_stats('given_idx')
    WHERE name IN ('rows', 'lists', 'empty_lists', 'largest_list_rows')
$$;
CREATE FUNCTION problems() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM vsearch_check('given_idx', true)
$$;
CREATE FUNCTION list_of(q vector) RETURNS int[] LANGUAGE sql
SET enable_seqscan = off SET ivfflat.iterative_scan = off AS $$
    SELECT array_agg(DISTINCT id % 10 % 4 + 1)
    FROM (SELECT id FROM given ORDER BY v <-> q LIMIT 1000) s
$$;

SELECT * FROM state();
SELECT problems(), list_of('[1,1,1]'), list_of('[9,9,9]'), list_of('[0,30,0]'),
    list_of('[0,1,90]');
SELECT pg_get_indexdef('given_idx'::regclass);
INSERT INTO given VALUES (1001, '[8,1,1]'), (1002, NULL);
SELECT list_of('[8,1,1]'), problems();

-- REINDEX reads the table again.
UPDATE made.centroids SET v = '[1000,0,0]' WHERE id = 4;
INSERT INTO made.centroids VALUES (5, '[0,0,50]'), (6, '[0,0,60]');
SELECT * FROM state();
REINDEX INDEX given_idx;
SELECT * FROM state();
SELECT problems(), list_of('[0,0,40]'), list_of('[1000,0,0]');
REINDEX INDEX CONCURRENTLY given_idx;
SELECT * FROM state();
VACUUM FULL given;
SELECT * FROM state();
SELECT problems();

-- By workers, too, and in a transaction that has changed the table.
DELETE FROM made.centroids WHERE id > 3;
ALTER TABLE given SET (parallel_workers = 2);
BEGIN;
INSERT INTO made.centroids VALUES (4, '[0,0,40]');
REINDEX INDEX given_idx;
SELECT * FROM state();
SELECT problems(), list_of('[9,9,9]'), list_of('[0,1,90]');
ROLLBACK;
ALTER TABLE given RESET (parallel_workers);

-- NULLs and what is there twice are left out; so is, by an angle, what has none.
INSERT INTO made.centroids VALUES (7, NULL), (8, '[10,0,0]'), (9, '[0.5,0,0]');
REINDEX INDEX given_idx;
SELECT * FROM state();
DROP INDEX given_idx;
CREATE INDEX given_idx ON given USING ivfflat (v vector_cosine_ops)
    WITH (centroids_from = 'made.centroids.v');
SELECT * FROM state();
SELECT problems();
DROP INDEX given_idx;
CREATE INDEX given_idx ON given USING ivfflat (v vector_ip_ops)
    WITH (centroids_from = 'made.centroids');
SELECT * FROM state();
SELECT problems();
DROP INDEX given_idx;
DELETE FROM made.centroids WHERE id > 6;

-- Before there are rows; a schema that is restored has no centroids, either.
CREATE TABLE given_later (v vector(3));
CREATE INDEX given_later_idx ON given_later USING ivfflat (v)
    WITH (centroids_from = 'made.centroids');
INSERT INTO given_later SELECT v FROM given;
SELECT name, value FROM vsearch_index_stats('given_later_idx')
WHERE name IN ('rows', 'lists', 'empty_lists', 'largest_list_rows', 'drift', 'advice');
SELECT count(*) FROM vsearch_check('given_later_idx', true);
TRUNCATE made.centroids;
TRUNCATE given_later;
SELECT name, value FROM vsearch_index_stats('given_later_idx')
WHERE name IN ('rows', 'lists');
INSERT INTO given_later SELECT v FROM given;
REINDEX INDEX given_later_idx;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE given_later;
INSERT INTO made.centroids VALUES (1, '[0,0,0]'), (2, '[10,0,0]'), (3, '[0,20,0]');

-- What the parameter may be.
CREATE FUNCTION refusal(source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE format('CREATE INDEX ON given USING ivfflat (v) WITH (centroids_from = %L)',
                   source);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''),
        nullif(hint, ''));
END
$$;
CREATE TABLE made.two (a vector(3), b vector(3), "C d" vector(2), n int);
INSERT INTO made.two VALUES ('[1,2,3]', '[4,5,6]', '[1,2]', 1);
CREATE VIEW made.view AS SELECT v FROM made.centroids;
CREATE TABLE made.parts (n int, v vector(3)) PARTITION BY RANGE (n);
CREATE MATERIALIZED VIEW made.unfilled AS SELECT v FROM made.centroids WITH NO DATA;
CREATE TEMP TABLE passing (v vector(3));
CREATE TABLE made.empty (v vector(3));
CREATE TABLE made.bare (n int);
CREATE TABLE made.many AS SELECT ARRAY[i, 0, 0]::vector(3) AS v FROM generate_series(1, 32769) i;
SELECT source, refusal(source) FROM unnest(ARRAY[
    '', 'centroids', 'made.', 'made.centroids.v.x', 'made.centroids;',
    'made.nothing', 'nowhere.centroids', 'made.centroids.w', 'made.two',
    'made.two.n', 'made.two."C d"', 'made.view', 'made.parts', 'made.unfilled',
    'pg_temp.passing', 'made.empty', 'made.bare', 'made.many']) source;
CREATE INDEX given_idx ON given USING ivfflat (v) WITH (centroids_from = 'MADE.two.A');
SELECT * FROM state();
ALTER INDEX given_idx SET (centroids_from = 'centroids');
\echo :LAST_ERROR_SQLSTATE
ALTER INDEX given_idx SET (centroids_from = 'made.centroids');
SELECT reloptions FROM pg_class WHERE relname = 'given_idx';
SELECT * FROM state() WHERE name = 'lists';
REINDEX INDEX given_idx;
SELECT * FROM state() WHERE name = 'lists';
DROP TABLE made.centroids CASCADE;
REINDEX INDEX given_idx;
SELECT problems();
ALTER INDEX given_idx RESET (centroids_from);
REINDEX INDEX given_idx;
SELECT * FROM state() WHERE name = 'lists';
DROP INDEX given_idx;

-- More than there is memory for.
CREATE TABLE made.wide AS
    SELECT array_fill(i, ARRAY[1000])::vector(1000) AS v FROM generate_series(1, 300) i;
SET maintenance_work_mem = '1MB';
CREATE INDEX ON made.wide USING ivfflat (v) WITH (centroids_from = 'made.wide');
\echo :LAST_ERROR_SQLSTATE
RESET maintenance_work_mem;

-- A temporary table's index may.
CREATE TEMP TABLE given_temp AS SELECT * FROM given;
INSERT INTO passing SELECT a FROM made.two;
CREATE INDEX ON given_temp USING ivfflat (v) WITH (centroids_from = 'pg_temp.passing');

-- The rights are those of the table's owner, by whomever the index is built.
CREATE ROLE regress_vsearch_owner;
ALTER TABLE given OWNER TO regress_vsearch_owner;
SELECT refusal('made.two.a');
GRANT USAGE ON SCHEMA made TO regress_vsearch_owner;
SELECT refusal('made.two.a');
GRANT SELECT (a, n) ON made.two TO regress_vsearch_owner;
SELECT refusal('made.two.b'), refusal('made.two.a');
ALTER TABLE made.two ENABLE ROW LEVEL SECURITY;
SELECT refusal('made.two.a');
ALTER TABLE made.two OWNER TO regress_vsearch_owner;
SELECT refusal('made.two.a');
ALTER TABLE made.two FORCE ROW LEVEL SECURITY;
SELECT refusal('made.two.a');

DROP TABLE given, given_temp;
DROP FUNCTION state(), problems(), list_of(vector), refusal(text);
DROP SCHEMA made CASCADE;
DROP ROLE regress_vsearch_owner;
