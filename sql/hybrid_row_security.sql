-- Hybrid search under row-level security: its text side reads the index.
--
-- Breaks if policies, which are checked before @@ is, make it read and rank the
-- whole table, or if they change more of the answer than they hide.

CREATE ROLE vsearch_regress_tenant;
CREATE TABLE memo (id integer PRIMARY KEY, tenant integer, tsv tsvector);
INSERT INTO memo
SELECT i, i % 2, to_tsvector('simple', 'all w' || i % 10 || ' w' || i % 1000 || repeat(' long', i % 17))
FROM generate_series(1, 10000) i;
CREATE INDEX memo_tsv ON memo USING bm25 (tsv);
ANALYZE memo;
ALTER TABLE memo ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON memo USING (tenant = 1);
GRANT SELECT ON memo TO vsearch_regress_tenant;

-- What all rows' owner finds by a filter, the other finds by the policy; whether
-- by an index scan of one index is counted.
CREATE TABLE question (id integer, mode text, words text);
GRANT SELECT ON question TO vsearch_regress_tenant;
INSERT INTO question VALUES
    (1, 'any', 'w7 w77 w777'), (2, 'any', 'all long'), (3, 'any', 'unheard'),
    (4, 'all', 'w7 w77'), (5, 'phrase', 'all w7'), (6, 'websearch', 'w77 -long'),
    (7, 'tsquery', 'w77:* & !w777'), (8, 'tsquery', '!all'), (9, 'tsquery', '!long'),
    (10, 'tsquery', 'w777 | !long');
CREATE TABLE by_filter AS
SELECT id, key, text_rank, text_score FROM question,
    hybrid_search('memo', NULL, words, 2000, '{"tenant": 1}', query_mode => mode, text_config => 'simple');
GRANT SELECT ON by_filter TO vsearch_regress_tenant;
CREATE FUNCTION scans(words text, mode text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_stat_get_xact_numscans('memo_tsv'::regclass);
BEGIN
    PERFORM hybrid_search('memo', NULL, words, query_mode => mode, text_config => 'simple');
    RETURN pg_stat_get_xact_numscans('memo_tsv'::regclass) - before;
END $$;
SET ROLE vsearch_regress_tenant;
SELECT id, mode, words, count(f.id) AS n, count(*) FILTER (WHERE f IS DISTINCT FROM p) AS differ
FROM question LEFT JOIN (by_filter f
    FULL JOIN (SELECT id, key, text_rank, text_score FROM question,
        hybrid_search('memo', NULL, words, 2000, query_mode => mode, text_config => 'simple')) p USING (id, key)) USING (id)
GROUP BY 1, 2, 3 ORDER BY 1;

SELECT id, words, scans(words, mode) FROM question WHERE id < 8 ORDER BY id;
RESET ROLE;

-- Words that count nothing make no candidates, with policies or without.
UPDATE memo SET tsv = setweight(tsv, 'A') WHERE id % 3 = 0;
ALTER INDEX memo_tsv SET (weight_a = 0);
SELECT count(*) FROM hybrid_search('memo', NULL, 'w77', 2000, '{"tenant": 1}');
SELECT count(*) FROM hybrid_search('memo', NULL, 'w77 | !w77', 6000,
    '{"tenant": 1}', query_mode => 'tsquery');
SET ROLE vsearch_regress_tenant;
SELECT count(*) FROM hybrid_search('memo', NULL, 'w77', 2000);
SELECT count(*) FROM hybrid_search('memo', NULL, 'w77 | !w77', 6000,
    query_mode => 'tsquery');
RESET ROLE;

DROP FUNCTION scans(text, text);
DROP TABLE memo, question, by_filter;
DROP ROLE vsearch_regress_tenant;
