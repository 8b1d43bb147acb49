# The server is killed in the middle of VACUUM: after recovery the index is
# clean, answers as well as before, and a further VACUUM ends the work.
#
# Fails when a half-done removal (unlinked but not repaired, repaired but not
# freed, freed but still linked) can survive and harm.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VSearch::Crash;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;
use VSearch::Workload;

my $node = start_node('crash_vacuum');
my $vacuum = 'VACUUM (INDEX_CLEANUP ON) t';

foreach my $am (access_methods())
{
    load_rows(
        $node, $am,
        seed    => 12,
        dim     => 64,
        tables  => [ source => 8000, q => 1000 ],
        queries => 'q');
    $node->safe_psql('postgres', <<~'SQL');
        CREATE TABLE t (LIKE source INCLUDING ALL);
        INSERT INTO t SELECT * FROM source;
        SQL

    my %search =
      (table => 't', queries => 'q', metric => 'l2', am => $am);
    my $index = create_index($node, %search);

    # Rows leave in sixteen parts.
    my $part = 0;
    my $remove_part = sub {
        die 'every vacuum ended before it could be killed' if $part >= 16;
        $node->safe_psql('postgres',
            "DELETE FROM t WHERE id <= 8000 AND id % 16 = $part");
        $part++;
    };

    # How long one VACUUM takes that nobody disturbs.
    $remove_part->();
    my $begin = time();
    $node->safe_psql('postgres', $vacuum);
    my $duration = time() - $begin;
    note sprintf '%s: VACUUM takes %.2f s', $am, $duration;

    my $round = 0;
    foreach my $fraction (0.15, 0.4, 0.65, 0.9)
    {
        my ($before, $hit);

        # Again, and from now on earlier, where it was over when the server died.
        while (!$hit)
        {
            # Vacuum does not change what a query sees: the exact answers are
            # the same before and after.
            $remove_part->();
            exact_answers($node, %search);
            $before = recall($node, %search);
            $hit = crash_during($node, start_sql($node, $vacuum),
                $fraction * $duration);
            $duration *= 0.7 if !$hit;
        }

        $round++;
        index_is_clean($node, $index,
            "$am, round $round: clean, killed while vacuuming");
        my $after = recall($node, %search);
        cmp_ok($after, '>=', $before - 0.005,
            "$am, round $round: recall $after, before $before");

        # New rows take the space of old ones.
        $node->safe_psql('postgres', <<~"SQL");
            INSERT INTO t (id, label, v)
            SELECT 10000 * $round + id, label, v
            FROM source WHERE id % 40 = $round
            SQL
        index_is_clean($node, $index,
            "$am, round $round: clean with new rows");
    }

    $node->safe_psql('postgres', $vacuum);
    index_is_clean($node, $index, "$am: clean after a whole vacuum");
    exact_answers($node, %search);
    my $after = recall($node, %search);
    $node->safe_psql('postgres', "REINDEX INDEX $index");
    my $rebuilt = recall($node, %search);
    cmp_ok($after, '>=', $rebuilt - 0.01,
        "$am: recall $after after four crashes, $rebuilt when rebuilt");
    $node->safe_psql('postgres', 'DROP TABLE t');
}

log_is_clean($node);
$node->stop;
done_testing();
