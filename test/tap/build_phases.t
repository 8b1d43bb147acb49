# A build reports each of its phases, with how much there is to do and how much
# of it is done, and ends within a second when it is cancelled in any of them;
# alone and with workers.
#
# Fails when work goes on without a look at interrupts, such as over many
# centroids of many dimensions, or when a phase keeps to itself how far it is.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Build;
use VSearch::Data;
use VSearch::Test;

# Phases that take long enough to be met, and whether they know their total; the
# storage parameters of vectors' indexes make their builds slow.
my %BUILDS = (
    bm25 => {
        on     => 'documents USING bm25 (t)',
        phases => [ [ 'reading tuples', 0 ], [ 'merging postings', 1 ] ],
    },
    hnsw => {
        on => 't USING hnsw (v vector_l2_ops)'
          . ' WITH (m = 48, ef_construction = 1000)',
        phases => [ [ 'loading tuples', 0 ], [ 'building graph', 1 ] ],
    },
    ivfflat => {
        on     => 't USING ivfflat (v vector_l2_ops) WITH (lists = 2500)',
        phases => [
            [ 'reading tuples', 0 ],
            [ 'performing k-means', 1 ],
            [ 'assigning tuples', 1 ],
            [ 'loading tuples', 1 ],
        ],
    },
);
my $nrows = 6000;

my $node = start_node('phases', conf => <<~'CONF');
    maintenance_work_mem = 1GB
    min_parallel_table_scan_size = 0
    CONF

# Vectors of 1500 dimensions: they are in no order that training would find.
$node->safe_psql('postgres', <<~"SQL");
    CREATE TABLE t (v vector(1500));
    SELECT setseed(0.5);
    INSERT INTO t
    SELECT (SELECT array_agg(random() + 0 * i + 0 * j)
            FROM generate_series(1, 1500) j)::vector
    FROM generate_series(1, $nrows) i;
    SQL

load_documents($node, 'documents', 120_000, 100);
create_canceller($node);

foreach my $am (sort keys %BUILDS)
{
    foreach my $nworkers (0, 1)
    {
        my $build = $BUILDS{$am};
        my @statements = (
            "SET max_parallel_maintenance_workers = $nworkers",
            'DROP INDEX IF EXISTS t_idx',
            "CREATE INDEX t_idx ON $build->{on}");

        foreach my $case (@{ $build->{phases} })
        {
            my ($phase, $knows_total) = @$case;
            my $name = "$am, $nworkers workers, $phase";
            my $total =
              ends_within_a_second($node, $name, $phase, @statements);

            cmp_ok($total, '>', 0, "$name: knows how much there is")
              if $knows_total;
        }
    }
}
nothing_is_left($node, 'all builds cancelled');

log_is_clean($node);
$node->stop;
done_testing();
