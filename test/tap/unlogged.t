# The server is killed right after CREATE INDEX on an unlogged table: the table
# comes back empty, its index empty and of use.
#
# Fails when the index's init fork is not on disk when the statement returns.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Crash;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;

my $node = start_node('unlogged');

foreach my $am (access_methods())
{
    my $operator = operator('l2', $am);

    load_rows(
        $node, $am,
        seed    => 51,
        dim     => 32,
        tables  => [ source => 2000, q => 100 ],
        queries => 'q');
    foreach my $case ([ 'empty', 0 ], [ 'filled', 2000 ])
    {
        my ($name, $nrows) = @$case;
        my $table = "u_$name";
        my %search =
          (table => $table, queries => 'q', metric => 'l2', am => $am);

        $node->safe_psql('postgres', <<~"SQL");
            CREATE UNLOGGED TABLE $table (LIKE source INCLUDING ALL);
            INSERT INTO $table SELECT * FROM source WHERE id <= $nrows;
            CHECKPOINT;
            SQL
        my $index = create_index($node, %search);
        if ($nrows > 0)
        {
            exact_answers($node, %search);
            recall_at_least($node, 0.95, "$am, $name: recall", %search);
        }
        crash_and_restart($node);

        is($node->safe_psql('postgres', "SELECT count(*) FROM $table"),
            0, "$am, $name: no rows after the crash");
        index_is_clean($node, $index, "$am, $name: clean after the crash");
        is( $node->safe_psql('postgres', <<~"SQL"), '', "$am, $name: nothing found");
            SET enable_seqscan = off;
            SELECT id FROM $table
            ORDER BY v $operator (SELECT v FROM q WHERE id = 1) LIMIT 5
            SQL

        # It grows like a new one, and survives a clean restart.
        $node->safe_psql('postgres',
            "INSERT INTO $table SELECT * FROM source");
        $node->restart;
        is($node->safe_psql('postgres', "SELECT count(*) FROM $table"),
            2000, "$am, $name: rows survive a clean restart");
        index_is_clean($node, $index, "$am, $name: clean with new rows");
        exact_answers($node, %search);
        recall_at_least($node, 0.95, "$am, $name: recall with new rows",
            %search);

        # As a logged table it survives a crash.
        $node->safe_psql('postgres', "ALTER TABLE $table SET LOGGED");
        my $answers = answers($node, %search);
        crash_and_restart($node);
        index_is_clean($node, $index, "$am, $name: clean when logged");
        ok(answers($node, %search) eq $answers,
            "$am, $name: same rows when logged");
        $node->safe_psql('postgres', "DROP TABLE $table");
    }
}

log_is_clean($node);
$node->stop;
done_testing();
