# The server is killed while several clients insert, update and delete: after
# recovery the index is clean, holds every row of its table, answers as well as
# one built over the same rows and takes new rows.
#
# Fails when a part of an insert (node, links, entry point) can survive without
# the others and harm: a link to a page that was never written, an unreachable
# node, a row that is committed but not indexed.

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

# Full page images are taken at the first change after a checkpoint only: with
# frequent checkpoints recovery replays images and changes in turn.
my $node = start_node('crash_insert', conf => <<~'CONF');
    checkpoint_timeout = 30s
    max_wal_size = 64MB
    CONF
my $nrows = 6000;

sub load_for
{
    my ($am) = @_;

    load_rows(
        $node, $am,
        seed    => 11,
        dim     => 64,
        tables  => [ t => $nrows, pool => 10_000, q => 2000 ],
        queries => 'q') or return;
    $node->safe_psql('postgres', 'CREATE INDEX ON t (label)');
    create_noise($node, 'pool', 0.05);
    return;
}

# Recall of an index built over a copy of the table: how many rows there are
# after a crash, and so how many are found, depends on the machine.
sub recall_of_copy
{
    my (%search) = @_;
    my %copy = (%search, table => 'copy');

    $node->safe_psql('postgres', <<~"SQL");
        CREATE TABLE copy (LIKE $search{table});
        INSERT INTO copy SELECT * FROM $search{table};
        SQL
    create_index($node, %copy);
    exact_answers($node, %copy);
    my $recall = recall($node, %copy);
    $node->safe_psql('postgres', 'DROP TABLE copy');
    return $recall;
}

foreach my $am (access_methods())
{
    load_for($am);

    my %search =
      (table => 't', queries => 'q', metric => 'l2', am => $am);
    my $index = create_index($node, %search);
    my $round = 0;

    foreach my $ninserts (400, 1500, 3000)
    {
        my $last_id = $node->safe_psql('postgres', 'SELECT max(id) FROM t');

        $round++;
        $node->safe_psql('postgres', 'CHECKPOINT') if $round == 2;

        my $load = start_pgbench(
            $node,
            table   => 't',
            pool    => 'pool',
            mix     => { insert => 6, insert_twin => 1, update_vector => 2,
                update_label => 1, delete => 1 },
            clients => 6,
            seconds => 60,
            nrows   => $nrows,
            seed    => $round);
        $node->poll_query_until('postgres',
            "SELECT max(id) >= $last_id + $ninserts FROM t")
          or die 'no progress';
        ok(crash_during($node, $load, 0),
            "$am, round $round: killed while inserting");

        index_is_clean($node, $index, "$am, round $round: clean");
        exact_answers($node, %search);
        my $after = recall($node, %search);
        my $built = recall_of_copy(%search);
        cmp_ok($after, '>=', $built - 0.005,
            "$am, round $round: recall $after, when built $built");
    }

    # Both crashed and new rows go through a vacuum.
    $node->safe_psql('postgres', <<~'SQL');
        INSERT INTO t (label, v) SELECT label, v FROM pool WHERE id <= 200;
        DELETE FROM t WHERE id % 10 = 0;
        VACUUM (INDEX_CLEANUP ON) t;
        SQL
    index_is_clean($node, $index, "$am: clean after further work");
    exact_answers($node, %search);
    my $after = recall($node, %search);
    $node->safe_psql('postgres', "REINDEX INDEX $index");
    my $rebuilt = recall($node, %search);
    cmp_ok($after, '>=', $rebuilt - 0.01,
        "$am: recall $after after three crashes, $rebuilt when rebuilt");
    $node->safe_psql('postgres', "DROP INDEX $index");

    # The first rows of an index: flat list, conversion, first graph nodes.
    $node->safe_psql('postgres', 'CREATE TABLE young (LIKE t INCLUDING ALL)');

    %search =
      (table => 'young', queries => 'q', metric => 'l2', am => $am,
        nqueries => 200);
    $index = create_index($node, %search);

    foreach my $round (1 .. 3)
    {
        my $load = start_pgbench(
            $node,
            table   => 'young',
            pool    => 'pool',
            mix     => { insert => 1 },
            clients => 4,
            seconds => 60,
            seed    => 20 + $round);

        # Stop once the table holds about 600, 1200, 1800 rows.
        $node->poll_query_until('postgres',
            "SELECT count(*) >= 600 * $round FROM young")
          or die 'no progress';
        ok(crash_during($node, $load, 0),
            "$am, young index, round $round: killed while inserting");
        index_is_clean($node, $index,
            "$am, young index, round $round: clean");
        exact_answers($node, %search);
        recall_at_least($node, 0.95,
            "$am, young index, round $round: recall", %search);
    }
    $node->safe_psql('postgres', 'DROP TABLE young');
}

log_is_clean($node);
$node->stop;
done_testing();
