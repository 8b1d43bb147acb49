-- How good rankings of doc are for the questions, as judged: nDCG@10; and whether
-- hybrid_search is the fusion that SQL makes of the two lists.
--
-- The gain of a grade is 2^grade - 1, at place p divided by log2(p + 1), and
-- the sum divided by that of the best ranking of the judged documents.  What is
-- not judged gains nothing; questions without a good document do not count.

-- Nearly exact: what an index misses is not what this is about.
SET hnsw.ef_search = 400;

CREATE TABLE ranking (
    way text,
    question integer,
    doc integer,
    place bigint
);

-- What a question's ten best documents are, each way.  Words are or-ed.
INSERT INTO ranking
SELECT 'vector', q.id, d.id, row_number() OVER (PARTITION BY q.id ORDER BY d.distance, d.id)
FROM question q,
    LATERAL (
        SELECT id, v <=> q.v AS distance FROM doc
        ORDER BY v <=> q.v LIMIT 10) d;

INSERT INTO ranking
SELECT 'BM25', q.id, d.id, row_number() OVER (PARTITION BY q.id ORDER BY d.score DESC, d.id)
FROM question q,
    LATERAL (
        SELECT id, bm25_score(tsv, anyto_tsquery('english', q.body)) AS score FROM doc
        WHERE tsv @@ anyto_tsquery('english', q.body)
        ORDER BY tsv <@> anyto_tsquery('english', q.body) LIMIT 10) d;

INSERT INTO ranking
SELECT w.way, q.id, d.key::integer, d.ordinality
FROM question q,
    (VALUES ('RRF', 'rrf', 1), ('linear', 'linear', 1),
        ('RRF, text counts 4 times', 'rrf', 4),
        ('linear, text counts 4 times', 'linear', 4)) w (way, fusion, text_weight),
    hybrid_search('doc', q.v, q.body, 10, fusion => w.fusion,
        text_weight => w.text_weight) WITH ORDINALITY d;

CREATE VIEW ndcg AS
WITH judged AS (
    SELECT q.id AS question, d.id AS doc, 2 ^ j.grade - 1 AS gain,
        row_number() OVER (PARTITION BY q.id ORDER BY j.grade DESC) AS best_place
    FROM judgement j
    JOIN question q ON q.name = j.question_name
    LEFT JOIN doc d ON d.name = j.doc_name
), ideal AS (
    SELECT question, sum(gain * ln(2) / ln(best_place + 1)) AS gain
    FROM judged
    WHERE best_place <= 10
    GROUP BY question
    HAVING sum(gain) > 0
), gained AS (
    SELECT way, r.question, sum(j.gain * ln(2) / ln(r.place + 1)) AS gain
    FROM ranking r
    JOIN judged j ON j.question = r.question AND j.doc = r.doc
    WHERE r.place <= 10
    GROUP BY way, r.question
)
SELECT way, avg(coalesce(gained.gain, 0) / ideal.gain) AS ndcg, count(*) AS questions
FROM (SELECT DISTINCT way FROM ranking) ways
CROSS JOIN ideal
LEFT JOIN gained USING (way, question)
GROUP BY way;

-- The same fusion in SQL: the two lists, joined.  An index orders rows by vectors
-- that it has rounded, and the planner takes that for the order of distances: adding
-- 0 to them makes it sort.
CREATE FUNCTION fuse_lists(question_id integer, fusion text, k integer, candidates integer,
    vector_weight float8, text_weight float8)
RETURNS TABLE (key text, score float8, vector_rank bigint, vector_distance float8,
    text_rank bigint, text_score float8)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q question;
    words tsquery;
BEGIN
    SELECT * INTO q FROM question WHERE id = question_id;
    words := anyto_tsquery('english', q.body);
    RETURN QUERY
    WITH vectors AS (
        SELECT id, distance, row_number() OVER (ORDER BY distance + 0, id) AS rank,
            min(distance) OVER () AS low, max(distance) OVER () AS high
        FROM (
            SELECT id, v <=> q.v AS distance FROM doc
            ORDER BY v <=> q.v LIMIT candidates) found
        WHERE distance <> 'NaN'
    ), texts AS (
        SELECT id, score, row_number() OVER (ORDER BY score DESC, id) AS rank,
            min(score) OVER () AS low, max(score) OVER () AS high
        FROM (
            SELECT id, bm25_score(tsv, words) AS score FROM doc
            WHERE tsv @@ words
            ORDER BY tsv <@> words LIMIT candidates) found
    ), fused AS (
        SELECT coalesce(v.id, t.id) AS id,
            CASE fusion WHEN 'rrf' THEN
                vector_weight * rrf_score(v.rank) + text_weight * rrf_score(t.rank)
            ELSE
                vector_weight * CASE WHEN v.id IS NULL THEN 0
                    WHEN v.high = v.low THEN 1
                    ELSE (v.high - v.distance) / (v.high - v.low) END
                + text_weight * CASE WHEN t.id IS NULL THEN 0
                    WHEN t.high = t.low THEN 1
                    ELSE (t.score - t.low) / (t.high - t.low) END
            END AS score,
            v.rank AS vector_rank, v.distance, t.rank AS text_rank, t.score AS text_score
        FROM vectors v FULL JOIN texts t ON t.id = v.id
    )
    SELECT id::text, score, vector_rank, distance, text_rank, text_score
    FROM fused
    ORDER BY fused.score DESC, fused.id
    LIMIT k;
END
$$;

-- Over all questions: rows of both, and places where they differ in anything.
CREATE FUNCTION compare_fusion(fusion text, k integer, candidates integer,
    vector_weight float8, text_weight float8, OUT rows bigint, OUT different bigint)
LANGUAGE sql AS $$
    SELECT count(*), count(*) FILTER (WHERE h.found IS DISTINCT FROM f.found)
    FROM question q,
        LATERAL (
            SELECT ordinality AS place, row(key, score, s.vector_rank,
                s.vector_distance, s.text_rank, s.text_score)::text AS found
            FROM hybrid_search('doc', q.v, q.body, k, fusion => fusion,
                candidates => candidates, vector_weight => vector_weight,
                text_weight => text_weight) WITH ORDINALITY s) h
    FULL JOIN LATERAL (
            SELECT ordinality AS place, row(key, score, s.vector_rank,
                s.vector_distance, s.text_rank, s.text_score)::text AS found
            FROM fuse_lists(q.id, fusion, k, candidates, vector_weight,
                text_weight) WITH ORDINALITY s) f
        USING (place)
$$;
