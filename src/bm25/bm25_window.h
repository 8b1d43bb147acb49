/*
 * bm25_window.h
 *		A list of postings as a search sees it that takes documents window by
 *		window.
 *
 * Windows are of the same size, numbered, and may be taken in any order.  Blocks
 * are read at first need.  Those of a window are all there until the next one is
 * entered, and others may be there still.
 */
#ifndef VS_BM25_WINDOW_H
#define VS_BM25_WINDOW_H

#include "postgres.h"

#include "bm25/bm25_cursor.h"

/* Documents of a window. */
#define BM25_WINDOW_DOCS 8192

static inline uint32
vs_bm25_count_windows(uint32 ndocs)
{
	return ndocs / BM25_WINDOW_DOCS + 1;
}

typedef struct VsBm25WindowSlot
{
	VsBm25Block *block;
	uint32		number;			/* of the block, if it is there */
	bool		has_docs;
	bool		has_rest;
} VsBm25WindowSlot;

/* What a list has in a window. */
typedef struct VsBm25ListWindow
{
	uint32		first;			/* number of the first block that ends in the
								 * window or behind it */
	float		bound;			/* no score is higher */
} VsBm25ListWindow;

typedef struct VsBm25WindowList
{
	VsBm25Cursor *cursor;		/* for its skips and bounds; it does not move */
	int			leaf;			/* number in the query */
	int			times;			/* that it adds its score */

	VsBm25ListWindow *windows;	/* by number */

	/* How scores are approximated: tf is the sum of labels, weighted. */
	float		weights[BM25_LABELS];
	bool		is_plain;		/* all weights are 1 */
	float		stripped_tf;	/* where that sum is 0 */
	float		factor;
	float		norm;			/* of the length: constant and factor */
	float		norm_per_len;

	/* The window. */
	uint32		first;			/* number of the first block in it */
	uint32		end;			/* number behind the last one */
	float		bound;			/* that of the window */

	/* Blocks by number, modulo how many slots there are. */
	VsBm25WindowSlot *slots;
	uint32		nslots;			/* a power of 2 */

	/* Where the last document looked for was. */
	uint32		number;
	int			at;
} VsBm25WindowList;

/*
 * Whether scores can be approximated by float4, which takes parameters that are
 * not extreme.
 */
extern bool vs_bm25_window_can(const VsBm25Query *query);

/* Of a cursor that is not at its end; the bounds of windows are computed. */
extern VsBm25WindowList *vs_bm25_window_open(VsBm25Cursor *cursor, int leaf,
											 int times);

/* Go to a window. */
extern void vs_bm25_window_enter(VsBm25WindowList *list, uint32 window);

/*
 * A block of the window by number; with lengths and term frequencies, or just
 * documents.  NULL if the segment is stale.
 */
extern const VsBm25Block *vs_bm25_window_block(VsBm25WindowList *list,
											   uint32 number, bool with_rest);

/*
 * Find a document; those asked for ascend until vs_bm25_window_rewind.  The block
 * whose posting list->at is it; NULL if the list does not have it.
 */
extern const VsBm25Block *vs_bm25_window_find(VsBm25WindowList *list,
											  uint32 doc);
static inline void
vs_bm25_window_rewind(VsBm25WindowList *list)
{
	list->number = list->first;
	list->at = 0;
}

/*
 * Approximate the scores of a block's postings: room for 128.  None is below the
 * true one by more than BM25_BOUND_SLACK of it.
 */
extern void vs_bm25_window_score(const VsBm25WindowList *list,
								 const VsBm25Block *block, float *scores);

/* That of posting i. */
extern float vs_bm25_window_score_one(const VsBm25WindowList *list,
									  const VsBm25Block *block, int i);

#endif							/* VS_BM25_WINDOW_H */
