# Clients insert, update, delete and search at once while the table is vacuumed
# again and again: no client meets an error or a wrong answer, and what is left
# is clean and answers well.
#
# Fails on deadlocks between pages, on space used again under a running scan,
# on rows that two inserters lose between them.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;
use VSearch::Workload;

my $seconds = 12;

# A cache that does not hold everything; a second vacuum from PostgreSQL itself.
my $node = start_node('concurrency', conf => <<~'CONF');
    shared_buffers = 8MB
    autovacuum = on
    autovacuum_naptime = 1s
    deadlock_timeout = 200ms
    CONF

foreach my $am (access_methods())
{
    create_noise($node, 'pool', 0.05)
      if load_rows(
        $node, $am,
        seed    => 61,
        dim     => 64,
        tables  => [ pool => 10_000, q => 300 ],
        queries => 'q');

    # One index that was built, and one that clients make grow from nothing;
    # some clients search while it does.
    foreach my $case ([ 'built', 5000 ], [ 'grown', 200 ])
    {
        my ($name, $nrows) = @$case;
        my %search =
          (table => $name, queries => 'q', metric => 'l2', am => $am);

        $node->safe_psql('postgres', <<~"SQL");
            CREATE TABLE $name (LIKE pool INCLUDING ALL);
            INSERT INTO $name (label, v)
            SELECT label, v FROM pool WHERE id <= $nrows;
            CREATE INDEX ON $name (label);
            SQL
        my $index = create_index($node, %search);
        create_answer_check($node, %search);

        # Once more where the machine was too slow for three vacuums.
        my ($nvacuums, $went_well) = (0, 1);
        while ($nvacuums < 3 && $went_well)
        {
            my $load = start_pgbench(
                $node,
                table => $name,
                pool  => 'pool',
                mix   => {
                    insert        => $name eq 'grown' ? 12 : 6,
                    insert_twin   => 2,
                    insert_null   => 1,
                    delete        => 3,
                    update_vector => 3,
                    update_label  => 2,
                    search        => 8,
                    search_far    => 1,
                },
                clients => 8,
                seconds => $name eq 'grown' ? 8 : $seconds,
                nrows   => 2 * $nrows,
                seed    => 7);
            while ($load->{harness}->pumpable)
            {
                $node->safe_psql('postgres',
                    "VACUUM (INDEX_CLEANUP ON) $name");
                $nvacuums++;
                $load->{harness}->pump_nb;
            }
            $went_well = ok(finish_task($load),
                "$am, $name: no client met an error")
              or diag task_errors($load);
            note $load->{out};
        }
        note "$nvacuums vacuums went by";

        index_is_clean($node, $index, "$am, $name: clean");
        exact_answers($node, %search);
        my $worked = recall($node, %search);
        $node->safe_psql('postgres', "REINDEX INDEX $index");
        my $rebuilt = recall($node, %search);
        cmp_ok($worked, '>=', $rebuilt - 0.01,
            "$am, $name: recall $worked, when rebuilt $rebuilt");
        $node->safe_psql('postgres',
            "DROP TABLE $name; DROP FUNCTION check_answer");
    }
}

log_is_clean($node);
$node->stop;
done_testing();
