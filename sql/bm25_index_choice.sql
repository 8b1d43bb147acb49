-- Which index scores: found from the tsvector, or named.
--
-- Breaks if a query must name an index that could be found, if an index scan is
-- not used where it could be, or if statistics of a wrong index are taken.

CREATE TABLE docs (id int PRIMARY KEY, body text, tsv tsvector,
    generated tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED);
INSERT INTO docs SELECT i, 'word' || i % 7, ('cat:' || i % 5 + 1)::tsvector FROM generate_series(1, 20) i;

-- no index: an error only where a score is computed
EXPLAIN (COSTS OFF) SELECT id FROM docs ORDER BY tsv <@> 'cat' LIMIT 3;
SELECT id FROM docs ORDER BY tsv <@> 'cat' LIMIT 3;
SELECT bm25_score(tsv, 'cat') FROM docs WHERE id < 0;
SELECT 'cat'::tsvector <@> 'cat';

CREATE INDEX docs_tsv ON docs USING bm25 (tsv);
CREATE INDEX docs_body ON docs USING bm25 (to_tsvector('english', body));
CREATE INDEX docs_generated ON docs USING bm25 (generated);

-- in the first statement of a connection
\c -
SELECT count(*), min(bm25_score(tsv, 'cat')) > 0 AS scored FROM docs;
\c -
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM docs ORDER BY tsv <@> 'cat' LIMIT 3;

-- EXPLAIN shows all that matters: the index that is carried, and that is scanned.
-- Columns, expressions, with and without a condition
EXPLAIN (COSTS OFF) SELECT id FROM docs WHERE tsv @@ 'cat' ORDER BY tsv <@> 'cat' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM docs ORDER BY generated <@> 'cat' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM docs
ORDER BY to_tsvector('english', body) <@> plainto_tsquery('english', 'cats') LIMIT 3;
EXPLAIN (COSTS OFF, VERBOSE) SELECT id, bm25_score(tsv, 'cat') FROM docs ORDER BY tsv <@> 'cat' LIMIT 3;
SELECT id FROM docs ORDER BY to_tsvector('simple', body) <@> 'cat' LIMIT 3;

-- The index that a query comes to carry; several, if it has several.
CREATE FUNCTION carried(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    result text[];
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || query LOOP
        result := result || ARRAY(SELECT m[1] FROM regexp_matches(line, 'bm25_query\(''([^'']*)''', 'g') m);
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT r, ' ') FROM unnest(result) r);
END
$$;

-- aliases, joins, views, subqueries, WITH, outer references
CREATE VIEW docs_view AS SELECT id AS key, tsv AS words, to_tsvector('english', body) AS stemmed FROM docs;
CREATE VIEW grouped AS SELECT words, count(*) FROM docs_view GROUP BY words;
CREATE VIEW guarded WITH (security_barrier) AS SELECT * FROM docs WHERE id > 2;
CREATE TEMP TABLE shapes (n serial, query text);
INSERT INTO shapes (query) VALUES
    ('SELECT d.words <@> ''cat'' FROM docs AS d (a, b, words)'),
    ('SELECT words <@> ''cat'' FROM docs_view'),
    ('SELECT stemmed <@> ''cat'' FROM docs_view'),
    ('SELECT words <@> ''cat'' FROM grouped'),
    ('SELECT tsv <@> ''cat'' FROM guarded'),
    ('SELECT tsv <@> ''cat'' FROM docs a JOIN docs b USING (id, tsv)'),
    ('SELECT j.t <@> ''cat'' FROM (docs a LEFT JOIN docs b USING (id)) AS j (id, x, s, y, z, t)'),
    ('SELECT b.tsv <@> ''cat'' FROM docs a LEFT JOIN (SELECT * FROM docs OFFSET 0) b ON a.id = b.id + 1'),
    ('SELECT b.t <@> ''cat'' FROM docs a LEFT JOIN (SELECT id, to_tsvector(''english'', body) AS t FROM docs) b ON a.id = b.id + 1'),
    ('SELECT tsv <@> ''cat'' FROM docs a FULL JOIN docs b USING (tsv)'),
    ('SELECT s.t <@> ''cat'' FROM (SELECT t FROM (SELECT tsv AS t FROM docs LIMIT 3) x LIMIT 2) s'),
    ('SELECT t <@> ''cat'' FROM (SELECT DISTINCT ON (id) id, to_tsvector(''english'', body) AS t FROM docs) s'),
    ('SELECT to_tsvector(''english'', b) <@> ''cat'' FROM (SELECT body AS b FROM docs OFFSET 0) s'),
    ('WITH w AS MATERIALIZED (SELECT tsv AS t FROM docs) SELECT t <@> ''cat'' FROM w'),
    ('WITH w AS (SELECT tsv AS t FROM docs) SELECT t <@> ''cat'' FROM w'),
    ('WITH w AS MATERIALIZED (SELECT tsv AS t FROM docs) SELECT (SELECT min(t <@> ''cat'') FROM (SELECT t FROM w OFFSET 0) x) FROM docs'),
    ('WITH RECURSIVE r AS (SELECT id, tsv FROM docs WHERE id = 1 UNION ALL SELECT d.id, d.tsv FROM docs d JOIN r ON d.id = r.id + 1) SELECT tsv <@> ''cat'' FROM r'),
    ('WITH w AS (UPDATE docs SET id = id RETURNING tsv AS t) SELECT t <@> ''cat'' FROM w'),
    ('SELECT (SELECT d.tsv <@> ''cat'') FROM docs d'),
    ('SELECT (SELECT min(s.t <@> ''cat'') FROM (SELECT d.tsv AS t OFFSET 0) s) FROM docs d'),
    ('SELECT s FROM docs d, LATERAL (SELECT bm25_score(d.tsv, ''cat'') AS s OFFSET 0) l'),
    ('SELECT (d).tsv <@> ''cat'' FROM docs d'),
    ('SELECT (r).tsv <@> ''cat'' FROM (SELECT d AS r FROM docs d OFFSET 0) s'),
    ('SELECT tsv <@> ''cat'' FROM docs GROUP BY tsv'),
    ('SELECT tsv <@> ''cat'', rank() OVER (ORDER BY tsv <@> ''cat'') FROM docs'),
    ('SELECT t <@> ''cat'' FROM (SELECT tsv AS t FROM docs UNION ALL SELECT generated FROM docs) u'),
    ('SELECT t <@> ''cat'' FROM (SELECT tsv AS t FROM docs UNION SELECT generated FROM docs) u'),
    ('SELECT id FROM docs WHERE tsv <@> ''cat'' < -1'),
    ('SELECT id FROM docs GROUP BY id HAVING min(tsv <@> ''cat'') < -1'),
    ('UPDATE docs SET id = id WHERE bm25_score(tsv, ''cat'') > 1 RETURNING bm25_score(tsv, ''dog'')'),
    ('INSERT INTO docs (id, tsv) VALUES (1, ''cat'') ON CONFLICT (id) DO UPDATE SET id = -1 WHERE docs.tsv <@> ''cat'' < -1'),
    ('SELECT tsv <@> ''cat'' FROM (VALUES (''cat''::tsvector)) v (tsv)'),
    ('SELECT setweight(tsv, ''A'') <@> ''cat'' FROM docs'),
    ('SELECT coalesce(a.tsv, b.tsv) <@> ''cat'' FROM docs a, docs b'),
    ('SELECT (a.tsv || a.generated) <@> ''cat'' FROM docs a');
SELECT n, carried(query), query FROM shapes ORDER BY n;

-- a domain
CREATE DOMAIN document AS tsvector;
CREATE TABLE domains (doc document);
CREATE INDEX domains_doc ON domains USING bm25 (doc);
EXPLAIN (COSTS OFF) SELECT FROM domains WHERE doc @@ 'cat' ORDER BY doc <@> 'cat' LIMIT 3;

-- of several the oldest, but none that is partial or not valid
CREATE TABLE many (id int, tsv tsvector);
CREATE INDEX many_partial ON many USING bm25 (tsv) WHERE id > 3;
SELECT carried('SELECT tsv <@> ''cat'' FROM many WHERE id > 3');
CREATE INDEX many_1 ON many USING bm25 (tsv);
CREATE INDEX many_2 ON many USING bm25 (tsv);
CREATE INDEX many_btree ON many (id);
SELECT carried('SELECT tsv <@> ''cat'' FROM many WHERE id > 3');
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'many_1'::regclass;
SELECT carried('SELECT tsv <@> ''cat'' FROM many');
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'many_1'::regclass;
SELECT carried('SELECT tsv <@> ''cat'' FROM many');

-- naming one, in any of the ways that there are
SELECT carried('SELECT tsv <@> bm25_query(''many_2'', ''cat'') FROM many'),
    carried('SELECT tsv <@@> bm25_query(''many_2'', ''cat'') FROM many'),
    carried('SELECT bm25_score(tsv, bm25_query(''many_partial'', ''cat'')) FROM many');
INSERT INTO many VALUES (1, 'cat:1 dog:2'), (2, 'cat:1 x:2 y:3'), (3, 'dog:1'), (4, 'cat:1'), (5, 'dog:1,2'), (6, 'x:1');
ALTER INDEX many_2 SET (k1 = 0);
SELECT id, round((tsv <@> 'dog')::numeric, 6) AS many_1,
    round((tsv <@> bm25_query('many_2', 'dog'))::numeric, 6) AS many_2,
    round(bm25_score(tsv, bm25_query('many_partial', 'dog'))::numeric, 6) AS many_partial,
    tsv @@ bm25_query('many_2', 'dog') AS matches
FROM many ORDER BY id;
-- only the cast of a bm25query leads back to it: a user's function is called
CREATE FUNCTION other_words(bm25query) RETURNS tsquery STABLE LANGUAGE plpgsql AS 'BEGIN RETURN ''cat''; END';
SELECT count(*) AS unlike FROM many
WHERE tsv <@> other_words(bm25_query('many_2', 'dog')) <> tsv <@> 'cat'
    OR bm25_score(tsv, other_words(bm25_query('many_2', 'dog'))) <> bm25_score(tsv, 'cat');
DROP FUNCTION other_words;
-- whatever index is scanned, rows come by the scores of the one that is named
ALTER INDEX many_2 SET (k1 = 2, b = 0.9);
BEGIN;
DROP INDEX many_partial;
SELECT id, tsv <@> bm25_query('many_2', 'dog') = min(tsv <@> bm25_query('many_2', 'dog')) OVER () AS first
FROM many ORDER BY tsv <@> bm25_query('many_2', 'dog') LIMIT 1;
ROLLBACK;
-- a tsvector that is no column
SELECT round(bm25_score('dog:1'::tsvector, bm25_query('many_2', 'dog'))::numeric, 6) AS score;

-- prepared statements, before and after there is an index, and when there is another
DROP INDEX many_partial, many_1, many_2;
PREPARE search (tsquery) AS SELECT id, round((tsv <@> $1)::numeric, 6) AS distance FROM many ORDER BY tsv <@> $1 LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXECUTE search ('dog');
CREATE INDEX many_1 ON many USING bm25 (tsv);
EXECUTE search ('dog');
EXECUTE search ('cat');
EXPLAIN (COSTS OFF) EXECUTE search ('cat');
ALTER INDEX many_1 SET (k1 = 2, b = 0.5);
EXECUTE search ('dog');
CREATE INDEX many_2 ON many USING bm25 (tsv);
DROP INDEX many_1;
EXECUTE search ('dog');
REINDEX INDEX many_2;
EXECUTE search ('dog');
DROP INDEX many_2;
EXECUTE search ('dog');
CREATE INDEX many_1 ON many USING bm25 (tsv);
EXECUTE search ('dog');
REINDEX INDEX CONCURRENTLY many_1;
EXECUTE search ('dog');
PREPARE named (tsquery) AS SELECT id FROM many ORDER BY tsv <@> bm25_query('many_1', $1) LIMIT 2;
EXECUTE named ('dog');
DROP INDEX many_1;
EXECUTE named ('dog');
CREATE INDEX many_1 ON many USING bm25 (tsv);
EXECUTE named ('dog');
PREPARE nothing (tsquery) AS SELECT count(*) FROM (SELECT FROM many ORDER BY tsv <@> $1 LIMIT 3) s;
EXECUTE nothing (NULL);
DEALLOCATE ALL;
RESET plan_cache_mode;

-- variables, and queries that come from rows
DO $$
DECLARE
    words tsquery;
    best int;
    doc tsvector := 'cat:1';
    score float8;
BEGIN
    FOREACH words IN ARRAY ARRAY['dog', 'cat', 'x', 'dog & cat']::tsquery[] LOOP
        SELECT id INTO best FROM many ORDER BY tsv <@> words LIMIT 1;
        RAISE NOTICE '%: %', words, best;
    END LOOP;
    score := doc <@> bm25_query('many_1', 'cat');
    RAISE NOTICE '%', round(score::numeric, 6);
    score := doc <@> 'cat';
END
$$;
CREATE TABLE searches (n int, words tsquery);
INSERT INTO searches VALUES (1, 'dog'), (2, 'cat'), (3, NULL), (4, 'dog & cat'), (5, 'dog');
SELECT n, id, round(score::numeric, 6) AS score FROM searches,
    LATERAL (SELECT id, bm25_score(tsv, words) AS score FROM many WHERE tsv @@ words ORDER BY tsv <@> words LIMIT 2) l
ORDER BY n, score DESC;
SELECT n, array_agg(round(bm25_score(tsv, words)::numeric, 6) ORDER BY id) FROM searches, many GROUP BY n ORDER BY n;

-- functions in SQL, inlined or not
CREATE FUNCTION find_inlined(words tsquery) RETURNS SETOF many STABLE LANGUAGE sql
    AS 'SELECT * FROM many WHERE tsv @@ words ORDER BY tsv <@> words';
CREATE FUNCTION find_called(words tsquery) RETURNS SETOF many VOLATILE LANGUAGE sql
    AS 'SELECT * FROM many WHERE tsv @@ words ORDER BY tsv <@> words';
SELECT id, bm25_score(tsv, 'dog') > 0 AS scored FROM find_inlined('dog') LIMIT 1;
SELECT id FROM find_called('dog') LIMIT 1;

-- transition tables: what they show are rows of their table
CREATE FUNCTION note_best() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    best record;
BEGIN
    SELECT id, round(bm25_score(tsv, 'dog')::numeric, 6) AS score INTO best
    FROM added ORDER BY tsv <@> 'dog' LIMIT 1;
    RAISE NOTICE '%', best;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_best AFTER INSERT ON many REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_best();
INSERT INTO many VALUES (7, 'cat:1'), (8, 'dog:1'), (9, 'dog:1 cat:2');
DROP TRIGGER note_best ON many;
SELECT id, round(bm25_score(tsv, 'dog')::numeric, 6) AS score FROM many WHERE id = 8;
DELETE FROM many WHERE id > 6;

-- where nothing is planned with a query there is no way to tell
ALTER TABLE many ADD CHECK (tsv <@> 'cat' <= 0);

SET client_min_messages = warning;
DROP FUNCTION carried, find_inlined, find_called, note_best;
DROP TABLE many, searches, domains, docs CASCADE;
DROP DOMAIN document;
