# An index that grows by rows sorted by cluster learns centroids for the later
# ones: it answers as well as one built over all rows.  Sessions and a standby
# that know the older ones go on, and a crash on the way leaves a clean index.
#
# Fails when rows that lie where none lay before are coded by centroids far from
# them, when a scan or an insert misreads codes of centroids appended under it,
# when a session keeps a codec that is neither the old nor the new one, or when
# the metapage and the codebook come to disagree.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Crash;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;
use VSearch::Workload;

my $nrows = 4000;
my $nfirst = 1100;    # enough for a graph

my $primary = start_node('primary', streaming => 1);
load_clustered(
    $primary,
    seed   => 41,
    dim    => 200,
    tables => [ source => $nrows, q => 2000 ]);
$primary->safe_psql('postgres', 'CREATE TABLE t (LIKE source INCLUDING ALL)');

my %search = (table => 't', queries => 'q', metric => 'l2', am => 'hnsw');
my $index = create_index($primary, %search);

# Rows from one place in the order of labels up to another, as a statement.
sub insert_sorted
{
    my ($table, $from, $to) = @_;
    return <<~"SQL";
        INSERT INTO $table (id, label, v)
        SELECT id, label, v FROM source ORDER BY label, id
        OFFSET $from LIMIT @{[ $to - $from ]}
        SQL
}

# How many centroids the metapage says there are: src/hnsw/hnsw_page.h.
sub ncentroids
{
    my ($node) = @_;

    $node->safe_psql('postgres', 'CHECKPOINT');
    return $node->safe_psql('postgres', <<~"SQL");
        SELECT get_byte(pg_read_binary_file(
            pg_relation_filepath('$index'), 24 + 22, 2), 0)
        SQL
}

# The queries of the scans that go on while centroids are appended.
my @scans = (1 .. 20);

# The next rows of a cursor.
$primary->safe_psql('postgres', <<~'SQL');
    CREATE FUNCTION drain(scan refcursor, wanted integer) RETURNS SETOF integer
    LANGUAGE plpgsql AS $$
    DECLARE
        found_id integer;
    BEGIN
        FOR i IN 1 .. wanted LOOP
            FETCH scan INTO found_id;
            EXIT WHEN NOT FOUND;
            RETURN NEXT found_id;
        END LOOP;
    END
    $$;
    SQL

# A session in the middle of scans of all rows.
sub begin_scans
{
    my ($node) = @_;
    my $session = $node->background_psql('postgres');
    my %found;

    $session->query_safe(<<~'SQL');
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        SET LOCAL enable_seqscan = off;
        SET LOCAL enable_sort = off;
        SQL
    foreach my $scan (@scans)
    {
        $session->query_safe(<<~"SQL");
            DECLARE scan_$scan CURSOR FOR
                SELECT id FROM t ORDER BY v <-> (SELECT v FROM q WHERE id = $scan)
            SQL
        $found{$scan} = $session->query_safe(
            "SELECT array_agg(id) FROM drain('scan_$scan', 10) id");
    }
    return { session => $session, found => \%found };
}

# Each returns all rows that it sees, each once; the nearest come first.
sub scans_go_on
{
    my ($test_name, $scans) = @_;
    my $session = $scans->{session};
    my (@incomplete, $nnearest);

    $session->query_safe('SET LOCAL enable_sort = on');
    foreach my $scan (@scans)
    {
        my ($is_complete, $n) = split /\|/, $session->query_safe(<<~"SQL");
            WITH found AS (
                SELECT id, row_number() OVER () AS place
                FROM (
                    SELECT unnest('$scans->{found}{$scan}'::integer[]) AS id
                    UNION ALL
                    SELECT drain('scan_$scan', 100000)) s),
            exact AS (
                SELECT id, row_number() OVER (
                    ORDER BY v <-> (SELECT v FROM q WHERE id = $scan)) AS place
                FROM t)
            SELECT bool_and(nfound = 1 AND nexact = 1),
                count(*) FILTER (WHERE found_place <= 200 AND exact_place <= 200)
            FROM (
                SELECT count(f.id) AS nfound, count(e.id) AS nexact,
                    min(f.place) AS found_place, min(e.place) AS exact_place
                FROM found f FULL JOIN exact e USING (id)
                GROUP BY id) s
            SQL

        push @incomplete, $scan if $is_complete ne 't';
        $nnearest += $n;
    }
    $session->query_safe('COMMIT');
    $session->quit;

    is("@incomplete", '', "$test_name: all rows, each once");
    cmp_ok($nnearest, '>=', 190 * @scans,
        "$test_name: the nearest ones first ($nnearest)");
    return;
}

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', insert_sorted('t', 0, $nfirst));
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is(ncentroids($primary), 16, 'a graph, with the first centroids');

# A session that knows the first centroids, and scans that began with them.
my $writer = $primary->background_psql('postgres');
$writer->query_safe('UPDATE t SET v = v WHERE id = (SELECT min(id) FROM t)');
my $here = begin_scans($primary);
my $there = begin_scans($standby);

$primary->safe_psql('postgres', insert_sorted('t', $nfirst, $nrows));
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
my $n = ncentroids($primary);
cmp_ok($n, '>', 16, "further centroids: $n in all");

scans_go_on('scans on the primary', $here);
scans_go_on('scans on the standby', $there);

my $last_changes = <<~'SQL';
    INSERT INTO t (id, label, v)
    SELECT 100000 + id, label, v FROM q WHERE id <= 300;
    DELETE FROM t WHERE id % 10 = 0
    SQL
$writer->query_safe($last_changes);
$writer->quit;
$primary->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) t');
index_is_clean($primary, $index, 'clean with further centroids');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
index_is_clean($standby, $index, 'clean on the standby');

# As good as an index built over all rows, on the average of several: one graph's
# recall differs from another's by a third of what is allowed.
my $ngraphs = 4;
my (%grown, %built);

sub add_recalls
{
    my ($sums) = @_;

    foreach my $ef (10, 40)
    {
        $search{settings}{'hnsw.ef_search'} = $ef;
        $sums->{$ef} += recall($primary, %search) / $ngraphs;
    }
    return;
}

exact_answers($primary, %search);
foreach my $graph (1 .. $ngraphs)
{
    add_recalls(\%grown);
    $primary->safe_psql('postgres', "REINDEX INDEX $index");
    add_recalls(\%built);
    last if $graph == $ngraphs;

    # The same rows in the same order, in a graph of its own.
    $primary->safe_psql('postgres', join ';', 'TRUNCATE t',
        insert_sorted('t', 0, $nfirst),
        insert_sorted('t', $nfirst, $nrows),
        $last_changes,
        'VACUUM (INDEX_CLEANUP ON) t');
}
foreach my $ef (10, 40)
{
    cmp_ok($grown{$ef}, '>=', $built{$ef} - 0.01,
        "ef_search $ef: recall $grown{$ef}, when built $built{$ef}");
}
$standby->stop;

# Rows that come in the middle of a scan, far from all others and close together:
# the scan has to read the metapage again to see that they are far.  If it does
# not it visits them first, by the thousand.
$search{table} = 'far';
$primary->safe_psql('postgres', <<~'SQL');
    CREATE TABLE far (LIKE source INCLUDING ALL);
    CREATE TABLE shifts AS
        SELECT n, array_agg(5 * sin(i * (n + 1)))::vector(200) AS v
        FROM generate_series(0, 2) n, generate_series(1, 200) i
        GROUP BY n;
    SQL
$index = create_index($primary, %search);
$primary->safe_psql('postgres',
    'INSERT INTO far SELECT * FROM source WHERE id <= 1100');

# Begin a scan for what is near a row.
sub begin_far_scan
{
    my ($session, $id) = @_;

    $session->query_safe(<<~"SQL");
        DECLARE scan CURSOR FOR
            SELECT id FROM far ORDER BY v <-> (SELECT v FROM far WHERE id = $id);
        MOVE 10 FROM scan;
        SQL
    return;
}

# How many of the index's pages its next rows take; ends the scan.
sub pages_of_far_scan
{
    my ($session) = @_;
    my $pages = "SELECT pg_stat_get_xact_blocks_fetched('$index'::regclass)";
    my $before = $session->query_safe($pages);

    $session->query_safe('MOVE 700 FROM scan');
    my $after = $session->query_safe($pages);
    $session->query_safe('CLOSE scan');
    return $after - $before;
}

my $old = $primary->background_psql('postgres');
$old->query_safe(<<~'SQL');
    BEGIN ISOLATION LEVEL REPEATABLE READ;
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_sort = off;
    SQL
begin_far_scan($old, 1);
$primary->safe_psql('postgres', <<~'SQL');
    INSERT INTO far (id, label, v)
    SELECT id, label, s.v * array_fill(0.2::real, ARRAY[200])::vector + shifts.v
    FROM source s JOIN shifts ON n = id % 3
    WHERE id > 1100
    ORDER BY id
    SQL
cmp_ok(ncentroids($primary), '>', 16, 'further centroids for far rows');
my $going_on = pages_of_far_scan($old);
begin_far_scan($old, 1);
my $afresh = pages_of_far_scan($old);
$old->query_safe('COMMIT');
cmp_ok($going_on, '<=', 1.2 * $afresh,
    "a scan that goes on reads $going_on pages, one begun afresh $afresh");

# What it has learned is what a session learns that comes later.
my @sessions = ($old, $primary->background_psql('postgres'));
my @pages;
foreach my $session (@sessions)
{
    $session->query_safe(<<~'SQL');
        BEGIN;
        SET LOCAL enable_seqscan = off;
        SET LOCAL enable_sort = off;
        SQL
    my @pages_of_scans;
    foreach my $id (1 .. 10)
    {
        begin_far_scan($session, $id);
        push @pages_of_scans, pages_of_far_scan($session);
    }
    push @pages, "@pages_of_scans";
    $session->quit;
}
is($pages[0], $pages[1], 'both sessions read as many pages');

# Killed while centroids are appended, at some point: when so many rows have come
# since the first ones, and sooner where the last ones came before the kill.
$search{table} = 'young';
foreach my $ncome (400, 900, 1500)
{
    my $hit = 0;

    for (my $least = $ncome; !$hit && $least > 0; $least -= 200)
    {
        $primary->safe_psql('postgres', <<~'SQL');
            DROP TABLE IF EXISTS young;
            CREATE TABLE young (LIKE source INCLUDING ALL);
            SQL
        $index = create_index($primary, %search);
        $primary->safe_psql('postgres', insert_sorted('young', 0, $nfirst));
        my $load = start_sql($primary,
            map { insert_sorted('young', $_, $_ + 50) }
              map { $nfirst + 50 * $_ } 0 .. 57);
        $primary->poll_query_until('postgres',
            "SELECT count(*) >= $nfirst + $least FROM young")
          or die 'no progress';
        $hit = crash_during($primary, $load, 0);
    }
    ok($hit, "killed when $ncome rows or more had come");
    index_is_clean($primary, $index, 'clean after the crash');
    note 'centroids: ' . ncentroids($primary) . ', rows: '
      . $primary->safe_psql('postgres', 'SELECT count(*) FROM young');
}

log_is_clean($primary);
log_is_clean($standby);
$primary->stop;
done_testing();
