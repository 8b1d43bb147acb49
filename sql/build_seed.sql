-- vsearch.build_seed: a seed makes an index again as it was.
--
-- Breaks if anything random in a build is drawn elsewhere, or if an ivfflat index
-- depends on who did which part of the work.

CREATE TABLE seeded (id int, v vector(40));
INSERT INTO seeded
    SELECT i, (SELECT array_agg(sin(i * 0.37 + j * 1.7 + i * j * 0.013))
               FROM generate_series(1, 40) j)::vector
    FROM generate_series(1, 1500) i;

-- What an index answers to some queries with its fewest candidates, which tells
-- what its graph or its lists are like.
CREATE FUNCTION answers(method text, seed int, nworkers int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    PERFORM set_config('vsearch.build_seed', seed::text, true),
        set_config('max_parallel_maintenance_workers', nworkers::text, true),
        set_config('client_min_messages', 'warning', true);
    EXECUTE format('ALTER TABLE seeded SET (parallel_workers = %s)', nworkers);
    EXECUTE format('CREATE INDEX seeded_idx ON seeded USING %s (v vector_l2_ops)',
                   method);
    SELECT string_agg(s.ids, ';' ORDER BY q.id) INTO found
    FROM seeded q CROSS JOIN LATERAL (
        SELECT string_agg(n.id::text, ',') AS ids FROM (
            SELECT id FROM seeded ORDER BY v <-> q.v LIMIT 200) n) s
    WHERE q.id % 100 = 0;
    DROP INDEX seeded_idx;
    RETURN found;
END
$$;
SET enable_seqscan = off;
SET hnsw.ef_search = 1;
SET hnsw.iterative_scan = off;
SET ivfflat.iterative_scan = off;

SELECT method,
    answers(method, 1, 0) = answers(method, 1, 0) AS same,
    answers(method, 1, 0) = answers(method, 2, 0) AS another_seed,
    answers(method, 0, 0) = answers(method, 0, 0) AS no_seed
FROM unnest(ARRAY['hnsw', 'ivfflat']) method;

-- Lists are the same however many participants there are; a graph depends on
-- who links a row first.
SELECT answers('ivfflat', 1, 2) = answers('ivfflat', 1, 0) AS same;

SET vsearch.build_seed = -1;
DROP TABLE seeded;
DROP FUNCTION answers(text, int, int);
