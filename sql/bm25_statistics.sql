-- Statistics: whose they are, and of when.
--
-- Breaks if the leaves of a partitioned index, or the indexes of inheriting tables,
-- do not count together, if scores within a statement disagree, or if a prefix
-- makes a query read without bound.

SET enable_indexscan = off;
CREATE FUNCTION pg_temp.rounded(float8) RETURNS numeric LANGUAGE sql AS 'SELECT round($1::numeric, 6)';

-- all of a partitioned index, whose tables have columns in other orders
CREATE TABLE parted (id int, tenant int, tsv tsvector) PARTITION BY LIST (tenant);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) PARTITION BY RANGE (id);
CREATE TABLE parted_2a PARTITION OF parted_2 FOR VALUES FROM (0) TO (20);
CREATE TABLE parted_2b (gone int, tsv tsvector, tenant int, id int);
ALTER TABLE parted_2b DROP gone;
ALTER TABLE parted_2 ATTACH PARTITION parted_2b FOR VALUES FROM (20) TO (100);
CREATE INDEX parted_tsv ON parted USING bm25 (tsv);
INSERT INTO parted
SELECT i, 1 + i % 2, (CASE WHEN i % 3 = 0 THEN 'cat:1 ' ELSE '' END || 'dog:' || i % 9 + 1 || ' word' || i)::tsvector
FROM generate_series(1, 40) i;
CREATE TABLE whole AS SELECT * FROM parted;
CREATE INDEX whole_tsv ON whole USING bm25 (tsv);
CREATE FUNCTION pg_temp.unlike(text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    result bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT id, tsv <@> %1$L FROM parted EXCEPT SELECT id, tsv <@> %1$L FROM whole) u', $1)
        INTO result;
    RETURN result;
END
$$;
SELECT pg_temp.unlike('cat | dog'), pg_temp.unlike('wo:*'), pg_temp.unlike('word7 <-> dog');
-- a part by itself has its own
SELECT count(DISTINCT pg_temp.rounded(tsv <@> 'cat')) FROM parted_1 WHERE tsv @@ 'cat';
SELECT max(bm25_score(tsv, 'word1')) <> max(bm25_score(tsv, bm25_query('parted_2_tsv_idx', 'word1'))) AS unlike
FROM parted;
-- parts that are not indexed yet: the root's index is not valid, and found no more
CREATE INDEX ON ONLY parted USING bm25 (setweight(tsv, 'A'));
SELECT max(setweight(tsv, 'A') <@> 'cat') FROM parted;
DROP TABLE parted, whole;

-- a table and all that inherit from it, by the names of columns
CREATE TABLE parent (id int, body text);
CREATE TABLE child (body text, extra int, id int);
ALTER TABLE child INHERIT parent;
CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE unindexed () INHERITS (parent);
CREATE INDEX parent_body ON parent USING bm25 (to_tsvector('simple', body));
CREATE INDEX child_body ON child USING bm25 (to_tsvector('simple', body));
CREATE INDEX grandchild_body ON grandchild USING bm25 (to_tsvector('simple', body));
CREATE INDEX grandchild_other ON grandchild USING bm25 (to_tsvector('english', body));
INSERT INTO parent VALUES (1, 'cat'), (2, 'dog');
INSERT INTO child VALUES ('cat dog', 0, 3);
INSERT INTO grandchild VALUES ('horse', 0, 4);
CREATE TABLE whole AS SELECT * FROM parent;
INSERT INTO unindexed VALUES (5, 'cat');
CREATE INDEX ON whole USING bm25 (to_tsvector('simple', body));
SELECT id, pg_temp.rounded(bm25_score(to_tsvector('simple', p.body), 'cat | horse')) AS parent,
    pg_temp.rounded(bm25_score(to_tsvector('simple', w.body), 'cat | horse')) AS whole
FROM parent p LEFT JOIN whole w USING (id) ORDER BY id;
SELECT id, pg_temp.rounded(bm25_score(to_tsvector('simple', body), 'cat | horse')) AS child FROM child ORDER BY id;
-- columns
ALTER TABLE parent ADD tsv tsvector;
CREATE INDEX ON parent USING bm25 (tsv);
CREATE INDEX ON child USING bm25 (tsv);
UPDATE parent SET tsv = to_tsvector('simple', body);
SELECT id, pg_temp.rounded(bm25_score(tsv, 'cat')) FROM parent ORDER BY id;
DROP TABLE parent CASCADE;
DROP TABLE whole;

-- of one snapshot: what a command adds does not count before it is done
CREATE TABLE docs (id int, tsv tsvector);
CREATE INDEX docs_tsv ON docs USING bm25 (tsv);
INSERT INTO docs SELECT i, 'cat:1' FROM generate_series(1, 3) i;
CREATE FUNCTION add_docs() RETURNS boolean VOLATILE LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO docs SELECT 0, 'dog:1 horse:2,3,4' FROM generate_series(1, 3) i;
    RETURN true;
END
$$;
SELECT count(*), count(DISTINCT bm25_score(tsv, 'cat')) AS scores,
    count(DISTINCT bm25_score(tsv, ('cat' || left(id::text, 0))::tsquery)) AS scores_too
FROM docs WHERE add_docs();
SELECT count(*), count(DISTINCT bm25_score(tsv, 'cat')) AS scores FROM docs WHERE id > 0;
-- nor for the rest of a cursor
BEGIN;
DECLARE c CURSOR FOR SELECT pg_temp.rounded(bm25_score(tsv, 'cat')) FROM docs WHERE id > 0;
FETCH c;
SELECT add_docs();
FETCH c;
SELECT DISTINCT pg_temp.rounded(bm25_score(tsv, 'cat')) FROM docs WHERE id > 0;
FETCH c;
SAVEPOINT s;
INSERT INTO docs SELECT 0, 'dog:1' FROM generate_series(1, 10) i;
SELECT DISTINCT pg_temp.rounded(bm25_score(tsv, 'cat')) FROM docs WHERE id > 0;
ROLLBACK TO s;
-- rows of those that failed are in the index until they are vacuumed
SELECT DISTINCT pg_temp.rounded(bm25_score(tsv, 'cat')) FROM docs WHERE id > 0;
COMMIT;
-- statistics go on after an error
INSERT INTO docs VALUES (0, 'hound:1');
SET bm25.max_prefix_lexemes = 1;
BEGIN;
SAVEPOINT s;
SELECT count(bm25_score(tsv, 'cat | ho:*')) FROM docs;
ROLLBACK TO s;
SELECT DISTINCT pg_temp.rounded(bm25_score(tsv, 'cat | hou:*')) FROM docs WHERE id > 0;
COMMIT;

-- prefixes of too many lexemes, in pages of all kinds
TRUNCATE docs;
INSERT INTO docs SELECT i, ('w' || i % 8)::tsvector FROM generate_series(1, 100) i;
REINDEX INDEX docs_tsv;
SET bm25.max_prefix_lexemes = 8;
SELECT count(*) FROM docs WHERE bm25_score(tsv, 'w:*') > 0;
INSERT INTO docs VALUES (1, 'w1'), (2, 'v8');
SELECT count(*) FROM docs WHERE bm25_score(tsv, 'w:* | v:*') > 0;
INSERT INTO docs VALUES (1, 'w8');
SELECT count(*) FROM docs WHERE bm25_score(tsv, 'w:*') > 0;
-- whatever the plan, conditions are not limited: only what ranks is
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_indexscan = on;
EXPLAIN (COSTS OFF) SELECT id FROM docs WHERE tsv @@ 'w:*' ORDER BY tsv <@> 'v8 | w8' LIMIT 1;
SELECT id FROM docs WHERE tsv @@ 'w:*' ORDER BY tsv <@> 'v8 | w8' LIMIT 1;
SELECT id FROM docs WHERE tsv @@ 'w:*' ORDER BY tsv <@> 'v8 | w:*' LIMIT 1;
ROLLBACK;
RESET bm25.max_prefix_lexemes;
SELECT count(*) FROM docs WHERE bm25_score(tsv, 'w:*') > 0;

DROP TABLE docs;
DROP FUNCTION add_docs;
