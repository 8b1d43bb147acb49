=head1 NAME

VSearch::Test - servers, indexes and checks for the TAP tests

=head1 DESCRIPTION

What every test needs whatever access method it looks at: a server with the
extension in it, an index, and the question whether that index and the server's
log are clean.  An access method is one row of %ACCESS_METHODS: a test that
loops over access_methods() covers a new one without being touched, and one that
loops over vector_access_methods() one over vectors.

Rows are ranked by how near they are to a query: vectors by a distance that the
test names, documents (tsvectors) by the one there is, whatever name it gives.

=cut

package VSearch::Test;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
    access_methods
    create_index
    extension_name
    index_is_clean
    index_name
    log_is_clean
    opclass
    operator
    ranks_documents
    start_node
    start_standby
    vector_access_methods
);

# The extension under test.
my $EXTENSION = 'vsearch';

# How each distance is written in SQL.
my %OPERATORS = (
    l2     => '<->',
    ip     => '<#>',
    cosine => '<=>',
    l1     => '<+>',
    bm25   => '<@>',
);

# Access methods over a column: the operator class of each distance.  "bm25" is
# that of documents from a query.
my %ACCESS_METHODS = (
    hnsw => {
        l2     => 'vector_l2_ops',
        ip     => 'vector_ip_ops',
        cosine => 'vector_cosine_ops',
        l1     => 'vector_l1_ops',
    },
    ivfflat => {
        l2     => 'vector_l2_ops',
        ip     => 'vector_ip_ops',
        cosine => 'vector_cosine_ops',
    },
    bm25 => { bm25 => 'tsvector_bm25_ops' },
);

# What a server must never write to its log.  A cancelled or refused statement
# is a test's own business; these are damage.
my $DAMAGE = join '|', (
    'PANIC:',
    'TRAP:',
    'inconsistent page found',
    'invalid page in block',
    'WAL contains references to invalid pages',
    'terminated by signal (?:4|6|7|8|11)\b',
);

sub extension_name
{
    return $EXTENSION;
}

# All access methods.
sub access_methods
{
    return sort keys %ACCESS_METHODS;
}

# Those over vectors, or those of them that know a metric.
sub vector_access_methods
{
    my ($metric) = @_;
    return grep {
        !ranks_documents($_)
          && (!defined $metric || $ACCESS_METHODS{$_}{$metric})
    } access_methods();
}

# Whether an access method is over documents, not vectors.
sub ranks_documents
{
    my ($am) = @_;
    return exists $ACCESS_METHODS{$am}{bm25};
}

# The operator by which an access method ranks rows: a metric says which one to
# those that have several.
sub operator
{
    my ($metric, $am) = @_;

    $metric = 'bm25' if defined $am && ranks_documents($am);
    return $OPERATORS{$metric} // croak "unknown metric \"$metric\"";
}

# The same of operator classes.
sub opclass
{
    my ($metric, $am) = @_;

    $metric = 'bm25' if ranks_documents($am);
    return $ACCESS_METHODS{$am}{$metric}
      // croak "no operator class of \"$am\" for \"$metric\"";
}

# Start a server of the test's own and create the extension in its database
# "postgres".  Parameters: streaming => 1 lets standbys connect, conf => lines
# for postgresql.conf.  An ivfflat scan probes all lists that it has by default: what is
# not found is lost.
sub start_node
{
    my ($name, %params) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);

    $node->init(allows_streaming => $params{streaming} // 0);
    $node->append_conf('postgresql.conf', <<~"CONF");
        log_statement = none
        autovacuum = off
        shared_buffers = 64MB
        max_connections = 30
        max_wal_size = 1GB
        maintenance_work_mem = 128MB
        wal_level = replica
        ivfflat.probes = 100
        CONF
    $node->append_conf('postgresql.conf', $params{conf}) if $params{conf};
    $node->start;
    $node->safe_psql('postgres', "CREATE EXTENSION $EXTENSION");
    return $node;
}

# Start a standby of a node (streaming => 1) that has replayed all there is, and
# whose queries are never cancelled for what is replayed.  Parameters: conf =>
# lines for postgresql.conf.
sub start_standby
{
    my ($primary, %params) = @_;
    my $standby = PostgreSQL::Test::Cluster->new('standby');

    $primary->backup('base');
    $standby->init_from_backup($primary, 'base', has_streaming => 1);
    $standby->append_conf('postgresql.conf',
        "max_standby_streaming_delay = -1\n$params{conf}");
    $standby->start;
    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
    return $standby;
}

# The name that create_index gives to an index.
sub index_name
{
    my (%index) = @_;
    return join '_', $index{table}, $index{am}, $index{metric};
}

# Create an index over column v of a table; returns its name.  Parameters:
# table, am, metric, and with => text of the WITH clause's parentheses.
sub create_index
{
    my ($node, %index) = @_;
    my $name = index_name(%index);
    my $opclass = opclass($index{metric}, $index{am});
    my $with = $index{with} ? "WITH ($index{with})" : '';

    $node->safe_psql('postgres',
        "CREATE INDEX $name ON $index{table} USING $index{am}"
          . " (v $opclass) $with");
    return $name;
}

# Test that the index agrees with itself and with its table: no row of the
# check says "error".  Warnings (space that a later vacuum reclaims, say) are
# shown, not counted.
sub index_is_clean
{
    my ($node, $index, $test_name) = @_;
    my $rows = $node->safe_psql('postgres', <<~"SQL");
        SELECT severity, block, node, problem
        FROM ${EXTENSION}_check('$index', heapallindexed => true)
        ORDER BY severity, block, node
        LIMIT 20
        SQL
    my @warnings = grep { !/^error\|/ } split /\n/, $rows;

    note "$index: $_" foreach @warnings;
    return is(join("\n", grep { /^error\|/ } split /\n/, $rows),
        '', $test_name // "$index is clean");
}

# Test that the server's log tells of no damage.
sub log_is_clean
{
    my ($node, $test_name) = @_;
    my @lines = grep { /$DAMAGE/ } split /\n/, slurp_file($node->logfile);

    $test_name //= 'log of ' . $node->name . ' tells of no damage';
    return is(join("\n", @lines), '', $test_name);
}

1;
