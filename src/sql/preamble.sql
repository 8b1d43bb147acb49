\echo Use "CREATE EXTENSION vsearch" to load this file. \quit

-- pgvector's types, operators and access methods have the names that ours
-- have: a database can hold one of the two.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_extension
        WHERE extname OPERATOR(pg_catalog.=) 'vector'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_object',
            MESSAGE = 'vsearch cannot be created in a database that holds '
                'pgvector',
            DETAIL = 'Extension "vector" (pgvector) owns types, operators and '
                'access methods of the same names.',
            HINT = 'To move, dump the database with pg_dump, write "vsearch" '
                'instead of "vector" in the dump''s CREATE EXTENSION and '
                'COMMENT ON EXTENSION, and restore it into a new database.';
    END IF;
END
$$;
