# Vectors of many dimensions, up to the last that the type can hold: an index
# over them is built, grows, loses rows and is vacuumed, and stays whole and
# exact.
#
# Fails when a layout is wrong that only long vectors have: a node of several
# pages, a vector or codes that continue on further pages, a list of neighbours
# in parts, upper records whose codes leave room for few.  2000 and 2001 stand
# on both sides of the limit that others have.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;

# [dimensions, rows, metrics].
my @shapes = (
    [ 2000,  800, [qw(l2 l1)] ],
    [ 2001,  800, [qw(cosine)] ],
    [ 3072,  800, [qw(l2 l1)] ],
    [ 4096,  600, [qw(ip)] ],
    [ 8192,  500, [qw(cosine)] ],
    [ 16000, 400, [qw(l2 l1)] ],
);

# A graph needs no more rows than that here.
my $node = start_node('dimensions', conf => 'vsearch.hnsw_flat_rows = 150');

foreach my $shape (@shapes)
{
    my ($dim, $nrows, $metrics) = @$shape;
    my $half = $nrows / 2;

    load_clustered(
        $node,
        seed   => $dim,
        dim    => $dim,
        tables => [ source => $nrows, q => 120 ]);

    foreach my $metric (@$metrics)
    {
        my %search =
          (table => 't', queries => 'q', metric => $metric, am => 'hnsw');
        my $what = "$dim dimensions, $metric";

        # Half of the rows are built, the others inserted.
        $node->safe_psql('postgres', <<~"SQL");
            CREATE TABLE t (LIKE source INCLUDING ALL);
            INSERT INTO t SELECT * FROM source WHERE id <= $half;
            SQL
        my $index = create_index($node, %search);
        $node->safe_psql('postgres',
            "INSERT INTO t SELECT * FROM source WHERE id > $half");
        exact_answers($node, %search);
        recall_at_least($node, 0.95, "$what: built and grown", %search);
        index_is_clean($node, $index, "$what: clean after growth");

        # A third goes, and comes back in its place.
        my $size = $node->safe_psql('postgres',
            "SELECT pg_relation_size('$index')");
        $node->safe_psql('postgres', <<~"SQL");
            DELETE FROM t WHERE id % 3 = 0;
            VACUUM (INDEX_CLEANUP ON) t;
            SQL
        exact_answers($node, %search);
        recall_at_least($node, 0.95, "$what: after deletes", %search);
        index_is_clean($node, $index, "$what: clean after deletes");
        $node->safe_psql('postgres',
            'INSERT INTO t SELECT * FROM source WHERE id % 3 = 0');
        exact_answers($node, %search);
        recall_at_least($node, 0.95, "$what: after their return", %search);
        index_is_clean($node, $index, "$what: clean after their return");
        cmp_ok(
            $node->safe_psql('postgres', "SELECT pg_relation_size('$index')"),
            '<=', 1.05 * $size, "$what: vacuum's space is used again");

        # From an empty table on: the graph is built where the nodes are.
        $node->safe_psql('postgres', <<~"SQL");
            TRUNCATE t;
            INSERT INTO t SELECT * FROM source ORDER BY id;
            SQL
        exact_answers($node, %search);
        recall_at_least($node, 0.95, "$what: grown from nothing", %search);
        index_is_clean($node, $index, "$what: clean, grown from nothing");
        $node->safe_psql('postgres', 'DROP TABLE t');
    }
    $node->safe_psql('postgres', 'DROP TABLE source, q');
}

log_is_clean($node);
$node->stop;
done_testing();
