-- Tables and functions of the demonstration.
-- Variables: extension, dimensions.

CREATE EXTENSION :extension;

CREATE TABLE passage (
    id integer GENERATED ALWAYS AS IDENTITY,
    section text NOT NULL,
    title text NOT NULL,
    body text NOT NULL
);
COMMENT ON TABLE passage IS 'passages before they have vectors';

CREATE TABLE doc (
    id integer PRIMARY KEY,
    section text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    embedding vector(:dimensions) NOT NULL,
    words tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') ||
        to_tsvector('english', body)) STORED
);
COMMENT ON TABLE doc IS 'passages of the manual';
COMMENT ON COLUMN doc.section IS 'number of the section, or name of the page';
COMMENT ON COLUMN doc.title IS 'titles above the passage, outermost first';
COMMENT ON COLUMN doc.words IS
    'words of title and body, as text search stems them';

CREATE TABLE term (
    word text PRIMARY KEY,
    ndocs integer NOT NULL,
    embedding vector(:dimensions) NOT NULL
);
COMMENT ON TABLE term IS 'words of the manual, as text search stems them';
COMMENT ON COLUMN term.ndocs IS 'number of passages with the word';
COMMENT ON COLUMN term.embedding IS
    'what the word adds to the vector of a text';

CREATE FUNCTION embed(words text) RETURNS vector
LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
    SELECT l2_normalize(sum(embedding))
    FROM term
    WHERE word = ANY (tsvector_to_array(to_tsvector('english', words)))
$$;
COMMENT ON FUNCTION embed(text) IS
    'the vector of a text, of unit length; NULL if no word of it is known';

CREATE FUNCTION ask(question text, k integer DEFAULT 5)
RETURNS TABLE (score numeric, vector_rank bigint, text_rank bigint,
    section text, title text, body text)
LANGUAGE sql STABLE
AS $$
    SELECT round(found.score::numeric, 4), found.vector_rank, found.text_rank,
        doc.section, doc.title, doc.body
    FROM hybrid_search('doc', embed(question), question, k)
            WITH ORDINALITY AS found
        JOIN doc ON doc.id = found.key::integer
    ORDER BY found.ordinality
$$;
COMMENT ON FUNCTION ask(text, integer) IS
    'the k passages that answer a question best, by vectors and BM25 together';

CREATE FUNCTION ask_by_vector(question text, k integer DEFAULT 5)
RETURNS TABLE (distance numeric, section text, title text, body text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    wanted vector := embed(question);
BEGIN
    RETURN QUERY
        SELECT round((d.embedding <=> wanted)::numeric, 3),
            d.section, d.title, d.body
        FROM doc d
        WHERE wanted IS NOT NULL
        ORDER BY d.embedding <=> wanted
        LIMIT k;
END
$$;
COMMENT ON FUNCTION ask_by_vector(text, integer) IS
    'the k passages nearest to a question, nearest first';

CREATE FUNCTION ask_by_bm25(question text, k integer DEFAULT 5)
RETURNS TABLE (score numeric, section text, title text, body text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    wanted tsquery := anyto_tsquery('english', question);
BEGIN
    RETURN QUERY
        SELECT round(bm25_score(d.words, wanted)::numeric, 1),
            d.section, d.title, d.body
        FROM doc d
        WHERE d.words @@ wanted
        ORDER BY d.words <@> wanted
        LIMIT k;
END
$$;
COMMENT ON FUNCTION ask_by_bm25(text, integer) IS
    'the k passages with the highest BM25 score for the words of a question';

-- What demo/ask shows.
CREATE FUNCTION ask_each_way(question text, k integer DEFAULT 5)
RETURNS TABLE (way text, milliseconds numeric, note text,
    section text, title text, body text)
LANGUAGE plpgsql
AS $$
DECLARE
    call text;
    start timestamptz;
    fastest float8;
BEGIN
    FOR way, call IN VALUES
        ('vector', $q$ SELECT 'distance ' || distance, section, title, body
            FROM ask_by_vector($1, $2) $q$),
        ('bm25', $q$ SELECT 'score ' || score, section, title, body
            FROM ask_by_bm25($1, $2) $q$),
        ('both', $q$ SELECT concat_ws(', ', 'by vector no. ' || vector_rank,
                'by BM25 no. ' || text_rank), section, title, body
            FROM ask($1, $2) $q$)
    LOOP
        -- Of five times the best counts: the first one warms up.
        fastest := 'infinity';
        FOR i IN 1 .. 5 LOOP
            start := clock_timestamp();
            EXECUTE format('SELECT count(*) FROM (%s) answers', call)
                USING question, k;
            fastest := least(fastest,
                extract(epoch FROM clock_timestamp() - start));
        END LOOP;
        milliseconds := round(1000 * fastest::numeric, 2);

        FOR note, section, title, body IN EXECUTE call USING question, k LOOP
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ask_each_way(text, integer) IS
    'answers by vector, by BM25 and by both, with the time that each takes';
