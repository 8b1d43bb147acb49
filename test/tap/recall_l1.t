# By L1 an index finds the nearest where L1 and L2 do not agree on them: a few
# dimensions much wider than the others, and single elements that are far off.
#
# Fails when codes, which see L2 distances alone, are not brought to L1: by
# weights for the former, by limits for the latter.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;

my $dim = 300;

# What is done to each vector: an element of every fiftieth dimension becomes
# forty times as large; of each hundred elements two move by up to 6.
my %changes = (
    wide     => 'e * CASE WHEN i % 50 = 0 THEN 40 ELSE 1 END',
    outliers => 'e + CASE WHEN random() < 0.02 THEN 12 * random() - 6 ELSE 0 END');

my $node = start_node('l1');

load_clustered(
    $node,
    seed   => 300,
    dim    => $dim,
    tables => [ t => 3000, q => 200 ]);

foreach my $what (sort keys %changes)
{
    my %search = (
        table   => "t_$what",
        queries => "q_$what",
        metric  => 'l1',
        am      => 'hnsw');

    foreach my $table (qw(t q))
    {
        $node->safe_psql('postgres', <<~"SQL");
            SELECT setseed(0.5);
            CREATE TABLE ${table}_$what AS
            SELECT id, array_agg($changes{$what} ORDER BY i)::vector($dim) AS v
            FROM $table, unnest(v::real[]) WITH ORDINALITY u (e, i)
            GROUP BY id;
            ANALYZE ${table}_$what;
            SQL
    }
    exact_answers($node, %search);

    # Built, and half of it inserted.
    my $index = create_index($node, %search);
    recall_at_least($node, 0.95, "$what: built", %search);
    index_is_clean($node, $index, "$what: clean");
    $node->safe_psql('postgres', <<~"SQL");
        CREATE TABLE rest AS SELECT * FROM t_$what WHERE id % 2 = 0;
        DELETE FROM t_$what WHERE id % 2 = 0;
        VACUUM (INDEX_CLEANUP ON) t_$what;
        INSERT INTO t_$what SELECT * FROM rest;
        DROP TABLE rest;
        SQL
    recall_at_least($node, 0.95, "$what: half inserted", %search);
    index_is_clean($node, $index, "$what: clean with half inserted");
}

log_is_clean($node);
$node->stop;
done_testing();
