-- Whose rights a hybrid search has, and whose functions it calls.
--
-- Breaks if it shows a row or column that the caller may not read, or calls
-- something that the caller's search_path puts in the way.

CREATE ROLE vsearch_regress_reader;
CREATE ROLE vsearch_regress_other;
CREATE TABLE memo (
    id integer PRIMARY KEY,
    owner text,
    secret text,
    tsv tsvector,
    v vector(1)
);
CREATE TABLE bare (id integer);
CREATE INDEX ON memo USING bm25 (tsv);
CREATE INDEX ON memo USING hnsw (v vector_l2_ops);
INSERT INTO memo
SELECT i, CASE WHEN i % 2 = 0 THEN 'vsearch_regress_reader' ELSE 'vsearch_regress_other' END,
    'secret', to_tsvector('simple', 'fox f' || i), ARRAY[i]::vector
FROM generate_series(1, 10) i;
\set columns 'key, vector_rank, text_rank'

-- privileges: none, on columns, without those that are needed
SET ROLE vsearch_regress_reader;
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7');
-- before anything is said of columns and indexes
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7', key_column => 'nosuch');
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7', vector_operator => '<+>');
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7', filter => '{"nosuch": 1}');
SELECT :columns FROM hybrid_search('bare', '[1]', 'f7');
RESET ROLE;
GRANT SELECT (id, tsv, v) ON memo TO vsearch_regress_reader;
SET ROLE vsearch_regress_reader;
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7', 2);
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7', 2, filter => '{"secret": "secret"}');
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7', 2, key_column => 'secret');
RESET ROLE;

-- row-level security: by the caller, whichever plan runs
ALTER TABLE memo ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON memo TO vsearch_regress_reader, vsearch_regress_other;
CREATE POLICY own ON memo USING (owner = current_user);
SET ROLE vsearch_regress_reader;
SELECT :columns FROM hybrid_search('memo', '[1]', 'f7', 2);
SELECT count(*), bool_and(key::integer % 2 = 0) FROM hybrid_search('memo', '[1]', 'fox', 20);
SET enable_seqscan = off;
SELECT count(*), bool_and(key::integer % 2 = 0) FROM hybrid_search('memo', '[1]', 'fox', 20);
SET enable_seqscan = on;
SET enable_indexscan = off;
SELECT count(*), bool_and(key::integer % 2 = 0) FROM hybrid_search('memo', '[1]', 'fox', 20);
RESET enable_indexscan;
RESET enable_seqscan;
SET ROLE vsearch_regress_other;
SELECT count(*), bool_and(key::integer % 2 = 1) FROM hybrid_search('memo', '[1]', 'fox', 20);

-- one plan, two callers
RESET ROLE;
PREPARE search AS SELECT min(key) FROM hybrid_search('memo', '[1]', 'fox', 20);
EXECUTE search;
SET ROLE vsearch_regress_reader;
EXECUTE search;
SET ROLE vsearch_regress_other;
EXECUTE search;
RESET ROLE;
DEALLOCATE search;

-- row_security = off is the caller's, too
SET ROLE vsearch_regress_reader;
SET row_security = off;
SELECT :columns FROM hybrid_search('memo', '[1]', 'fox');
RESET row_security;
RESET ROLE;

-- What a search_path has before the extension's and the system's schemas is not
-- called.
CREATE SCHEMA evil;
SET search_path = evil, public, pg_catalog;
CREATE FUNCTION evil.trap(v1 vector, v2 vector) RETURNS float8 LANGUAGE plpgsql AS
    'BEGIN RAISE ''caught''; END';
CREATE FUNCTION evil.trap(t tsvector, q tsquery) RETURNS float8 LANGUAGE plpgsql AS
    'BEGIN RAISE ''caught''; END';
CREATE FUNCTION evil.trap_match(t tsvector, q tsquery) RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN RAISE ''caught''; END';
CREATE FUNCTION evil.trap_equal(i integer, j integer) RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN RAISE ''caught''; END';
CREATE FUNCTION evil.bm25_query(i regclass, q tsquery) RETURNS bm25query LANGUAGE plpgsql AS
    'BEGIN RAISE ''caught''; END';
CREATE FUNCTION evil.to_tsvector(c regconfig, t text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RAISE ''caught''; END';
CREATE FUNCTION evil.lower(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RAISE ''caught''; END';
CREATE OPERATOR evil.<-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = trap);
CREATE OPERATOR evil.<@> (LEFTARG = tsvector, RIGHTARG = tsquery, FUNCTION = trap);
CREATE OPERATOR evil.@@ (LEFTARG = tsvector, RIGHTARG = tsquery, FUNCTION = trap_match);
CREATE OPERATOR evil.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = trap_equal);
CREATE TYPE evil.oid AS (trap integer);
CREATE TYPE evil.tid AS (trap integer);
CREATE TABLE public.letter (id integer PRIMARY KEY, body text, v vector(1));
CREATE INDEX letter_body ON public.letter USING bm25 (pg_catalog.to_tsvector('english', pg_catalog.lower(body)));
CREATE INDEX ON public.letter USING hnsw (v vector_l2_ops);
INSERT INTO public.letter VALUES (1, 'Fox', '[1]'), (2, 'Dog', '[2]');
SELECT :columns FROM hybrid_search('letter', '[2]', 'fox', filter => '{"id": 1}');
SELECT :columns FROM hybrid_search('letter', '[2]', 'fox', text_index => 'letter_body', key_column => 'body');
CREATE INDEX letter_part ON public.letter USING bm25 (pg_catalog.to_tsvector('english', body))
    WHERE id OPERATOR(pg_catalog.=) 1 AND pg_catalog.lower(body) OPERATOR(pg_catalog.<>) '';
SELECT :columns FROM hybrid_search('letter', '[2]', 'fox dog', text_index => 'letter_part');

-- a table of the same name in front is another one; the OID says which is meant
CREATE TABLE evil.letter (id integer PRIMARY KEY);
SELECT :columns FROM hybrid_search('public.letter', '[2]', 'fox');
RESET search_path;
-- nothing of ours need be in it
SELECT extnamespace::regnamespace AS extension_schema FROM pg_extension WHERE extname = 'vsearch' \gset
SET search_path = '';
SELECT :columns FROM :extension_schema.hybrid_search('public.letter', '[2]', 'fox');
RESET search_path;
-- in a schema of its own
CREATE SCHEMA "Own";
BEGIN;
ALTER EXTENSION vsearch SET SCHEMA "Own";
SET LOCAL search_path = evil, public;
SELECT :columns FROM "Own".hybrid_search('public.letter', '[2]', 'fox');
SELECT :columns FROM "Own".hybrid_search('public.letter', '[2]', 'fox', text_index => 'letter_body');
ROLLBACK;
DROP SCHEMA "Own";

SET client_min_messages = warning;
DROP SCHEMA evil CASCADE;
DROP TABLE bare, letter, memo;
DROP ROLE vsearch_regress_reader, vsearch_regress_other;
