-- Scores without an index scan: what they are, and what they are not.
--
-- Breaks if a score differs from the reference, if a tsquery matches otherwise
-- than for @@, or if an odd document or query is an error.
\getenv srcdir PG_ABS_SRCDIR
\set reference :srcdir /sql/include/bm25_reference.sql
\set ECHO none
\i :reference
\set ECHO all

SET enable_indexscan = off;
SET enable_bitmapscan = off;

-- random documents, queries and parameters
SELECT setseed(0.25);
CREATE TABLE docs (id int, tsv tsvector);
CREATE INDEX docs_tsv ON docs USING bm25 (tsv)
    WITH (k1 = 0.9, b = 0.6, weight_a = 3, weight_b = 0.5, weight_d = 1.25);
INSERT INTO docs
SELECT i, pg_temp.bm25_random_doc('{a,b,c,ab,abc,abd,bc}') FROM generate_series(1, 60) i;
INSERT INTO docs VALUES (0, NULL);
SELECT pg_temp.bm25_collect('SELECT tsv FROM docs', 0.9, 0.6,
    '{"A": 3, "B": 0.5, "C": 1, "D": 1.25}');
CREATE TEMP TABLE queries AS
SELECT pg_temp.bm25_random_tree('{a,b,c,ab,abc,abd,bc,z}') AS tree FROM generate_series(1, 300);
CREATE TEMP TABLE scores AS
SELECT tsv, tsv @@ query AS matches, bm25_score(tsv, query) AS score,
    tsv <@> query AS distance, pg_temp.bm25_reference(tree, tsv) AS reference
FROM docs, queries, LATERAL (SELECT pg_temp.bm25_text(tree)::tsquery AS query OFFSET 0) q
WHERE tsv IS NOT NULL;
SELECT count(*), count(*) FILTER (WHERE reference > 0) > 1000 AS many_match,
    count(*) FILTER (WHERE abs(score - reference) > 1e-9) AS wrong,
    count(*) FILTER (WHERE distance <> -score) AS unlike,
    count(*) FILTER (WHERE score > 0 AND NOT matches) AS false_matches
FROM scores;
SELECT DISTINCT bm25_score(tsv, 'a | b'), tsv <@> 'a | b' FROM docs WHERE tsv IS NULL;

-- documents: positions that are stripped, labels, duplicates in a query, lengths
TRUNCATE docs;
ALTER INDEX docs_tsv RESET (k1, b, weight_a, weight_b, weight_d);
INSERT INTO docs VALUES
    (1, ''), (2, 'cat'), (3, 'cat:1'), (4, 'cat:1A,2A,3'), (5, 'cat dog:7'), (6, 'dog:1 cat:2'),
    (7, NULL), (8, 'x'), (9, 'y'), (10, 'z'), (11, 'z'), (12, 'z');
SELECT pg_temp.bm25_collect('SELECT tsv FROM docs');
CREATE FUNCTION pg_temp.rounded(float8) RETURNS numeric LANGUAGE sql AS 'SELECT round($1::numeric, 6)';
SELECT id, pg_temp.rounded(bm25_score(tsv, 'cat')) AS cat,
    pg_temp.rounded(bm25_score(tsv, 'cat | cat')) AS twice,
    pg_temp.rounded(bm25_score(tsv, 'cat:a')) AS a,
    pg_temp.rounded(bm25_score(tsv, 'cat & dog')) AS both,
    pg_temp.rounded(bm25_score(tsv, 'cat & !dog')) AS one,
    pg_temp.rounded(bm25_score(tsv, 'dog <-> cat')) AS phrase,
    pg_temp.rounded(bm25_score(tsv, 'c:* | do:*')) AS prefix
FROM docs WHERE id < 8 ORDER BY id;

-- queries that match nothing, or say nothing
SELECT count(*), max(bm25_score(tsv, ''::tsquery)) AS empty, max(bm25_score(tsv, '!cat')) AS excluded,
    max(bm25_score(tsv, 'unicorn')) AS unknown, max(bm25_score(tsv, 'unicorn:*')) AS unknown_prefix,
    max(bm25_score(tsv, '!unicorn & cat')) > 0 AS without, max(bm25_score(tsv, NULL)) AS nothing
FROM docs;
SELECT to_char(min(tsv <@> 'unicorn'), 'S9.9') AS no_minus FROM docs;

-- an index without documents, and one whose documents are all empty
TRUNCATE docs;
SELECT bm25_score('cat:1'::tsvector, bm25_query('docs_tsv', 'cat')) > 0 AS scored;
INSERT INTO docs VALUES (1, ''), (2, '');
SELECT bm25_score(tsv, 'cat | !dog') FROM docs;
SELECT bm25_score('cat:1'::tsvector, bm25_query('docs_tsv', 'cat')) > 0 AS scored;

-- a prefix in a document with more positions than a term frequency counts
TRUNCATE docs;
INSERT INTO docs SELECT 1, string_agg(format('w%s:%s', i, positions), ' ')::tsvector
FROM generate_series(1, 300) i, (SELECT string_agg(p::text, ',') AS positions FROM generate_series(1, 255) p) p;
SELECT pg_temp.rounded(bm25_score(tsv, 'w:*')), pg_temp.rounded(ln(1 + 0.5 / 1.5) * 2.2 * 65535 / (65535 + 1.2))
FROM docs;

-- large queries and lexemes
TRUNCATE docs;
INSERT INTO docs VALUES (1, array_to_tsvector(ARRAY[repeat('x', 2046), 'cat']));
SELECT bm25_score(tsv, (quote_literal(repeat('x', 2046)))::tsquery) > 0 AS long_lexeme,
    bm25_score(tsv, (SELECT string_agg('w' || i, ' | ') || ' | cat' FROM generate_series(1, 5000) i)::tsquery)
        = bm25_score(tsv, 'cat') AS many
FROM docs;

DROP TABLE docs;
