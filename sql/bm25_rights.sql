-- Who may score by an index: it says what words its documents have.
--
-- Breaks if somebody learns of a table's words who may not read it, or if a view
-- does not serve those who may read it.

CREATE ROLE bm25_regress_reader;
CREATE ROLE bm25_regress_column;
CREATE ROLE bm25_regress_other;
CREATE SCHEMA bm25_regress;
GRANT USAGE ON SCHEMA bm25_regress TO PUBLIC;
SET search_path = bm25_regress, public;

CREATE TABLE docs (id int, body text, tsv tsvector);
CREATE INDEX docs_tsv ON docs USING bm25 (tsv);
CREATE INDEX docs_body ON docs USING bm25 (to_tsvector('simple', body));
INSERT INTO docs VALUES (1, 'secret word', 'secret:1 word:2'), (2, 'word', 'word:1');
GRANT SELECT ON docs TO bm25_regress_reader;
GRANT SELECT (id, tsv) ON docs TO bm25_regress_column;
CREATE VIEW docs_view AS SELECT id, tsv, bm25_score(tsv, 'secret') > 0 AS scored FROM docs;
CREATE VIEW named_view AS SELECT id, bm25_score(tsv, bm25_query('docs_tsv', 'secret')) > 0 AS scored FROM docs;
GRANT SELECT ON docs_view, named_view TO PUBLIC;
CREATE FUNCTION best(words tsquery) RETURNS int SECURITY DEFINER LANGUAGE sql
    AS 'SELECT id FROM bm25_regress.docs ORDER BY tsv <@> words LIMIT 1';
CREATE TABLE mine (doc tsvector);
INSERT INTO mine VALUES ('secret:1');
GRANT SELECT ON mine TO PUBLIC;

SET ROLE bm25_regress_reader;
SELECT bm25_score('secret'::tsvector, bm25_query('docs_tsv', 'secret')) > 0 AS scored;
SELECT bm25_score('secret'::tsvector, bm25_query('docs_body', 'secret')) > 0 AS scored;
SELECT id FROM docs ORDER BY tsv <@> 'secret' LIMIT 1;

-- a column is enough for an index on it
SET ROLE bm25_regress_column;
SELECT bm25_score('secret'::tsvector, bm25_query('docs_tsv', 'secret')) > 0 AS scored;
SELECT id FROM docs ORDER BY tsv <@> 'secret' LIMIT 1;
SELECT bm25_query('docs_body', 'secret');

-- nothing for all others, in whatever way they ask
SET ROLE bm25_regress_other;
SELECT bm25_query('docs_tsv', 'secret');
SELECT doc <@> bm25_query('docs_tsv', 'secret') FROM mine;
SELECT doc <@@> bm25_query('docs_tsv'::text COLLATE "C"::regclass, ('secret' COLLATE "C")::tsquery) FROM mine;
SELECT doc <@@> bm25_query((('docs_tsv'::text) COLLATE "C")::regclass, ('secret'::text COLLATE "C")::tsquery) FROM mine;
-- an aggregate hands the collation of what it sorts to its final function
CREATE FUNCTION pg_temp.keep(regclass, text) RETURNS regclass IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE pg_temp.steal(tsquery ORDER BY text)
    (SFUNC = pg_temp.keep, STYPE = regclass, FINALFUNC = bm25_query, INITCOND = 'docs_tsv');
SELECT bm25_query_score('secret', pg_temp.steal('secret') WITHIN GROUP (ORDER BY 'x' COLLATE "C"));
DROP AGGREGATE pg_temp.steal (tsquery ORDER BY text);
DROP FUNCTION pg_temp.keep;
SELECT id FROM docs ORDER BY tsv <@> 'secret' LIMIT 1;

-- but what they may read is scored: a view's owner has the right, if the view does
-- not name an index, which functions in views ask the caller for
SELECT id, scored, tsv <@> 'secret' < 0 AS ranked FROM docs_view ORDER BY id;
SELECT id FROM docs_view ORDER BY tsv <@> 'word & !secret' LIMIT 1;
SELECT * FROM named_view;
SELECT best('secret');
RESET ROLE;


-- nobody checks who reads a transition table: that shows new rows, and scores
-- would tell of all
CREATE FUNCTION note_score() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '%', (SELECT count(*) FROM added WHERE bm25_score(tsv, 'secret') > 0);
    RETURN NULL;
END
$$;
CREATE TRIGGER note_score AFTER INSERT ON docs REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_score();
GRANT INSERT ON docs TO bm25_regress_reader, bm25_regress_other;
SET ROLE bm25_regress_reader;
INSERT INTO docs VALUES (3, 'secret', 'secret:1');
SET ROLE bm25_regress_other;
\set SHOW_CONTEXT never
INSERT INTO docs VALUES (4, 'secret', 'secret:1');
\set SHOW_CONTEXT errors
RESET ROLE;
DROP TRIGGER note_score ON docs;

-- who asks may change in the middle of a query, and so may rights
SET ROLE bm25_regress_reader;
BEGIN;
SELECT bm25_query('docs_tsv', 'secret'), set_config('role', 'bm25_regress_other', true) FROM generate_series(1, 2);
ROLLBACK;
RESET ROLE;
DO $$
BEGIN
    FOR i IN 1..3 LOOP
        IF i = 3 THEN
            RESET ROLE;
            REVOKE SELECT ON docs FROM bm25_regress_reader;
        END IF;
        SET ROLE bm25_regress_reader;
        RAISE NOTICE '%: %', i, bm25_query('docs_tsv', 'secret');
    END LOOP;
END
$$;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA bm25_regress CASCADE;
DROP ROLE bm25_regress_reader, bm25_regress_column, bm25_regress_other;
