# Inserts go on while a vacuum takes its time with the index: they seal and merge
# as usual.  What they merge beside it keeps no row that vacuum removes.
#
# Fails when vacuum keeps others from merging, so that the directory of segments
# becomes full and inserts wait for it; and when it misses rows that a merge has
# moved.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Build;
use VSearch::Test;
use VSearch::Workload;

my $node = start_node('vacuum_inserts');

# Each row of "large" is a segment by itself; autovacuum would merge them.
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE t (id int, tsv tsvector) WITH (autovacuum_enabled = off);
    CREATE TABLE large AS
        SELECT i AS id, to_tsvector('simple', 'large l' || i || ' ' || words) AS tsv
        FROM (SELECT string_agg('word' || g, ' ') AS words
              FROM generate_series(1, 5500) g) w, generate_series(1, 8) i;
    INSERT INTO t SELECT i, 'a'::tsvector FROM generate_series(1, 100000) i;
    CREATE INDEX t_bm25 ON t USING bm25 (tsv);
    SQL

# Insert segments, as many as are asked for; an insert that waits is an error.
sub insert_segments
{
    my ($n) = @_;
    my ($result, $out, $err) = $node->psql('postgres', <<~"SQL");
        SET lock_timeout = '2s';
        INSERT INTO t SELECT 1000000 + i, l.tsv
        FROM generate_series(1, $n) i JOIN large l ON l.id = i % 8 + 1;
        SQL
    return $err;
}

# Begin a vacuum that sleeps before each of the index's pages.  It passes by the
# table's pages that it knows.
sub start_vacuum
{
    my ($delay) = @_;
    my $task = start_sql(
        $node,
        "SET vacuum_cost_delay = '$delay'",
        'SET vacuum_cost_limit = 1',
        'SET vacuum_cost_page_miss = 1',
        'SET vacuum_cost_page_dirty = 0',
        'VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF, PROCESS_TOAST OFF) t');

    wait_until($node, vacuums());
    return $task;
}

# Whether a vacuum is in the index.
sub vacuums
{
    return q{SELECT count(*) = 1 FROM pg_stat_progress_vacuum
             WHERE phase = 'vacuuming indexes'};
}

# How many rows an index scan finds.
sub found
{
    my ($query) = @_;
    return $node->safe_psql('postgres', <<~"SQL");
        SET enable_seqscan = off;
        SELECT count(*) FROM t WHERE tsv @@ '$query'
        SQL
}

$node->safe_psql('postgres', 'VACUUM (FREEZE, INDEX_CLEANUP ON) t');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 99990');

my $vacuum = start_vacuum('100ms');
is(insert_segments(230), '', 'inserts do not wait for a vacuum');
is($node->safe_psql('postgres', vacuums()), 't', 'which is still in the index');
$node->safe_psql('postgres',
    'SELECT pg_cancel_backend(pid) FROM pg_stat_progress_vacuum');
finish_task($vacuum);
like(task_errors($vacuum), qr/canceling statement/, 'until it is cancelled');

# Rows of segments of all sizes, and of the write buffer, are removed while they
# move.  Whatever is left of them would be found in the rows that come instead.
$node->safe_psql('postgres', <<~'SQL');
    INSERT INTO t SELECT 2000000 + i, 'a'::tsvector FROM generate_series(1, 500) i;
    DELETE FROM t WHERE id % 2 = 0 AND (id > 1000000 OR id > 99000);
    SQL
$vacuum = start_vacuum('10ms');
for my $round (1 .. 10)
{
    is(insert_segments(25), '', 'inserts and merges beside a vacuum');
    last if $node->safe_psql('postgres', vacuums()) eq 'f';
}
ok(finish_task($vacuum), 'vacuum ends') or diag task_errors($vacuum);
my %rows = map { $_ => found($_) } qw(a large);
$node->safe_psql('postgres',
    "INSERT INTO t SELECT -i, 'b'::tsvector FROM generate_series(1, 2000) i");
is(found($_), $rows{$_}, "no row \"$_\" was left behind") foreach sort keys %rows;
is( $node->safe_psql('postgres', 'SELECT count(*) FROM t'),
    $rows{a} + $rows{large} + 2000,
    'and none was lost');
index_is_clean($node, 't_bm25', 'the index is clean');

log_is_clean($node);
$node->stop;
done_testing();
