# An index's answers are nearly the exact ones: every metric, dimensions from 3
# to 1600, built over a filled table, at default settings.
#
# Fails when codes, rotation, page-fitted neighbour lists or one of the
# distances lose neighbours, at whichever dimension changes the layout (bits a
# dimension, nodes a page, vector beside its codes or on pages of its own).

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;

# [dimensions, rows, queries]; fewer rows where a row is large.
my @shapes = (
    [ 3,    5000, 200 ],
    [ 16,   5000, 200 ],
    [ 64,   5000, 200 ],
    [ 128,  5000, 200 ],
    [ 300,  3000, 200 ],
    [ 1600, 2000, 400 ],
);
my $bound = 0.95;

my $node = start_node('recall');

foreach my $shape (@shapes)
{
    my ($dim, $nrows, $nqueries) = @$shape;
    my ($table, $queries) = ("t$dim", "q$dim");

    load_clustered(
        $node,
        seed   => $dim,
        dim    => $dim,
        tables => [ $table => $nrows, $queries => $nqueries ]);

    # Neither may disturb an index; no query may see them.
    $node->safe_psql('postgres', <<~"SQL");
        INSERT INTO $table (v) SELECT NULL FROM generate_series(1, 20);
        INSERT INTO $table (v) SELECT v FROM $table WHERE id <= 20;
        SQL

    foreach my $metric (qw(l2 ip cosine l1))
    {
        my %search =
          (table => $table, queries => $queries, metric => $metric);

        exact_answers($node, %search);
        foreach my $am (vector_access_methods($metric))
        {
            my $index =
              create_index($node, am => $am, table => $table,
                metric => $metric);

            recall_at_least($node, $bound, "$am, $metric, $dim dimensions",
                am => $am, %search);
            index_is_clean($node, $index,
                "$am, $metric, $dim dimensions: clean");
            $node->safe_psql('postgres', "DROP INDEX $index");
        }
    }
    $node->safe_psql('postgres', "DROP TABLE $table, $queries");
}

log_is_clean($node);
$node->stop;
done_testing();
