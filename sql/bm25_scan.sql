--
-- Scans of a bm25 index find the rows that a scan of the table finds, in an order
-- of the same distances: for queries of all kinds, however many rows are asked
-- for, whatever the index is made of.
--
SET client_min_messages = warning;
SET extra_float_digits = 1;

-- Words by rank: the n-th is about 1/n as frequent as the first.
CREATE FUNCTION scan_word(seed text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN 'w' || floor(exp(('x' || substr(md5(seed), 1, 7))::bit(28)::int / 2.0 ^ 28 * ln(2000)))::int;

-- Every 50th row is NULL, every 70th has no lexeme, some have labels or lexemes
-- without positions.
CREATE FUNCTION scan_tsv(id int) RETURNS tsvector LANGUAGE sql IMMUTABLE
RETURN CASE
	WHEN id % 50 = 0 THEN NULL
	WHEN id % 70 = 0 THEN ''
	WHEN id % 11 = 0 THEN setweight(to_tsvector('simple', scan_word(id || 't')), 'A') ||
		(SELECT to_tsvector('simple', string_agg(scan_word(id || '/' || i), ' ')) FROM generate_series(0, id % 30) i)
	WHEN id % 13 = 0 THEN
		(SELECT strip(to_tsvector('simple', string_agg(scan_word(id || '/' || i), ' '))) FROM generate_series(0, id % 30) i)
	ELSE
		(SELECT to_tsvector('simple', string_agg(scan_word(id || '/' || i), ' ')) FROM generate_series(0, id % 40) i)
END;

CREATE TABLE scan_docs (id int PRIMARY KEY, grp int, tsv tsvector);
INSERT INTO scan_docs SELECT id, id % 10, scan_tsv(id) FROM generate_series(1, 3000) id;
CREATE INDEX scan_docs_bm25 ON scan_docs USING bm25 (tsv);
ANALYZE scan_docs;

CREATE TABLE scan_queries (n serial, query tsquery);
INSERT INTO scan_queries (query) VALUES
	('w1'), ('w3 | w40'), ('w2 | w5 | w9'), ('w1 | w100 | w700 | w2 | w33 | w4'),
	('w1 & w2'), ('w7 & w20'), ('w1 & w2 & w3'), ('w1 & (w50 | w3) & w2'),
	('(w1 & w9) | (w2 & w8)'), ('w5 & !w1'), ('!w1'), ('!(w1 | w2)'), ('w1 | !w2'),
	('!w1 & !w2 & !w3'), ('w30:*'), ('w1:* & w2'), ('w19:* | w7'), ('zz:* | w2'),
	('w2:A'), ('w1:A | w3'), ('w1:BD & w2'), ('w1:*A'), ('w2 | w2 | w3'),
	('w1 <-> w2'), ('w1 <2> w2'), ('(w1 <-> w2) | w9'), ('(w1 <-> w2) & w3'),
	('!(w1 <-> w2) & w1'), ('w1 <-> (w2 | w3)'), ('zz'), ('zz | w1'), ('zz & w1'),
	('w1 & !zz'), ('w1999 | w1998 | w1997');

-- Rows of a query by a plan that reads the table, and by the index: the same
-- distances in the same order, and no row twice.  Rows in no order are compared by
-- their numbers in place of distances.
CREATE FUNCTION scan_differs(select_list text, tail text, plan text, from_table text DEFAULT 'scan_docs') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ids int[];
	distances float8[];
	expected float8[];
	sql text := format('SELECT array_agg(id), array_agg(distance %s) FROM (SELECT id, %s AS distance FROM %I %s) rows',
		CASE WHEN tail LIKE '%ORDER BY%' THEN '' ELSE 'ORDER BY distance' END, select_list, from_table, tail);
BEGIN
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_bitmapscan = off;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	EXECUTE sql INTO ids, expected;
	SET LOCAL enable_seqscan = off;
	IF plan = 'bitmap' THEN
		SET LOCAL enable_bitmapscan = on;
	ELSE
		SET LOCAL enable_indexscan = on;
		SET LOCAL enable_sort = off;
	END IF;
	EXECUTE sql INTO ids, distances;
	IF distances IS DISTINCT FROM expected THEN
		RETURN format('%s: %s instead of %s', tail, left(distances::text, 100), left(expected::text, 100));
	END IF;
	IF (SELECT count(DISTINCT id) < count(*) FROM unnest(ids) id) THEN
		RETURN format('%s: a row twice', tail);
	END IF;
	RETURN NULL;
END $$;

-- All the ways to ask for a query's rows, of some of the queries.
CREATE FUNCTION scan_all(only_k int[] DEFAULT '{1, 10, 65, 10000}', every int DEFAULT 1) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT * FROM (
		SELECT scan_differs(format('tsv <@> %L', query), format('ORDER BY tsv <@> %L LIMIT %s', query, k), 'index')
		FROM scan_queries, unnest(only_k) k WHERE n % every = 0
		UNION ALL
		SELECT scan_differs(format('tsv <@> %L', query), format('WHERE tsv @@ %L ORDER BY tsv <@> %1$L LIMIT %s', query, k), 'index')
		FROM scan_queries, unnest(only_k) k WHERE n % every = 0
		UNION ALL
		SELECT scan_differs(format('tsv <@> %L', a.query),
			format('WHERE tsv @@ %L ORDER BY tsv <@> %L LIMIT %s', b.query, a.query, k), 'index')
		FROM scan_queries a, scan_queries b, unnest(only_k[2:2] || only_k[array_upper(only_k, 1):]) k
		WHERE a.n % every = 0 AND b.n IN ((a.n * 7) % 33 + 1, (a.n * 5) % 33 + 1)
		UNION ALL
		SELECT scan_differs(format('tsv <@> %L', query),
			format('WHERE grp = 3 ORDER BY tsv <@> %L LIMIT %s', query, k), 'index')
		FROM scan_queries, unnest(only_k[2:2]) k WHERE n % every = 0
		UNION ALL
		SELECT scan_differs('id::float8', format('WHERE tsv @@ %L', query), plan)
		FROM scan_queries, unnest('{index, bitmap}'::text[]) plan WHERE n % every = 0
		UNION ALL
		SELECT scan_differs('id::float8', format('WHERE tsv @@ %L AND tsv @@ %L', a.query, b.query), plan)
		FROM scan_queries a, scan_queries b, unnest('{index, bitmap}'::text[]) plan
		WHERE a.n % every = 0 AND b.n IN ((a.n * 7) % 33 + 1, (a.n * 5) % 33 + 1)
	) results (difference) WHERE difference IS NOT NULL
$$;

SELECT * FROM scan_all();

-- Rows in the write buffer.
INSERT INTO scan_docs SELECT id, id % 10, scan_tsv(id) FROM generate_series(3001, 3300) id;
SELECT * FROM scan_all('{1, 10, 300}', 5);

-- Buffers that became segments: bm25 writes one for each half megabyte or so.
INSERT INTO scan_docs SELECT id, id % 10, scan_tsv(id) FROM generate_series(3301, 6000) id;
SELECT * FROM scan_all('{1, 10, 300}', 5);

-- Rows that are gone: before vacuum, in delete bitmaps, and merged away.
DELETE FROM scan_docs WHERE id % 3 = 0;
UPDATE scan_docs SET grp = grp + 1, tsv = scan_tsv(id + 1) WHERE id % 7 = 0;
SELECT * FROM scan_all('{1, 10, 300}', 5);
VACUUM scan_docs;
SELECT * FROM scan_all('{1, 10, 300}', 5);
SELECT vsearch_merge('scan_docs_bm25') > 0 AS merged;
SELECT * FROM scan_all('{1, 10, 300}', 5);

-- Other parameters: bounds follow them.  A weight of 0 leaves matches without score.
ALTER INDEX scan_docs_bm25 SET (weight_a = 8, weight_d = 0.5, k1 = 3, b = 0.1);
SELECT * FROM scan_all('{1, 10, 300}', 5);
ALTER INDEX scan_docs_bm25 SET (weight_d = 0, k1 = 0, b = 1);
SELECT * FROM scan_all('{1, 300, 10000}', 4);
ALTER INDEX scan_docs_bm25 RESET (weight_a, weight_d, k1, b);

-- A scan goes on past what it has searched for at first, and back to the start;
-- cursors go backwards over rows that are kept.
BEGIN;
SET LOCAL enable_seqscan = off;
DECLARE c SCROLL CURSOR FOR
	SELECT row_number() OVER () AS n, tsv IS NULL AS is_null
	FROM (SELECT tsv FROM scan_docs ORDER BY tsv <@> 'w1 | w2') rows;
FETCH ABSOLUTE 1 FROM c;
FETCH ABSOLUTE 65 FROM c;
FETCH ABSOLUTE 2000 FROM c;
FETCH RELATIVE -1 FROM c;
FETCH LAST FROM c;
FETCH FIRST FROM c;
COMMIT;

-- The inner side of a join: a query for each row.
EXPLAIN (COSTS OFF)
SELECT n, id FROM scan_queries, LATERAL (
	SELECT id FROM scan_docs WHERE tsv @@ query ORDER BY tsv <@> query LIMIT 3) top;
SET enable_seqscan = off;
SELECT count(*) AS wrong FROM scan_queries, LATERAL (
	SELECT array_agg(d) AS distances FROM (
		SELECT tsv <@> query AS d FROM scan_docs WHERE tsv @@ query
		ORDER BY tsv <@> query LIMIT 3) rows) top, LATERAL (
	SELECT array_agg(d) AS distances FROM (
		SELECT d FROM (SELECT tsv <@> query AS d FROM scan_docs WHERE tsv @@ query OFFSET 0) all_rows
		ORDER BY d LIMIT 3) rows) expected
WHERE top.distances IS DISTINCT FROM expected.distances;
RESET enable_seqscan;

-- Parameters, in a plan for all values.
SET plan_cache_mode = force_generic_plan;
PREPARE top3(tsquery) AS SELECT round((tsv <@> $1)::numeric, 6) FROM scan_docs ORDER BY tsv <@> $1 LIMIT 3;
EXPLAIN (COSTS OFF) EXECUTE top3('w1');
EXECUTE top3('w1999 | w5');
EXECUTE top3('');
EXECUTE top3(NULL);
PREPARE matches(tsquery) AS SELECT count(*) FROM scan_docs WHERE tsv @@ $1;
SET enable_seqscan = off;
EXECUTE matches('w30 & w3');
EXECUTE matches('');
EXECUTE matches(NULL);
RESET enable_seqscan;
RESET plan_cache_mode;

-- So many documents that they are searched in several windows.
CREATE TABLE scan_many (id int, tsv tsvector);
INSERT INTO scan_many SELECT id, to_tsvector('simple', (
	SELECT string_agg('w' || floor(exp((hashint4(id * 8 + i) & 65535) / 65536.0 * 8))::int, ' ')
	FROM generate_series(0, id / 10000 + id % 4) i))
FROM generate_series(1, 60000) id;
CREATE INDEX scan_many_bm25 ON scan_many USING bm25 (tsv);
SELECT scan_differs(format('tsv <@> %L', query), format('ORDER BY tsv <@> %L LIMIT %s', query, k), 'index', 'scan_many')
FROM unnest('{w1, w2 | w300, w3 | w9 | w40 | w800 | w2001, w1 | w2 | w3 | w4, (w1 | w7) & !w2, w2 | w29:*}'::tsquery[]) query,
	unnest('{10, 500}'::int[]) k;

-- Plans.
EXPLAIN (COSTS OFF) SELECT id FROM scan_docs ORDER BY tsv <@> 'w9 | w7' LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM scan_docs WHERE tsv @@ 'w9 & w7' ORDER BY tsv <@> 'w9 & w7' LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM scan_docs WHERE grp = 3 ORDER BY tsv <@> 'w9 | w7' LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM scan_docs WHERE id = 3 ORDER BY tsv <@> 'w9 | w7' LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM scan_docs WHERE tsv @@ 'w1999';
EXPLAIN (COSTS OFF) SELECT id FROM scan_docs ORDER BY tsv <@> 'w9', tsv <@> 'w7' LIMIT 10;

DROP TABLE scan_docs, scan_queries, scan_many;
DROP FUNCTION scan_differs, scan_all, scan_tsv, scan_word;
