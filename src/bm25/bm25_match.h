/*
 * bm25_match.h
 *		Which documents of a segment, or record of the buffer, match a query.
 *
 * A search is for documents that match some trees of the query, the filters, all
 * of them.  It may score them by another one.
 */
#ifndef VS_BM25_MATCH_H
#define VS_BM25_MATCH_H

#include "postgres.h"

#include "bm25/bm25_buffer.h"
#include "bm25/bm25_cursor.h"
#include "bm25/bm25_query.h"

#define BM25_HASH_BITS 1024

/* What is searched for. */
typedef struct VsBm25Goal
{
	const VsBm25Query *query;
	int			nfilters;
	int		   *filters;		/* root nodes that a document must match */
	int			rank;			/* root node that scores it, -1: none; then
								 * only scores above 0 are wanted */
	bool	   *is_used;		/* by leaf: whether those trees have it */

	/*
	 * To see at once that a record has no leaf, and so no score: a bit for
	 * each used leaf's hash, modulo how many there are.
	 */
	bool		can_pass;		/* records without such a bit need no look */
	uint64		hash_bits[BM25_HASH_BITS / 64];
} VsBm25Goal;

/* Make a goal of trees, in the current memory context. */
extern VsBm25Goal *vs_bm25_goal_make(const VsBm25Query *query, int nfilters,
									 const int *filters, int rank);

/* What is found out of a document. */
typedef struct VsBm25Verdict
{
	VsBm25Match match;			/* the filters */
	double		score;			/* 0 without rank */
	bool		is_bound;		/* the score is an upper bound */
} VsBm25Verdict;

/* The state of a leaf with these term frequencies, scored if the goal has a rank. */
extern VsBm25LeafState vs_bm25_goal_score(const VsBm25Goal *goal, int leaf,
										  const uint16 tfs[BM25_LABELS],
										  uint32 len);

/* Evaluate the goal's trees by the states of the leaves. */
extern VsBm25Verdict vs_bm25_goal_judge(const VsBm25Goal *goal,
										const VsBm25LeafState *states);

/* What a node has offered: nothing from "from" to before "next". */
typedef struct VsBm25Offer
{
	uint32		from;
	uint32		next;
} VsBm25Offer;

/* A segment's documents that match, in order. */
typedef struct VsBm25Matcher
{
	const VsBm25Goal *goal;
	uint32		ndocs;
	VsBm25Cursor **cursors;		/* by leaf; those of used leaves */
	VsBm25LeafState *states;	/* by leaf */
	double	   *npostings;		/* by node: what its list may hold */
	VsBm25Offer *offers;		/* by node, the last ones */
} VsBm25Matcher;

/* The cursors are rewound, and must not be used by others meanwhile. */
extern VsBm25Matcher *vs_bm25_matcher_make(const VsBm25Goal *goal,
										   VsBm25Segment *segment,
										   VsBm25Cursor **cursors);

/*
 * The first document from "target" on that may match, BM25_NO_DOC if there is
 * none; targets ascend.
 */
extern uint32 vs_bm25_matcher_next(VsBm25Matcher *matcher, uint32 target);

/* The state of a leaf that the goal uses. */
extern VsBm25LeafState vs_bm25_matcher_state(VsBm25Matcher *matcher, int leaf,
											 uint32 doc);

/* Whether a document matches, and how it scores. */
extern VsBm25Verdict vs_bm25_matcher_judge(VsBm25Matcher *matcher, uint32 doc);

/*
 * No document from this one to *last scores higher by the tree that ranks.
 * Below 0: none of them matches it.  Documents asked for ascend.
 */
extern double vs_bm25_matcher_bound(VsBm25Matcher *matcher, uint32 doc,
									uint32 *last);

/*
 * About how many documents will be offered: as many as the shortest list of those
 * that a document must have.
 */
extern double vs_bm25_matcher_count(const VsBm25Matcher *matcher);

/* vs_bm25_matcher_judge for a record of the buffer; states is room for those of the leaves. */
extern VsBm25Verdict vs_bm25_judge_record(const VsBm25Goal *goal,
										  const VsBm25RecordHeader *record,
										  VsBm25LeafState *states);

#endif							/* VS_BM25_MATCH_H */
