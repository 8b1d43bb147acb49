# A build reports each of its phases, with how much there is to do and how much
# of it is done, and ends within a second when it is cancelled in any of them;
# alone and with workers.
#
# Fails when work goes on without a look at interrupts, such as over many
# centroids of many dimensions, or when a phase keeps to itself how far it is.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VSearch::Test;
use VSearch::Workload;

# Phases that take long enough to be met, and whether they know their total.
# "with" makes the build slow.
my %BUILDS = (
    hnsw => {
        with   => 'm = 48, ef_construction = 1000',
        phases => [ [ 'loading tuples', 0 ], [ 'building graph', 1 ] ],
    },
    ivfflat => {
        with   => 'lists = 2500',
        phases => [
            [ 'reading tuples', 0 ],
            [ 'performing k-means', 1 ],
            [ 'assigning tuples', 1 ],
            [ 'loading tuples', 1 ],
        ],
    },
);
my $nrows = 6000;

my $node = start_node('phases', conf => <<~'CONF');
    maintenance_work_mem = 1GB
    min_parallel_table_scan_size = 0
    CONF

# Vectors of 1500 dimensions: they are in no order that training would find.
$node->safe_psql('postgres', <<~"SQL");
    CREATE TABLE t (v vector(1500));
    SELECT setseed(0.5);
    INSERT INTO t
    SELECT (SELECT array_agg(random() + 0 * i + 0 * j)
            FROM generate_series(1, 1500) j)::vector
    FROM generate_series(1, $nrows) i;
    SQL

# Wait until the build of a task is in a phase; undef if it has ended before.
sub wait_for_phase
{
    my ($task, $phase) = @_;

    while ($task->{harness}->pumpable)
    {
        my $seen = $node->safe_psql('postgres', <<~"SQL");
            SELECT tuples_total, tuples_done FROM pg_stat_progress_create_index
            WHERE phase = 'building index: $phase'
            SQL
        return split /\|/, $seen if $seen ne '';
        $task->{harness}->pump_nb;
    }
    return;
}

# Cancel a build in a phase; returns the seconds until it has ended, and the
# total that it had announced.
sub cancel_in_phase
{
    my ($phase, @statements) = @_;
    my $task = start_sql($node, @statements);
    my ($total, $done) = wait_for_phase($task, $phase);

    if (!defined $total)
    {
        finish_task($task);
        die "no phase \"$phase\": " . task_errors($task);
    }
    my $begin = time();
    $node->safe_psql('postgres',
        'SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index');
    finish_task($task);
    like(task_errors($task), qr/canceling statement/, "$phase: cancelled");
    return (time() - $begin, $total);
}

foreach my $am (vector_access_methods())
{
    foreach my $nworkers (0, 1)
    {
        my $build = $BUILDS{$am};
        my @statements = (
            "SET max_parallel_maintenance_workers = $nworkers",
            "CREATE INDEX t_idx ON t USING $am (v vector_l2_ops)"
              . " WITH ($build->{with})");

        foreach my $case (@{ $build->{phases} })
        {
            my ($phase, $knows_total) = @$case;
            my $name = "$am, $nworkers workers, $phase";
            my ($least, $total);

            # A busy machine may take its time, but not always.
            for (my $try = 0; $try < 3 && (!defined $least || $least >= 1); $try++)
            {
                my ($seconds, $announced) = cancel_in_phase($phase, @statements);

                $least = $seconds if !defined $least || $seconds < $least;
                $total = $announced;
            }
            cmp_ok($least, '<', 1, "$name: ends within a second");
            cmp_ok($total, '>', 0, "$name: knows how much there is")
              if $knows_total;
        }
    }
}
is( $node->safe_psql('postgres',
        "SELECT count(*) FROM pg_class WHERE relname = 't_idx'"),
    '0',
    'nothing is left');

log_is_clean($node);
$node->stop;
done_testing();
