# A scan on a standby whose segments the primary merges, and whose pages it gives
# to new ones, returns the rows of its snapshot all the same: each once, in order,
# with the scores it began with.
#
# Fails when a scan reads pages that have become another segment's, forgets what
# it has returned, or scores by other statistics when it begins anew.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Test;

my $nrows = 4000;

my $primary = start_node('primary', streaming => 1);
$primary->safe_psql('postgres', <<~"SQL");
    CREATE EXTENSION IF NOT EXISTS pageinspect;
    CREATE FUNCTION document(i int) RETURNS tsvector LANGUAGE sql IMMUTABLE RETURN
        (SELECT to_tsvector('simple', string_agg('w' || (hashint4(i * 50 + j) & 1023) % (j * 7 + 3), ' '))
         FROM generate_series(0, 20 + i % 20) j);
    CREATE TABLE t (id int, tsv tsvector);
    ALTER TABLE t SET (autovacuum_enabled = off);
    INSERT INTO t SELECT i, CASE WHEN i % 20 <> 0 THEN document(i) END
    FROM generate_series(1, $nrows) i;
    CREATE INDEX t_bm25 ON t USING bm25 (tsv);
    CREATE VIEW pages AS
        SELECT block, md5(get_raw_page('t_bm25', block::int)) AS page
        FROM generate_series(0, pg_relation_size('t_bm25') / 8192 - 1) block;
    SQL
my $standby =
  start_standby($primary, conf => 'hot_standby_feedback = off');

# Fill buffers and merge, so that the pages of what was there are free, and then
# filled with other segments.  Without VACUUM, whose replay waits for snapshots.
sub replace_segments
{
    for my $round (1 .. 3)
    {
        $primary->safe_psql('postgres', <<~"SQL");
            INSERT INTO t SELECT $nrows + i, document(i + $round)
            FROM generate_series(1, 2500) i;
            SELECT vsearch_merge('t_bm25');
            SQL
        $primary->safe_psql('postgres', "SELECT vsearch_merge('t_bm25')");
    }
    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
    return;
}

my %queries = (
    ranked => q{ORDER BY tsv <@> 'w1 | w2 | w5 | w9'},
    both => q{WHERE tsv @@ 'w1 & w2' ORDER BY tsv <@> 'w1 & w2'},
    matches => q{WHERE tsv @@ 'w1 | w3'},);
my @scans;

# Rows fetched before the index changes: none of a batch, some, and most.
for my $name (sort keys %queries)
{
    for my $nfirst (1, 40, 1500)
    {
        my $scan = $standby->background_psql('postgres', on_error_stop => 1);

        $scan->query_safe(<<~"SQL");
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            SET enable_seqscan = off;
            SET enable_bitmapscan = off;
            SET enable_sort = off;
            DECLARE c CURSOR FOR SELECT id, tsv <\@> 'w1 | w2 | w5 | w9' AS d FROM t $queries{$name};
            SQL
        push @scans,
          { name => "$name after $nfirst rows",
            scan => $scan,
            expected => $standby->safe_psql('postgres', "SELECT count(*) FROM t " . ($queries{$name} =~ s/ORDER BY.*//r)),
            is_ordered => $name eq 'ranked',
            rows => $scan->query_safe("FETCH $nfirst FROM c") };
    }
}

my $pages = $standby->safe_psql('postgres', 'SELECT string_agg(page, \',\' ORDER BY block) FROM pages');
replace_segments();
my $nsame = $standby->safe_psql('postgres', <<~"SQL");
    SELECT count(*) FROM pages JOIN unnest(string_to_array('$pages', ',')) WITH ORDINALITY AS old (page, n)
        ON n = block + 1 AND old.page = pages.page
    SQL
my $nold = () = $pages =~ /,/g;
cmp_ok($nsame, '<', $nold / 2, 'most pages of the index have changed');

for my $scan (@scans)
{
    my $rows = $scan->{rows} . "\n" . $scan->{scan}->query_safe('FETCH ALL FROM c');
    my @ids = map { (split /\|/)[0] } grep { length } split /\n/, $rows;
    my @distances = map { (split /\|/, $_, -1)[1] } grep { length } split /\n/, $rows;
    my %seen = map { $_ => 1 } @ids;
    my @known = grep { $_ ne '' } @distances;

    is(scalar(@ids), $scan->{expected}, "$scan->{name}: all rows");
    is(scalar(keys %seen), scalar(@ids), "$scan->{name}: each once");
    ok( !$scan->{is_ordered} || !grep({ $known[ $_ - 1 ] > $known[$_] } 1 .. $#known),
        "$scan->{name}: in order");
    $scan->{scan}->quit;
}

done_testing();
