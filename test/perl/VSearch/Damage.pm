=head1 NAME

VSearch::Damage - changes to an index file, and places in that of an hnsw index

=head1 DESCRIPTION

An index file is read as a whole, changed as a string and written back, with
the server stopped.  The offsets are those that src/hnsw/hnsw_page.h describes,
written down a second time: a change of the format that forgets its version
shows here.

=cut

package VSearch::Damage;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
    blocks_of_kind
    byte
    damage_is_found
    errors_beside_corruption
    flip
    geometry
    long
    page_offset
    pick_upper
    put
    node_places
    slot_places
    read_index_file
    short
    spoil
    stop_without_checksums
    upper_places
    write_index_file
    $PAGE_BYTES
    $PAGE_HEADER_BYTES
);

our $PAGE_BYTES = 8192;
our $PAGE_HEADER_BYTES = 24;

my $OPAQUE_BYTES = 8;
my $CAPACITY = $PAGE_BYTES - $PAGE_HEADER_BYTES - $OPAQUE_BYTES;
my $NODE_BYTES = 72;
my $UPPER_BYTES = 16;
my $LIST_HEADER_BYTES = 4;

# Bytes of a link beside its code: number, factors, distance, centroid, kind.
my $LINK_BYTES = 4 + 4 + 2 + 1 + 1;

# A node shares its page while it keeps this share of 2 * m links.
my $LINK_SHARE = 0.65;

my %KINDS = (
    meta => 0x4801,
    codebook => 0x4802,
    node => 0x4803,
    slots => 0x4804,
    upper => 0x4805,
);

sub _align
{
    my ($n, $to) = @_;
    return int(($n + $to - 1) / $to) * $to;
}

# Stop the server, never to compute checksums again: they would find each
# damage before the extension does.  initdb enables them from 18 on.
sub stop_without_checksums
{
    my ($node) = @_;
    my $checksums = $node->safe_psql('postgres', 'SHOW data_checksums');

    $node->stop;
    $node->command_ok([ 'pg_checksums', '--disable', '-D', $node->data_dir ],
        'checksums are off')
      if $checksums eq 'on';
    return;
}

sub read_index_file
{
    my ($path) = @_;

    open my $in, '<:raw', $path or croak "could not open \"$path\": $!";
    local $/ = undef;
    my $file = <$in>;
    close $in;
    return $file;
}

sub write_index_file
{
    my ($path, $file) = @_;

    open my $out, '+<:raw', $path or croak "could not open \"$path\": $!";
    print $out $file;
    truncate $out, length $file;
    close $out or croak "could not write \"$path\": $!";
    return;
}

# Replace bytes of a file in memory from an offset on.
sub spoil
{
    my ($file, $offset, $bytes) = @_;

    croak "offset $offset is beyond the file"
      if $offset + length($bytes) > length $$file;
    substr($$file, $offset, length $bytes) = $bytes;
    return;
}

# Numbers in the file are little-endian.
sub byte { return pack 'C', $_[0] }
sub short { return pack 'v', $_[0] }
sub long { return pack 'V', $_[0] }

# Put bytes, or flip the bits of a mask, at an offset.
sub put
{
    my ($offset, $bytes) = @_;
    return sub { spoil($_[0], $offset, $bytes) };
}

sub flip
{
    my ($offset, $mask) = @_;
    return sub {
        my ($file) = @_;
        spoil($file, $offset, byte(ord(substr $$file, $offset, 1) ^ $mask));
    };
}

# Errors that a client was told and that are not of corruption: corrupted data,
# corrupted index and the block's remainder.  A heap TID may lead far beyond the
# table; the server's own error for that has whichever code the last system call
# left.  A score that an index does not find may be less than the row's own, which
# the executor notices.
sub errors_beside_corruption
{
    my ($stderr) = @_;
    my $beyond_table =
      qr/^\w{5}: could not open file "[^"]+\.\d+" \(target block \d+\)/;

    my $less_than_found = qr/^XX000: index returned tuples in wrong order/;

    return grep {
        !/^(?:XX001|XX002|25P02|0A000):/ && !/$beyond_table/ && !/$less_than_found/
    }
      $stderr =~ /ERROR:\s+(\w{5}: .*)/g;
}

# Change the file of an index by "change", and test that the check reports what
# matches "expected": an error row or a refusal, never a crash.  The server is
# stopped before and after.  "damaged" is {node, name, index, path, file} and may
# have "statements" that use the index: they end, well or with an error of
# corruption.
sub damage_is_found
{
    my ($damaged, $what, $change, $expected) = @_;
    my $node = $damaged->{node};
    my $name = "$damaged->{name}, $what";
    my $file = $damaged->{file};
    my ($stdout, $stderr) = ('', '');

    $change->(\$file);
    ok($file ne $damaged->{file}, "$name: the file is changed");
    write_index_file($damaged->{path}, $file);
    $node->start;
    $node->psql(
        'postgres',
        "SELECT severity, problem FROM vsearch_check('$damaged->{index}', true)",
        stdout => \$stdout,
        stderr => \$stderr,
        extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    like(
        "$stdout\n$stderr",
        qr/(?:^error\||(?:XX00[12]|0A000): ).*$expected/m,
        "$name: found");
    if ($damaged->{statements})
    {
        $node->psql(
            'postgres', $damaged->{statements},
            on_error_stop => 0,
            on_error_die => 0,
            stdout => \$stdout,
            stderr => \$stderr,
            extra_params => [ '-v', 'VERBOSITY=verbose' ]);
        is(join("\n", errors_beside_corruption($stderr)),
            '', "$name: errors are of corruption");
    }
    is($node->safe_psql('postgres', 'SELECT 1'), '1', "$name: the server is up");
    $node->stop;
    write_index_file($damaged->{path}, $damaged->{file});
    return;
}

sub page_offset
{
    my ($block) = @_;
    return $block * $PAGE_BYTES;
}

# Numbers of the blocks of a kind, such as "node".
sub blocks_of_kind
{
    my ($file, $kind) = @_;

    return grep {
        unpack('v', substr($$file, page_offset($_ + 1) - 4, 2)) == $KINDS{$kind}
    } 0 .. length($$file) / $PAGE_BYTES - 1;
}

sub _links_that_fit
{
    my ($nbytes, $code_nbytes) = @_;
    return int(($nbytes - $LIST_HEADER_BYTES) / ($LINK_BYTES + $code_nbytes));
}

# How nodes of the index are laid out, from its metapage.
sub geometry
{
    my ($file) = @_;
    my ($dim, $m) = unpack 'v v', substr($$file, $PAGE_HEADER_BYTES + 8, 4);
    my $bits = unpack 'C', substr($$file, $PAGE_HEADER_BYTES + 15, 1);
    my $code_nbytes = int(($dim * $bits + 7) / 8);
    my $vector_end = _align($NODE_BYTES + 2 * $dim, 4);
    my %g = (dim => $dim, m => $m, bits => $bits, code_nbytes => $code_nbytes);

    for (my $n = int($CAPACITY / $vector_end); $n >= 1; $n--)
    {
        my $share = int($CAPACITY / $n / 8) * 8;
        next if $vector_end >= $share;
        my $fitting = _links_that_fit($share - $vector_end, $code_nbytes);
        next if $fitting < 2 * $m * $LINK_SHARE;

        $g{nodes_per_page} = $n;
        $g{capacity} = $fitting < 2 * $m ? $fitting : 2 * $m;
        $g{list} = $vector_end;
        $g{node_nbytes} = _align(
            $vector_end + $LIST_HEADER_BYTES +
              $g{capacity} * ($LINK_BYTES + $code_nbytes), 8);
        last;
    }

    # On pages of its own.
    if (!$g{nodes_per_page})
    {
        my $fitting = _links_that_fit($CAPACITY, $code_nbytes);

        $g{nodes_per_page} = 1;
        $g{node_nbytes} = $CAPACITY;
        $g{capacity} = $fitting < 2 * $m ? $fitting : 2 * $m;
        $g{vector_pages} =
          1 + int(_align(($NODE_BYTES + 2 * $dim), $CAPACITY) / $CAPACITY) - 1;
    }

    $g{upper_capacity} = _links_that_fit($CAPACITY - $UPPER_BYTES, $code_nbytes);
    $g{upper_capacity} = $m if $g{upper_capacity} > $m;
    $g{upper_nbytes} = _align(
        $UPPER_BYTES + $LIST_HEADER_BYTES +
          $g{upper_capacity} * ($LINK_BYTES + $code_nbytes), 8);
    $g{upper_per_page} = int($CAPACITY / $g{upper_nbytes});

    my ($block) = blocks_of_kind($file, 'node');
    my $lower = unpack 'v', substr($$file, page_offset($block) + 12, 2);
    croak 'VSearch::Damage does not know this layout of nodes'
      if $lower != $PAGE_HEADER_BYTES + $g{nodes_per_page} * $g{node_nbytes};
    return \%g;
}

# Offsets of the parts of a list at an offset with room for "capacity" links.
sub slot_places
{
    my ($g, $offset, $capacity) = @_;
    my %places = (nlinks => $offset, links => $offset + $LIST_HEADER_BYTES);

    $places{factors} = $places{links} + 4 * $capacity;
    $places{dists} = $places{factors} + 4 * $capacity;
    $places{centroids} = $places{dists} + 2 * $capacity;
    $places{kinds} = $places{centroids} + $capacity;
    $places{codes} = $places{kinds} + $capacity;
    return %places;
}

# Offsets of a node's parts, those of its list too where it shares its page.
sub node_places
{
    my ($g, $block, $position) = @_;
    my $at = page_offset($block) + $PAGE_HEADER_BYTES +
      $position * $g->{node_nbytes};
    my %places = (
        state => $at,
        level => $at + 1,
        exponent => $at + 2,
        ntids => $at + 3,
        generation => $at + 4,
        tids => $at + 8,
        vector => $at + $NODE_BYTES);

    %places = (%places, slot_places($g, $at + $g->{list}, $g->{capacity}))
      if $g->{list};
    return \%places;
}

# Offsets of the parts of an upper record.
sub upper_places
{
    my ($g, $block, $position) = @_;
    my $at = page_offset($block) + $PAGE_HEADER_BYTES +
      $position * $g->{upper_nbytes};

    return {
        state => $at,
        level => $at + 1,
        node => $at + 4,
        down => $at + 8,
        slot_places($g, $at + $UPPER_BYTES, $g->{upper_capacity}),
    };
}

# The places of the first upper record on a level.
sub pick_upper
{
    my ($g, $file, $level) = @_;

    foreach my $block (blocks_of_kind($file, 'upper'))
    {
        foreach my $position (0 .. $g->{upper_per_page} - 1)
        {
            my $places = upper_places($g, $block, $position);
            my ($state, $found) = unpack 'CC', substr($$file, $places->{state}, 2);

            return $places if $state == 2 && $found == $level;
        }
    }
    croak "there is no upper record of level $level";
}

1;
