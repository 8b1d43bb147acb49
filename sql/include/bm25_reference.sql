-- BM25 as src/bm25/README.md, "Scores", defines it, in SQL.
--
-- A query is a tree: {"op": "leaf", "lexeme": l, "prefix": boolean, "labels": "AB"},
-- {"op": "!", "l": tree}, {"op": "&", "|" or "<N>", "l": tree, "r": tree}.  Whether
-- a tree matches is for PostgreSQL's @@ to say.

CREATE TEMP TABLE bm25_totals (ndocs float8, average_len float8, k1 float8, b float8,
    weights jsonb);
CREATE TEMP TABLE bm25_dfs (lexeme text COLLATE "C" PRIMARY KEY, df float8);

-- Collect the statistics of a query that returns tsvectors.
CREATE FUNCTION pg_temp.bm25_collect(docs text, k1 float8 DEFAULT 1.2, b float8 DEFAULT 0.75,
    weights jsonb DEFAULT '{"A": 1, "B": 1, "C": 1, "D": 1}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE bm25_totals, bm25_dfs;
    EXECUTE format('CREATE TEMP TABLE bm25_docs ON COMMIT DROP AS
        SELECT row_number() OVER () AS id, tsv FROM (%s) AS d (tsv) WHERE tsv IS NOT NULL', docs);
    INSERT INTO bm25_dfs SELECT lexeme, count(*) FROM bm25_docs, unnest(tsv) GROUP BY 1;
    INSERT INTO bm25_totals
    SELECT count(*), coalesce(nullif(avg(len), 0), 1), bm25_collect.k1, bm25_collect.b,
        bm25_collect.weights
    FROM bm25_docs, LATERAL (
        SELECT coalesce(sum(greatest(cardinality(positions), 1)), 0) AS len FROM unnest(tsv)
    ) l;
    DROP TABLE bm25_docs;
END
$$;

CREATE FUNCTION pg_temp.bm25_text(tree jsonb) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE tree->>'op'
        WHEN 'leaf' THEN quote_literal(tree->>'lexeme')
            || CASE WHEN (tree->>'prefix')::bool OR tree->>'labels' <> '' THEN ':' ELSE '' END
            || CASE WHEN (tree->>'prefix')::bool THEN '*' ELSE '' END || (tree->>'labels')
        WHEN '!' THEN '!(' || pg_temp.bm25_text(tree->'l') || ')'
        ELSE format('(%s) %s (%s)', pg_temp.bm25_text(tree->'l'), tree->>'op',
            pg_temp.bm25_text(tree->'r'))
    END;
END
$$;

CREATE FUNCTION pg_temp.bm25_leaf(tree jsonb, doc tsvector) RETURNS float8
LANGUAGE sql AS $$
    WITH terms AS MATERIALIZED (
        SELECT sum(CASE WHEN positions IS NULL THEN (t.weights->>'D')::float8 ELSE (
                SELECT coalesce(sum((t.weights->>w)::float8), 0) FROM unnest(u.weights) w
                WHERE tree->>'labels' IN ('', w) OR position(w IN tree->>'labels') > 0
            ) END) AS tf
        FROM unnest(doc) u, bm25_totals t
        WHERE CASE WHEN (tree->>'prefix')::bool THEN starts_with(lexeme, tree->>'lexeme')
            ELSE lexeme = tree->>'lexeme' END
    ), counts AS MATERIALIZED (
        SELECT least(sum(df), max(ndocs)) AS df FROM bm25_dfs, bm25_totals
        WHERE CASE WHEN (tree->>'prefix')::bool THEN starts_with(lexeme, tree->>'lexeme')
            ELSE lexeme = tree->>'lexeme' END
    ), lens AS MATERIALIZED (
        SELECT sum(greatest(cardinality(positions), 1)) AS len FROM unnest(doc)
    )
    SELECT CASE WHEN tf > 0 THEN ln(1 + (ndocs - df + 0.5) / (df + 0.5)) * tf * (k1 + 1)
        / (tf + k1 * (1 - b + b * len / average_len)) ELSE 0 END
    FROM terms, counts, lens, bm25_totals
$$;

-- Whether a document has what a part of a phrase needs, wherever that is.
CREATE FUNCTION pg_temp.bm25_is_present(tree jsonb, doc tsvector) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE tree->>'op'
        WHEN '!' THEN true
        WHEN 'leaf' THEN doc @@ pg_temp.bm25_text(tree)::tsquery
        WHEN '|' THEN pg_temp.bm25_is_present(tree->'l', doc)
            OR pg_temp.bm25_is_present(tree->'r', doc)
        ELSE pg_temp.bm25_is_present(tree->'l', doc)
            AND pg_temp.bm25_is_present(tree->'r', doc)
    END;
END
$$;

CREATE FUNCTION pg_temp.bm25_reference(tree jsonb, doc tsvector, in_phrase boolean DEFAULT false)
RETURNS float8
LANGUAGE plpgsql AS $$
BEGIN
    IF tree->>'op' = '!' THEN
        RETURN 0;
    ELSIF NOT (CASE WHEN in_phrase THEN pg_temp.bm25_is_present(tree, doc)
            ELSE doc @@ pg_temp.bm25_text(tree)::tsquery END) THEN
        RETURN 0;
    ELSIF tree->>'op' = 'leaf' THEN
        RETURN pg_temp.bm25_leaf(tree, doc);
    END IF;
    in_phrase := in_phrase OR tree->>'op' LIKE '<%';
    RETURN pg_temp.bm25_reference(tree->'l', doc, in_phrase)
        + pg_temp.bm25_reference(tree->'r', doc, in_phrase);
END
$$;

-- A tree, at random, of lexemes of this array.
CREATE FUNCTION pg_temp.bm25_random_tree(lexemes text[], depth int DEFAULT 3) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    op text := (ARRAY['leaf', 'leaf', '!', '&', '&', '|', '|', '<->', '<2>', '<0>'])[1 + floor(random() * 10)];
BEGIN
    IF depth = 0 OR op = 'leaf' THEN
        RETURN jsonb_build_object('op', 'leaf',
            'lexeme', lexemes[1 + floor(random() * cardinality(lexemes))],
            'prefix', random() < 0.2,
            'labels', (ARRAY['', '', '', 'A', 'BC', 'D', 'ABCD'])[1 + floor(random() * 7)]);
    ELSIF op = '!' THEN
        RETURN jsonb_build_object('op', op, 'l', pg_temp.bm25_random_tree(lexemes, depth - 1));
    END IF;
    RETURN jsonb_build_object('op', op, 'l', pg_temp.bm25_random_tree(lexemes, depth - 1),
        'r', pg_temp.bm25_random_tree(lexemes, depth - 1));
END
$$;

-- A document, at random: some lexemes without positions, some documents without any.
CREATE FUNCTION pg_temp.bm25_random_doc(lexemes text[], nlexemes int DEFAULT 5) RETURNS tsvector
LANGUAGE plpgsql AS $$
DECLARE
    stripped float8 := (ARRAY[0, 0, 0.2, 1])[1 + floor(random() * 4)];
    doc text := '';
BEGIN
    FOR i IN 1 .. floor(random() * (nlexemes + 1)) LOOP
        doc := doc || ' ' || lexemes[1 + floor(random() * cardinality(lexemes))];
        CONTINUE WHEN random() < stripped;
        doc := doc || ':' || (
            SELECT string_agg(1 + floor(random() * 6) || (ARRAY['A', 'B', 'C', '', ''])[1 + floor(random() * 5)], ',')
            FROM generate_series(1, 1 + floor(random() * 3)::int));
    END LOOP;
    RETURN doc::tsvector;
END
$$;
