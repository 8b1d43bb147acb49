# An index whose graph takes ten times maintenance_work_mem is built in parts:
# it finds as much as one that was built whole, alone and with workers, and no
# row or copy of a vector gets lost between the parts.
#
# Fails when parts do not meet at their borders, when joining them drops links
# that hold the graph together, or when a row lands in no part or in two.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;

my $node = start_node('build_memory', conf => <<~'CONF');
    max_parallel_maintenance_workers = 0
    min_parallel_table_scan_size = 0
    CONF

load_clustered(
    $node,
    seed   => 34,
    dim    => 64,
    tables => [ t => 30_000, q => 2000 ]);
$node->safe_psql('postgres', <<~'SQL');
    INSERT INTO t (label, v)
    SELECT label, v FROM t, generate_series(1, 24) WHERE id <= 20;
    SQL

foreach my $metric (qw(l2 cosine))
{
    my %search =
      (table => 't', queries => 'q', metric => $metric, am => 'hnsw');
    my ($out, $err);

    exact_answers($node, %search);
    my $index = create_index($node, %search);
    my $whole = recall($node, %search);

    foreach my $nworkers (0, 2)
    {
        my $test_name = "$metric, $nworkers workers";

        $node->psql('postgres', <<~"SQL", stderr => \$err);
            SET maintenance_work_mem = '1331kB';
            SET max_parallel_maintenance_workers = $nworkers;
            REINDEX INDEX $index;
            SQL
        like($err,
            qr/no longer fits .* built in \d\d parts.* to 1[34] MB/s,
            "$test_name: a notice says so");
        index_is_clean($node, $index, "$test_name: clean");
        recall_at_least($node, $whole - 0.005, "$test_name: recall", %search);
    }
    $node->safe_psql('postgres', "DROP INDEX $index");
}

log_is_clean($node);
$node->stop;
done_testing();
