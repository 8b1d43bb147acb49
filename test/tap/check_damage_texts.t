# vsearch_check finds what is wrong with a bm25 index, wherever its file is damaged;
# queries, inserts, merges, vacuum and statistics then end, well or with an error
# that says so.
#
# Fails when a part of the format is not verified, when damage makes a backend wait
# for itself or walk without an end, or when a number on a page is trusted that
# leads out of it.
#
# The places are those that src/bm25/bm25_page.h, bm25_buffer.h and bm25_dict.h
# describe, written down a second time.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Damage;
use VSearch::Data;
use VSearch::Test;

my $node = start_node('check_damage_texts', conf => <<~'CONF');
    statement_timeout = 30s
    restart_after_crash = off
    CONF

my %KINDS = (meta => 1, header => 2, segment => 3, buffer => 4);
my ($ROWS, $DELETES, $POSTINGS, $SKIPS, $LEXEMES, $TREE) = 0 .. 5;

# Segments with deleted rows, and a buffer; a queue of retired segments; and a buffer
# of one page.
my %INDEXES = (
    texts => { rows => 3000 },
    queue => { rows => 300 },
    brief => { rows => 30 });

foreach my $name (sort keys %INDEXES)
{
    my $damaged = $INDEXES{$name};

    load_texts($node, seed => 31, tables => [ $name => $damaged->{rows} ]);
    $damaged->{node} = $node;
    $damaged->{name} = $name;
    $damaged->{index} = create_index(
        $node,
        table => $name,
        am => 'bm25',
        metric => 'bm25');
}

# The last record of the buffer is long, the one before that of a NULL.
$node->safe_psql('postgres', <<~'SQL');
    INSERT INTO texts (label, v) SELECT label, v FROM texts WHERE id <= 1500;
    INSERT INTO texts (label, v) SELECT 0, NULL FROM generate_series(1, 10);
    DELETE FROM texts WHERE id % 10 = 0;
    VACUUM (INDEX_CLEANUP ON) texts;
    INSERT INTO texts (label, v) SELECT label, v FROM texts WHERE id <= 300;
    INSERT INTO texts (label, v) VALUES (0, NULL);
    INSERT INTO texts (label, v)
    SELECT 0, to_tsvector('simple', string_agg('word' || i, ' '))
    FROM generate_series(1000, 1999) i;
    SQL

$node->safe_psql('postgres',
    'INSERT INTO brief (label, v) SELECT label, v FROM brief WHERE id <= 3');

my $reader = $node->background_psql('postgres');
$reader->query_safe(
    'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM queue');
$node->safe_psql('postgres', <<~"SQL") for 1 .. 2;
    INSERT INTO queue (label, v) SELECT label, v FROM queue WHERE id <= 200;
    SELECT vsearch_merge('$INDEXES{queue}{index}');
    SQL
$node->safe_psql('postgres',
    'INSERT INTO queue (label, v) SELECT label, v FROM queue WHERE id <= 100');
$reader->quit;

foreach my $name (sort keys %INDEXES)
{
    my $damaged = $INDEXES{$name};
    my $query = "'w1 | w7 & w2 | w30 <-> w4 | w12:* | w9:A & !w5'::tsquery";
    my $nearest = "SELECT count(*) FROM (SELECT id FROM $name ORDER BY v <\@> $query";

    index_is_clean($node, $damaged->{index}, "$name is clean to begin with");
    $damaged->{path} = $node->data_dir . '/'
      . $node->safe_psql('postgres',
        "SELECT pg_relation_filepath('$damaged->{index}')");
    $damaged->{statements} = <<~"SQL";
        SET enable_seqscan = off;
        $nearest LIMIT 10) s;
        $nearest LIMIT 100000) s;
        SELECT count(*) FROM $name WHERE v @@ $query;
        SELECT count(*) FROM vsearch_index_stats('$damaged->{index}');
        BEGIN;
        INSERT INTO $name (label, v) SELECT 0, v FROM $name WHERE id <= 50;
        INSERT INTO $name (label, v)
        SELECT 0, to_tsvector('simple', string_agg('new' || i, ' '))
        FROM generate_series(1, 2500) i;
        ROLLBACK;
        DELETE FROM $name WHERE id % 11 = 0;
        VACUUM (INDEX_CLEANUP ON) $name;
        SELECT vsearch_merge('$damaged->{index}');
        $nearest LIMIT 50) s;
        SQL
}
stop_without_checksums($node);
$_->{file} = read_index_file($_->{path}) foreach values %INDEXES;

sub number_at
{
    my ($file, $place, $format) = @_;
    return unpack $format // 'V', substr($$file, $place, $format ? 2 : 4);
}

# The first byte behind a page's header.
sub records_of
{
    my ($block) = @_;
    return page_offset($block) + $PAGE_HEADER_BYTES;
}

# Where a page's generation is, and its kind.
sub generation_of { return page_offset($_[0] + 1) - 8 }
sub kind_of { return page_offset($_[0] + 1) - 4 }

my $meta = $PAGE_HEADER_BYTES;
my $none = 0xFFFFFFFF;
my $zeroes = "\0" x $PAGE_BYTES;

# The places of a segment: its entry in the directory, its header, that one's runs,
# and the blocks of each section.
sub segment
{
    my ($file, $n) = @_;
    my $entry = $meta + 312 + 40 * $n;
    my $header = records_of(number_at($file, $entry + 4));
    my %segment = (entry => $entry, header => $header, runs => $header + 80);
    my $nruns = number_at($file, $header + 4);

    foreach my $i (0 .. $nruns - 1)
    {
        my ($section, $first, $block, $npages) =
          unpack 'V4', substr($$file, $header + 80 + 16 * $i, 16);

        push @{ $segment{blocks}[$section] }, $block .. $block + $npages - 1;
    }
    return \%segment;
}

sub are_found
{
    my ($damaged, @cases) = @_;

    damage_is_found($damaged, @$_) foreach @cases;
    return;
}

my $texts = $INDEXES{texts};
my $file = \$texts->{file};
my $refused = 'metapage of index "texts_bm25_bm25" is corrupted';
my $no_tail = 'write buffer does not end on block';
my $large = segment($file, 0);
my $small = segment($file, 1);
my $large_header = number_at($file, $large->{entry} + 4);
my $buffer = number_at($file, $meta + 56);
my $tail_number = number_at($file, $meta + 48);
my $tail = records_of(number_at($file, $meta + 56 + 4 * $tail_number));

cmp_ok(number_at($file, $meta + 32), '>', 1, 'there are some segments');
cmp_ok(number_at($file, $meta + 44), '>', 2, 'and some pages of the buffer');
($large, $small) = ($small, $large)
  if number_at($file, $large->{entry} + 8) < number_at($file, $small->{entry} + 8);
$large_header = number_at($file, $large->{entry} + 4);
cmp_ok(scalar @{ $large->{blocks}[$_] // [] }, '>', 0, "section $_ has pages")
  foreach 0 .. 5;

note 'metapage';
are_found(
    $texts,
    [ 'magic', put($meta, 'oops'), 'is not a bm25 index' ],
    [ 'version', put($meta + 4, long(99)), 'format version 99' ],
    [ 'next number', put($meta + 8, long(1)), $refused ],
    [ 'retired without a last one', put($meta + 24, long($large_header)), $refused ],
    [ 'live one retired', sub {
            put($meta + 24, long($large_header))->(@_);
            put($meta + 28, long($large_header))->(@_);
        },
        'not the header of a retired segment' ],
    [ 'too many segments', put($meta + 32, long(191)), $refused ],
    [ 'lost segments', put($meta + 32, long(1)), 'is not indexed' ],
    [ 'number of the buffer', put($meta + 40, long(1)), $no_tail ],
    [ 'pages of the buffer', put($meta + 44, long(65)), $refused ],
    [ 'tail beyond the pages', put($meta + 48, long($none - 1)), $refused ],
    [ 'tail', put($meta + 48, long($tail_number - 1)), $no_tail ],
    [ 'first page as tail', put($meta + 48, long(0)), $no_tail ],
    [ 'no tail', put($meta + 48, long($none)), 'is not indexed' ],
    [ 'page bounds', put(14, short($meta + 312 + 40 * 30)),
        'unexpected page' ],
    [ 'shorter page', put(12, short($meta + 312)), 'metapage has \d+ bytes' ],
    [ 'longer page', put(12, short($meta + 312 + 40 * 190)),
        'metapage has \d+ bytes' ]);

# The page where a record goes next, of those that a buffer before has left.
my $capacity = $PAGE_BYTES - $PAGE_HEADER_BYTES - 8 - 24;
my $next_block = $meta + 56 + 4 * $tail_number;
cmp_ok(number_at($file, $next_block + 4), '>', 0, 'a record may go to two old pages');
note 'blocks of the buffer';
are_found(
    $texts,
    [ 'metapage', put($next_block, long(0)), 'page is not of kind 4' ],
    [ 'metapage ahead', put($next_block + 4, long(0)), 'page is not of kind 4' ],
    [ 'a block twice', put($next_block, substr $$file, $next_block - 4, 4),
        'page belongs to' ],
    [ 'a block twice, ahead', put($next_block + 4, substr $$file, $next_block, 4),
        'page belongs to' ],
    [ 'first block twice', put($meta + 56, substr $$file, $meta + 60, 4),
        'page belongs to|no record' ],
    [ 'beyond the file', put($next_block, long($none)), 'page is not of kind 4' ],
    [ 'in a segment', put($next_block, long($large->{blocks}[$POSTINGS][0])),
        'page is not of kind 4' ]);

note 'directory';
are_found(
    $texts,
    [ 'number', flip($large->{entry}, 1), 'is not the header' ],
    [ 'unknown number', put($large->{entry}, long($none)), 'was never begun' ],
    [ 'metapage as header', put($large->{entry} + 4, long(0)), 'is not the header' ],
    [ 'header beyond the file', put($large->{entry} + 4, long($none)),
        'is not the header' ],
    [ 'header of another', put($large->{entry} + 4,
            substr $$file, $small->{entry} + 4, 4),
        'is not the header' ],
    [ 'documents', flip($large->{entry} + 8, 1), 'header of segment' ],
    [ 'NULLs', flip($large->{entry} + 12, 1), 'header of segment' ],
    [ 'rows whose sum wraps', put($large->{entry} + 8, long($none) . long(9)),
        'header of segment' ],
    [ 'rows whose sum wraps, in the header too', sub {
            put($large->{entry} + 8, long($none) . long(9))->(@_);
            put($large->{header} + 12, long($none) . long(9))->(@_);
        },
        'header of segment' ],
    [ 'deleted rows', flip($large->{entry} + 16, 1), 'rows are deleted, not' ],
    [ 'more deleted rows than there are', put($large->{entry} + 16, long($none)),
        'rows are deleted, of' ],
    [ 'pages', flip($large->{entry} + 20, 1), 'segment has \d+ pages, not' ],
    [ 'state', put($large->{entry} + 24, long(7)), 'segment has state 7' ],
    [ 'length', flip($large->{entry} + 32, 1), 'do not agree' ]);

note 'header';
my $run = $large->{runs};
are_found(
    $texts,
    [ 'next in a circle', put($large->{header}, long($large_header)),
        'header of (?:a )?segment|belongs to' ],
    [ 'next beyond the file', put($large->{header}, long($none - 1)),
        'does not exist' ],
    [ 'runs', put($large->{header} + 4, long(60000)), 'header of' ],
    [ 'no runs', put($large->{header} + 4, long(0)), 'header of' ],
    [ 'number', flip($large->{header} + 8, 1), 'header of' ],
    [ 'lexemes', flip($large->{header} + 20, 1), 'lexemes have' ],
    [ 'length', flip($large->{header} + 24, 1), 'do not agree' ],
    [ 'postings', flip($large->{header} + 32, 1), 'lexemes have' ],
    [ 'pages of a section', flip($large->{header} + 40, 1), 'header of' ],
    [ 'root of the tree', put($large->{header} + 64, long($none)),
        'does not exist' ],
    [ 'section of a run', put($run, long(6)), 'header of' ],
    [ 'first page of a run', flip($run + 4, 1), 'header of' ],
    [ 'block of a run', put($run + 8, long($none)), 'header of' ],
    [ 'metapage in a run', put($run + 8, long(0)), 'page is not of kind 3' ],
    [ 'run of another', put($run + 8, long($small->{blocks}[$ROWS][0])),
        'belongs to|carries the number' ],
    [ 'no pages of a run', put($run + 12, long(0)), 'header of' ],
    [ 'pages of a run', put($run + 12, long($none)), 'header of' ],
    [ 'number on a page', flip(generation_of($large_header), 1),
        'is not the header' ],
    [ 'kind', put(kind_of($large_header), short($KINDS{buffer})),
        'page bounds|is not the header' ],
    [ 'zeroed', put(page_offset($large_header), $zeroes), 'is not the header' ]);

note 'rows';
my $rows = records_of($large->{blocks}[$ROWS][0]);
my $deletes = records_of($large->{blocks}[$DELETES][0]);
my ($live) = grep { !(ord(substr $$file, $deletes + int($_ / 8), 1) >> $_ % 8 & 1) }
  0 .. 99;
my ($deleted) = grep { ord(substr $$file, $deletes + int($_ / 8), 1) >> $_ % 8 & 1 }
  0 .. 99;
my $tid = $rows + 6 * $live;
are_found(
    $texts,
    [ 'heap TID', flip($tid + 4, 0x40), 'is not indexed' ],
    [ 'heap TID without offset', put($tid + 4, short(0)), 'invalid heap TID' ],
    [ 'heap TID of an invalid block', put($tid, long($none)), 'invalid heap TID' ],
    [ 'heap TID twice', put($tid, substr $$file, $tid + 6 * 500, 6),
        'indexed twice|is not indexed' ],
    [ 'bit set', flip($deletes + int($live / 8), 1 << $live % 8),
        'rows are deleted, not' ],
    [ 'bit lost', flip($deletes + int($deleted / 8), 1 << $deleted % 8),
        'rows are deleted, not' ],
    [ 'page of another', flip(generation_of($large->{blocks}[$ROWS][0]), 1),
        'carries the number' ],
    [ 'zeroed page', put(page_offset($large->{blocks}[$DELETES][0]), $zeroes),
        'page is not of kind 3|unexpected page' ]);

note 'postings and skips';
my $postings = records_of($large->{blocks}[$POSTINGS][0]);
my $skips = records_of($large->{blocks}[$SKIPS][0]);
are_found(
    $texts,
    [ 'postings of a block', put($postings, byte(200)), 'is damaged' ],
    [ 'fewer postings of a block', flip($postings, 1),
        'is damaged|has \d+ postings|another value|ends with' ],
    [ 'first bytes of a block', put($postings + 1, "\xFF" x 8),
        'is damaged|is for document|ends with' ],
    [ 'middle of a block', put($postings + 100, "\xFF" x 8),
        'is damaged|another value|ends with|bounds|has length' ],
    [ 'cut page', put($postings - 12, short($PAGE_HEADER_BYTES + 8)), 'is damaged' ],
    [ 'last document', flip($skips, 1), 'ends with' ],
    [ 'page', put($skips + 4, long(0x7FFFFFFF)), 'does not exist' ],
    [ 'page in the dictionary', put($skips + 4, long(0x80000000)),
        'is damaged|ends with' ],
    [ 'offset', flip($skips + 8, 1), 'is damaged|ends with|another value' ],
    [ 'bytes', flip($skips + 10, 1), 'is damaged' ],
    [ 'frequency of a bound', put($skips + 12, short(0) x 3),
        'exceeds the bounds' ],
    [ 'length of a bound', put($skips + 18, short(0xFFFF) x 3),
        'exceeds the bounds' ]);

note 'dictionary';
my @entries = map { records_of($_) } @{ $large->{blocks}[$LEXEMES] };
my $end = number_at($file, $entries[1] + 2, 'v');
my $tree = records_of($large->{blocks}[$TREE][0]);
my $nkeys = number_at($file, $tree + 6, 'v');
cmp_ok($nkeys, '>', 2, 'the tree has keys');
are_found(
    $texts,
    [ 'no entries', put($entries[1], short(0)), 'is damaged' ],
    [ 'entries', flip($entries[1], 0x40), 'is damaged' ],
    [ 'end of the entries', flip($entries[1] + 2, 1), 'is damaged' ],
    [ 'shared bytes', put($entries[1] + 4, byte(9)), 'is damaged' ],
    [ 'bytes of a lexeme', put($entries[1] + 5, "\xFF\x7F"), 'is damaged' ],
    [ 'first byte of a lexeme', put($entries[1] + 6, 'a'),
        'is not above|is not found' ],
    [ 'restart', put($entries[1] + $end + 2, short(5)), 'is damaged|is not found' ],
    [ 'restart beyond the entries', put($entries[1] + $end + 2, short(60000)),
        'is damaged' ],
    [ 'child of the tree', flip($tree, 1), 'is not found|does not exist' ],
    [ 'child of the tree beyond the section', put($tree, long($none)),
        'does not exist' ],
    [ 'level', put($tree + 4, short(7)), 'is damaged|does not exist' ],
    [ 'no keys', put($tree + 6, short(0)), 'is damaged' ],
    [ 'key', put($tree + 8 + 2 * $nkeys, 'zzzz'), 'is not found' ],
    [ 'end of a key', put($tree + 8 + 2 * int($nkeys / 2), short(0xFFFF)),
        'is damaged' ]);

# Records over the buffer's pages, as one piece: where the n-th byte is.
sub in_buffer
{
    my ($byte) = @_;

    return records_of(number_at($file, $meta + 56 + 4 * int($byte / $capacity))) +
      24 + $byte % $capacity;
}

note 'buffer';
my @records = (0);
while ($records[-1] < number_at($file, $tail))
{
    push @records, $records[-1] + number_at($file, in_buffer($records[-1]));
}
my $long = $records[-2];
my $record = in_buffer($records[-3]);
my $first = in_buffer(0);
my $hashes = number_at($file, $first + 8);
my $terms = $first + 20 + 4 * $hashes;

cmp_ok(number_at($file, in_buffer($long) + 8), '==', 1000, 'the last record is long');
are_found(
    $texts,
    [ 'longer or shorter', flip($tail, 4),
        "$no_tail|no record|damaged record|buffer has" ],
    [ 'longer than its pages', put($tail, long($none - 3)), $no_tail ],
    [ 'odd bytes', flip($tail, 1), $no_tail ],
    [ 'empty', put($tail, long(0)), $no_tail ],
    [ 'documents', flip($tail + 4, 1), 'the write buffer has' ],
    [ 'NULLs', flip($tail + 8, 1), 'the write buffer has' ],
    [ 'length', flip($tail + 16, 1), 'the write buffer has' ],
    [ 'bytes of a record', put($first, long($none - 3)), 'no record' ],
    [ 'no bytes of a record', put($first, long(0)), 'no record' ],
    [ 'odd bytes of a record', flip($first, 1), 'no record' ],
    [ 'length of a document', flip($first + 4, 1), 'has \d+ lexemes and length' ],
    [ 'lexemes of a record', put($first + 8, long($none)), 'no record' ],
    [ 'fewer lexemes of a record', flip($first + 8, 1),
        'hash of a lexeme|damaged record|has \d+ lexemes|no record' ],
    [ 'heap TID', flip($first + 16, 0x40), 'is not indexed' ],
    [ 'heap TID without offset', put($first + 16, short(0)), 'invalid heap TID' ],
    [ 'dead row', flip($first + 18, 2), 'is not indexed' ],
    [ 'NULL', flip($first + 18, 1), 'the write buffer has|another value' ],
    [ 'NULL that is none', flip($record + 18, 1),
        'the write buffer has|another value' ],
    [ 'hash', flip($first + 20, 1), 'hash of a lexeme' ],
    [ 'bytes of a lexeme', put($terms, short(0x7FFF)), 'damaged record' ],
    [ 'bytes of a lexeme, longer than any',
        put(in_buffer($long + 20 + 4 * 1000), short(2500)), 'damaged record' ],
    [ 'bytes of a lexeme, much longer than any',
        put(in_buffer($long + 20 + 4 * 1000), short(9000)), 'damaged record' ],
    [ 'byte of a lexeme', flip($terms + 2, 1), 'hash of a lexeme|not in order' ],
    [ 'number of a page', flip(generation_of($buffer), 1), 'pages of another one' ],
    [ 'zeroed page', put(page_offset($buffer), $zeroes), 'page is not of kind 4' ],
    [ 'shorter page', put(page_offset($buffer) + 12, short(100)),
        'page of the write buffer has' ],
    [ 'page bounds', put(page_offset($buffer) + 12, short(20)), 'page bounds' ],
    [ 'upper bound of the tail', put($tail - $PAGE_HEADER_BYTES + 14,
            short(number_at($file, $tail - $PAGE_HEADER_BYTES + 12, 'v') + 40)),
        'page is not one of ours' ],
    [ 'no bytes of the tail', put($tail - $PAGE_HEADER_BYTES + 12,
            short($PAGE_HEADER_BYTES)),
        $no_tail ],
    [ 'fewer than none', put($tail - $PAGE_HEADER_BYTES + 12, short(4)),
        "$no_tail|page bounds" ]);

# A buffer of one page is never taken for an empty one.
note 'buffer of one page';
my $brief = $INDEXES{brief};
my $page = records_of(number_at(\$brief->{file}, $meta + 56));
cmp_ok(number_at(\$brief->{file}, $meta + 48), '==', 0, 'its tail is its first page');
are_found(
    $brief,
    [ 'number of the buffer', flip($meta + 40, 1), $no_tail ],
    [ 'number of the page', flip($page - $PAGE_HEADER_BYTES + $PAGE_BYTES - 8, 1),
        $no_tail ],
    [ 'empty', put($page, long(0)), $no_tail ],
    [ 'longer than the page', put($page, long($capacity + 4)), $no_tail ]);

note 'retired segments';
my $queue = $INDEXES{queue};
my $queue_file = \$queue->{file};
my @retired = number_at($queue_file, $meta + 24);
while (my $next = number_at($queue_file, records_of($retired[-1]) + 68))
{
    push @retired, $next;
}
my $retired = records_of($retired[0]);
my $first_run = $retired + 80;

cmp_ok(scalar @retired, '>', 2, 'there is a queue');
are_found(
    $queue,
    [ 'first in the metapage', put($meta + 24, long($none)),
        'not the header of a retired' ],
    [ 'last in the metapage', put($meta + 28, long($retired[0])),
        'retired segments end at' ],
    [ 'last is the first page', put($meta + 28, long($none)),
        'retired segments end at' ],
    [ 'next in a circle', put($retired + 68, long($retired[0])),
        'not the header of a retired' ],
    [ 'last leads to the first',
        put(records_of($retired[-1]) + 68, long($retired[0])),
        'not the header of a retired' ],
    [ 'next is the metapage, the end', put($retired + 68, long(0)),
        'retired segments end at' ],
    [ 'next beyond the file', put($retired + 68, long($none)),
        'not the header of a retired' ],
    [ 'next is live', put($retired + 68, long(number_at($queue_file, $meta + 316))),
        'not the header of a retired' ],
    [ 'block of a run', put($first_run + 8, long($none)), 'header of a segment' ],
    [ 'metapage in a run', put($first_run + 8, long(0)), 'page is not of kind 3' ],
    [ 'zeroed header', put(page_offset($retired[1]), $zeroes),
        'not the header of a retired' ]);

done_testing();
