# vsearch_check finds what is wrong with an ivfflat index, wherever its file is
# damaged; queries, inserts, vacuum and statistics then end, well or with an error
# that says so.
#
# Fails when a part of the format is not verified, when a walk along a list has no
# end, or when a number on a page is trusted that leads out of it.
#
# The places are those that src/ivf/ivf_page.h describes, written down a second
# time; of the arrays of a list page only where they begin or end.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Damage;
use VSearch::Data;
use VSearch::Test;

my $node = start_node('check_damage_lists',
    conf => "statement_timeout = 30s\nvsearch.build_seed = 1\n");

my %KINDS = (meta => 0x4901, directory => 0x4902, list => 0x4903, vectors => 0x4904);

# Lists of several pages; lists whose vectors take two pages each; codes that are
# whole vectors, and centroids in groups.
my %INDEXES = (
    lists => { dim => 64, rows => 1800, nlists => 5 },
    wide => { dim => 4100, rows => 60, nlists => 3 },
    groups => { dim => 3, rows => 2600, nlists => 2100 },
);

foreach my $name (sort keys %INDEXES)
{
    my $damaged = $INDEXES{$name};

    load_clustered(
        $node,
        seed => 31,
        dim => $damaged->{dim},
        tables => [ $name => $damaged->{rows} ]);
    $damaged->{node} = $node;
    $damaged->{name} = $name;
    $damaged->{index} = create_index(
        $node,
        table => $name,
        am => 'ivfflat',
        metric => 'l2',
        with => "lists = $damaged->{nlists}");
    index_is_clean($node, $damaged->{index}, "$name is clean to begin with");
    $damaged->{path} = $node->data_dir . '/'
      . $node->safe_psql('postgres',
        "SELECT pg_relation_filepath('$damaged->{index}')");

    my $nearest = "SELECT count(*) FROM (SELECT id FROM $name ORDER BY v <->"
      . " (SELECT v FROM $name WHERE id = 7)";
    $damaged->{statements} = <<~"SQL";
        SET enable_seqscan = off;
        $nearest LIMIT 10) s;
        SET ivfflat.probes = 32768;
        $nearest LIMIT 100000) s;
        SELECT count(*) FROM vsearch_index_stats('$damaged->{index}');
        BEGIN;
        INSERT INTO $name (label, v) SELECT 0, v FROM $name WHERE id <= 50;
        ROLLBACK;
        VACUUM (INDEX_CLEANUP ON) $name;
        SQL
}

# The place of a row in the table, as its heap TID on a page.
my ($block, $offset) = $node->safe_psql('postgres',
    'SELECT ctid FROM lists WHERE id = 100') =~ /(\d+),(\d+)/;
my $tid = pack 'v v v', $block >> 16, $block & 0xFFFF, $offset;

stop_without_checksums($node);
$_->{file} = read_index_file($_->{path}) foreach values %INDEXES;

sub number_at
{
    my ($file, $place, $format) = @_;
    return unpack $format // 'V', substr($$file, $place, 4);
}

# The first byte behind the header of each page of a kind, in ascending order.
sub pages
{
    my ($file, $kind) = @_;

    return map { page_offset($_) + $PAGE_HEADER_BYTES } grep {
        number_at($file, page_offset($_ + 1) - 4, 'v') == $KINDS{$kind}
    } 0 .. length($$file) / $PAGE_BYTES - 1;
}

sub block_of
{
    my ($place) = @_;
    return int($place / $PAGE_BYTES);
}

my $damaged = $INDEXES{lists};
my $file = \$damaged->{file};
my $zeroes = "\0" x $PAGE_BYTES;
my $none = 0xFFFFFFFF;

# The metapage.
my $meta = $PAGE_HEADER_BYTES;
my $refused = 'metapage of index "lists_ivfflat_l2" is corrupted';

foreach my $case (
    [ 'magic', put($meta, 'oops'), 'is not an ivfflat index' ],
    [ 'version', put($meta + 4, short(99)), 'format version 99' ],
    [ 'metric', put($meta + 6, byte(2)), $refused ],
    [ 'bits', put($meta + 7, byte(1)), $refused ],
    [ 'dimensions', put($meta + 8, short(65)), $refused ],
    [ 'exponent', flip($meta + 10, 1), 'code of slot' ],
    [ 'huge exponent', put($meta + 10, short(0x7FFF)), $refused ],
    [ 'seed', flip($meta + 12, 1), 'code of slot' ],
    [ 'no lists', put($meta + 16, long(0)), $refused ],
    [ 'more lists', put($meta + 16, long(6)), '' ],
    [ 'fewer lists', put($meta + 16, long(4)), '' ],
    [ 'directory', put($meta + 20, long(0)), 'not one of the directory' ],
    [ 'directory beyond the file', put($meta + 20, long($none - 1)),
        'not one of the directory' ],
    [ 'groups', put($meta + 28, long(1)), '' ],
    [ 'more groups than lists', put($meta + 28, long(6)), $refused ],
    [ 'zeroed metapage', put(0, $zeroes), 'unexpected page' ])
{
    damage_is_found($damaged, @$case);
}

# The directory: entries of 16 bytes.
my ($directory) = pages($file, 'directory');
my $entry = $directory + 16;
my @list_pages = pages($file, 'list');
my @vector_pages = pages($file, 'vectors');

foreach my $case (
    [ 'first page', put($entry, long($none)), 'list leads to block' ],
    [ 'first page beyond the file', put($entry, long($none - 1)),
        'list leads to block' ],
    [ 'first page of another list',
        put($entry, long(number_at($file, $directory))), 'page belongs to list|list leads' ],
    [ 'first page of vectors', put($entry, long(block_of($vector_pages[3]))),
        'list leads to block' ],
    [ 'inserts', put($entry + 4, long($none)), 'inserts begin at block' ],
    [ 'inserts of another list',
        put($entry + 4, long(number_at($file, $directory + 4))),
        'inserts begin at block' ],
    [ 'centroid', put($entry + 8, long($none - 1)), 'centroid of the list' ],
    [ 'centroid on a list page', put($entry + 8, long(block_of($list_pages[0]))),
        'centroid of the list' ],
    [ 'another centroid', flip($entry + 12, 1), 'another centroid' ],
    [ 'centroid beyond the page', put($entry + 12, short(65535)), '' ],
    [ 'zeroed directory', put($directory - $PAGE_HEADER_BYTES, $zeroes),
        'not one of the directory' ])
{
    damage_is_found($damaged, @$case);
}

# A list page that another follows, with the row whose TID is known on some page.
my ($page) = grep {
    number_at($file, $_) < $damaged->{nlists} && number_at($file, $_ + 4) != $none
} @list_pages;
my $next = number_at($file, $page + 4);

# Codes come last on a page, of four bits a dimension.
my $code_nbytes = $damaged->{dim} / 2;
my $end = page_offset(block_of($page)) + number_at($file,
    page_offset(block_of($page)) + 12, 'v');
my %is_list = map { block_of($_) => 1 } @list_pages;
my @slots;
for (my $at = -1; ($at = index $$file, $tid, $at + 1) >= 0;)
{
    push @slots, $at if $is_list{ block_of($at) };
}
is(scalar @slots, 1, 'the row is found on one list page');

foreach my $case (
    [ 'list number', put($page, long(4)), 'page belongs to list 4' ],
    [ 'unknown list', put($page, long($none)), 'page belongs to list' ],
    [ 'list in a circle', put($page + 4, long(block_of($page))), 'list leads back' ],
    [ 'list to the metapage', put($page + 4, long(0)), 'list leads back' ],
    [ 'list beyond the file', put($page + 4, long($none - 1)),
        'list leads to block' ],
    [ 'list into another', put($page + 4, long(block_of($list_pages[-1]))),
        'page belongs to list|list leads' ],
    [ 'list into vectors', put($page + 4, long(block_of($vector_pages[-1]))),
        'list leads to block' ],
    [ 'list cut off', put($page + 4, long($none)), 'not in its list|inserts begin' ],
    [ 'slots', put($page + 8, short(60000)), 'page has 60000 slots' ],
    [ 'no slots', put($page + 8, short(0)), 'is in use, of 0' ],
    [ 'rows', put($page + 10, short(65535)), 'page counts 65535 rows' ],
    [ 'no rows', put($page + 10, short(0)), 'page counts 0 rows' ],
    [ 'vectors beyond the file', put($page + 12, long($none - 1)),
        'is no page of vectors' ],
    [ 'vectors on a list page', put($page + 12, long($next)),
        'is no page of vectors' ],
    [ 'vectors of another page', put($page + 12,
            substr $$file, page_offset($next) + $PAGE_HEADER_BYTES + 12, 4),
        'vectors of another list page' ],
    [ 'no vectors', put($page + 12, long(0)), 'is not indexed|no page|code of slot' ],
    [ 'code', flip($end - 32 * $code_nbytes - 1, 0x80), 'code of slot' ],
    [ 'heap TID', flip($slots[0] + 4, 0x40), 'is not indexed' ],
    [ 'heap TID without offset', put($slots[0] + 4, short(0)), 'page counts' ],
    [ 'heap TID of an invalid block', put($slots[0], long($none)),
        'invalid heap TID' ],
    [ 'heap TID beyond the table', put($slots[0], short(1)), 'is not indexed' ],
    [ 'kind of a list page',
        put(page_offset(block_of($page) + 1) - 4, short($KINDS{vectors})),
        'page bounds' ],
    [ 'zeroed list page', put($page - $PAGE_HEADER_BYTES, $zeroes),
        'list leads to block' ],
    [ 'next page twice', put($page - $PAGE_HEADER_BYTES,
            substr $$file, page_offset($next), $PAGE_BYTES),
        '' ],
    [ 'lost end of the file', sub {
            my ($changed) = @_;
            $$changed = substr $$changed, 0, page_offset(block_of($page) + 1);
        },
        'list leads to block|no page of vectors' ])
{
    damage_is_found($damaged, @$case);
}

# Vectors: records of an exponent and elements, of which rows have the later ones.
my $vectors = page_offset(number_at($file, $page + 12)) + $PAGE_HEADER_BYTES;

foreach my $case (
    [ 'exponent of a vector', flip($vectors, 1), 'code of slot|has another value' ],
    [ 'sign of an element', flip($vectors + 3, 0x80), 'code of slot' ],
    [ 'last bit of an element', flip($vectors + 2, 1),
        'code of slot|has another value' ],
    [ 'infinite element', put($vectors + 2, short(0x7C00)), 'is not finite' ],
    [ 'kind of a vector page',
        put(page_offset(block_of($vectors) + 1) - 4, short(0x4905)),
        'unexpected page kind' ],
    [ 'zeroed vector page', put($vectors - $PAGE_HEADER_BYTES, $zeroes),
        'is no page of vectors' ])
{
    damage_is_found($damaged, @$case);
}

# The root, whose rows are centroids: the last list.
my ($root) = grep { number_at($file, $_) == $damaged->{nlists} } @list_pages;
my $centroid = pack 'v v v', 0, 3, 1;
my $at = index $$file, $centroid, $root;

cmp_ok($at, '<', $root + $PAGE_BYTES, 'the root has the centroid of list 3');
foreach my $case (
    [ 'unknown centroid', put($at + 2, short(77)), 'which belongs elsewhere' ],
    [ 'centroid twice', put($at + 2, short(1)), 'which has one' ],
    [ 'lost centroid', put($at + 4, short(0)), 'list has no centroid|page counts' ],
    [ 'root in a circle', put($root + 4, long(block_of($root))), 'list leads back' ],
    [ 'zeroed root', put($root - $PAGE_HEADER_BYTES, $zeroes),
        'list leads to block' ])
{
    damage_is_found($damaged, @$case);
}

# Vectors of two pages.
my $wide = $INDEXES{wide};
my @wide_lists = grep { number_at(\$wide->{file}, $_) < $wide->{nlists} }
  pages(\$wide->{file}, 'list');
my $wide_vector = number_at(\$wide->{file}, $wide_lists[0] + 12);

foreach my $case (
    [ 'second page of a vector', flip(
            page_offset($wide_vector + 1) + $PAGE_HEADER_BYTES, 1),
        'code of slot|has another value' ],
    [ 'zeroed second page',
        put(page_offset($wide_vector + 1), $zeroes), 'is no page of vectors' ],
    [ 'vector from its second page',
        put($wide_lists[0] + 12, long($wide_vector + 1)), '' ])
{
    damage_is_found($wide, @$case);
}

# Groups of centroids.
my $groups = $INDEXES{groups};
my @group_pages = grep { number_at(\$groups->{file}, $_) >= $groups->{nlists} }
  pages(\$groups->{file}, 'list');

foreach my $case (
    [ 'no groups', put($meta + 28, long(0)), '' ],
    [ 'fewer groups', put($meta + 28, long(
                number_at(\$groups->{file}, $meta + 28) - 1)), '' ],
    [ 'group of another', put($group_pages[0], long(0)), 'page belongs to list 0' ],
    [ 'zeroed group', put($group_pages[0] - $PAGE_HEADER_BYTES, $zeroes),
        'list leads to block' ])
{
    damage_is_found($groups, @$case);
}

done_testing();
