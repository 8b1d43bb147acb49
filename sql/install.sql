-- CREATE EXTENSION itself.
--
-- Breaks if the extension cannot be created by a database's owner, moved to
-- another schema, dropped without leftovers, or if it would mix with pgvector.

SELECT current_database() AS regression_database \gset
CREATE DATABASE vsearch_install;
\c vsearch_install

-- any schema, also afterwards; the default search_path need not have it
CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE EXTENSION vsearch SCHEMA one;
SELECT '[1,2]'::one.vector OPERATOR(one.<->) '[1,3]';
ALTER EXTENSION vsearch SET SCHEMA two;
SELECT '[1,2]'::two.vector(2), two.avg('[1]'::two.vector);
CREATE TABLE items (v two.vector(2), tsv tsvector);
DROP EXTENSION vsearch;
CREATE INDEX items_tsv ON items USING bm25 (tsv);
INSERT INTO items (tsv) VALUES ('cat:1');
SELECT two.bm25_score(tsv, 'cat') > 0 AS scored FROM items ORDER BY tsv OPERATOR(two.<@>) 'cat';
SELECT two.bm25_score(tsv, two.bm25_query('items_tsv', 'cat')) > 0 AS scored FROM items;
DROP TABLE items;
DROP EXTENSION vsearch;
SELECT count(*) AS leftovers FROM pg_proc WHERE probin LIKE '%vsearch%';

-- trusted: a role that may create things in the database is enough
CREATE ROLE vsearch_regress_owner;
GRANT CREATE ON DATABASE vsearch_install TO vsearch_regress_owner;
GRANT CREATE ON SCHEMA one TO vsearch_regress_owner;
SET ROLE vsearch_regress_owner;
CREATE EXTENSION vsearch SCHEMA one;
SELECT extowner::regrole FROM pg_extension WHERE extname = 'vsearch';
DROP EXTENSION vsearch;
RESET ROLE;

-- not beside pgvector, of which this is all that a database shows
\set SHOW_CONTEXT never
BEGIN;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    VALUES (1, 'vector', 10, 'public'::regnamespace, true, '0.8.0');
CREATE EXTENSION vsearch;
ROLLBACK;
CREATE EXTENSION vsearch;

\c :regression_database
DROP DATABASE vsearch_install;
DROP ROLE vsearch_regress_owner;
