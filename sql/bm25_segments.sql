--
-- A segment holds what it was made of: lists of each length, whether in the
-- dictionary or in blocks, with and without skip entries; lexemes as long as there
-- are; labels; and rows with no lexeme or none at all.  So does what is merged
-- from several, without the rows that are gone.
--
SET client_min_messages = warning;

CREATE TABLE segment_docs (id serial, tsv tsvector);

-- Lexeme n is in n rows, with 1 position, with several of two labels, or none.
INSERT INTO segment_docs (tsv)
SELECT string_agg(format('n%s%s', n, CASE n % 4
	WHEN 0 THEN ''
	WHEN 1 THEN format(':%s', 1 + row % 200)
	WHEN 2 THEN format(':%sA,%sB', 1 + n % 50, 60 + row % 9)
	ELSE format(':%s,%s,%s', 1 + row % 5, 7 + row % 3, 11 + row % 2) END), ' ')::tsvector
FROM generate_series(1, 400) row, generate_series(1, 400) n WHERE row <= n GROUP BY row;

-- Long lexemes, which share much with the one before, or nothing.
INSERT INTO segment_docs (tsv)
SELECT format('%s%s:%s %s', repeat('y', 2000), md5((i % 300)::text), 1 + i % 3,
	left(md5(i::text) || repeat('x', 2046), 2046 - i % 5))::tsvector
FROM generate_series(1, 600) i;
INSERT INTO segment_docs (tsv) VALUES (NULL), (''), (NULL), (''), ('lonely');

-- A list whose skip entries are on several pages.
INSERT INTO segment_docs (tsv)
SELECT format('all:%s w%s', 1 + i % 3, i % 7)::tsvector FROM generate_series(1, 90000) i;

CREATE INDEX segment_bm25 ON segment_docs USING bm25 (tsv);
SELECT * FROM vsearch_check('segment_bm25', heapallindexed => true);

-- Rows that the index finds, for queries that have one lexeme each.
CREATE FUNCTION segment_count(query tsquery) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL enable_seqscan = off;
	RETURN (SELECT count(*) FROM segment_docs WHERE tsv @@ query);
END $$;


-- All lexemes but those of the many rows.
CREATE VIEW segment_wrong AS
SELECT word, ndoc, segment_count(quote_literal(word)::tsquery)
FROM ts_stat('SELECT tsv FROM segment_docs WHERE id <= 1005')
WHERE segment_count(quote_literal(word)::tsquery) <> ndoc;

SELECT left(word, 60), ndoc, segment_count FROM segment_wrong;
SELECT segment_count('all'), segment_count('all & w3'), segment_count('lonely'),
	segment_count('none'), segment_count('aaa'), segment_count('zzz');

-- Dead rows are left out when the segment is merged with what came later.
DELETE FROM segment_docs WHERE id % 3 = 0 OR id BETWEEN 350 AND 700;
INSERT INTO segment_docs (tsv)
SELECT format('all:%s late%s', 1 + i % 3, i % 11)::tsvector FROM generate_series(1, 500) i;
VACUUM segment_docs;
SELECT vsearch_merge('segment_bm25') IS NOT NULL AS merged;
SELECT * FROM vsearch_check('segment_bm25', heapallindexed => true);
SELECT segment_count('all') - count(*) AS wrong FROM segment_docs WHERE tsv @@ 'all';
SELECT left(word, 60), ndoc, segment_count FROM segment_wrong;

-- Nothing but NULLs and empty documents, and nothing at all.
DELETE FROM segment_docs WHERE tsv <> '';
VACUUM segment_docs;
SELECT vsearch_merge('segment_bm25') IS NOT NULL AS merged;
SELECT * FROM vsearch_check('segment_bm25', heapallindexed => true);
SELECT segment_count('all'), segment_count('n400');
DELETE FROM segment_docs;
VACUUM segment_docs;
SELECT vsearch_merge('segment_bm25') IS NOT NULL AS merged;
SELECT * FROM vsearch_check('segment_bm25', heapallindexed => true);
SELECT segment_count('all');

-- Begun anew in the same file, as the table is of this transaction.
BEGIN;
CREATE TABLE segment_again (tsv tsvector);
CREATE INDEX segment_again_bm25 ON segment_again USING bm25 (tsv);
INSERT INTO segment_again SELECT format('a%s b%s', i % 10, i)::tsvector FROM generate_series(1, 20000) i;
SET LOCAL enable_seqscan = off;
SELECT count(*) FROM segment_again WHERE tsv @@ 'a3';
TRUNCATE segment_again;
INSERT INTO segment_again SELECT format('a%s c%s', i % 20, i)::tsvector FROM generate_series(1, 20000) i;
SELECT count(*) FROM segment_again WHERE tsv @@ 'a3';
COMMIT;

DROP VIEW segment_wrong;
DROP TABLE segment_docs, segment_again;
DROP FUNCTION segment_count;
