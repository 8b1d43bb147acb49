# What replay makes of every record is, byte for byte, what the primary has:
# wal_consistency_checking = all over all that changes an index.
#
# Fails (the standby stops) when a page is changed behind the log's back, by a
# hint or by bytes in the page's hole, say.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Recall;
use VSearch::Test;

# Every record carries full images of its pages: few rows, compressed images.
my $primary = start_node('primary', streaming => 1, conf => <<~'CONF');
    wal_consistency_checking = all
    wal_compression = on
    CONF
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

foreach my $am (access_methods())
{
    load_rows(
        $primary, $am,
        seed    => 41,
        dim     => 40,
        tables  => [ source => 2000, q => 50 ],
        queries => 'q');
    my %built =
      (table => 'built', queries => 'q', metric => 'l2', am => $am);
    my %grown =
      (table => 'grown', queries => 'q', metric => 'cosine', am => $am);

    # From a filled table, and from none past the point where an index stops
    # being a plain list of rows.
    $primary->safe_psql('postgres', <<~'SQL');
        CREATE TABLE built (LIKE source INCLUDING ALL);
        CREATE TABLE grown (LIKE source INCLUDING ALL);
        INSERT INTO built SELECT * FROM source WHERE id <= 1200;
        SQL
    my $built_index = create_index($primary, %built);
    my $grown_index = create_index($primary, %grown);

    $primary->safe_psql('postgres', <<~"SQL");
        INSERT INTO grown SELECT * FROM source WHERE id <= 1600;
        INSERT INTO built SELECT * FROM source WHERE id BETWEEN 1201 AND 1400;
        INSERT INTO built (id, v) VALUES (5001, NULL);
        UPDATE built SET label = label + 1 WHERE id % 4 = 0;
        UPDATE built t SET v = s.v FROM source s
        WHERE t.id % 8 = 1 AND s.id = t.id + 1;
        DELETE FROM built WHERE id % 8 = 2;
        DELETE FROM grown WHERE id % 16 = 3;
        VACUUM (INDEX_CLEANUP ON) built, grown;
        INSERT INTO built SELECT * FROM source WHERE id % 8 = 2;
        REINDEX INDEX CONCURRENTLY $built_index;
        REINDEX INDEX $grown_index;
        DELETE FROM grown;
        VACUUM (INDEX_CLEANUP ON) grown;
        INSERT INTO grown SELECT * FROM source WHERE id <= 100;
        SQL

    # Dies where the standby did.
    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
    foreach my $search (\%built, \%grown)
    {
        my $index = index_name(%$search);

        index_is_clean($primary, $index);
        index_is_clean($standby, $index, "$index is clean on the standby");
        ok( answers($primary, %$search) eq answers($standby, %$search),
            "$index: same answers on the standby");
    }
    $primary->safe_psql('postgres', 'DROP TABLE built, grown');
}

is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'),
    't', 'the standby still replays');
log_is_clean($primary);
log_is_clean($standby);
$standby->stop;
$primary->stop;
done_testing();
