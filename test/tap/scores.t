# Scores by a bm25 index, of its scans and of its function, are those of BM25
# written in SQL over the same rows: when built, after inserts, updates and
# deletes, after vacuum and merges, and after crashes; and the first rows of a
# scan are the best there are.
#
# Fails when a posting is lost, doubled or belongs to another document, when
# counts of documents, lengths or lexemes drift from what the index holds, or
# when a bound skips a row that belongs to the top.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Crash;
use VSearch::Test;
use VSearch::Workload;

my $node = start_node('scores', conf => <<~'CONF');
    jit = off
    max_wal_size = 64MB
    CONF

# Words as frequent as in language: the i-th about 1/i times.  "counted" holds
# what the index counts: every version of a row since deleted ones were last
# merged away.
$node->safe_psql('postgres', <<~'SQL');
    CREATE FUNCTION words(n int) RETURNS text LANGUAGE sql VOLATILE AS
        $$SELECT string_agg('w' || floor(exp(random() * ln(3000)))::int, ' ')
          FROM generate_series(1, n)$$;
    CREATE TABLE doc (id serial PRIMARY KEY, tsv tsvector);
    CREATE TABLE counted (tsv tsvector);
    CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO counted VALUES (NEW.tsv); RETURN NULL; END$$;
    CREATE TRIGGER count_version AFTER INSERT OR UPDATE OF tsv ON doc
        FOR EACH ROW EXECUTE FUNCTION count_version();

    CREATE FUNCTION add(n int) RETURNS void LANGUAGE sql AS
        $$INSERT INTO doc (tsv)
          SELECT CASE WHEN i % 50 = 0 THEN NULL WHEN i % 51 = 0 THEN ''
              ELSE to_tsvector('simple', words(1 + (i * 37) % 60)) END
          FROM generate_series(1, n) i$$;
    CREATE FUNCTION change(n int) RETURNS void LANGUAGE sql AS
        $$UPDATE doc SET tsv = to_tsvector('simple', words(20 + id % 7))
          WHERE id IN (SELECT id FROM doc ORDER BY random() LIMIT n)$$;
    CREATE FUNCTION take(n int) RETURNS void LANGUAGE sql AS
        $$DELETE FROM doc
          WHERE id IN (SELECT id FROM doc ORDER BY random() LIMIT n)$$;

    CREATE TABLE query (id serial, q tsquery, leaves text[]);
    SELECT setseed(.5);
    INSERT INTO query (q, leaves)
    SELECT CASE kind
            WHEN 0 THEN format('%s & %s', w[1], w[2])
            WHEN 1 THEN format('%s <-> %s', w[1], w[2])
            WHEN 2 THEN format('%s & (%s | %s)', w[1], w[2], w[3])
            WHEN 3 THEN format('(%s | %s) & !%s', w[1], w[2], w[3])
            ELSE array_to_string(w[1:kind - 2], ' | ') END::tsquery,
        CASE WHEN kind < 2 OR kind = 3 THEN w[1:2] WHEN kind = 2 THEN w[1:3]
            ELSE w[1:kind - 2] END
    FROM (SELECT i % 9 AS kind, ARRAY(
            SELECT DISTINCT 'w' || floor(exp(random() * ln(1000)))::int
            FROM generate_series(1, 12 + 0 * i)) AS w
        FROM generate_series(1, 90) i) made
    WHERE cardinality(w) >= 6;

    -- BM25, from its definition: what the counted rows say of a term, and the
    -- terms of the rows that there are.
    CREATE TABLE weight (lexeme text PRIMARY KEY, idf float8);
    CREATE TABLE term (id int, lexeme text, tf float8, len float8);
    CREATE INDEX ON term (lexeme);
    CREATE TABLE total (n float8, average_len float8);
    CREATE FUNCTION prepare_reference() RETURNS void LANGUAGE sql AS $$
        TRUNCATE weight, term, total;
        INSERT INTO term SELECT id, lexeme, cardinality(positions),
                sum(cardinality(positions)) OVER (PARTITION BY id)
            FROM doc, unnest(tsv);
        INSERT INTO total SELECT
            (SELECT count(*) FROM counted WHERE tsv IS NOT NULL),
            (SELECT sum(nentry) FROM ts_stat('SELECT tsv FROM counted'))::float8
                / (SELECT count(*) FROM counted WHERE tsv IS NOT NULL);
        INSERT INTO weight SELECT word, ln(1 + (n - ndoc + .5) / (ndoc + .5))
            FROM ts_stat('SELECT tsv FROM counted'), total;
        ANALYZE weight;
        ANALYZE term $$;
    CREATE FUNCTION reference(query tsquery, leaves text[],
        OUT id int, OUT score float8) RETURNS SETOF record LANGUAGE sql AS $$
        SELECT doc.id, CASE WHEN tsv IS NULL THEN NULL
            WHEN tsv @@ query THEN coalesce(sum, 0) ELSE 0 END
        FROM doc LEFT JOIN (
            SELECT term.id, sum(idf * tf * 2.2
                / (tf + 1.2 * (1 - .75 + .75 * len / average_len)))
            FROM term JOIN weight USING (lexeme), total
            WHERE lexeme = ANY (leaves)
            GROUP BY term.id) matching USING (id) $$;

    -- The function's and the scan's scores against the reference's.
    CREATE FUNCTION compare(OUT nscores bigint, OUT nwrong bigint,
        OUT nlists bigint, OUT nwrong_lists bigint)
    LANGUAGE plpgsql AS $$
    DECLARE
        asked query;
        scores bigint;
        wrong bigint;
        best float8[];
        found float8[];
    BEGIN
        PERFORM prepare_reference();
        nscores := 0; nwrong := 0; nlists := 0; nwrong_lists := 0;
        FOR asked IN SELECT * FROM query LOOP
            CREATE TEMP TABLE truth ON COMMIT DROP AS
                SELECT * FROM reference(asked.q, asked.leaves);
            PERFORM set_config('enable_indexscan', 'off', true);
            SELECT count(*), count(*) FILTER (WHERE
                    (truth.score IS NULL) <> (mine.score IS NULL)
                    OR abs(truth.score - mine.score) > 1e-6)
                INTO scores, wrong
                FROM truth
                FULL JOIN (SELECT id, bm25_score(tsv, asked.q) AS score FROM doc) mine
                    USING (id);
            nscores := nscores + scores;
            nwrong := nwrong + wrong;
            PERFORM set_config('enable_indexscan', 'on', true);
            PERFORM set_config('enable_seqscan', 'off', true);
            SELECT array_agg(score) INTO best FROM
                (SELECT score FROM truth ORDER BY score DESC NULLS LAST LIMIT 200) s;
            -- The rows of the scan, by what the reference says of them.
            SELECT array_agg(score) INTO found FROM
                (SELECT (SELECT score FROM truth WHERE truth.id = doc.id)
                 FROM doc ORDER BY tsv <@> asked.q LIMIT 200) s (score);
            nlists := nlists + 1;
            IF cardinality(best) IS DISTINCT FROM cardinality(found) OR EXISTS (
                SELECT FROM unnest(best, found) AS pair (a, b)
                WHERE abs(a - b) > 1e-6 OR (a IS NULL) <> (b IS NULL)) THEN
                nwrong_lists := nwrong_lists + 1;
            END IF;
            DROP TABLE truth;
        END LOOP;
    END $$;

    SELECT add(3000);
    CREATE INDEX doc_bm25 ON doc USING bm25 (tsv);
    SQL

# Ask for the index's scan, or the lists would prove nothing.
like($node->safe_psql('postgres', <<~'SQL'), qr/Index Scan using doc_bm25/,
        SET enable_seqscan = off;
        EXPLAIN SELECT id FROM doc ORDER BY tsv <@> 'w1 | w5'::tsquery LIMIT 200
        SQL
    'the index is scanned');

sub scores_are_right
{
    my ($stage) = @_;
    my ($nscores, $nwrong, $nlists, $nwrong_lists) = split /\|/,
      $node->safe_psql('postgres', 'SELECT * FROM compare()');

    cmp_ok($nscores, '>', 100_000, "$stage: $nscores scores");
    is($nwrong, 0, "$stage: scores of the function");
    cmp_ok($nlists, '>=', 60, "$stage: $nlists lists");
    is($nwrong_lists, 0, "$stage: first 200 rows of the scan");
    index_is_clean($node, 'doc_bm25', "$stage: clean");
    return;
}

# What the index counts is what the table holds.
sub merge
{
    $node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) doc');
    $node->safe_psql('postgres', <<~'SQL');
        SELECT vsearch_merge('doc_bm25');
        TRUNCATE counted;
        INSERT INTO counted SELECT tsv FROM doc;
        SQL
    return;
}

sub segments
{
    return $node->safe_psql('postgres', <<~'SQL');
        SELECT value FROM vsearch_index_stats('doc_bm25')
        WHERE name = 'segments'
        SQL
}

scores_are_right('built');

$node->safe_psql('postgres', 'SELECT setseed(.25), add(300)');
scores_are_right('some rows in the write buffer');

$node->safe_psql('postgres',
    'SELECT setseed(.75), add(2500), change(700), take(600)');
cmp_ok(segments(), '>', 1, 'buffers became segments');
scores_are_right('dead rows are counted');

merge();
is(segments(), 1, 'one segment after a merge');
scores_are_right('merged');

$node->safe_psql('postgres', <<~'SQL');
    SELECT setseed(.1), add(400), change(300);
    REINDEX INDEX CONCURRENTLY doc_bm25;
    SQL
$node->safe_psql('postgres',
    'TRUNCATE counted; INSERT INTO counted SELECT tsv FROM doc');
merge();
scores_are_right('rebuilt under the same name');

foreach my $round (1 .. 2)
{
    my $nrows = $node->safe_psql('postgres', 'SELECT max(id) FROM doc');
    my $load = start_sql($node,
        ('SELECT add(40), change(20), take(25)') x 2000);

    $node->poll_query_until('postgres',
        "SELECT max(id) > $nrows + 2000 FROM doc")
      or die 'no progress';
    ok(crash_during($node, $load, 0), "round $round: killed while writing");
    index_is_clean($node, 'doc_bm25', "round $round: clean after the crash");
    merge();
    scores_are_right("round $round, after a crash");
}

log_is_clean($node);
$node->stop;
done_testing();
