# A standby answers as its primary does, and without an error while the primary
# inserts, updates, deletes and vacuums; stopped at any record of the log its
# index is clean; promoted, it is a primary.
#
# Fails when a page is changed without being logged, when the pages of one
# record only agree together with those of the next, or when a standby's scan
# follows a pointer into a page that replay has put to another use.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;
use VSearch::Workload;

my $nrows = 6000;
my $load_seconds = 12;

my $primary = start_node('primary', streaming => 1);
load_clustered(
    $primary,
    seed     => 21,
    dim      => 64,
    integers => 1,
    tables   => [ t => $nrows, pool => 10_000, q => 500 ]);

# Without truncation, as it would cancel the standby's queries by its lock.
$primary->safe_psql('postgres', <<~'SQL');
    ALTER TABLE t SET (vacuum_truncate = off);
    CREATE INDEX ON t (label);
    SQL
create_answer_check($primary, table => 't', metric => 'l2');
create_noise($primary, 'pool', 1);
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', <<~'CONF');
    hot_standby_feedback = on
    max_standby_streaming_delay = -1
    wal_receiver_status_interval = 1s
    CONF
$standby->start;

# Test that both servers give the same answers.  Another kernel may add the
# same numbers up in another order, so that a distance differs in its last bit
# and two rows at nearly the same distance change places: there the distances
# have to agree.
sub answers_agree
{
    my ($test_name, %search) = @_;

    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
    ok( answers($primary, %search) eq answers($standby, %search),
        "$test_name: same rows in the same order");

    my %scalar = (%search, distances => 1);
    my @here = split /\n/, answers($primary, %scalar);
    $scalar{settings} =
      { %{ $search{settings} // {} }, extension_name() . '.kernel' => 'scalar' };
    my @there = split /\n/, answers($standby, %scalar);
    my $ndifferent = grep { $here[$_] ne $there[$_] } 0 .. $#here;

    cmp_ok($ndifferent, '<=', @here / 200,
        "$test_name: same distances with another kernel on the standby");
    return;
}

# Test that a scan on the standby that began before the primary's vacuum goes on
# rightly when vacuum has been replayed and its space filled with other rows.
sub scan_survives_replay
{
    my ($test_name, %search) = @_;
    my $operator = operator($search{metric});
    my $query = "(SELECT v FROM q WHERE id = 1)";

    # Rows that are gone before the scan begins, but still in the index.  Their
    # heap pages are pruned now: replay could not do that to a page on which
    # the scan rests.
    $primary->safe_psql('postgres', 'DELETE FROM t WHERE id % 3 = 1');
    my $xid = $primary->safe_psql('postgres', 'SELECT pg_current_xact_id()');
    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
    $primary->poll_query_until('postgres', <<~"SQL") or die 'no feedback';
        SELECT backend_xmin::text::bigint >= $xid FROM pg_stat_replication
        SQL
    $primary->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP OFF) t');
    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

    my $session = $standby->background_psql('postgres');
    $session->query_safe(<<~"SQL");
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        SET LOCAL enable_seqscan = off;
        SET LOCAL enable_sort = off;
        DECLARE scan CURSOR FOR
            SELECT id FROM t ORDER BY v $operator $query;
        SQL
    my @found = split /\n/, $session->query_safe('FETCH 20 FROM scan');

    my ($ret, $stdout, $stderr) = $primary->psql('postgres',
        'VACUUM (INDEX_CLEANUP ON, VERBOSE) t');
    like($stderr, qr/had [1-9]\d* dead item identifiers removed/,
        "$test_name: vacuum removes rows while the standby scans");
    $primary->safe_psql('postgres',
        'INSERT INTO t (label, v) SELECT label, v FROM pool WHERE id % 4 = 1');
    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
    push @found, split /\n/, $session->query_safe('FETCH 400 FROM scan');

    # The truth, in the scan's own snapshot.
    my @exact = split /\n/, $session->query_safe(<<~"SQL");
        SET LOCAL enable_indexscan = off;
        SET LOCAL enable_sort = on;
        SELECT id FROM t ORDER BY v $operator $query, id LIMIT 420
        SQL
    my %visible = map { $_ => 1 }
      split /\n/, $session->query_safe('SELECT id FROM t');
    my %exact = map { $_ => 1 } @exact;
    my %seen;
    $session->query_safe('COMMIT');
    $session->quit;

    is(scalar @found, 420, "$test_name: the scan returns all it was asked for");
    is(join(' ', grep { !$visible{$_} || $seen{$_}++ } @found),
        '', "$test_name: each row once, none from after its snapshot");
    cmp_ok(scalar(grep { $exact{$_} } @found),
        '>=', 0.95 * 420, "$test_name: they are the nearest ones");
    return;
}

# One index at a time, or the planner would choose; hnsw's stays.
my $last_method = 'hnsw';
foreach my $method ((grep { $_ ne $last_method } vector_access_methods()),
    $last_method)
{
    my %search =
      (table => 't', queries => 'q', metric => 'l2', am => $method);
    my $index = create_index($primary, %search);

    answers_agree("$method, built", %search);

    # Work on the primary, questions to the standby; once more where the machine
    # was too slow for two vacuums.
    my ($nvacuums, $went_well) = (0, 1);
    my @problems;
    while ($nvacuums < 2 && $went_well)
    {
        my $writes = start_pgbench(
            $primary,
            table   => 't',
            pool    => 'pool',
            mix     => { insert => 5, update_vector => 2, update_label => 1,
                delete => 3 },
            clients => 3,
            seconds => $load_seconds,
            nrows   => 2 * $nrows,
            seed    => 3);
        my $reads = start_pgbench(
            $standby,
            table   => 't',
            pool    => 'pool',
            mix     => { search => 4, search_far => 1 },
            clients => 3,
            seconds => $load_seconds,
            seed    => 4);
        my $deadline = time() + $load_seconds;

        while (time() < $deadline)
        {
            $primary->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) t');
            $nvacuums++;

            # Any record may be the last that a crash leaves.
            $standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
            $standby->poll_query_until('postgres',
                "SELECT pg_get_wal_replay_pause_state() = 'paused'");
            push @problems, $standby->safe_psql('postgres', <<~"SQL");
                SELECT block, node, problem
                FROM @{[ extension_name() ]}_check('$index', true)
                WHERE severity = 'error' LIMIT 5
                SQL
            $standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
        }
        ok(finish_task($writes), "$method: clients of the primary ended well")
          or diag task_errors($writes);
        ok(finish_task($reads), "$method: clients of the standby ended well")
          or diag task_errors($reads);
        $went_well = Test::More->builder->is_passing;
    }
    is(join("\n", grep { $_ ne '' } @problems),
        '', "$method: clean wherever replay stops, $nvacuums vacuums");

    answers_agree("$method, after the load", %search);
    index_is_clean($primary, $index, "$method: clean on the primary");
    index_is_clean($standby, $index, "$method: clean on the standby");

    scan_survives_replay("$method", %search);
    $primary->safe_psql('postgres', "DROP INDEX $index")
      if $method ne $last_method;
}

# Promoted, the standby takes over.  Unlogged relations come to it as their
# init forks only.
foreach my $method (vector_access_methods())
{
    $primary->safe_psql('postgres', <<~"SQL");
        CREATE UNLOGGED TABLE unlogged_$method (LIKE t INCLUDING ALL);
        INSERT INTO unlogged_$method SELECT * FROM t WHERE id <= 500;
        CREATE INDEX unlogged_${method}_idx
            ON unlogged_$method USING $method (v vector_l2_ops);
        SQL
}
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
$standby->promote;
$primary->stop;

$standby->safe_psql('postgres', <<~'SQL');
    INSERT INTO t (label, v) SELECT label, v FROM pool WHERE id <= 300;
    DELETE FROM t WHERE id % 7 = 0;
    VACUUM (INDEX_CLEANUP ON) t;
    INSERT INTO t (label, v) SELECT label, v FROM pool WHERE id % 20 = 3;
    SQL
my %promoted =
  (table => 't', queries => 'q', metric => 'l2', am => $last_method);
index_is_clean($standby, index_name(%promoted),
    "$last_method: clean after promotion");
exact_answers($standby, %promoted);
recall_at_least($standby, 0.95, "$last_method: recall after promotion",
    %promoted);

foreach my $method (vector_access_methods())
{
    is( $standby->safe_psql('postgres',
            "SELECT count(*) FROM unlogged_$method"),
        0, "$method: unlogged table is empty after promotion");
    $standby->safe_psql('postgres',
        "INSERT INTO unlogged_$method SELECT * FROM t LIMIT 100");
    index_is_clean($standby, "unlogged_${method}_idx",
        "$method: unlogged index is clean after promotion");
}

log_is_clean($primary);
log_is_clean($standby);
$standby->stop;
done_testing();
