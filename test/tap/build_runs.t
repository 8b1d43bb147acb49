# A bm25 index whose postings take many times maintenance_work_mem is built from
# sorted runs, in several passes if need be: it is as good as one that was built in
# memory, within the memory there is, alone and with workers.  An error or a kill
# anywhere leaves nothing behind, and a committed build survives a crash.
#
# Fails when runs lose rows or postings, when more of them than fit are read at a
# time, when somebody waits for a participant that is gone, or when a build was
# neither logged nor synced.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VSearch::Build;
use VSearch::Crash;
use VSearch::Data;
use VSearch::Test;
use VSearch::Workload;

my $node = start_node('build_runs', conf => <<~'CONF');
    max_parallel_maintenance_workers = 0
    min_parallel_table_scan_size = 0
    max_parallel_workers = 8
    restart_after_crash = on
    client_min_messages = debug1
    CONF
my $create = 'CREATE INDEX t_bm25 ON t USING bm25 (t)';

load_documents($node, 't', 40_000, 100);
$node->safe_psql('postgres', <<~'SQL');
    INSERT INTO t SELECT i, NULL FROM generate_series(1, 3000) i;
    INSERT INTO t SELECT i, '' FROM generate_series(1, 100) i;
    INSERT INTO t SELECT id, setweight(t, 'B') FROM t WHERE id <= 1000;
    INSERT INTO t SELECT id, strip(t) FROM t WHERE id <= 1000;
    SQL

# Build with some memory and workers; returns what the server tells of it.
sub build
{
    my ($memory, $nworkers) = @_;
    my $err;

    $node->psql('postgres', <<~"SQL", stderr => \$err, on_error_die => 1);
        SET maintenance_work_mem = '$memory';
        SET max_parallel_maintenance_workers = $nworkers;
        $create;
        SQL
    return $err;
}

# In memory, and then in runs.
unlike(build('1GB', 0), qr/merging/, 'in memory: no runs');
index_is_clean($node, 't_bm25', 'in memory: clean');
my $nbytes = $node->safe_psql('postgres', "SELECT pg_relation_size('t_bm25')");
$node->safe_psql('postgres', 'DROP INDEX t_bm25');

foreach my $case (
    [ '64MB', 2, 0 ], [ '1MB', 0, 0 ], [ '1MB', 4, 1 ])
{
    my ($memory, $nworkers, $has_passes) = @$case;
    my $name = "$memory, $nworkers workers";
    my $err = build($memory, $nworkers);

    like($err, qr/using $nworkers parallel workers/, "$name: they are launched")
      if $nworkers > 0;
    my ($nruns, $max) = $err =~ /merging (\d+) runs, at most (\d+)/;
    cmp_ok($nruns, '>', $has_passes ? $max : 1, "$name: $nruns runs");
    index_is_clean($node, 't_bm25', "$name: clean");
    my $ratio = $node->safe_psql('postgres',
        "SELECT pg_relation_size('t_bm25')::float8 / $nbytes");

    # Workers take turns in reading the table, which spoils order that it has.
    cmp_ok(abs($ratio - 1), '<', $nworkers > 0 ? 0.1 : 0.02,
        "$name: size as in memory");
    $node->safe_psql('postgres', 'DROP INDEX t_bm25');
}

# Kilobytes of a process that are neither shared nor a file's.
sub private_memory
{
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/status" or return 0;
    return (map { /^RssAnon:\s+(\d+)/ ? $1 : () } <$in>)[0] // 0;
}

# What a build takes of memory at most, beside what the process has anyway.
SKIP:
{
    skip 'no /proc here', 2 if private_memory($$) == 0;
    load_documents($node, 'more', 150_000, 100);
    foreach my $megabytes (4, 20)
    {
        my $task = start_sql(
            $node,
            "SET maintenance_work_mem = '${megabytes}MB'",
            'CREATE INDEX more_bm25 ON more USING bm25 (t)');
        my $pid_query = 'SELECT pid FROM pg_stat_progress_create_index';
        my $most = 0;

        wait_until($node, "SELECT count(*) = 1 FROM ($pid_query) p");
        my $pid = $node->safe_psql('postgres', $pid_query);
        while (my $now = private_memory($pid))
        {
            $most = $now if $now > $most;
            sleep 0.005;
        }
        ok(finish_task($task), "$megabytes MB: built");
        cmp_ok($most, '<', 1.1 * 1024 * $megabytes + 8 * 1024,
            "$megabytes MB: takes $most kB");
        $node->safe_psql('postgres', 'DROP INDEX more_bm25');
    }
    $node->safe_psql('postgres', 'DROP TABLE more');
}

# An error in whoever comes first, then in a worker.
$node->safe_psql('postgres', <<~'SQL');
    CREATE FUNCTION checked(id integer, t tsvector) RETURNS tsvector
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
    BEGIN
        IF pg_backend_pid()::text <> current_setting('test.leader', true) THEN
            RAISE EXCEPTION 'no row % here', id;
        ELSIF id = 1 THEN
            PERFORM pg_sleep(2);
        END IF;
        RETURN t;
    END
    $$;
    CREATE FUNCTION slow(t tsvector) RETURNS tsvector
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(0.01);
        RETURN t;
    END
    $$;
    ALTER TABLE t SET (parallel_workers = 2);
    SQL
foreach my $leader ('0', 'pg_backend_pid()')
{
    my ($out, $err);

    $node->psql('postgres', <<~"SQL", stdout => \$out, stderr => \$err);
        SET max_parallel_maintenance_workers = 2;
        SELECT set_config('test.leader', ($leader)::text, false);
        CREATE INDEX t_checked ON t USING bm25 (checked(id, t));
        SQL
    like($err, qr/no row \d+ here/, 'the error is reported');
    nothing_is_left($node, "error, leader $leader");
}

# Start a build that nobody waits for, and wait until workers read the table.
sub start_slow_build
{
    my $task = start_sql($node, 'SET max_parallel_maintenance_workers = 2',
        'CREATE INDEX t_slow ON t USING bm25 (slow(t))');

    wait_until($node, <<~'SQL');
        SELECT count(*) = 2 FROM pg_stat_activity
        WHERE backend_type = 'parallel worker'
        AND (SELECT phase LIKE '%: reading tuples' AND tuples_done > 100
            FROM pg_stat_progress_create_index)
        SQL
    return $task;
}

my $worker_query = <<~'SQL';
    SELECT pid FROM pg_stat_activity WHERE backend_type = 'parallel worker' LIMIT 1
    SQL
my $task = start_slow_build();
$node->safe_psql('postgres', "SELECT pg_terminate_backend(($worker_query))");
ok(!finish_task($task), 'the build ends with its worker');
nothing_is_left($node, 'worker terminated');

$task = start_slow_build();
kill 'KILL', $node->safe_psql('postgres', $worker_query);
ok(!finish_task($task), 'the build ends with the server');
wait_for_server($node);
nothing_is_left($node, 'worker killed');

# The server is killed right after a build, and in the middle of several.
my $begin = time();
build('1MB', 2);
my $duration = time() - $begin;
crash_and_restart($node);
index_is_clean($node, 't_bm25', 'clean, killed after the build');
foreach my $case (
    [ 'CREATE INDEX half_done ON t USING bm25 (t)', 0.3 ],
    [ 'CREATE INDEX half_done ON t USING bm25 (t)', 0.8 ],
    [ 'REINDEX INDEX t_bm25', 0.6 ],
    [ 'REINDEX INDEX CONCURRENTLY t_bm25', 0.5 ])
{
    my ($statement, $fraction) = @$case;
    my $delay = $fraction * $duration;
    my $hit = 0;

    for (my $try = 0; $try < 10 && !$hit; $try++)
    {
        my $build = start_sql($node, "SET maintenance_work_mem = '1MB'",
            'SET max_parallel_maintenance_workers = 2', $statement);

        $hit = crash_during($node, $build, $delay);
        $delay *= 0.7;
        $node->safe_psql('postgres', 'DROP INDEX IF EXISTS half_done');
    }
    ok($hit, "killed during $statement");
    index_is_clean($node, 't_bm25', 'the index that was there');
}
is( $node->safe_psql('postgres', "SELECT pg_ls_dir('base/pgsql_tmp', true, false)"),
    '', 'no temporary file is left');
$node->safe_psql('postgres', 'DROP INDEX t_bm25');

# With wal_level = minimal a relation made in the same transaction is not logged
# but synced at commit.
$node->append_conf('postgresql.conf', <<~'CONF');
    wal_level = minimal
    max_wal_senders = 0
    wal_skip_threshold = 0
    CONF
$node->restart;
$node->safe_psql('postgres', <<~"SQL");
    BEGIN;
    CREATE TABLE one_transaction (LIKE t);
    INSERT INTO one_transaction SELECT * FROM t WHERE id <= 3000;
    CREATE INDEX one_bm25 ON one_transaction USING bm25 (t);
    INSERT INTO one_transaction SELECT * FROM t WHERE id BETWEEN 3001 AND 3100;
    COMMIT;
    SQL
crash_and_restart($node);
index_is_clean($node, 'one_bm25', 'clean with wal_level = minimal');

log_is_clean($node);
$node->stop;
done_testing();
