# vsearch_check finds what is wrong with an index, wherever its file is damaged.
#
# Fails when a part of the format is not verified: then the crash tests, which
# rely on vsearch_check, are blind to it.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Damage;
use VSearch::Data;
use VSearch::Test;

my $node = start_node('check_damage', conf => "vsearch.hnsw_flat_rows = 1\n");

# Indexes whose nodes share pages, and whose nodes take four each.
my %INDEXES = (
    shared => { dim => 64, rows => 1500, with => 'm = 8' },
    wide => { dim => 4100, rows => 150, with => 'm = 16' },
);

# Levels are drawn: one time in twenty all upper pages are full, which leaves
# their chain nothing to damage.
sub reindex_until_upper_page_has_room
{
    my ($index) = @_;
    my $first_in_chain = "SELECT pg_read_binary_file("
      . "pg_relation_filepath('$index'), $PAGE_HEADER_BYTES + 40, 4)";

    $node->safe_psql('postgres', 'CHECKPOINT');
    while ($node->safe_psql('postgres', $first_in_chain) eq '\xffffffff')
    {
        $node->safe_psql('postgres', "REINDEX INDEX $index; CHECKPOINT");
    }
    return;
}

foreach my $name (sort keys %INDEXES)
{
    my $index = $INDEXES{$name};

    load_clustered(
        $node,
        seed => 31,
        dim => $index->{dim},
        tables => [ $name => $index->{rows}, "${name}_other" => $index->{rows} ]);
    foreach my $table ($name, "${name}_other")
    {
        my $created = create_index(
            $node,
            table => $table,
            am => 'hnsw',
            metric => 'l2',
            with => $index->{with});

        reindex_until_upper_page_has_room($created) if $table eq 'shared';
        index_is_clean($node, $created, "$table is clean to begin with");
        $INDEXES{$table}{path} = $node->data_dir . '/'
          . $node->safe_psql('postgres',
            "SELECT pg_relation_filepath('$created')");
    }
}
stop_without_checksums($node);
$_->{file} = read_index_file($_->{path}) foreach values %INDEXES;

# Damage the index of a table; see damage_is_found.
sub is_found
{
    my ($table, @damage) = @_;

    return damage_is_found(
        {
            %{ $INDEXES{$table} },
            node => $node,
            name => $table,
            index => "${table}_hnsw_l2",
        },
        @damage);
}

# The metapage.
my $meta = $PAGE_HEADER_BYTES;
my $refused = 'metapage of index "shared_hnsw_l2" is corrupted';

is_found('shared', 'magic', put($meta, 'oops'), 'is not an hnsw index');
is_found('shared', 'version', put($meta + 4, short(99)), 'format version 99');
is_found('shared', 'state', put($meta + 6, short(1)),
    'index without a graph has an entry point');
is_found('shared', 'unknown state', put($meta + 6, short(7)), $refused);
is_found('shared', 'dimensions', put($meta + 8, short(63)), $refused);
is_found('shared', 'm', put($meta + 10, short(0)), $refused);
is_found('shared', 'ef_construction', put($meta + 12, short(0)), $refused);
is_found('shared', 'metric', put($meta + 14, byte(2)), $refused);
is_found('shared', 'bits', put($meta + 15, byte(3)), $refused);
is_found('shared', 'bits of other dimensions', put($meta + 15, byte(1)), $refused);
is_found('shared', 'seed', flip($meta + 16, 1), 'code of link');
is_found('shared', 'exponent', flip($meta + 20, 1), 'code of link');
is_found('shared', 'centroids', put($meta + 22, short(300)), $refused);
is_found('shared', 'no centroids', put($meta + 22, short(0)), $refused);
is_found('shared', 'codebook block', put($meta + 28, long(0xFFFFFFFE)),
    'refers to block 4294967294, which does not exist');
is_found('shared', 'entry', put($meta + 32, long(0xFFFFFFF0)), 'entry point');
is_found('shared', 'entry level', put($meta + 36, short(0xFFFF)),
    'no entry point');
is_found('shared', 'upper block', put($meta + 40, long(0)),
    'chain of upper pages leads to block 0');

# A node.
my $file = \$INDEXES{shared}{file};
my $g = geometry($file);
my @node_blocks = blocks_of_kind($file, 'node');
my $places = node_places($g, $node_blocks[3], 1);
my $number = $node_blocks[3] * $g->{nodes_per_page} + 1;
my $first_link = unpack 'V', substr($$file, $places->{links}, 4);
my $nlinks = unpack 'v', substr($$file, $places->{nlinks}, 2);
my $level = unpack 'C', substr($$file, $places->{level}, 1);

cmp_ok($nlinks, '>', 2, 'the node to be damaged has neighbours');
is_found('shared', 'sign of a vector element', flip($places->{vector} + 1, 0x80),
    'code of link');
is_found('shared', 'last bit of a vector element', flip($places->{vector}, 1),
    'has another value than the index holds');
is_found('shared', 'infinite vector element',
    put($places->{vector}, short(0x7C00)), 'is not finite');
is_found('shared', 'exponent of a vector', flip($places->{exponent}, 1),
    'has another value than the index holds');
is_found('shared', 'no heap TID', put($places->{ntids}, byte(0)),
    'has no heap TID');
is_found('shared', 'number of heap TIDs', put($places->{ntids}, byte(11)),
    'has 11 heap TIDs');
is_found('shared', 'heap TID', flip($places->{tids} + 4, 0x40),
    'is not indexed');
is_found('shared', 'heap TID without offset', put($places->{tids} + 4, short(0)),
    'invalid heap TID');
is_found('shared', 'heap TID of an invalid block',
    put($places->{tids}, long(0xFFFFFFFF)), 'invalid heap TID');
is_found('shared', 'free state', put($places->{state}, byte(0)), 'which is free');
is_found('shared', 'deleted state', put($places->{state}, byte(3)),
    'deleted node has heap TIDs');
is_found('shared', 'unknown node state', put($places->{state}, byte(9)),
    'node has state 9');
is_found('shared', 'level', put($places->{level}, byte($level + 1)),
    'node has level ' . ($level + 1));
is_found('shared', 'huge level', put($places->{level}, byte(200)),
    'node has level 200');
is_found('shared', 'generation', put($places->{generation}, long(0)),
    'has no generation');

# Its links.
is_found('shared', 'link beyond the file', put($places->{links}, long(0xFFFFFFF0)),
    'leads to 4294967280, where there is no node');
is_found('shared', 'link to itself', put($places->{links}, long($number)),
    'leads to itself');
is_found('shared', 'link to another node', sub {
        # The one before the neighbour, or behind it where that is us.
        my $other = $first_link - 1 == $number ? $first_link + 1 : $first_link - 1;
        spoil($_[0], $places->{links}, long($other));
    },
    'code of link 0 is not that of node');
is_found('shared', 'link twice', put($places->{links} + 4, long($first_link)),
    'lead to the same node');
is_found('shared', 'add factor', flip($places->{factors}, 1), 'code of link 0');
is_found('shared', 'mul factor', flip($places->{factors} + 3, 1),
    'code of link 0');
is_found('shared', 'distance', put($places->{dists}, short(0x7FFF)),
    'distance of link 0 is not finite');
is_found('shared', 'centroid', put($places->{centroids}, byte(255)),
    'code of link 0');
is_found('shared', 'kind', put($places->{kinds}, byte(3)), 'kind of link 0');
is_found('shared', 'code', flip($places->{codes}, 0x10), 'code of link 0');
is_found('shared', 'last code', flip(
        $places->{codes} + $nlinks * $g->{code_nbytes} - 1, 0x80),
    'code of link ' . ($nlinks - 1));
is_found('shared', 'number of links', put($places->{nlinks}, short(65535)),
    'list has 65535 links');

# An upper record.
my $upper = pick_upper($g, $file, 2);
my $its_node = unpack 'V', substr($$file, $upper->{node}, 4);

is_found('shared', 'state of an upper record', put($upper->{state}, byte(7)),
    'upper record has state 7');
is_found('shared', 'freed upper record', put($upper->{state}, byte(0)),
    'where there is no record of level 2|upper records up to level');
is_found('shared', 'level of an upper record', put($upper->{level}, byte(1)),
    'upper records up to level 1|where there is no record of level 2');
is_found('shared', 'node of an upper record',
    put($upper->{node}, long(0xFFFFFFF0)), 'which is not in use');
is_found('shared', 'another node of an upper record',
    put($upper->{node}, long($number)), 'record below is not that');
is_found('shared', 'record below an upper record',
    put($upper->{down}, long(0xFFFFFFF0)), 'record below is not that');
is_found('shared', 'link of an upper record', put($upper->{links}, long(0)),
    'where there is no record of level 2');
is_found('shared', 'code of an upper record', flip($upper->{codes}, 0x10),
    'code of link 0');
is_found('shared', 'number of links of an upper record',
    put($upper->{nlinks}, short(65535)), 'list has 65535 links');

# Pages as a whole.
my $page = page_offset($node_blocks[3]);
my ($upper_block) = blocks_of_kind($file, 'upper');
my ($codebook_block) = blocks_of_kind($file, 'codebook');
my $first_in_chain = unpack 'V', substr($$file, $meta + 40, 4);
my $zeroes = "\0" x $PAGE_BYTES;

cmp_ok($first_in_chain, '!=', 0xFFFFFFFF, 'there is an upper page with room');
is_found('shared', 'next upper page with room',
    put(page_offset($first_in_chain + 1) - 8, long(0x1000000)),
    'chain of upper pages leads to block 16777215');
is_found('shared', 'upper pages with room in a circle',
    put(page_offset($first_in_chain + 1) - 8, long($first_in_chain + 1)),
    'chain of upper pages leads to block');

is_found('shared', 'lower bound of a page', put($page + 12, short(100)),
    'page bounds do not fit');
is_found('shared', 'upper bound of a page', put($page + 14, short(8000)),
    'page bounds do not fit|invalid page');
is_found('shared', 'special space of a page', put($page + 16, short(8000)),
    'not one of ours|invalid page');
is_found('shared', 'size of a page', put($page + 18, short(0x1004)),
    'not one of ours|invalid page');
is_found('shared', 'page kind', put($page + $PAGE_BYTES - 4, short(0x4805)),
    'upper record|page bounds');
is_found('shared', 'unknown page kind', put($page + $PAGE_BYTES - 4, short(1)),
    'unexpected page kind 1');
is_found('shared', 'page identity', put($page + $PAGE_BYTES - 2, short(0)),
    'not one of ours');
is_found('shared', 'zeroed metapage', put(0, $zeroes), 'unexpected page');
is_found('shared', 'zeroed node page', put($page, $zeroes),
    'where there is no node');
is_found('shared', 'zeroed upper page', put(page_offset($upper_block), $zeroes),
    'where there is no record|entry point');
is_found('shared', 'zeroed codebook page',
    put(page_offset($codebook_block), $zeroes), 'unexpected page');
is_found('shared', 'codebook', flip(
        page_offset($codebook_block) + $PAGE_HEADER_BYTES + 8 + 3, 0x80),
    'code of link');
is_found('shared', 'page of another index', put($page,
        substr $INDEXES{shared_other}{file}, $page, $PAGE_BYTES),
    'code of link|has another value');
is_found('shared', 'page twice', put($page,
        substr $$file, page_offset($node_blocks[4]), $PAGE_BYTES),
    'indexed twice');
is_found('shared', 'lost end of the file', sub {
        my ($changed) = @_;
        $$changed = substr $$changed, 0, $page;
    },
    'does not exist|where there is no');

# A node with pages of its own: two for its vector, two for its links.
my $wide = \$INDEXES{wide}{file};
my $wide_g = geometry($wide);
my $wide_block = (blocks_of_kind($wide, 'node'))[5];
my $wide_node = node_places($wide_g, $wide_block, 0);
my %wide_links = slot_places(
    $wide_g,
    page_offset($wide_block + 2) + $PAGE_HEADER_BYTES,
    $wide_g->{capacity});

is($wide_g->{list}, undef, 'wide nodes do not share pages');
is_found('wide', 'generation', flip($wide_node->{generation}, 2),
    'different generations');
foreach my $page_of_node (1 .. 3)
{
    my $at = page_offset($wide_block + $page_of_node);

    is_found('wide', "generation of page $page_of_node",
        flip($at + $PAGE_BYTES - 8, 2), 'different generations');
    is_found('wide', "zeroed page $page_of_node", put($at, $zeroes),
        'unexpected page');
}
is_found('wide', 'codes larger than a page', put($meta + 15, byte(16)),
    'metapage of index "wide_hnsw_l2" is corrupted');
is_found('wide', 'vector on the first page', flip($wide_node->{vector}, 1),
    'has another value');
is_found('wide', 'vector on the second page', flip(
        page_offset($wide_block + 1) + $PAGE_HEADER_BYTES, 1),
    'has another value');
is_found('wide', 'link', put($wide_links{links}, long(0xFFFFFFFF)),
    'leads to 4294967295, where there is no node');
is_found('wide', 'code', flip($wide_links{codes}, 1), 'code of link');
is_found('wide', 'number of links', put($wide_links{nlinks}, short(999)),
    'list has 999 links');
is_found('wide', 'lost last page', sub {
        my ($changed) = @_;
        $$changed = substr $$changed, 0, page_offset($wide_block + 3);
    },
    'does not exist');

done_testing();
