# Damage at random never takes the server down: queries, changes, vacuum and
# inspection of a damaged index answer or raise an error of corruption, and
# they end.
#
# Fails when bytes of a page are trusted that a damaged page may hold: a number
# that leads out of an array, a page or the file, or a walk without an end.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Damage;
use VSearch::Data;
use VSearch::Test;

# More rounds, other damages: VSEARCH_FUZZ_ROUNDS and
# VSEARCH_FUZZ_SEED in the environment.
my $SEED = $ENV{VSEARCH_FUZZ_SEED} || 4711;
my $ROUNDS = $ENV{VSEARCH_FUZZ_ROUNDS} || 16;

# A statement of this test takes some milliseconds.
my $node = start_node('fuzz_damage', conf => <<~'CONF');
    vsearch.hnsw_flat_rows = 200
    statement_timeout = 60s
    restart_after_crash = off
    CONF

# Nodes of short vectors, of codes of several bits, of one bit, with pages of
# their own, and an index without a graph.
my %TABLES = (
    short => { dim => 3, rows => 400, metric => 'l2' },
    deep => { dim => 48, rows => 600, metric => 'cosine', with => 'm = 3' },
    narrow => { dim => 100, rows => 400, metric => 'ip' },
    middle => { dim => 400, rows => 400, metric => 'l2' },
    wide => { dim => 2100, rows => 210, metric => 'ip' },
    huge => { dim => 4100, rows => 210, metric => 'l2', with => 'm = 30' },
    flat => { dim => 24, rows => 150, metric => 'l2' },

    # Lists of whole vectors, of codes, with vectors that take several pages.
    listed => { am => 'ivfflat', dim => 3, rows => 400, metric => 'l2',
        with => 'lists = 7' },
    listed_narrow => { am => 'ivfflat', dim => 48, rows => 600,
        metric => 'cosine', with => 'lists = 5' },
    listed_middle => { am => 'ivfflat', dim => 400, rows => 400,
        metric => 'ip', with => 'lists = 5' },
    listed_huge => { am => 'ivfflat', dim => 4100, rows => 60, metric => 'l2',
        with => 'lists = 3' },

    # Documents in one segment; in several, with deleted ones, and in the buffer.
    texts => { am => 'bm25', rows => 2500, metric => 'bm25' },
    texts_inserted => { am => 'bm25', rows => 500, inserts => 3000,
        metric => 'bm25' },
);
foreach my $name (sort keys %TABLES)
{
    my $table = $TABLES{$name};
    my %index = (table => $name, am => 'hnsw', %$table);

    if (ranks_documents($index{am}))
    {
        load_texts($node, seed => $SEED, tables => [ $name => $table->{rows} ]);
    }
    else
    {
        load_clustered(
            $node,
            seed => $SEED,
            dim => $table->{dim},
            tables => [ $name => $table->{rows} ]);
    }
    $table->{index} = create_index($node, %index);
    $node->safe_psql('postgres', <<~"SQL") if $table->{inserts};
        INSERT INTO $name (label, v)
        SELECT label, v FROM $name, generate_series(1, 10) LIMIT $table->{inserts};
        DELETE FROM $name WHERE id % 7 = 0;
        VACUUM (INDEX_CLEANUP ON) $name;
        INSERT INTO $name (label, v)
        SELECT label, v FROM $name, generate_series(1, 10) LIMIT $table->{inserts};
        SQL
    $table->{path} = $node->data_dir . '/'
      . $node->safe_psql('postgres',
        "SELECT pg_relation_filepath('$table->{index}')");
    index_is_clean($node, $table->{index}, "$name is clean to begin with");
}
stop_without_checksums($node);
$_->{file} = read_index_file($_->{path}) foreach values %TABLES;

# A page of which there are many nodes, or, as often, any; bytes near its
# begin, where the headers are, as often as anywhere.
sub random_place
{
    my ($file) = @_;
    my $npages = length($$file) / $PAGE_BYTES;
    my $block = rand() < 0.15 ? 0 : int(rand $npages);
    my $offset = $block * $PAGE_BYTES;

    return $offset + int(rand $PAGE_BYTES) if rand() < 0.4;
    return $offset + $PAGE_HEADER_BYTES + int(rand 160) if rand() < 0.8;
    return $offset + 10 + int(rand 10) if rand() < 0.5;
    return $offset + $PAGE_BYTES - 8 + int(rand 8);
}

# One to four bytes that become random, extreme or nearly what they were.
sub damage_at_random
{
    my ($file) = @_;
    my $offset = random_place($file);
    my $nbytes = 1 + int(rand 4);
    my $choice = rand;
    my $old;

    $nbytes = 1 if $offset + $nbytes > length $$file;
    $old = substr $$file, $offset, $nbytes;
    my $new =
        $choice < 0.4 ? join('', map { chr int rand 256 } 1 .. $nbytes)
      : $choice < 0.6 ? "\xFF" x $nbytes
      : $choice < 0.7 ? "\0" x $nbytes
      : $choice < 0.85 ? chr((ord($old) + 1) % 256) . substr($old, 1)
      : chr(ord($old) ^ (1 << int rand 8)) . substr($old, 1);
    spoil($file, $offset, $new);
    return sprintf 'block %d, offset %d: %s for %s',
      $offset / $PAGE_BYTES, $offset % $PAGE_BYTES,
      unpack('H*', $new), unpack('H*', $old);
}

# What is done to each damaged index.
sub statements
{
    my ($name) = @_;
    my $table = $TABLES{$name};
    my $operator = operator($table->{metric});
    my $query = $table->{metric} eq 'bm25' ?
        "'w1 | w7 & w2 | w30 <-> w4 | w12:* | w9:A & !w5'::tsquery" :
        "(SELECT v FROM $name WHERE id = 7)";
    my $nearest =
      "SELECT count(*) FROM (SELECT id FROM $name ORDER BY v $operator $query";
    my $matching = $table->{metric} eq 'bm25' ? <<~"SQL" : '';
        SELECT count(*) FROM $name WHERE v @@ $query;
        SELECT vsearch_merge('$table->{index}');
        SQL

    return <<~"SQL";
        \\set VERBOSITY verbose
        SET enable_seqscan = off;
        $nearest LIMIT 10) s;
        $nearest LIMIT 100000) s;
        SELECT count(*) FROM vsearch_check('$table->{index}', true);
        SELECT count(*) FROM vsearch_index_stats('$table->{index}');
        BEGIN;
        INSERT INTO $name (label, v) SELECT 0, v FROM $name WHERE id <= 20;
        INSERT INTO $name (label, v) SELECT 0, v $table->{change}
        FROM $name WHERE id BETWEEN 20 AND 40;
        ROLLBACK;
        VACUUM (INDEX_CLEANUP ON) $name;
        $matching
        $nearest LIMIT 50) s;
        SELECT 'the end';
        SQL
}
$_->{change} = $_->{metric} eq 'bm25' ? '|| v' : '+ v' foreach values %TABLES;

srand($SEED);
my $ndamages = 0;
for my $round (1 .. $ROUNDS)
{
    my (@damages, @survived, %codes);
    my $is_up = 1;

    foreach my $name (sort keys %TABLES)
    {
        my $file = $TABLES{$name}{file};
        my $ntimes = 1 + int(rand 3);

        push @damages, "$name: " . damage_at_random(\$file) for 1 .. $ntimes;
        $ndamages += $ntimes;
        write_index_file($TABLES{$name}{path}, $file);
    }
    note "round $round: $_" foreach @damages;

    $node->start;
    foreach my $name (sort keys %TABLES)
    {
        my ($stdout, $stderr) = ('', '');

        $node->psql(
            'postgres', statements($name),
            on_error_stop => 0,
            on_error_die => 0,
            stdout => \$stdout,
            stderr => \$stderr);
        $is_up = $stdout =~ /the end$/;
        ok($is_up, "round $round, $name: the server survives") or last;

        is(join("\n", errors_beside_corruption($stderr)),
            '', "round $round, $name: errors are of corruption")
          or diag $stderr;
    }
    last if !$is_up;
    $node->stop;
    write_index_file($_->{path}, $_->{file}) foreach values %TABLES;
}
cmp_ok($ndamages, '>=', 12 * $ROUNDS, 'enough damages');
log_is_free_of_crashes();

# Invalid pages are what the test made; a crash is not.
sub log_is_free_of_crashes
{
    my @lines = grep { /PANIC:|TRAP:|terminated by signal/ }
      split /\n/, slurp_file($node->logfile);

    return is(join("\n", @lines), '', 'no process of the server crashed');
}

done_testing();
