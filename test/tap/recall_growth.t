# An index that begins on an empty table and grows by inserts answers as well
# as a built one, also when the rows come sorted by cluster; so does one whose
# rows were all replaced, a part at a time, with vacuum between.
#
# Fails when what the index learns from its first rows (or from none) does not
# fit the later ones, when linking back loses edges, or when vacuum's repair
# leaves regions unreachable.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;

my $node = start_node('growth');

load_clustered(
    $node,
    seed   => 31,
    dim    => 64,
    tables => [ source => 4000, fresh => 4000, q => 3000 ]);

# Test that the index, which has grown, finds about what a new one does.
sub built_as_well
{
    my ($node, $index, %search) = @_;

    $search{settings}{'hnsw.ef_search'} = 10;
    exact_answers($node, %search);
    my $grown = recall($node, %search);
    $node->safe_psql('postgres', "REINDEX INDEX $index");
    my $built = recall($node, %search);
    cmp_ok($grown, '>=', $built - 0.01,
        "$index: recall $grown when grown, $built when built");
    return;
}

foreach my $am (vector_access_methods())
{
    foreach my $order (qw(id label))
    {
        foreach my $metric (qw(l2 cosine l1))
        {
            next unless grep { $_ eq $am } vector_access_methods($metric);
            my $table = "${am}_by_${order}_$metric";
            my %search =
              (table => $table, queries => 'q', metric => $metric, am => $am);

            $node->safe_psql('postgres',
                "CREATE TABLE $table (LIKE source INCLUDING ALL)");
            my $index = create_index($node, %search);
            is( $node->safe_psql('postgres', <<~"SQL"), '', 'empty at first');
                SET enable_seqscan = off;
                SELECT id FROM $table
                ORDER BY v @{[ operator($metric) ]}
                    (SELECT v FROM q WHERE id = 1)
                LIMIT 10
                SQL

            # In three parts: before, around and after the point where an
            # index stops being a plain list of rows.
            foreach my $part ([ 0, 500 ], [ 500, 700 ], [ 1200, 2800 ])
            {
                my ($offset, $limit) = @$part;

                $node->safe_psql('postgres', <<~"SQL");
                    INSERT INTO $table (label, v)
                    SELECT label, v FROM source ORDER BY $order, id
                    OFFSET $offset LIMIT $limit
                    SQL
                exact_answers($node, %search, nqueries => 300);
                recall_at_least($node, 0.95,
                    "$index: recall with @{[ $offset + $limit ]} rows",
                    %search);
            }
            index_is_clean($node, $index, "$index: clean after growth");
            built_as_well($node, $index, %search) if $order eq 'label';
        }
    }

    # Replace all rows, a quarter at a time.
    my $table = "${am}_by_id_l2";
    my %search = (table => $table, queries => 'q', metric => 'l2', am => $am);
    my $index = index_name(%search);
    my $size = "SELECT pg_relation_size('$index')";
    my $grown_size = $node->safe_psql('postgres', $size);

    foreach my $quarter (0 .. 3)
    {
        $node->safe_psql('postgres', <<~"SQL");
            DELETE FROM $table
            WHERE id <= 4000 AND id % 4 = $quarter;
            VACUUM (INDEX_CLEANUP ON) $table;
            INSERT INTO $table (label, v)
            SELECT label, v FROM fresh WHERE id % 4 = $quarter;
            SQL
    }
    exact_answers($node, %search);
    my $replaced = recall($node, %search);
    index_is_clean($node, $index, "$index: clean with all rows replaced");

    cmp_ok($node->safe_psql('postgres', $size),
        '<=', 1.25 * $grown_size, "$index: vacuum's space is used again");

    $node->safe_psql('postgres', "REINDEX INDEX $index");
    my $rebuilt = recall($node, %search);
    cmp_ok($replaced, '>=', $rebuilt - 0.01,
        "$index: replaced rows ($replaced) are found as well as"
          . " in a new index ($rebuilt)");
    cmp_ok($grown_size, '<=', 1.5 * $node->safe_psql('postgres', $size),
        "$index: grown by inserts, not much larger than built");
}

log_is_clean($node);
$node->stop;
done_testing();
