-- CREATE INDEX USING bm25: every row is there, with every lexeme, its labels and
-- the length of its document, whatever maintenance_work_mem and however many
-- participants, and queries find the rows that a scan of the table finds.
--
-- Breaks if a run loses a row or a posting, if documents are numbered wrongly when
-- runs become one segment, or if lexemes of many lengths do not fit somewhere.

-- What vsearch_check finds, every row of the table looked for.
CREATE FUNCTION errors_of(index regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM vsearch_check(index, true)
$$;

-- Words are of all frequencies and of 1 to 34 bytes; labels, stripped lexemes,
-- empty documents, NULLs.
CREATE TABLE built (id int PRIMARY KEY, words text, t tsvector);
CREATE FUNCTION words(id int, n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(string_agg(
        CASE WHEN j % 3 = 0 THEN md5(id::text || '.' || j) || '.' || j % 7
            ELSE left(md5((id * 7919 % 104729 % (j * j + 1))::text), j % 9 + 1)
        END, ' '), '')
    FROM generate_series(1, n) j
$$;
INSERT INTO built SELECT i, words(i, i % 50) FROM generate_series(1, 10000) i;
UPDATE built SET t = CASE
    WHEN id % 97 = 0 THEN NULL
    WHEN id % 11 = 0 THEN strip(to_tsvector('simple', words))
    WHEN id % 5 = 0 THEN setweight(to_tsvector('simple', words), 'A') ||
        to_tsvector('simple', words(id + 1, 5))
    ELSE to_tsvector('simple', words) END;
VACUUM built;

-- How many rows a query matches, if by the index and by the table alike.
CREATE FUNCTION compare(query tsquery) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    by_index int[];
    by_table int[];
BEGIN
    SET LOCAL enable_seqscan = off;
    SELECT array_agg(id ORDER BY id) INTO by_index FROM built WHERE t @@ query;
    SET LOCAL enable_seqscan = on;
    SET LOCAL enable_bitmapscan = off;
    SET LOCAL enable_indexscan = off;
    SELECT array_agg(id ORDER BY id) INTO by_table FROM built WHERE t @@ query;
    SET LOCAL enable_bitmapscan = on;
    SET LOCAL enable_indexscan = on;
    RETURN CASE WHEN by_index IS DISTINCT FROM by_table THEN 'differs'
        ELSE coalesce(cardinality(by_table), 0)::text END;
END
$$;

-- Build in one way: errors, and rows of some queries.
CREATE FUNCTION build(memory text, nworkers int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM set_config('maintenance_work_mem', memory, true),
        set_config('max_parallel_maintenance_workers', nworkers::text, true);
    EXECUTE format('ALTER TABLE built SET (parallel_workers = %s)', nworkers);
    CREATE INDEX built_t ON built USING bm25 (t);
    SELECT concat_ws(' ', errors_of('built_t'), compare('c4'), compare('e & a'),
        compare('c:*A'), compare('6f & !a')) INTO result;
    DROP INDEX built_t;
    RETURN result;
END
$$;
SELECT memory, nworkers, build(memory, nworkers)
FROM unnest(ARRAY['1MB', '2MB', '64MB', '1GB']) memory, unnest(ARRAY[0, 1, 3]) nworkers;

-- Rows that come and go around a build.
CREATE INDEX built_t ON built USING bm25 (t);
DELETE FROM built WHERE id % 10 = 0;
UPDATE built SET t = t || 'changed'::tsvector WHERE id % 10 = 1;
SELECT errors_of('built_t');
REINDEX INDEX built_t;
SELECT errors_of('built_t'), compare('changed');
REINDEX INDEX CONCURRENTLY built_t;
SELECT errors_of('built_t'), compare('changed');
DROP INDEX built_t;
CREATE INDEX CONCURRENTLY built_t ON built USING bm25 (t);
SELECT errors_of('built_t'), compare('changed');
DROP INDEX built_t;

-- Expressions and predicates, without and with workers.
CREATE INDEX built_words ON built USING bm25 (to_tsvector('english', words))
    WHERE id % 3 > 0;
SELECT errors_of('built_words');
SET max_parallel_maintenance_workers = 2;
ALTER TABLE built SET (parallel_workers = 2);
REINDEX INDEX built_words;
SELECT errors_of('built_words');
RESET max_parallel_maintenance_workers;
DROP TABLE built;

-- Nothing, NULLs alone, empty documents alone.
CREATE TABLE little (t tsvector);
CREATE INDEX little_t ON little USING bm25 (t);
SELECT errors_of('little_t');
INSERT INTO little SELECT NULL FROM generate_series(1, 300);
REINDEX INDEX little_t;
SELECT errors_of('little_t');
TRUNCATE little;
INSERT INTO little SELECT '' FROM generate_series(1, 300);
REINDEX INDEX little_t;
SELECT errors_of('little_t');
DROP TABLE little;

-- Lexemes of all lengths up to the longest, and documents of about 1 MB; these
-- take more than the memory there is, one by one.
CREATE TABLE long (t tsvector);
INSERT INTO long
    SELECT string_agg(left(repeat(i::text || '.', 2046), n), ' ')::tsvector
    FROM generate_series(1, 2046) n, generate_series(1, 2) i
    GROUP BY n % 13;
INSERT INTO long
    SELECT string_agg(i || 'w' || to_hex(j), ' ')::tsvector
    FROM generate_series(1, 3) i, generate_series(1, 80000) j GROUP BY i;
INSERT INTO long
    SELECT ('x:' || string_agg(p || substr('ABCD', p % 4 + 1, 1), ','))::tsvector
    FROM generate_series(1, 255) p;
SET maintenance_work_mem = '1MB';
CREATE INDEX long_t ON long USING bm25 (t);
SELECT errors_of('long_t');
RESET maintenance_work_mem;
REINDEX INDEX long_t;
SELECT errors_of('long_t');
DROP TABLE long;

-- A tsvector that is received in binary form may have a lexeme twice.
CREATE TABLE received (t tsvector);
CREATE INDEX received_t ON received USING bm25 (t);
COPY received FROM PROGRAM
    $$printf 'PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\024\000\000\000\003a\000\000\001\000\001a\000\000\001\000\002b\000\000\000\377\377'$$
    (FORMAT binary);
INSERT INTO received VALUES ('b:1 c:2');
SELECT t, length(t) FROM received WHERE t @@ 'a';
SELECT round(bm25_score(t, 'a | b')::numeric, 6) AS score FROM received
    ORDER BY t <@> 'a | b' LIMIT 2;
SELECT errors_of('received_t');
SELECT vsearch_merge('received_t');
SELECT errors_of('received_t');
REINDEX INDEX received_t;
SELECT errors_of('received_t');
SELECT round(bm25_score(t, 'a | b')::numeric, 6) AS score FROM received
    ORDER BY t <@> 'a | b' LIMIT 2;
SELECT name, value FROM vsearch_index_stats('received_t')
    WHERE name IN ('documents', 'lexemes', 'postings', 'average_length');
DROP TABLE received;

-- A table of the same transaction, a temporary and an unlogged one.
BEGIN;
CREATE TABLE made (t tsvector);
INSERT INTO made SELECT 'a b c' FROM generate_series(1, 1000);
UPDATE made SET t = 'a b d';
CREATE INDEX made_t ON made USING bm25 (t);
COMMIT;
SELECT errors_of('made_t');
DROP TABLE made;
CREATE TEMP TABLE temporary (t tsvector);
INSERT INTO temporary SELECT 'a b c' FROM generate_series(1, 1000);
CREATE INDEX temporary_t ON temporary USING bm25 (t);
SELECT errors_of('temporary_t');
CREATE UNLOGGED TABLE unlogged (t tsvector);
INSERT INTO unlogged SELECT 'a b c' FROM generate_series(1, 1000);
CREATE INDEX unlogged_t ON unlogged USING bm25 (t);
SELECT errors_of('unlogged_t'),
    pg_relation_size('unlogged_t', 'init') = current_setting('block_size')::int
        AS empty;
DROP TABLE unlogged;

-- One key column, no unique index, no order, no INCLUDE, a tsvector.
CREATE TABLE refused (id int, t tsvector);
CREATE INDEX ON refused USING bm25 (t, t);
CREATE UNIQUE INDEX ON refused USING bm25 (t);
CREATE INDEX ON refused USING bm25 (t DESC);
CREATE INDEX ON refused USING bm25 (t) INCLUDE (id);
CREATE INDEX ON refused USING bm25 (id);
DROP TABLE refused;

DROP FUNCTION build, compare, words, errors_of;
