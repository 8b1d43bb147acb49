/*
 * bm25_query.h
 *		A tsquery as it is searched for and scored.
 *
 * A query has one tree by which rows are ranked, or none, and any number of trees
 * that rows must match (filters).  All trees share their leaves: the terms.
 */
#ifndef VS_BM25_QUERY_H
#define VS_BM25_QUERY_H

#include "postgres.h"

#include "bm25/bm25_score.h"
#include "bm25/bm25_view.h"
#include "tsearch/ts_type.h"
#include "utils/snapshot.h"

#define BM25_ALL_LABELS 15

typedef struct VsBm25Leaf
{
	const char *lexeme;
	int			nbytes;
	uint32		hash;			/* vs_bm25_lexeme_hash, if no prefix */
	bool		is_prefix;
	unsigned int labels;		/* mask, bit 0 is D, or BM25_ALL_LABELS */
	double		df;				/* documents that have it; a prefix: the sum
								 * over its lexemes, but at most all documents */
	double		idf;			/* both 0 before statistics are bound, and
								 * where only filters have the leaf */
} VsBm25Leaf;

typedef enum VsBm25NodeKind
{
	BM25_NODE_LEAF,
	BM25_NODE_AND,
	BM25_NODE_OR,
	BM25_NODE_NOT,				/* of left */
	BM25_NODE_PHRASE			/* AND, and positions fit */
} VsBm25NodeKind;

/*
 * Nodes come after their children: a subtree is the nodes from the root's "first"
 * to the root.
 */
typedef struct VsBm25Node
{
	VsBm25NodeKind kind;
	int			leaf;			/* number of the leaf */
	int			left;			/* numbers of nodes */
	int			right;
	int			first;
	bool		in_phrase;		/* below a phrase */
	TSQuery		phrase;			/* a phrase that is not below another: it
								 * alone, to verify it */
} VsBm25Node;

typedef enum VsBm25Match
{
	BM25_MATCH_NO,
	BM25_MATCH_MAYBE,			/* a phrase's positions decide */
	BM25_MATCH_YES
} VsBm25Match;

/* How a document does at a leaf. */
typedef struct VsBm25LeafState
{
	bool		matches;
	double		score;			/* 0 if it does not match */
} VsBm25LeafState;

/* How it does at a node. */
typedef struct VsBm25NodeState
{
	VsBm25Match match;
	bool		is_exact;		/* the score is no mere bound, if it matches */
	double		score;			/* 0 if it does not match */
} VsBm25NodeState;

typedef struct VsBm25Query
{
	int			nleaves;
	VsBm25Leaf *leaves;
	int			nnodes;
	VsBm25Node *nodes;
	int			rank;			/* root node; -1: rows are not ranked */
	int			rank_nleaves;	/* the first of the leaves, which are its */
	bool		rank_is_filter; /* one filter is what ranks, and not in
								 * filters */
	int			nfilters;
	int		   *filters;		/* root nodes, whose scores do not count */
	bool		matches_none;	/* a filter is the empty query */

	VsBm25Params params;
	double		ndocs;

	VsBm25LeafState *leaf_states;	/* room for evaluation */
	VsBm25NodeState *node_states;
} VsBm25Query;

/*
 * Make a query in the current memory context, of tsqueries that are copied there.
 * rank: NULL for none; by an empty one rows are not ranked either.
 */
extern VsBm25Query *vs_bm25_query_make(TSQuery rank, int nfilters,
									   TSQuery *filters);

/*
 * Bind it to the statistics and parameters of an index, or of all indexes that
 * belong to it: the leaves of a partitioned index, and the indexes on the same
 * column of inheriting tables.  Within a snapshot statistics stay what they were
 * at first.  view: one that the caller has of an index of them, or NULL.
 * ERROR if a prefix that ranks stands for more than bm25.max_prefix_lexemes
 * lexemes; leaves that only filters have are not looked up.
 */
extern void vs_bm25_query_bind(VsBm25Query *query, Oid index,
							   Snapshot snapshot, VsBm25View *view);

/* Forget statistics: this backend has changed an index otherwise than by rows. */
extern void vs_bm25_forget_statistics(void);

/* Whether a lexeme begins with that of a leaf, which is a prefix. */
static inline bool
vs_bm25_leaf_begins(const VsBm25Leaf *leaf, const char *lexeme, int nbytes)
{
	return nbytes >= leaf->nbytes &&
		memcmp(lexeme, leaf->lexeme, leaf->nbytes) == 0;
}

/*
 * Whether term frequencies (all 0: stripped of positions) match a leaf.  A tsvector
 * without positions matches whatever labels a query wants, as for @@.  Those of a
 * prefix are sums by vs_bm25_leaf_add: all 0 is no lexeme that matches.
 */
static inline bool
vs_bm25_leaf_matches(const VsBm25Leaf *leaf, const uint16 tfs[BM25_LABELS])
{
	bool		is_labelled = false;

	for (int i = 0; i < BM25_LABELS; i++)
	{
		if (tfs[i] == 0)
			continue;
		if (leaf->is_prefix || (leaf->labels & (1 << i)) != 0)
			return true;
		is_labelled = true;
	}
	return !is_labelled && !leaf->is_prefix;
}

/* Their score, if they match; len_norm as vs_bm25_len_norm. */
static inline double
vs_bm25_leaf_score(const VsBm25Query *query, const VsBm25Leaf *leaf,
				   const uint16 tfs[BM25_LABELS], double len_norm)
{
	const VsBm25Params *params = &query->params;
	unsigned int labels = leaf->is_prefix ? BM25_ALL_LABELS : leaf->labels;
	double		tf = vs_bm25_weighted_tf(params, labels, tfs);

	if (!leaf->is_prefix && (tfs[0] | tfs[1] | tfs[2] | tfs[3]) == 0)
		tf = params->weights[0];
	return vs_bm25_score(params, leaf->idf, tf, len_norm);
}

/*
 * Add the term frequencies of one of a prefix's lexemes to those of the prefix,
 * which begin as zeroes: of the labels wanted, or 1 of label D without positions.
 * Each is at most UINT16_MAX.
 */
static inline void
vs_bm25_leaf_add(const VsBm25Leaf *leaf, const uint16 tfs[BM25_LABELS],
				 uint16 sum[BM25_LABELS])
{
	if ((tfs[0] | tfs[1] | tfs[2] | tfs[3]) == 0)
		sum[0] = Min(sum[0] + 1, UINT16_MAX);
	for (int i = 0; i < BM25_LABELS; i++)
		if ((leaf->labels & (1 << i)) != 0)
			sum[i] = Min(sum[i] + tfs[i], UINT16_MAX);
}

/*
 * Evaluate a tree by the states of the leaves: whether it matches, and the sum of
 * what matches in the order of the query.  That is the score, or an upper bound of
 * it where the answer is "maybe": positions decide on the match or on the score.
 */
extern VsBm25Match vs_bm25_query_evaluate(const VsBm25Query *query, int root,
										  const VsBm25LeafState *leaves,
										  double *score);

/*
 * The score of a tsvector by the tree that ranks, phrases verified: what the
 * operator returns, but positive.  0 if it does not match.
 */
extern double vs_bm25_query_score_tsvector(const VsBm25Query *query,
										   TSVector tsv);

/*
 * A tsquery that carries an index: the SQL type bm25query.
 */
typedef struct VsBm25QueryDatum
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	Oid			index;
	TSQueryData query;			/* with a header of its own; always plain */
} VsBm25QueryDatum;

#endif							/* VS_BM25_QUERY_H */
