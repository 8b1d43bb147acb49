# An index is built by a leader and its workers: it is as good as one that a
# process built alone, an error, a cancel or a kill anywhere leaves nothing
# behind, and where shared memory is too small the leader goes on alone.
#
# Fails when participants spoil each other's links, when rows or copies of a
# vector get lost between them, when somebody waits for a participant that is
# gone, or does not notice a cancel.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VSearch::Build;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;
use VSearch::Workload;

my $node = start_node('build_parallel', conf => <<~'CONF');
    max_parallel_maintenance_workers = 2
    min_parallel_table_scan_size = 0
    restart_after_crash = on
    CONF
my %search = (table => 't', queries => 'q', metric => 'l2', am => 'hnsw');
my $create = 'CREATE INDEX t_hnsw_l2 ON t USING hnsw (v vector_l2_ops)';

# A build that nobody waits for.
my $slow = "$create WITH (m = 48, ef_construction = 1000)";

load_clustered(
    $node,
    seed   => 21,
    dim    => 128,
    tables => [ t => 10_000, q => 1000 ]);

# Twelve copies of some vectors: nodes hold ten rows.
$node->safe_psql('postgres', <<~'SQL');
    INSERT INTO t (label, v)
    SELECT label, v FROM t, generate_series(1, 11) WHERE id <= 200;
    INSERT INTO t (v) SELECT NULL FROM generate_series(1, 20);
    SQL
exact_answers($node, %search);

# Start a slow build and wait until workers link its graph.
sub start_slow_build
{
    my $task = start_sql($node, $slow);

    wait_until($node, <<~'SQL');
        SELECT count(*) = 2 FROM pg_stat_activity
        WHERE backend_type = 'parallel worker'
        AND (SELECT phase LIKE '%: building graph' AND tuples_done > 100
            AND tuples_total = 12200
            FROM pg_stat_progress_create_index)
        SQL
    return $task;
}

# One process.
$node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 0; $create");
my $alone = recall($node, %search);
my $nbytes = $node->safe_psql('postgres', "SELECT pg_relation_size('t_hnsw_l2')");
$node->safe_psql('postgres', 'DROP INDEX t_hnsw_l2');

# Three.
my ($out, $err);
$node->psql('postgres', "SET client_min_messages = debug1; $create",
    stdout => \$out, stderr => \$err);
like($err, qr/using 2 parallel workers/, 'workers are launched');
index_is_clean($node, 't_hnsw_l2', 'clean');
recall_at_least($node, $alone - 0.005, 'recall as of one process', %search);
my $ratio = $node->safe_psql('postgres',
    "SELECT pg_relation_size('t_hnsw_l2')::float8 / $nbytes");
cmp_ok(abs($ratio - 1), '<', 0.02, 'copies share nodes as in one process');

$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY t_hnsw_l2');
index_is_clean($node, 't_hnsw_l2', 'clean when rebuilt concurrently');
$node->safe_psql('postgres', 'DROP INDEX t_hnsw_l2');

# Expressions and predicates; an error in whoever comes first, then in a worker.
$node->safe_psql('postgres', <<~'SQL');
    CREATE FUNCTION checked(id integer, v vector) RETURNS vector
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
    BEGIN
        IF pg_backend_pid()::text <> current_setting('test.leader', true) THEN
            RAISE EXCEPTION 'no row % here', id;
        ELSIF id = 1 THEN
            PERFORM pg_sleep(2);
        END IF;
        RETURN v;
    END
    $$;
    ALTER TABLE t SET (parallel_workers = 2);
    CREATE INDEX t_hnsw_partial ON t
    USING hnsw ((subvector(v, 1, 64)::vector(64)) vector_l2_ops)
    WHERE id <= 5000;
    SQL
index_is_clean($node, 't_hnsw_partial', 'clean over an expression');
$node->safe_psql('postgres', 'DROP INDEX t_hnsw_partial');
foreach my $leader ('0', 'pg_backend_pid()')
{
    $node->psql('postgres', <<~"SQL", stderr => \$err);
        SELECT set_config('test.leader', ($leader)::text, false);
        CREATE INDEX t_hnsw_checked ON t
        USING hnsw ((checked(id, v)::vector(128)) vector_l2_ops);
        SQL
    like($err, qr/no row \d+ here/, 'the error is reported');
    nothing_is_left($node, "error, leader $leader");
}
$node->safe_psql('postgres', 'ALTER TABLE t RESET (parallel_workers)');

# Cancelled; a busy machine may take its time once.
my $least = 60;
for (my $try = 0; $try < 3 && $least >= 1; $try++)
{
    my $task = start_slow_build();
    my $begin = time();

    $node->safe_psql('postgres',
        'SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index');
    ok(!finish_task($task), 'the build ends when cancelled');
    $least = time() - $begin if time() - $begin < $least;
    like(task_errors($task), qr/canceling statement/, 'it says why');
}
cmp_ok($least, '<', 1, 'within a second');
nothing_is_left($node, 'cancelled');

# A worker is terminated.
my $task = start_slow_build();
$node->safe_psql('postgres', <<~'SQL');
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'parallel worker' LIMIT 1
    SQL
ok(!finish_task($task), 'the build ends with its worker');
nothing_is_left($node, 'worker terminated');

# A worker is killed: the server starts anew.
$task = start_slow_build();
my $worker = $node->safe_psql('postgres', <<~'SQL');
    SELECT pid FROM pg_stat_activity WHERE backend_type = 'parallel worker' LIMIT 1
    SQL
kill 'KILL', $worker;
ok(!finish_task($task), 'the build ends with the server');
wait_for_server($node);
nothing_is_left($node, 'worker killed');
$node->safe_psql('postgres', $create);
index_is_clean($node, 't_hnsw_l2', 'clean after all that');
$node->safe_psql('postgres', 'DROP INDEX t_hnsw_l2');
$node->stop;

# A small /dev/shm: a server in a mount namespace of its own.
my $uid = $>;
my ($gid) = split / /, $);
my @small = (
    'unshare', '-Urm', 'sh', '-c',
    'mount -t tmpfs -o size=6m tmpfs /dev/shm && exec unshare -U'
      . " --map-user=$uid --map-group=$gid \"\$@\"", 'sh');
SKIP:
{
    skip 'no namespaces here', 4 if system(@small, 'true') != 0;
    system_or_bail(@small, $node->installed_command('pg_ctl'), '-w', '-s',
        '-D', $node->data_dir, '-l', $node->logfile, 'start');
    $node->_update_pid(1);
    is($node->psql('postgres',
            "$create WITH (m = 48, ef_construction = 96)",
            stderr => \$err),
        0, 'the build goes on');
    like($err, qr/not enough shared memory.*DETAIL:.*No space left.*HINT:/s,
        'a notice says so');
    index_is_clean($node, 't_hnsw_l2', 'clean');
    is($node->safe_psql('postgres',
            "SELECT count(*) FROM pg_stat_activity"
              . " WHERE backend_type = 'parallel worker'"),
        '0', 'no worker is left');
    $node->stop;
}

log_is_clean($node);
done_testing();
