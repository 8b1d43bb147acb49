-- What the indexes spare: 50 section titles as questions, 10 answers to each.
-- Result: a way to answer, its median milliseconds; with an index also how many
-- times as fast as without, how many of the answers are found, how many there
-- are.

CREATE TEMPORARY TABLE question AS
SELECT row_number() OVER () AS id, title, embed(title) AS embedding,
    anyto_tsquery('english', title) AS words
FROM (
    SELECT DISTINCT regexp_replace(title, '^.* > ', '') AS title
    FROM doc
) titles
WHERE title ~ '\w+ \w+ \w+'
    AND embed(title) IS NOT NULL
ORDER BY md5(title)
LIMIT 50;

CREATE TEMPORARY TABLE answer (
    way text,
    question_id bigint,
    milliseconds float8,
    scores float8[]
);

-- Ask all questions one by one, by a query of $1 (vector) or $2 (tsquery) that
-- returns scores, the best first; settings decide how they are answered.
CREATE FUNCTION pg_temp.ask_all(way text, query text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    q question;
    start timestamptz;
    elapsed float8;
    scores float8[];
BEGIN
    FOR q IN SELECT * FROM question ORDER BY id LOOP
        start := clock_timestamp();
        EXECUTE 'SELECT ARRAY(' || query || ')' INTO scores
            USING q.embedding, q.words, q.title;
        elapsed := extract(epoch FROM clock_timestamp() - start) * 1000;
        INSERT INTO answer VALUES (way, q.id, elapsed, scores);
    END LOOP;
END
$$;

\set by_vector 'SELECT embedding <=> $1 FROM doc ORDER BY embedding <=> $1 LIMIT 10'
\set by_bm25 'SELECT words <@> $2 FROM doc WHERE words @@ $2 ORDER BY words <@> $2 LIMIT 10'
\set by_both 'SELECT -score FROM hybrid_search(''doc'', $1, $3)'

SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT FROM pg_temp.ask_all('vector, exact scan', :'by_vector');
SELECT FROM pg_temp.ask_all('BM25, exact scan', :'by_bm25');
RESET enable_indexscan;
RESET enable_bitmapscan;
SET enable_seqscan = off;
SELECT FROM pg_temp.ask_all('vector, hnsw index', :'by_vector');
SELECT FROM pg_temp.ask_all('BM25, bm25 index', :'by_bm25');
SELECT FROM pg_temp.ask_all('both, hybrid_search', :'by_both');
RESET enable_seqscan;

-- An answer is found if its score is no worse than the worst exact one's.
WITH pair (no, exact, indexed) AS (
    VALUES (1, 'vector, exact scan', 'vector, hnsw index'),
        (2, 'BM25, exact scan', 'BM25, bm25 index'),
        (3, NULL, 'both, hybrid_search')
), result AS (
    SELECT p.no, p.exact, p.indexed,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY e.milliseconds) AS exact_ms,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY i.milliseconds) AS ms,
        sum((SELECT count(*) FROM unnest(i.scores) s
             WHERE s <= e.scores[cardinality(e.scores)] + 1e-9)) AS found,
        sum(cardinality(e.scores)) AS total
    FROM pair p
    JOIN answer i ON i.way = p.indexed
    LEFT JOIN answer e ON e.way = p.exact AND e.question_id = i.question_id
    GROUP BY p.no, p.exact, p.indexed
)
SELECT exact, exact_ms, NULL, NULL, NULL, no, 1 FROM result WHERE exact IS NOT NULL
UNION ALL
SELECT indexed, ms, exact_ms / ms, found, total, no, 2 FROM result
ORDER BY 6, 7;
