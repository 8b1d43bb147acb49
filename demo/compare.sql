-- Compare the index with an exact scan: the 10 passages nearest to each of 100
-- section titles.  Result: number of titles, median milliseconds of the exact
-- scan and with the index, answers that the index found, answers in all.

CREATE TEMPORARY TABLE question AS
SELECT row_number() OVER () AS id, embed(title) AS embedding
FROM (
    SELECT DISTINCT regexp_replace(title, '^.* > ', '') AS title
    FROM doc
) titles
WHERE title ~ '\w+ \w+ \w+'
    AND embed(title) IS NOT NULL
ORDER BY md5(title)
LIMIT 100;

-- Ask all questions one by one; settings decide how they are answered.
CREATE FUNCTION pg_temp.ask_all()
RETURNS TABLE (question_id bigint, milliseconds float8, distances float8[])
LANGUAGE plpgsql
AS $$
DECLARE
    start timestamptz;
    wanted vector;
BEGIN
    FOR question_id, wanted IN SELECT id, embedding FROM question LOOP
        start := clock_timestamp();
        distances := ARRAY(
            SELECT embedding <=> wanted FROM doc
            ORDER BY embedding <=> wanted
            LIMIT 10);
        milliseconds :=
            extract(epoch FROM clock_timestamp() - start) * 1000;
        RETURN NEXT;
    END LOOP;
END
$$;

-- The first run of each kind only warms up.
SET enable_indexscan = off;
SELECT FROM pg_temp.ask_all() LIMIT 0;
CREATE TEMPORARY TABLE exact AS SELECT * FROM pg_temp.ask_all();
RESET enable_indexscan;
DISCARD PLANS;
SET enable_seqscan = off;
SELECT FROM pg_temp.ask_all() LIMIT 0;
CREATE TEMPORARY TABLE indexed AS SELECT * FROM pg_temp.ask_all();
RESET enable_seqscan;

-- An answer is found if it is no farther than the farthest exact one.
SELECT count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY e.milliseconds),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY i.milliseconds),
    sum((SELECT count(*) FROM unnest(i.distances) d
         WHERE d <= e.distances[cardinality(e.distances)])),
    sum(cardinality(e.distances))
FROM exact e JOIN indexed i USING (question_id);
