=head1 NAME

VSearch::Workload - statements that run beside a test

=head1 DESCRIPTION

A task is a client program at work in the background: psql with some SQL, or
pgbench with several clients and a mix of statements over one table (columns
id, label, v as VSearch::Data makes them) and a pool, a table of the same shape
from which new rows are drawn, with its noise (create_noise).

=cut

package VSearch::Workload;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Test;

our @EXPORT = qw(
    create_answer_check
    create_noise
    finish_task
    start_pgbench
    start_sql
    task_errors
);

# Start a program against the node.
sub _start_task
{
    my ($node, @command) = @_;
    my $task = { name => $command[0], out => '', err => '' };

    # The rest of the environment is the server's own.
    local $ENV{PGHOST} = $node->host;
    local $ENV{PGPORT} = $node->port;
    local $ENV{PGOPTIONS} = '-c enable_seqscan=off';
    $command[0] = $node->installed_command($command[0]);
    $task->{harness} =
      IPC::Run::start(\@command, '<', \'', '>', \$task->{out},
        '2>', \$task->{err});
    return $task;
}

# Wait for a task's end; true where it ended well.
sub finish_task
{
    my ($task) = @_;
    return $task->{harness}->finish;
}

# What a finished task wrote to its standard error.
sub task_errors
{
    my ($task) = @_;
    return $task->{err};
}

# Run statements, each in a transaction of its own, in the background.
sub start_sql
{
    my ($node, @statements) = @_;
    return _start_task($node, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1',
        map { ('-c', $_) } @statements, );
}

# Create check_answer(query, wanted): it searches the table and raises an error
# unless it gets as many rows as wanted, each once, in the order of their
# distances.  Rows come by the distance to the index's own copy of the vector,
# which the format allows to be off by 2^-11: two neighbours may be swapped
# within twice that.
sub create_answer_check
{
    my ($node, %search) = @_;
    my $operator = operator($search{metric}, $search{am});

    return _create_document_check($node, $search{table}, $operator)
      if ranks_documents($search{am});
    $node->safe_psql('postgres', <<~"SQL");
        CREATE FUNCTION check_answer(query vector, wanted integer)
        RETURNS void LANGUAGE plpgsql AS \$\$
        DECLARE
            answer record;
        BEGIN
            SELECT count(*) AS nrows, count(DISTINCT id) AS nids,
                count(*) FILTER (WHERE d < before - abs(before) * 0.001)
                    AS nswapped
            INTO answer
            FROM (
                SELECT id, d, lag(d) OVER () AS before
                FROM (
                    SELECT t.id, t.v $operator query AS d
                    FROM $search{table} t
                    ORDER BY t.v $operator query
                    LIMIT wanted) s) o;
            IF answer.nrows <> wanted OR answer.nids <> wanted
                OR answer.nswapped > 0 THEN
                RAISE EXCEPTION 'wrong answer: %', answer;
            END IF;
        END
        \$\$;
        SQL
    return;
}

# The same of documents, for a query of words of one of them.  The answer must
# be the exact one, and so must be what WHERE finds.
sub _create_document_check
{
    my ($node, $table, $operator) = @_;

    $node->safe_psql('postgres', <<~"SQL");
        CREATE FUNCTION check_answer(document tsvector, wanted integer)
        RETURNS void LANGUAGE plpgsql AS \$\$
        DECLARE
            words tsquery := (
                SELECT string_agg(quote_literal(w.lexeme), ' | ')
                FROM (
                    SELECT lexeme FROM unnest(document)
                    ORDER BY hashtext(lexeme) LIMIT 3) w);
            answer record;
        BEGIN
            SELECT count(*) AS nrows, count(DISTINCT id) AS nids,
                count(*) FILTER (WHERE d < before) AS nswapped,
                max(d) AS kth, (
                    SELECT max(x.d)
                    FROM (
                        SELECT (t.v $operator words) + 0.0 AS d
                        FROM $table t
                        WHERE t.v IS NOT NULL
                        ORDER BY d
                        LIMIT wanted) x) AS exact_kth, (
                    SELECT count(*)
                    FROM $table t WHERE t.v \@\@ words) AS nmatches, (
                    SELECT count(*)
                    FROM $table t
                    WHERE (t.v \@\@ words) IS TRUE) AS exact_nmatches
            INTO answer
            FROM (
                SELECT id, d, lag(d) OVER () AS before
                FROM (
                    SELECT t.id, t.v $operator words AS d
                    FROM $table t
                    ORDER BY t.v $operator words
                    LIMIT wanted) s) o;
            IF words IS NOT NULL AND (
                answer.nrows <> wanted OR answer.nids <> wanted
                OR answer.nswapped > 0 OR answer.kth <> answer.exact_kth
                OR answer.nmatches <> answer.exact_nmatches) THEN
                RAISE EXCEPTION 'wrong answer to %: %', words, answer;
            END IF;
        END
        \$\$;
        SQL
    return;
}

# The type of a table's column v, and the operator that adds noise to it.
sub _adding_operator
{
    my ($node, $table) = @_;
    my $type = $node->safe_psql('postgres', <<~"SQL");
        SELECT atttypid::regtype FROM pg_attribute
        WHERE attrelid = '$table'::regclass AND attname = 'v'
        SQL

    return $type eq 'tsvector' ? '||' : '+';
}

# Create <pool>_noise: a thousand small vectors, or documents of three words.  A
# row of the pool plus one of these is a new row like the pool's.  Elements are
# -2 to 2 times "unit".
sub create_noise
{
    my ($node, $pool, $unit) = @_;
    my $noise = _adding_operator($node, $pool) eq '+' ? <<~"VECTOR" : <<~'TSVECTOR';
        (SELECT array_agg(
                $unit * (floor(5 * random()) - 2 + 0 * n * e))::vector
            FROM generate_series(1, vector_dims(p.v)) e)
        VECTOR
        (SELECT string_agg('w' || floor(1000 * random()) || ':' || e, ' ')::tsvector
            FROM generate_series(1, 3 + 0 * n) e)
        TSVECTOR

    $node->safe_psql('postgres', <<~"SQL");
        SELECT setseed(0.5);
        DROP TABLE IF EXISTS ${pool}_noise;
        CREATE TABLE ${pool}_noise AS
        SELECT n AS id, $noise AS v
        FROM generate_series(1, 1000) n, $pool p
        WHERE p.id = 1;
        ALTER TABLE ${pool}_noise ADD PRIMARY KEY (id);
        ANALYZE ${pool}_noise;
        SQL
    return;
}

# The statements that a pgbench mix may name.  :row is any row's id, :new any
# row's of the pool, :noise any of its noise's.
my %SCRIPTS = (
    insert => 'INSERT INTO %t (label, v)'
      . ' SELECT p.label, p.v %+ n.v FROM %p p, %p_noise n'
      . ' WHERE p.id = :new AND n.id = :noise',
    insert_twin => 'INSERT INTO %t (label, v)'
      . ' SELECT label, v FROM %p WHERE id = :new % 100 + 1',
    insert_null   => 'INSERT INTO %t (label, v) VALUES (0, NULL)',
    delete        => 'DELETE FROM %t WHERE id = :row',
    update_vector => 'UPDATE %t SET v = v %+ (SELECT v FROM %p_noise'
      . ' WHERE id = :noise) WHERE id = :row',
    update_label => 'UPDATE %t SET label = label + 1 WHERE id = :row',
    search => 'SELECT check_answer((SELECT v FROM %p WHERE id = :new), 10)',
    search_far =>
      'SELECT check_answer((SELECT v FROM %p WHERE id = :new), 100)',
);

# Start pgbench.  Parameters: table, pool, mix => {script => weight}, clients,
# seconds, nrows (upper bound of :row), seed.
sub start_pgbench
{
    my ($node, %load) = @_;
    my $npool = $node->safe_psql('postgres', "SELECT max(id) FROM $load{pool}");
    my $plus = _adding_operator($node, $load{pool});
    my $dir = PostgreSQL::Test::Utils::tempdir();
    my @files;

    foreach my $script (sort keys %{ $load{mix} })
    {
        my $statement = $SCRIPTS{$script};

        $statement =~ s/%t/$load{table}/g;
        $statement =~ s/%p/$load{pool}/g;
        $statement =~ s/%\+/$plus/g;
        append_to_file("$dir/$script.sql", <<~"PGBENCH");
            \\set row random(1, @{[ $load{nrows} // 1 ]})
            \\set new random(1, $npool)
            \\set noise random(1, 1000)
            $statement;
            PGBENCH
        push @files, '-f', "$dir/$script.sql\@$load{mix}{$script}";
    }

    return _start_task(
        $node, 'pgbench', '-n', '-M', 'prepared',
        '-c', $load{clients}, '-j', 2, '-T', $load{seconds},
        "--random-seed=$load{seed}", @files, 'postgres');
}

1;
