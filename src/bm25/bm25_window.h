/*
 * bm25_window.h
 *		A list of postings as a search sees it that takes documents window by
 *		window.
 *
 * Blocks of the window are read at first need, and are all there until the next
 * window; one that reaches into that stays.
 */
#ifndef VS_BM25_WINDOW_H
#define VS_BM25_WINDOW_H

#include "postgres.h"

#include "bm25/bm25_cursor.h"

typedef struct VsBm25WindowSlot
{
	VsBm25Block *block;
	bool		has_docs;
	bool		has_rest;
} VsBm25WindowSlot;

typedef struct VsBm25WindowList
{
	VsBm25Cursor *cursor;		/* for its skips and bounds; it does not move */
	int			leaf;			/* number in the query */
	int			times;			/* that leaf is in the tree */

	/* The window. */
	uint32		first;			/* number of the first block in it */
	uint32		nslots;			/* blocks in it */
	float		bound;			/* no document's score is higher */
	VsBm25WindowSlot *slots;
	uint32		nallocated;

	/* Where the last document looked for was. */
	uint32		slot;
	int			at;
} VsBm25WindowList;

/* How scores are approximated, in float4: within BM25_BOUND_SLACK. */
typedef struct VsBm25Approximation
{
	float		weights[BM25_LABELS];
	bool		is_plain;		/* all weights are 1 */
	float		norm;			/* of the length: constant and factor */
	float		norm_per_len;
} VsBm25Approximation;

/*
 * False if the query's parameters are such that float4 cannot approximate scores
 * well enough.
 */
extern bool vs_bm25_approximate(const VsBm25Query *query,
								VsBm25Approximation *approximation);

/* Bounds must have been computed. */
extern VsBm25WindowList *vs_bm25_window_open(VsBm25Cursor *cursor, int leaf,
											 int times);

/*
 * Go to the window of documents from "begin" to before "end": begins where the
 * one before has ended, or further on.
 */
extern void vs_bm25_window_enter(VsBm25WindowList *list, uint32 begin,
								 uint32 end);

/*
 * The block in a slot; with lengths and term frequencies, or just documents.
 * NULL if the segment is stale.
 */
extern const VsBm25Block *vs_bm25_window_block(VsBm25WindowList *list,
											   uint32 slot, bool with_rest);

/*
 * Find a document; those asked for ascend until vs_bm25_window_rewind.  The block
 * whose posting list->at is it; NULL if the list does not have it.  It is not
 * looked for where the block's bound is not above "wanted".
 */
extern const VsBm25Block *vs_bm25_window_find(VsBm25WindowList *list,
											  uint32 doc, float wanted);
static inline void
vs_bm25_window_rewind(VsBm25WindowList *list)
{
	list->slot = 0;
	list->at = 0;
}

/* Approximate the scores of a block's postings: room for 128. */
extern void vs_bm25_window_score(const VsBm25WindowList *list,
								 const VsBm25Approximation *approximation,
								 const VsBm25Block *block, float *scores);

/* That of posting i. */
extern float vs_bm25_window_score_one(const VsBm25WindowList *list,
									  const VsBm25Approximation *approximation,
									  const VsBm25Block *block, int i);

#endif							/* VS_BM25_WINDOW_H */
