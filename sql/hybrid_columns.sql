-- Which columns, indexes, configuration and key a hybrid search takes.
--
-- Breaks if it guesses where it should ask, asks where there is no doubt, or
-- mistakes names.

\getenv srcdir PG_ABS_SRCDIR
\set attempt :srcdir /sql/include/attempt.sql
\i :attempt
\set columns 'key, vector_rank, text_rank'

-- several of each
CREATE TABLE page (
    id integer PRIMARY KEY,
    title text,
    body text,
    tsv_title tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED,
    v_title vector(2),
    v_body vector(2)
);
INSERT INTO page (id, title, body, v_title, v_body) VALUES (1, 'Running foxes', 'They run', '[1,0]', '[0,1]'),
    (2, 'Sleeping dogs', 'Foxes run past', '[0,2]', '[1,0]');
CREATE INDEX page_v_title ON page USING hnsw (v_title vector_l2_ops);
CREATE INDEX page_title ON page USING bm25 (tsv_title);
SELECT :columns FROM hybrid_search('page', '[1,0]', 'fox');

-- a second index that orders the same by the same makes no doubt, nor does a
-- partial one, nor one of another kind
CREATE INDEX page_v_title2 ON page USING ivfflat (v_title vector_l2_ops);
CREATE INDEX page_title2 ON page USING bm25 (tsv_title) WITH (b = 0);
CREATE INDEX page_gin ON page USING gin (to_tsvector('english', body));
CREATE INDEX page_part ON page USING bm25 (to_tsvector('english', body)) WHERE id > 1;
CREATE INDEX page_v_part ON page USING hnsw (v_body vector_l2_ops) WHERE id > 1;
SELECT :columns FROM hybrid_search('page', '[1,0]', 'fox');

CREATE INDEX page_body ON page USING bm25 (to_tsvector('english', body));
SELECT :columns FROM hybrid_search('page', '[1,0]', 'fox');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_column => 'body');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_column => 'tsv_title');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_index => 'page_body');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_index => 'page_part');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_index => 'page_gin');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_index => 'page_v_title');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_index => 'pg_class_oid_index');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_index => 'page_body',
    text_column => 'tsv_title');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_column => 'title');
SELECT :columns FROM hybrid_search('page', NULL, 'fox', text_column => 'nosuch');

-- scores are those of the index named
SELECT p.key, p.text_score = q.text_score AS same,
    q.text_score = bm25_score(tsv_title, bm25_query('page_title2', 'fox')) AS of_index
FROM hybrid_search('page', NULL, 'fox', text_index => 'page_title') p
JOIN hybrid_search('page', NULL, 'fox', text_index => 'page_title2') q USING (key)
JOIN page ON id = key::integer;

CREATE INDEX page_v_cosine ON page USING hnsw (v_title vector_cosine_ops);
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL);
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_operator => '<=>');
SELECT :columns, vector_distance FROM hybrid_search('page', '[1,0]', NULL, vector_operator => '<->');
CREATE INDEX page_v_body ON page USING hnsw (v_body vector_cosine_ops);
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_operator => '<=>');
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_column => 'v_body');
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_column => 'v_body',
    vector_operator => '<->');
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_column => 'title',
    vector_operator => '<->');
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_column => 'title');
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_operator => '<');
SELECT :columns FROM hybrid_search('page', '[1,0]', NULL, vector_operator => '<+>');

-- what can be searched
CREATE VIEW page_view AS SELECT * FROM page;
SELECT :columns FROM hybrid_search('page_view', '[1,0]', 'fox');
SELECT :columns FROM hybrid_search('page_pkey', '[1,0]', 'fox');
SELECT :columns FROM hybrid_search('pg_class', '[1,0]', 'fox');

-- OIDs of nothing
SELECT pg_temp.attempt('SELECT hybrid_search(0, ''[1,0]'', ''fox'')');
SELECT pg_temp.attempt('SELECT hybrid_search(999999, ''[1,0]'', ''fox'')');
SELECT pg_temp.attempt('SELECT hybrid_search(''page'', NULL, ''fox'', text_index => 0)');
SELECT pg_temp.attempt('SELECT hybrid_search(''page'', NULL, ''fox'', text_index => 999999)');
SELECT pg_temp.attempt('SELECT hybrid_search(''page'', NULL, ''fox'', text_index => ''page_title'',
    text_config => 0)');
SELECT pg_temp.attempt('SELECT hybrid_search(''page'', NULL, ''fox'', text_index => ''page_title'',
    text_config => 999999, query_mode => ''all'')');

CREATE MATERIALIZED VIEW page_copy AS SELECT id, v_title, tsv_title FROM page;
CREATE INDEX ON page_copy USING hnsw (v_title vector_l2_ops);
CREATE INDEX ON page_copy USING bm25 (tsv_title);
SELECT :columns FROM hybrid_search('page_copy', '[1,0]', 'fox');
SELECT :columns FROM hybrid_search('page_copy', '[1,0]', 'fox', key_column => 'id',
    text_config => 'english');

-- Of a partial index named, its rows and its statistics; the caller's plan may be
-- another.
CREATE INDEX page_part_words ON page USING bm25 (tsv_title)
    WHERE title LIKE '%s' AND v_title <-> '[1,0]' < 2;
SELECT :columns, text_score = bm25_score(tsv_title, bm25_query('page_part_words', 'fox | dog')) AS of_index
FROM hybrid_search('page', NULL, 'fox dog', text_index => 'page_part_words') JOIN page ON id = key::integer;
INSERT INTO page (id, title, v_title) VALUES (3, 'Fox and Dogs', '[1,0]'), (4, 'dogs', '[9,9]'), (5, 'fox', '[1,0]');
SELECT key, text_score = bm25_score(tsv_title, bm25_query('page_part_words', 'fox | dog')) AS of_index
FROM hybrid_search('page', NULL, 'fox dog', text_index => 'page_part_words') JOIN page ON id = key::integer
ORDER BY key;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT key FROM hybrid_search('page', NULL, 'fox dog', text_index => 'page_part_words') ORDER BY key;
RESET enable_indexscan;
RESET enable_bitmapscan;
DROP MATERIALIZED VIEW page_copy;
DROP VIEW page_view;
DROP TABLE page;

-- an expression over a vector, whose order is that of the expression
CREATE TABLE place (id integer PRIMARY KEY, v vector(2));
CREATE INDEX ON place USING hnsw (((v - '[48,11]')::vector(2)) vector_l2_ops);
INSERT INTO place VALUES (1, '[48.1,11.2]'), (2, '[48.9,11.9]');
SELECT key, round(vector_distance::numeric, 3) AS distance
FROM hybrid_search('place', '[.1,.2]', NULL);
SELECT key FROM hybrid_search('place', '[.1,.2]', NULL, 1, vector_column => 'v');
DROP TABLE place;

-- configurations
CREATE TABLE story (id integer PRIMARY KEY, title text, body text, lang regconfig,
    words tsvector);
INSERT INTO story (id, title, body, lang, words) VALUES
    (1, 'Katzen', 'cats', 'german', to_tsvector('german', 'Katzen'));
SET default_text_search_config = 'pg_catalog.german';
CREATE INDEX story_words ON story USING bm25 (words);
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen');
SET default_text_search_config = 'pg_catalog.simple';
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen');
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen', text_config => 'german');
DROP INDEX story_words;
CREATE INDEX story_body ON story USING bm25
    ((setweight(to_tsvector('german', title), 'A') || to_tsvector('german', coalesce(body, ''))));
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen');
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen', text_column => 'body');
DROP INDEX story_body;
CREATE INDEX story_body ON story USING bm25
    ((to_tsvector('german', title) || to_tsvector('english', body)));
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen');
SELECT :columns FROM hybrid_search('story', NULL, 'cats', text_config => 'english');
DROP INDEX story_body;
CREATE INDEX story_body ON story USING bm25 (to_tsvector(lang, title));
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen');
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen', text_config => 'german');
DROP INDEX story_body;
CREATE INDEX story_body ON story USING bm25 (strip(words));
SELECT :columns FROM hybrid_search('story', NULL, 'Katzen');
RESET default_text_search_config;
DROP TABLE story;

-- keys
CREATE TABLE entry (tenant integer, id integer, ref uuid UNIQUE, meta json, tsv tsvector,
    PRIMARY KEY (tenant, id));
CREATE INDEX ON entry USING bm25 (tsv);
INSERT INTO entry VALUES (1, 1, '00000000-0000-0000-0000-00000000000a', '{}', 'fox'),
    (2, 1, NULL, '[1]', 'fox fox2'), (3, 1, NULL, NULL, 'fox');
SELECT :columns FROM hybrid_search('entry', NULL, 'fox');
SELECT :columns FROM hybrid_search('entry', NULL, 'fox', key_column => 'nosuch');
SELECT :columns FROM hybrid_search('entry', NULL, 'fox', key_column => 'ctid');
SELECT :columns FROM hybrid_search('entry', NULL, 'fox', key_column => 'tenant');
SELECT count(*), count(DISTINCT key) FROM hybrid_search('entry', NULL, 'fox', key_column => 'id');
SELECT key FROM hybrid_search('entry', NULL, 'fox', key_column => 'ref') ORDER BY key;
SELECT key FROM hybrid_search('entry', NULL, 'fox', key_column => 'meta') ORDER BY key;
DROP TABLE entry;

-- Partitions, one of them with columns in another order; rows with the same key in
-- two of them stay two.
CREATE TABLE item (tenant integer, id integer, tsv tsvector, v vector(1))
    PARTITION BY LIST (tenant);
CREATE TABLE item1 PARTITION OF item FOR VALUES IN (1);
CREATE TABLE item2 (v vector(1), gone text, tsv tsvector, id integer, tenant integer);
ALTER TABLE item2 DROP gone;
ALTER TABLE item ATTACH PARTITION item2 FOR VALUES IN (2);
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops);
CREATE INDEX item_tsv ON item USING bm25 (tsv);
INSERT INTO item VALUES (1, 1, 'fox', '[1]'), (1, 2, 'dog', '[2]'),
    (2, 1, 'fox dog', '[3]'), (2, 3, 'bird', '[4]');
SELECT :columns FROM hybrid_search('item', '[1]', 'fox', key_column => 'id');
SELECT :columns FROM hybrid_search('item', '[1]', 'dog', key_column => 'id',
    filter => '{"tenant": 2}');
SELECT :columns FROM hybrid_search('item2', '[1]', 'dog', key_column => 'id');
DROP TABLE item;

-- Inheritance.  The parent's key is not the children's.
CREATE TABLE parent (id integer PRIMARY KEY, tsv tsvector, v vector(1));
CREATE TABLE child () INHERITS (parent);
CREATE INDEX ON parent USING bm25 (tsv);
CREATE INDEX ON child USING bm25 (tsv);
CREATE INDEX ON parent USING hnsw (v vector_l2_ops);
INSERT INTO parent VALUES (1, 'fox', '[1]');
INSERT INTO child VALUES (1, 'fox', '[2]'), (2, 'dog', '[3]');
SELECT :columns FROM hybrid_search('parent', '[1]', 'fox');
DROP TABLE parent CASCADE;

-- An index that is not valid speaks for nothing.
CREATE TABLE half (id integer PRIMARY KEY, tsv tsvector);
CREATE INDEX half_tsv ON half USING bm25 (tsv);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half_tsv'::regclass;
SELECT :columns FROM hybrid_search('half', NULL, 'fox');
DROP TABLE half;
