-- hybrid_search against the same fusion written in SQL.
--
-- Breaks if ranks, scores or their order differ from what the two ranked lists
-- and the formulas say, or if equal scores come in an order of chance.

SELECT oid::regprocedure AS function, pg_get_function_result(oid) AS result,
    provolatile, proisstrict, proparallel
FROM pg_proc
WHERE proname IN ('anyto_tsquery', 'hybrid_search', 'rrf_score')
ORDER BY oid::regprocedure::text COLLATE "C";

SELECT rrf_score(1), rrf_score(10, 0), rrf_score(1, 60) = rrf_score(1) AS k_is_60,
    rrf_score(NULL) AS no_rank, rrf_score(1, NULL) AS no_k;
SELECT rrf_score(0);
SELECT rrf_score(1, -1);

-- words or-ed, each once; as many levels as it takes
SELECT anyto_tsquery('english', 'The cats, a cat and the dog''s bone: cats!');
SELECT anyto_tsquery('simple', 'The \ ''quoted'''), anyto_tsquery('english', 'the of'),
    anyto_tsquery('english', ''), anyto_tsquery(NULL) IS NULL AS is_null;
SELECT numnode(anyto_tsquery('simple', string_agg('w' || i, ' '))) AS nodes,
    'w77:1'::tsvector @@ anyto_tsquery('simple', string_agg('w' || i, ' ')) AS matches
FROM generate_series(1, 10000) i;
SET default_text_search_config = 'pg_catalog.german';
SELECT anyto_tsquery('die Katzen');
RESET default_text_search_config;

-- 300 rows; no two lists agree
CREATE FUNCTION pg_temp.noise(seed text) RETURNS integer
LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(seed), 1, 7))::bit(28)::integer;

CREATE TABLE paper (
    id integer PRIMARY KEY,
    year integer,
    body text,
    tsv tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED,
    v vector(4)
);
INSERT INTO paper (id, year, body, v)
SELECT i, 2000 + pg_temp.noise('year' || i) % 20,
    (SELECT string_agg((ARRAY['apple', 'berry', 'cherry', 'date', 'elder',
            'fig', 'grape', 'holly', 'iris', 'jasmine'])
            [1 + pg_temp.noise(i || 'word' || j) % (1 + pg_temp.noise('w' || i || j) % 10)], ' ')
        FROM generate_series(1, 5 + pg_temp.noise('length' || i) % 40) j),
    (SELECT array_agg(pg_temp.noise(i || 'v' || j) % 1000)::vector
        FROM generate_series(1, 4) j)
FROM generate_series(1, 300) i;
CREATE INDEX paper_v_idx ON paper USING hnsw (v vector_l2_ops);
CREATE INDEX paper_tsv_idx ON paper USING bm25 (tsv);
ANALYZE paper;

-- The two ranked lists, and what to do with them.
CREATE VIEW lists AS
SELECT coalesce(a.id, b.id)::text AS key, a.r AS vector_rank, a.d AS vector_distance,
    b.r AS text_rank, b.s AS text_score,
    coalesce((max(a.d) OVER () - a.d) / nullif(max(a.d) OVER () - min(a.d) OVER (), 0),
        CASE WHEN a.r IS NULL THEN 0 ELSE 1 END) AS vector_part,
    coalesce((b.s - min(b.s) OVER ()) / nullif(max(b.s) OVER () - min(b.s) OVER (), 0),
        CASE WHEN b.r IS NULL THEN 0 ELSE 1 END) AS text_part
FROM (
    SELECT id, d, row_number() OVER (ORDER BY d, id) AS r
    FROM (
        SELECT id, v <-> '[300,400,500,600]' AS d FROM paper
        WHERE year >= current_setting('test.year')::integer
        ORDER BY v <-> '[300,400,500,600]'
        LIMIT current_setting('test.candidates')::integer) n) a
FULL JOIN (
    SELECT id, s, row_number() OVER (ORDER BY s DESC, id) AS r
    FROM (
        SELECT id, bm25_score(tsv, anyto_tsquery('english', 'holly iris jasmine')) AS s FROM paper
        WHERE tsv @@ anyto_tsquery('english', 'holly iris jasmine')
            AND year >= current_setting('test.year')::integer
        ORDER BY tsv <@> anyto_tsquery('english', 'holly iris jasmine')
        LIMIT current_setting('test.candidates')::integer) n) b
USING (id);


-- How many of the first k rows differ, in place or in any column.
CREATE FUNCTION pg_temp.ndifferent(k integer, candidates integer, fusion text,
    vector_weight float8, text_weight float8, rrf_k integer, year integer,
    OUT rows bigint, OUT different bigint)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('test.year', year::text, false),
        set_config('test.candidates', candidates::text, false);
    SELECT count(*), count(*) FILTER (WHERE h IS DISTINCT FROM l)
    INTO rows, different
    FROM (
        SELECT row_number() OVER () AS place, *
        FROM hybrid_search('paper', '[300,400,500,600]', 'Iris, jasmine, holly',
            k => k, candidates => candidates, fusion => fusion,
            vector_weight => vector_weight, text_weight => text_weight,
            rrf_k => rrf_k, filter => jsonb_build_object('year',
                jsonb_build_object('>=', year)))) h
    FULL JOIN (
        SELECT row_number() OVER (ORDER BY score DESC, key::integer) AS place, *
        FROM (
            SELECT key,
                CASE fusion WHEN 'rrf' THEN
                    vector_weight * rrf_score(vector_rank, rrf_k)
                        + text_weight * rrf_score(text_rank, rrf_k)
                ELSE vector_weight * vector_part + text_weight * text_part
                END AS score,
                vector_rank, vector_distance, text_rank, text_score
            FROM lists) s
        ORDER BY place
        LIMIT k) l
    USING (place);
END
$$;

SELECT k, candidates, fusion, weights, rrf_k, year, n.rows, n.different
FROM (VALUES
    (10, 100, 'rrf', ARRAY[1, 1], 60, 0),
    (10, 100, 'linear', ARRAY[1, 1], 60, 0),
    (40, 20, 'rrf', ARRAY[1, 1], 60, 0),
    (40, 20, 'linear', ARRAY[.3, .7], 60, 0),
    (300, 300, 'rrf', ARRAY[.25, 2], 1, 0),
    (300, 300, 'linear', ARRAY[2, .25], 60, 0),
    (300, 300, 'rrf', ARRAY[0, 1], 0, 2010),
    (10, 100, 'linear', ARRAY[1, 0], 60, 2010),
    (300, 300, 'linear', ARRAY[1, 1], 60, 3000)) c (k, candidates, fusion, weights, rrf_k, year),
    pg_temp.ndifferent(k, candidates, fusion, weights[1], weights[2], rrf_k, year) n;

-- The same from a prepared statement and whatever plan runs.
PREPARE search (vector, text, integer) AS
SELECT string_agg(key, ' ') FROM hybrid_search('paper', $1, $2, $3);
SET plan_cache_mode = force_generic_plan;
EXECUTE search ('[300,400,500,600]', 'iris jasmine holly', 10) \gset index_
SET enable_indexscan = off;
SET enable_bitmapscan = off;
EXECUTE search ('[300,400,500,600]', 'iris jasmine holly', 10) \gset sort_
RESET enable_indexscan;
RESET enable_bitmapscan;
RESET plan_cache_mode;
SELECT :'index_string_agg' = :'sort_string_agg' AS same, :'index_string_agg' <> '' AS found;

-- Defaults: k is 10, of 100 candidates or k, if more; NULL stands for them.
SELECT count(*), max(vector_rank) <= 100 AND max(text_rank) <= 100 AS of_100
FROM hybrid_search('paper', '[300,400,500,600]', 'apple', 10);
SELECT count(*), max(vector_rank) FROM hybrid_search('paper', '[300,400,500,600]', NULL, 250);
SELECT count(*) FROM hybrid_search('paper', '[300,400,500,600]', 'apple', NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT count(*) FROM hybrid_search('paper', '[300,400,500,600]', 'apple', 0);

-- Equal scores: by key, as its type orders.
CREATE TABLE twin (name text COLLATE "C" PRIMARY KEY, v vector(1), tsv tsvector);
CREATE INDEX ON twin USING hnsw (v vector_l2_ops);
CREATE INDEX ON twin USING bm25 (tsv);
INSERT INTO twin SELECT 'n' || i, '[1]', 'fox' FROM generate_series(1, 12) i;
SELECT key, score = 2 * rrf_score(row_number() OVER ()) AS ranked, vector_rank, text_rank
FROM hybrid_search('twin', '[1]', 'fox', 5, candidates => 12);
SELECT DISTINCT score, vector_distance FROM hybrid_search('twin', '[1]', 'fox', fusion => 'linear');

-- Ways to read the text.
CREATE TABLE note (id integer PRIMARY KEY, body text, v vector(1));
INSERT INTO note VALUES (1, 'quick brown fox', '[1]'), (2, 'brown quick dog', '[2]'),
    (3, 'brown bread', '[3]'), (4, 'the quick quack', '[4]');
CREATE INDEX ON note USING bm25 (to_tsvector('english', body));
CREATE INDEX ON note USING hnsw (v vector_l2_ops);
SELECT mode, query, (
    SELECT array_agg(key ORDER BY key)
    FROM hybrid_search('note', NULL, query, query_mode => mode)) AS found
FROM (VALUES ('any', 'Quick, brown!'), (NULL, 'Quick, brown!'), ('all', 'Quick, brown!'),
    ('phrase', 'Quick, brown!'), ('websearch', 'brown -bread'),
    ('websearch', '"brown quick" or bread'), ('tsquery', 'qu:* & !brown')) c (mode, query);
SELECT * FROM hybrid_search('note', NULL, 'not ( a query', query_mode => 'tsquery');

-- In a SELECT list, and for each row of another table.
SELECT (hybrid_search('note', '[4]', 'fox', 2)).key;
SELECT q, key FROM (VALUES ('fox'), ('quack')) w (q), hybrid_search('note', NULL, q);

-- Bad options.
SELECT * FROM hybrid_search(NULL, '[1]', 'fox');
SELECT * FROM hybrid_search('note', '[1]', 'fox', -1);
SELECT * FROM hybrid_search('note', '[1]', 'fox', candidates => 0);
SELECT * FROM hybrid_search('note', '[1]', 'fox', rrf_k => -1);
SELECT * FROM hybrid_search('note', '[1]', 'fox', fusion => 'RRF');
SELECT * FROM hybrid_search('note', '[1]', 'fox', query_mode => '');
SELECT * FROM hybrid_search('note', '[1]', 'fox', vector_weight => -0.5);
SELECT * FROM hybrid_search('note', '[1]', 'fox', text_weight => 'NaN');
SELECT * FROM hybrid_search('note', '[1]', 'fox', text_weight => 'Infinity');
SELECT * FROM hybrid_search('note', '[1,2]', 'fox');

DROP VIEW lists;
DROP TABLE paper, twin, note;
