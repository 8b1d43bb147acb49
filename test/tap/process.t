# A backend that searches, inserts or builds stays a process of one thread.  It
# loads OpenBLAS only to train an ivfflat index.
#
# Fails when a library that starts threads is linked into the extension: every
# connection would pay for it.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VSearch::Data;
use VSearch::Test;

plan skip_all => 'needs /proc' unless -d '/proc/self/task';

my $node = start_node('process');

load_clustered(
    $node,
    seed   => 71,
    dim    => 64,
    tables => [ t => 6000, q => 10 ]);

sub nthreads
{
    my ($pid) = @_;
    my @threads = glob "/proc/$pid/task/*";
    return scalar @threads;
}

# Libraries of a process whose names hint at BLAS or at a threading runtime.
sub heavy_libraries
{
    my ($pid) = @_;
    my %found = map { $_ => 1 }
      slurp_file("/proc/$pid/maps") =~ m{/([^/\s]*(?:blas|gomp|iomp)[^/\s]*)}g;
    return join ' ', sort keys %found;
}

foreach my $am (vector_access_methods())
{
    my $index =
      create_index($node, am => $am, table => 't', metric => 'l2');
    my $session = $node->background_psql('postgres');
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    my %steps = (
        '1: search' => <<~'SQL',
            SET enable_seqscan = off;
            SELECT id FROM t ORDER BY v <-> (SELECT v FROM q WHERE id = 1)
            LIMIT 10
            SQL
        '2: insert' => 'INSERT INTO t (label, v) SELECT label, v FROM q',
        '3: delete' => 'DELETE FROM t WHERE id % 10 = 0',
        '4: vacuum' => 'VACUUM (INDEX_CLEANUP ON) t',
        '5: reindex' => "REINDEX INDEX $index",
    );

    foreach my $step (sort keys %steps)
    {
        $session->query_safe($steps{$step});
        is(nthreads($pid), 1, "$am, $step: one thread");

        # Only to train many centroids, and then for the rest of the session.
        if ($am eq 'ivfflat' && $step =~ /reindex/)
        {
            my @found = split / /, heavy_libraries($pid);

            ok(@found > 0 && !grep({ !/openblas/ } @found),
                "$am, $step: OpenBLAS and nothing else")
              or diag "@found";
        }
        else
        {
            is(heavy_libraries($pid), '', "$am, $step: no BLAS");
        }
    }
    like(slurp_file("/proc/$pid/maps"),
        qr/@{[ extension_name() ]}\.so/, "$am: it is the extension's process");
    # During a build, too.
    my $most = 0;
    $node->safe_psql('postgres', "DROP INDEX $index");
    $session->query_until(
        qr/begun/, <<~"SQL");
        SET max_parallel_maintenance_workers = 0;
        \\echo begun
        CREATE INDEX $index ON t USING $am (v vector_l2_ops);
        SQL
    my $is_active =
      "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $pid";
    my $nsamples = 0;
    do
    {
        foreach (1 .. 20)
        {
            my $nthreads = nthreads($pid);

            $most = $nthreads if $nthreads > $most;
            $nsamples++;
            sleep 0.002;
        }
    } while ($node->safe_psql('postgres', $is_active) eq 't');
    is($most, 1, "$am: one thread during a build ($nsamples samples)");
    $session->quit;
}

log_is_clean($node);
$node->stop;
done_testing();
