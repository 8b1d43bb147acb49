=head1 NAME

VSearch::Build - builds that are watched, cancelled and ended

=head1 DESCRIPTION

A build is a background task (VSearch::Workload); there is one at a time, and its
index is the only one that is not a btree.

=cut

package VSearch::Build;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VSearch::Workload;

our @EXPORT = qw(
    cancel_in_phase
    ends_within_a_second
    nothing_is_left
    wait_for_server
    wait_until
);

# Wait until a query returns true.
sub wait_until
{
    my ($node, $query) = @_;
    return $node->poll_query_until('postgres', $query)
      || BAIL_OUT("waited in vain for $query");
}

# Wait until a server that starts anew by itself takes connections.  A client that
# is refused may be gone before it has read its query, which poll_query_until does
# not survive.
sub wait_for_server
{
    my ($node) = @_;
    my $deadline = time() + $PostgreSQL::Test::Utils::timeout_default;
    my @is_ready = (
        $node->installed_command('pg_isready'), '--quiet',
        '--host', $node->host, '--port', $node->port);

    while (system(@is_ready) != 0)
    {
        BAIL_OUT('the server does not start') if time() > $deadline;
        sleep 0.1;
    }
    return;
}

# Test that nothing is left of a build that failed.  Files that participants
# share lie in a directory, which pg_ls_tmpdir() leaves out.
sub nothing_is_left
{
    my ($node, $test_name) = @_;
    my $left = $node->safe_psql('postgres', <<~'SQL');
        SELECT relname FROM pg_class c JOIN pg_am a ON a.oid = c.relam
        WHERE c.relkind = 'i' AND amname <> 'btree'
        UNION ALL SELECT pg_ls_dir('base/pgsql_tmp', true, false)
        UNION ALL SELECT backend_type FROM pg_stat_activity
        WHERE backend_type = 'parallel worker'
        SQL

    return is($left, '', "$test_name: nothing is left");
}

# Wait until the build of a task is in a phase; undef if it has ended before.
sub _wait_for_phase
{
    my ($node, $task, $phase) = @_;

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
    my ($node, $phase, @statements) = @_;
    my $task = start_sql($node, @statements);
    my ($total, $done) = _wait_for_phase($node, $task, $phase);

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

# Test that a build that is cancelled in a phase ends within a second; returns the
# total that it had announced.  A busy machine may take its time, but not always.
sub ends_within_a_second
{
    my ($node, $test_name, $phase, @statements) = @_;
    my ($least, $total);

    for (my $try = 0; $try < 3 && (!defined $least || $least >= 1); $try++)
    {
        my ($seconds, $announced) =
          cancel_in_phase($node, $phase, @statements);

        $least = $seconds if !defined $least || $seconds < $least;
        $total = $announced;
    }
    cmp_ok($least, '<', 1, "$test_name: ends within a second");
    return $total;
}

1;
