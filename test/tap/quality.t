# How well rankings answer judged questions: by BM25, as nDCG@10; and hybrid_search
# against the same fusion in SQL, over the two ranked lists of every question.
#
# Fails when BM25 ranks worse than it should with the english configuration and
# or-ed words, or when a hybrid search is not the fusion of what its two sides find.
# Collections are cranfield and medquad; where they are not at hand, and besides
# them, a made one: documents on topics, each with words and a vector of its own.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VSearch::Data;
use VSearch::Test;

my $scripts = dirname(abs_path(__FILE__)) . '/../../bench/quality';
my $node = start_node('quality', conf => 'jit = off');

# Write a collection as bench/quality/load reads it.  A document has words of its
# topic and words of all; a question has three of a topic's words, and its good
# documents are those of the topic.
sub make_collection
{
    my ($dir, $ndocs, $ntopics) = @_;
    my (@docs, @questions, @judgements, %vectors);

    srand(41);
    my @centres = map { [ map { rand() - 0.5 } 1 .. 128 ] } 1 .. $ntopics;
    my $near = sub {
        my ($topic) = @_;
        return pack 'l<f<*', 128, map { $_ + 2 * (rand() - 0.5) } @{ $centres[$topic] };
    };
    my $word = sub { return 'topic' . $_[0] . 'x' . int(rand 8) };

    foreach my $id (1 .. $ndocs)
    {
        my $topic = int(rand $ntopics);
        my @words = map {
            rand() < 0.04 ? $word->($topic)
              : rand() < 0.03 ? $word->(int(rand $ntopics))
              : 'word' . int(1000 * rand()**3)
        } 1 .. 20 + int(rand 100);

        push @docs, "d$id\t@words\n";
        $vectors{docs} .= $near->($topic);
        push @judgements, "q$topic\td$id\t1\n";
    }
    foreach my $topic (0 .. $ntopics - 1)
    {
        push @questions,
          "q$topic\t" . join(' ', 'word1', map { $word->($topic) } 1 .. 3) . "\n";
        $vectors{queries} .= $near->($topic);
    }
    srand();

    append_to_file("$dir/docs.tsv", join '', @docs);
    append_to_file("$dir/queries.tsv", join '', @questions);
    append_to_file("$dir/qrels.tsv", join '', @judgements);
    append_to_file("$dir/$_.lsa128.fvecs", $vectors{$_}) foreach keys %vectors;
    foreach my $name (qw(docs.tsv docs.lsa128.fvecs queries.lsa128.fvecs))
    {
        system_or_bail('gzip', "$dir/$name");
    }
    return $dir;
}

# nDCG@10 of BM25, at least; and fusions that are the same.
sub test_collection
{
    my ($name, $dir, $bound) = @_;
    my ($load, $errors);

    IPC::Run::run([ $^X, "$scripts/load", $dir ], '>', \$load, '2>', \$errors)
      or BAIL_OUT("load: $errors");
    $node->safe_psql('postgres', $load);
    $node->safe_psql('postgres', slurp_file("$scripts/ndcg.sql"));

    my %ndcg = map { split /\|/ }
      split /\n/, $node->safe_psql('postgres', 'SELECT way, ndcg FROM ndcg');
    note sprintf '%s, nDCG@10: %s', $name,
      join ', ', map { sprintf '%s %.4f', $_, $ndcg{$_} } sort keys %ndcg;
    cmp_ok($ndcg{BM25}, '>=', $bound, "$name: nDCG\@10 of BM25");

    # The same plans, which decide between equal rows at the end of a list.
    my $settings = 'SET enable_seqscan = off; SET enable_bitmapscan = off;';
    foreach my $case ([ "'rrf'", 10, 100, 1, 1 ], [ "'linear'", 10, 100, 1, 1 ],
        [ "'rrf'", 50, 30, 0.5, 2 ], [ "'linear'", 50, 30, 0.25, 0.75 ])
    {
        my ($rows, $different) = split /\|/,
          $node->safe_psql('postgres', "$settings SELECT * FROM"
              . ' compare_fusion(' . join(', ', @$case) . ')');

        cmp_ok($rows, '>', 0, "$name: $rows rows of fusion @$case");
        is($different, 0, "$name: fusion @$case is that of the lists");
    }
    index_is_clean($node, 'doc_tsv_idx', "$name: clean");
    $node->safe_psql('postgres', 'DROP FUNCTION compare_fusion, fuse_lists;'
          . ' DROP VIEW ndcg; DROP TABLE ranking, doc, question, judgement');
    return;
}

test_collection('made', make_collection(PostgreSQL::Test::Utils::tempdir(), 3000, 50), 0.9);

my %bounds = (cranfield => 0.345, medquad => 0.445);
foreach my $name (sort keys %bounds)
{
  SKIP:
    {
        my $dir = data_set($name);

        skip "no $name at hand", 1 unless $dir;
        test_collection($name, $dir, $bounds{$name});
    }
}

log_is_clean($node);
$node->stop;
done_testing();
