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

typedef struct VsBm25Leaf
{
	const char *lexeme;
	int			nbytes;
	uint32		hash;			/* vs_bm25_lexeme_hash, if no prefix */
	bool		is_prefix;
	unsigned int labels;		/* mask, bit 0 is D; 15: whatever label */
	double		df;				/* documents that have it; a prefix: the sum over
								 * its lexemes, but at most all documents */
	double		idf;			/* 0 before statistics are bound */
} VsBm25Leaf;

typedef enum VsBm25NodeKind
{
	BM25_NODE_LEAF,
	BM25_NODE_AND,
	BM25_NODE_OR,
	BM25_NODE_NOT,				/* of left */
	BM25_NODE_PHRASE			/* AND, and positions fit */
} VsBm25NodeKind;

/* Nodes come after their children. */
typedef struct VsBm25Node
{
	VsBm25NodeKind kind;
	int			leaf;			/* number of the leaf */
	int			left;			/* numbers of nodes */
	int			right;
	const QueryItem *item;		/* of the tsquery, for phrases */
	const char *operands;		/* GETOPERAND of that tsquery */
} VsBm25Node;

typedef struct VsBm25Query
{
	int			nleaves;
	VsBm25Leaf *leaves;
	int			nnodes;
	VsBm25Node *nodes;
	int			rank;			/* root node; -1: rows are not ranked */
	bool		rank_is_filter; /* one filter is what ranks, and not in filters */
	int			nfilters;
	int		   *filters;		/* root nodes, whose scores do not count */
	bool		matches_none;	/* a filter is the empty query */

	VsBm25Params params;
	double		ndocs;
} VsBm25Query;

/*
 * Make a query in the current memory context.  rank: NULL for none; an empty
 * tsquery ranks all rows alike.  Filters are tsqueries too.
 */
extern VsBm25Query *vs_bm25_query_make(TSQuery rank, int nfilters,
									   TSQuery *filters);

/*
 * Bind it to the statistics and parameters of an index, or of all indexes that
 * belong to it: the leaves of a partitioned index, and the indexes on the same
 * column of inheriting tables.  Within a snapshot statistics stay what they were
 * at first.  view: one that the caller has of an index of them, or NULL.
 * ERROR if a prefix stands for more than bm25.max_prefix_lexemes lexemes.
 */
extern void vs_bm25_query_bind(VsBm25Query *query, Oid index,
							   Snapshot snapshot, VsBm25View *view);

/* Forget statistics: this backend has changed an index otherwise than by rows. */
extern void vs_bm25_forget_statistics(void);

/* How a document does at a leaf. */
typedef struct VsBm25LeafState
{
	bool		matches;
	double		score;			/* 0 if it does not match */
} VsBm25LeafState;

/* Whether term frequencies (all 0: stripped of positions) match a leaf. */
extern bool vs_bm25_leaf_matches(const VsBm25Leaf *leaf,
								 const uint16 tfs[BM25_LABELS]);

/* Their score, if they match; len_norm as vs_bm25_len_norm. */
extern double vs_bm25_leaf_score(const VsBm25Query *query,
								 const VsBm25Leaf *leaf,
								 const uint16 tfs[BM25_LABELS], double len_norm);

typedef enum VsBm25Match
{
	BM25_MATCH_NO,
	BM25_MATCH_MAYBE,			/* a phrase's positions decide */
	BM25_MATCH_YES
} VsBm25Match;

/*
 * Evaluate a tree by the states of the leaves: whether it matches, and the sum of
 * what matches in the order of the query, which is the score, or an upper bound
 * of it where the answer is "maybe".
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
