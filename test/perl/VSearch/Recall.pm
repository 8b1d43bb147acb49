=head1 NAME

VSearch::Recall - how much of the exact answer an index returns

=head1 DESCRIPTION

The exact answers are computed once, by a plan that cannot use an index, and
kept in a table with the distance of each query's k-th nearest row.  A row that
the index returns counts where its own distance, computed from the table, is
not beyond that: ties and duplicates then neither help nor hurt.  All queries
are put in one statement.

How near documents are to a query depends on all of them, those too that vacuum
has not removed yet: their exact answers are computed again, in the statement
that asks the index.  They must be found, all of them: recall dies otherwise.

=cut

package VSearch::Recall;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Test;

our @EXPORT = qw(
    answers
    exact_answers
    recall
    recall_at_least
);

# Number of rows that a search looks at, where it does not say k => n.
my $K = 10;

# The table that keeps the exact answers.
sub _exact_table
{
    my (%search) = @_;
    return join '_', 'exact', $search{table}, $search{queries}, $search{metric};
}

# Compute the exact answers from the table's present content, replacing those
# of an earlier content.  Search parameters: table, queries (a table), metric,
# k => n for the nearest n rows instead of ten, and nqueries => n for only the
# first n of the queries.
sub exact_answers
{
    my ($node, %search) = @_;
    my $exact = _exact_table(%search);
    my $operator = operator($search{metric}, $search{am});
    my $k = $search{k} // $K;
    my $some = $search{nqueries} ? "WHERE q.id <= $search{nqueries}" : '';

    $node->safe_psql('postgres', <<~"SQL");
        SET enable_indexscan = off;
        SET client_min_messages = warning;
        DROP TABLE IF EXISTS $exact;
        CREATE TABLE $exact AS
        SELECT q.id, q.v, max(n.d) AS kth, count(*) AS nrows
        FROM $search{queries} q CROSS JOIN LATERAL (
            SELECT t.v $operator q.v AS d
            FROM $search{table} t
            WHERE t.v IS NOT NULL
            ORDER BY t.v $operator q.v
            LIMIT $k) n
        $some
        GROUP BY q.id, q.v;
        ANALYZE $exact;
        SQL
    return;
}

# Settings that leave the planner no other plan than the index, and the
# search's own.
sub _settings
{
    my (%search) = @_;
    my %settings = (enable_seqscan => 'off', %{ $search{settings} // {} });

    return join ' ', map { "SET $_ = $settings{$_};" } sort keys %settings;
}

# Die unless the statement's plan scans the search's index.
sub _require_index
{
    my ($node, $statement, %search) = @_;
    my $index = index_name(%search);
    my $plan = $node->safe_psql('postgres',
        _settings(%search) . " EXPLAIN (COSTS OFF) $statement");

    croak "not a scan of $index:\n$plan"
      unless $plan =~ /Index Scan using $index on/;
    return;
}

# Recall@k of the search's index over the queries whose exact answers have
# been computed, as a number.  Dies where the plan does not use the index or a
# query gets fewer rows than its LIMIT asked for and the table holds.  Search
# parameters: as for exact_answers, and am, settings => {name => value}.
sub recall
{
    my ($node, %search) = @_;
    my $exact = _exact_table(%search);
    my $operator = operator($search{metric}, $search{am});
    my $k = $search{k} // $K;
    my $documents = ranks_documents($search{am});
    my $kth = $documents ? <<~"SQL" : 'e.kth';
        (SELECT max(x.d)
        FROM (
            SELECT (t.v $operator e.v) + 0.0 AS d
            FROM $search{table} t
            WHERE t.v IS NOT NULL
            ORDER BY d
            LIMIT $k) x)
        SQL
    my $statement = <<~"SQL";
        SELECT sum(r.hits)::float8 / sum(e.nrows)::float8,
            count(*) FILTER (WHERE r.nrows < e.nrows)
        FROM $exact e CROSS JOIN LATERAL (SELECT $kth AS kth) x
        CROSS JOIN LATERAL (
            SELECT count(*) AS nrows,
                count(DISTINCT s.id) FILTER (WHERE s.d <= x.kth) AS hits
            FROM (
                SELECT t.id, t.v $operator e.v AS d
                FROM $search{table} t
                ORDER BY t.v $operator e.v
                LIMIT $k) s) r
        SQL

    _require_index($node, $statement, %search);
    my ($recall, $nshort) = split /\|/,
      $node->safe_psql('postgres', _settings(%search) . ' ' . $statement);
    croak "$nshort queries got fewer rows than they asked for" if $nshort > 0;
    croak "recall of documents is $recall" if $documents && $recall != 1;
    return $recall;
}

# Test that recall is at least "bound".
sub recall_at_least
{
    my ($node, $bound, $test_name, %search) = @_;
    my $recall = recall($node, %search);

    note sprintf "%s: %.4f", $test_name, $recall;
    return cmp_ok(sprintf('%.4f', $recall), '>=', sprintf('%.4f', $bound),
        $test_name);
}

# What the index returns for each query, as text: a line a query with the ids
# in order.  distances => 1 gives their distances instead, to seven digits.
sub answers
{
    my ($node, %search) = @_;
    my $operator = operator($search{metric}, $search{am});
    my $what = $search{distances} ? "to_char(s.d, '9.999999EEEE')" : 's.id';
    my $some = $search{nqueries} ? "WHERE q.id <= $search{nqueries}" : '';
    my $statement = <<~"SQL";
        SELECT q.id, r.found
        FROM $search{queries} q CROSS JOIN LATERAL (
            SELECT array_agg($what) AS found
            FROM (
                SELECT t.id, t.v $operator q.v AS d
                FROM $search{table} t
                ORDER BY t.v $operator q.v
                LIMIT $K) s) r
        $some
        ORDER BY q.id
        SQL

    _require_index($node, $statement, %search);
    return $node->safe_psql('postgres', _settings(%search) . ' ' . $statement);
}

1;
