-- What a hybrid search has to say when there is little to say.
--
-- Breaks if a question without words, without a vector, or without a match on one
-- side ends in an error instead of what the other side found.

CREATE TABLE doc (
    id integer PRIMARY KEY,
    body text,
    tsv tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED,
    v vector(2)
);
CREATE INDEX ON doc USING hnsw (v vector_cosine_ops);
CREATE INDEX ON doc USING bm25 (tsv);

-- an empty table
SELECT * FROM hybrid_search('doc', '[1,0]', 'fox');

INSERT INTO doc (id, body, v) VALUES
    (1, 'The fox runs', '[1,0]'),
    (2, 'The dog sleeps', '[0,1]'),
    (3, NULL, '[1,1]'),
    (4, 'A fox and another fox', NULL),
    (5, 'fox of no direction', '[0,0]'),
    (6, '', '[-1,0]'),
    (7, 'the and of', '[-1,-1]');

SELECT key, vector_rank, round(vector_distance::numeric, 3) AS distance, text_rank,
    text_score > 0 AS scored
FROM hybrid_search('doc', '[1,0]', 'foxes');

\set columns 'key, vector_rank, text_rank'
SELECT :columns FROM hybrid_search('doc', '[1,0]', 'unheard');
SELECT :columns FROM hybrid_search('doc', '[1,0]', '', 2);
SELECT :columns FROM hybrid_search('doc', '[1,0]', ' ,.!', 2);
SELECT :columns FROM hybrid_search('doc', '[1,0]', 'The of and', 2);
SELECT :columns FROM hybrid_search('doc', '[1,0]', 'The of and', 2, query_mode => 'websearch');
SELECT :columns FROM hybrid_search('doc', '[1,0]', NULL, 2);
SELECT :columns FROM hybrid_search('doc', NULL, 'fox');
SELECT :columns FROM hybrid_search('doc', '[0,0]', 'fox');
SELECT :columns FROM hybrid_search('doc', NULL, 'unheard');
SELECT :columns FROM hybrid_search('doc', NULL, 'the');
SELECT :columns FROM hybrid_search('doc', NULL, NULL);
SELECT :columns FROM hybrid_search('doc', '[0,0]', '');
SELECT :columns, score FROM hybrid_search('doc', NULL, 'dog', fusion => 'linear');

-- nothing but an exclusion: rows match, and score nothing
SELECT :columns, text_score FROM hybrid_search('doc', NULL, '-fox', query_mode => 'websearch');

-- a side that is not asked needs no index
DROP INDEX doc_v_idx;
SELECT :columns FROM hybrid_search('doc', NULL, 'dog');
SELECT :columns FROM hybrid_search('doc', '[1,0]', 'dog');
SELECT :columns FROM hybrid_search('doc', '[1,0]', 'dog', 2, vector_column => 'v',
    vector_operator => '<->');
DROP INDEX doc_tsv_idx;
CREATE INDEX ON doc USING hnsw (v vector_l2_ops);
SELECT :columns FROM hybrid_search('doc', '[1,0]', NULL, 2);
SELECT :columns FROM hybrid_search('doc', '[1,0]', 'dog');

-- rows come and go within the transaction; a statement sees what was before it
CREATE INDEX ON doc USING bm25 (tsv);
BEGIN;
DELETE FROM doc WHERE id = 2;
INSERT INTO doc (id, body, v) VALUES (8, 'dog', '[0,1]');
SELECT :columns FROM hybrid_search('doc', '[0,1]', 'dog', 1);
WITH gone AS (DELETE FROM doc WHERE id = 8 RETURNING id)
SELECT gone.id, :columns FROM gone, hybrid_search('doc', '[0,1]', 'dog', 1);
SELECT :columns FROM hybrid_search('doc', NULL, 'dog');
ROLLBACK;

-- distances that overflow
CREATE TABLE far (id integer PRIMARY KEY, v vector(2), tsv tsvector);
CREATE INDEX ON far USING bm25 (tsv);
INSERT INTO far VALUES (1, '[3e38,3e38]', 'a'), (2, '[0,0]', 'a'), (3, '[-3e38,-3e38]', 'a'),
    (4, '[1,1]', 'b');
SELECT key, score, vector_distance FROM hybrid_search('far', '[1,0]', NULL, fusion => 'linear',
    vector_column => 'v', vector_operator => '<#>');
SELECT key, score FROM hybrid_search('far', '[3e38,3e38]', NULL, fusion => 'linear',
    vector_column => 'v', vector_operator => '<#>');

DROP TABLE doc, far;
