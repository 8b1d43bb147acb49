# vsearch_check on a standby reports nothing as wrong while the primary inserts,
# merges segments and gives their pages to others.
#
# Fails when the check takes pages that were replaced meanwhile for damaged ones, or
# misses rows in what it has not been able to read.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Test;

my $ROUNDS = 8;

my $primary = start_node('primary', streaming => 1);
$primary->safe_psql('postgres', <<~'SQL');
    CREATE TABLE t (id int, tsv tsvector);
    ALTER TABLE t SET (autovacuum_enabled = off);
    CREATE FUNCTION fill(n int) RETURNS void LANGUAGE sql AS $$
        INSERT INTO t
        SELECT i, CASE WHEN i % 20 > 0 THEN to_tsvector('simple', string_agg('w' || (hashint4(i * 50 + j) & 1023), ' ')) END
        FROM generate_series(1, n) i, generate_series(1, 30) j GROUP BY i
    $$;
    SELECT fill(2000);
    CREATE INDEX t_bm25 ON t USING bm25 (tsv);
    SQL
my $standby =
  start_standby($primary, conf => 'hot_standby_feedback = off');

# Each check in a transaction of its own, until it is told to stop.
my $script = $standby->basedir . '/check.sql';
append_to_file($script, <<~'SQL');
    DO $$
    DECLARE
        problems text;
    BEGIN
        SELECT string_agg(DISTINCT problem, '; ') INTO problems
        FROM (SELECT problem FROM vsearch_check('t_bm25', true)
              WHERE severity = 'error' LIMIT 5) s;
        IF problems IS NOT NULL THEN
            RAISE EXCEPTION 'found: %', problems;
        END IF;
    END $$;
    SQL
my ($stdout, $stderr) = ('', '');
my $checks = IPC::Run::start(
    [ 'pgbench', '-n', '-c', '2', '-T', '600', '-f', $script,
        '-h', $standby->host, '-p', $standby->port, 'postgres' ],
    '>', \$stdout, '2>', \$stderr);

$primary->safe_psql('postgres', <<~'SQL') for 1 .. $ROUNDS;
    SELECT fill(800);
    SELECT vsearch_merge('t_bm25');
    DELETE FROM t WHERE id % 9 = 0;
    VACUUM (INDEX_CLEANUP ON) t;
    SELECT fill(1500);
    SELECT vsearch_merge('t_bm25');
    SQL
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
$checks->signal('INT');
$checks->finish;

unlike($stderr, qr/ERROR/, 'checks beside changes find nothing');
index_is_clean($standby, 't_bm25', 'the index is clean in the end');
log_is_clean($standby);
done_testing();
