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
    embedding vector(:dimensions) NOT NULL
);
COMMENT ON TABLE doc IS 'passages of the manual';
COMMENT ON COLUMN doc.section IS 'number of the section, or name of the page';
COMMENT ON COLUMN doc.title IS 'titles above the passage, outermost first';

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
RETURNS TABLE (distance numeric, section text, title text, body text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    wanted vector := embed(question);
BEGIN
    IF wanted IS NULL THEN
        RAISE 'the manual has none of these words';
    END IF;
    RETURN QUERY
        SELECT round((d.embedding <=> wanted)::numeric, 3),
            d.section, d.title, d.body
        FROM doc d
        ORDER BY d.embedding <=> wanted
        LIMIT k;
END
$$;
COMMENT ON FUNCTION ask(text, integer) IS
    'the k passages nearest to a question, nearest first';
