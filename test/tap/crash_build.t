# The server is killed while an index is built: nothing of it is left, other
# indexes are as they were, the build can be repeated.  The server is killed
# right after an index was built: it is there, byte for byte as good.
#
# Fails when a build leaves something behind, or when a committed build was
# neither logged nor synced, with wal_level = minimal too.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VSearch::Crash;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;
use VSearch::Workload;

my $node = start_node('crash_build');

sub load_for
{
    my ($am) = @_;

    return load_rows(
        $node, $am,
        seed    => 13,
        dim     => 128,
        tables  => [ t => ranks_documents($am) ? 40_000 : 10_000, q => 1000 ],
        queries => 'q');
}

foreach my $am (access_methods())
{
    load_for($am);
    my %search =
      (table => 't', queries => 'q', metric => 'l2', am => $am);
    my $column = 'v ' . opclass('l2', $am);
    my $begin = time();
    my $index = create_index($node, %search);
    my $duration = time() - $begin;
    note sprintf '%s: CREATE INDEX takes %.2f s', $am, $duration;

    # Nothing but the log has it all yet.
    exact_answers($node, %search);
    my $before = recall($node, %search);
    my $answers = answers($node, %search);
    crash_and_restart($node);
    index_is_clean($node, $index, "$am: clean, killed after the build");
    is(recall($node, %search), $before, "$am: recall as before");
    ok(answers($node, %search) eq $answers, "$am: same rows as before");

    # In the middle of three kinds of build.
    my $nindexes = "SELECT count(*) FROM pg_index"
      . " WHERE indrelid = 't'::regclass AND indisvalid";
    my $nvalid = $node->safe_psql('postgres', $nindexes);
    my $current_file = "SELECT pg_relation_filenode('$index')";
    my $file = $node->safe_psql('postgres', $current_file);

    foreach my $case (
        [ "CREATE INDEX half_done ON t USING $am ($column)", 0.3 ],
        [ "CREATE INDEX half_done ON t USING $am ($column)", 0.8 ],
        [ "REINDEX INDEX $index", 0.6 ],
        [ "REINDEX INDEX CONCURRENTLY $index", 0.5 ])
    {
        my ($statement, $fraction) = @$case;
        my $delay = $fraction * $duration;
        my $hit = 0;

        for (my $try = 0; $try < 10 && !$hit; $try++)
        {
            $hit = crash_during($node, start_sql($node, $statement), $delay);
            $delay *= 0.7;
            $node->safe_psql('postgres', 'DROP INDEX IF EXISTS half_done');
        }
        ok($hit, "$am: killed during $statement");
        is($node->safe_psql('postgres', $nindexes),
            $nvalid, "$am: as many valid indexes as before");
        index_is_clean($node, $index, "$am: the index that was there");

        # A REINDEX that was faster than the kill has made another graph.
        my $recall = recall($node, %search);
        my $file_now = $node->safe_psql('postgres', $current_file);
        if ($file_now eq $file)
        {
            is($recall, $before, "$am: its recall as before");
        }
        else
        {
            cmp_ok($recall, '>=', $before - 0.005,
                "$am: its recall $recall when rebuilt, before $before");
            ($file, $before) = ($file_now, $recall);
        }
    }

    # What REINDEX CONCURRENTLY left can be dropped, as PostgreSQL's manual
    # says; the invalid index also takes inserts until then.
    $node->safe_psql('postgres',
        'INSERT INTO t (label, v) SELECT label, v FROM t WHERE id <= 50');
    $node->safe_psql('postgres', <<~'SQL');
        DO $$
        DECLARE
            leftover regclass;
        BEGIN
            FOR leftover IN
                SELECT indexrelid FROM pg_index
                WHERE indrelid = 't'::regclass AND NOT indisvalid
            LOOP
                EXECUTE 'DROP INDEX ' || leftover;
            END LOOP;
        END
        $$;
        SQL
    $node->safe_psql('postgres', "REINDEX INDEX CONCURRENTLY $index");
    index_is_clean($node, $index, "$am: clean when rebuilt");
    exact_answers($node, %search);
    my $rebuilt = recall($node, %search);
    cmp_ok($rebuilt, '>=', $before - 0.005,
        "$am: recall $rebuilt when rebuilt, before $before");
    $node->safe_psql('postgres', "DROP INDEX $index");
}

# With wal_level = minimal a relation made in the same transaction is not
# logged but synced at commit, whoever wrote its pages.
$node->append_conf('postgresql.conf', <<~'CONF');
    wal_level = minimal
    max_wal_senders = 0
    wal_skip_threshold = 0
    min_parallel_table_scan_size = 0
    CONF
$node->restart;

foreach my $am (access_methods())
{
    load_for($am);
    my %search =
      (table => 'one_transaction', queries => 'q', metric => 'l2', am => $am);
    my $column = 'v ' . opclass('l2', $am);
    my $index = index_name(%search);

    $node->safe_psql('postgres', <<~"SQL");
        BEGIN;
        CREATE TABLE one_transaction (LIKE t INCLUDING ALL);
        INSERT INTO one_transaction SELECT * FROM t WHERE id <= 3000;
        CREATE INDEX $index ON one_transaction USING $am ($column);
        INSERT INTO one_transaction SELECT * FROM t
        WHERE id BETWEEN 3001 AND 3100;
        COMMIT;
        SQL
    exact_answers($node, %search);
    my $answers = answers($node, %search);
    crash_and_restart($node);
    index_is_clean($node, $index, "$am: clean with wal_level = minimal");
    ok(answers($node, %search) eq $answers,
        "$am: same rows with wal_level = minimal");
    $node->safe_psql('postgres', 'DROP TABLE one_transaction');
}

log_is_clean($node);
$node->stop;
done_testing();
