# After half of the rows, or all, are deleted and vacuumed away the index answers
# as well as one built over what is left, and rows inserted afterwards, or in
# the middle of a vacuum, take the space of those that went.
# So do those of pages that a crash left empty.
#
# Fails when repair leaves regions worse connected than a build does, when freed
# places are not found again, or when an insert into a graph of deleted nodes
# only gets lost in the vacuum that is freeing them.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;
use VSearch::Workload;

my $node = start_node('vacuum_repair');
load_clustered(
    $node,
    seed   => 51,
    dim    => 200,
    tables => [ source => 4000, q => 2500 ]);

# Recall at several ef_search, as a list.
sub recalls
{
    my (%search) = @_;
    return
      map { recall($node, %search, settings => { 'hnsw.ef_search' => $_ }) }
      10, 40, 100;
}

foreach my $am (vector_access_methods())
{
    my %search = (table => 't', queries => 'q', metric => 'l2', am => $am);

    foreach my $half ('id % 2 = 0', 'label < 10')
    {
        $node->safe_psql('postgres', <<~'SQL');
            CREATE TABLE t (LIKE source INCLUDING ALL);
            INSERT INTO t SELECT * FROM source;
            SQL
        my $index = create_index($node, %search);
        my $size = "SELECT pg_relation_size('$index')";
        my $built_size = $node->safe_psql('postgres', $size);

        $node->safe_psql('postgres', <<~"SQL");
            DELETE FROM t WHERE $half;
            VACUUM (INDEX_CLEANUP ON) t;
            SQL
        index_is_clean($node, $index, "$am: clean without rows of $half");
        exact_answers($node, %search);
        my @vacuumed = recalls(%search);

        $node->safe_psql('postgres',
            "INSERT INTO t SELECT * FROM source WHERE $half");
        cmp_ok($node->safe_psql('postgres', $size),
            '<=', 1.02 * $built_size, "$am: they fit in where they were");
        index_is_clean($node, $index, "$am: clean with them again");
        exact_answers($node, %search);
        my @refilled = recalls(%search);

        $node->safe_psql('postgres', "REINDEX INDEX $index");
        my @built = recalls(%search);
        $node->safe_psql('postgres', <<~"SQL");
            DELETE FROM t WHERE $half;
            VACUUM (INDEX_CLEANUP OFF) t;
            REINDEX INDEX $index;
            SQL
        exact_answers($node, %search);
        my @fresh = recalls(%search);

        foreach my $i (0 .. $#fresh)
        {
            cmp_ok($vacuumed[$i], '>=', $fresh[$i] - 0.01,
                "$am: recall $vacuumed[$i] without rows of $half,"
                  . " $fresh[$i] in a new index");
            cmp_ok($refilled[$i], '>=', $built[$i] - 0.01,
                "$am: recall $refilled[$i] with them again,"
                  . " $built[$i] in a new index");
        }
        $node->safe_psql('postgres', 'DROP TABLE t');
    }

    # All rows go, by a vacuum that sleeps at every page; rows come meanwhile,
    # at first into a graph of which nothing is left.  Lists have few pages.
    my $page_delay = $am eq 'hnsw' ? 4 : 60;
    foreach my $delay (0.2, 1)
    {
        my $phase = 'SELECT phase FROM pg_stat_progress_vacuum';

        $node->safe_psql('postgres', <<~'SQL');
            CREATE TABLE t (LIKE source INCLUDING ALL);
            INSERT INTO t SELECT * FROM source WHERE id <= 1100;
            SQL
        my $index = create_index($node, %search);
        $node->safe_psql('postgres', 'DELETE FROM t');
        my $vacuum = start_sql(
            $node,
            "SET vacuum_cost_delay = $page_delay",
            'SET vacuum_cost_limit = 1',
            'VACUUM (INDEX_CLEANUP ON) t');
        $node->poll_query_until('postgres', $phase, 'vacuuming indexes')
          or die 'vacuum does not begin';
        sleep $delay;

        foreach my $part (0 .. 9)
        {
            $node->safe_psql('postgres',
                "INSERT INTO t SELECT * FROM source WHERE id % 100 = $part");
            is($node->safe_psql('postgres', $phase),
                'vacuuming indexes', "$am: vacuum is still at it")
              if $part == 0;
        }
        ok(finish_task($vacuum), "$am: vacuum of all rows ends")
          or diag task_errors($vacuum);
        index_is_clean($node, $index, "$am: clean after it");
        exact_answers($node, %search);
        recall_at_least($node, 0.99, "$am: rows that came meanwhile are found",
            %search);
        $node->safe_psql('postgres', 'DROP TABLE t');
    }
}

# Pages of zeroes, as a crash between extending the file and writing leaves them,
# are filled once vacuum has seen them.
foreach my $am (vector_access_methods())
{
    my %search = (table => 't', queries => 'q', metric => 'l2', am => $am);

    $node->safe_psql('postgres', <<~'SQL');
        CREATE TABLE t (LIKE source INCLUDING ALL);
        INSERT INTO t SELECT * FROM source WHERE id <= 1500;
        SQL
    my $index = create_index($node, %search);
    my $size = "SELECT pg_relation_size('$index')";
    my $path = $node->data_dir . '/'
      . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$index')");

    $node->stop;
    append_to_file($path, "\0" x (50 * 8192));
    $node->start;
    my $before = $node->safe_psql('postgres', $size);
    $node->safe_psql('postgres', <<~'SQL');
        DELETE FROM t WHERE id = 1;
        VACUUM (INDEX_CLEANUP ON) t;
        INSERT INTO t SELECT * FROM source WHERE id > 1500 AND id <= 1700;
        SQL

    # Forty pages of nodes; upper levels, which are drawn, may take a few more.
    cmp_ok($node->safe_psql('postgres', $size),
        '<=', $before + 5 * 8192, "$am: pages of zeroes are filled");
    index_is_clean($node, $index, "$am: clean then");
    $node->safe_psql('postgres', 'DROP TABLE t');
}

log_is_clean($node);
$node->stop;
done_testing();
