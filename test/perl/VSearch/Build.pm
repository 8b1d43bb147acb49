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
    create_canceller
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

# Create cancel_build(phase, patience): it cancels the build that goes on, or that
# begins within its patience, when that is in the phase; returns the total that it
# has announced, and when that was; nothing if the phase has not been met.  It
# looks often, as a phase may be short.
sub create_canceller
{
    my ($node) = @_;

    $node->safe_psql('postgres', <<~'SQL');
        CREATE FUNCTION cancel_build(wanted text, patience interval,
            OUT total bigint, OUT at double precision)
        RETURNS SETOF record LANGUAGE plpgsql AS $$
        DECLARE
            deadline timestamptz = clock_timestamp() + patience;
            has_begun boolean = false;
            build record;
        BEGIN
            LOOP
                PERFORM pg_stat_clear_snapshot();
                SELECT pid, phase, tuples_total INTO build
                FROM pg_stat_progress_create_index;
                IF build.phase = 'building index: ' || wanted THEN
                    total = build.tuples_total;
                    at = extract(epoch FROM clock_timestamp());
                    PERFORM pg_cancel_backend(build.pid);
                    RETURN NEXT;
                    RETURN;
                END IF;
                has_begun = has_begun OR build.pid IS NOT NULL;
                EXIT WHEN build.pid IS NULL
                    AND (has_begun OR clock_timestamp() > deadline);
                PERFORM pg_sleep(0.001);
            END LOOP;
        END
        $$;
        SQL
    return;
}

# Cancel a build in a phase; returns the seconds until it has ended, the total that
# it had announced, and its error; nothing if the phase has not been met, or was over
# with the whole build before the request came.
sub _cancel_in_phase
{
    my ($node, $phase, @statements) = @_;
    my $task = start_sql($node, @statements);
    my ($total, $begin) = split /\|/, $node->safe_psql('postgres',
        "SELECT total, at FROM cancel_build('$phase', '10 s')");

    my $was_built = finish_task($task);
    my $seconds = time() - ($begin // 0);
    if (!defined $begin || $was_built)
    {
        note("no phase \"$phase\": " . task_errors($task));
        return;
    }
    return ($seconds, $total, task_errors($task));
}

# Test that a build that is cancelled in a phase (create_canceller) ends within a
# second; returns the total that it had announced.  A busy machine may take its time, or miss a short
# phase, but not always.
sub ends_within_a_second
{
    my ($node, $test_name, $phase, @statements) = @_;
    my ($least, $total, $errors);

    for (my $try = 0; $try < 3 && (!defined $least || $least >= 1); $try++)
    {
        my ($seconds, $announced, $error) =
          _cancel_in_phase($node, $phase, @statements);

        next if !defined $seconds;
        $least = $seconds if !defined $least || $seconds < $least;
        ($total, $errors) = ($announced, $error);
    }
    like($errors // '', qr/canceling statement/, "$test_name: cancelled");
    cmp_ok($least // 'inf', '<', 1, "$test_name: ends within a second");
    return $total;
}

1;
