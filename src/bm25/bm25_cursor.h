/*
 * bm25_cursor.h
 *		Going through the postings of a leaf in one segment.
 *
 * A cursor stands on a posting, or at the end.  It is made to move forward, and
 * may be sent back.  It knows what the skips say of
 * all blocks and reads a block only to stand in it; lengths and term frequencies
 * only where they are asked for.  A prefix is one list to it: that of the
 * documents that have any of its lexemes, made in memory.
 *
 * If the segment turns out to be stale a cursor is at the end.
 */
#ifndef VS_BM25_CURSOR_H
#define VS_BM25_CURSOR_H

#include "postgres.h"

#include "bm25/bm25_query.h"
#include "bm25/bm25_segment.h"

/* A document's number that none has: behind all. */
#define BM25_NO_DOC PG_UINT32_MAX

/* What a document's score may exceed a bound by, as rounding goes. */
#define BM25_BOUND_SLACK 1e-5

typedef struct VsBm25Cursor
{
	VsBm25Segment *segment;
	const VsBm25Query *query;
	const VsBm25Leaf *leaf;

	uint32		npostings;
	uint32		nblocks;
	VsBm25Skip *skips;			/* of the blocks */
	VsBm25Block *blocks;		/* themselves, if made in memory */
	float	   *bounds;			/* of scores, by block; NULL before
								 * vs_bm25_cursor_bound */
	float		bound;			/* the highest of them */

	uint32		from;			/* what it was sent to */
	uint32		doc;			/* where it stands: there is no posting from
								 * "from" to before it; BM25_NO_DOC: at the
								 * end */
	uint32		number;			/* of the block it stands in */
	int			at;				/* of the posting in the block */
	VsBm25Block *block;			/* if a posting was looked at */
	bool		has_rest;		/* its lengths and frequencies are there */
	VsBm25Block *room;			/* for blocks that are read */

	uint32		ahead;			/* block of vs_bm25_cursor_peek */
} VsBm25Cursor;

/*
 * The cursor of a leaf, in the current memory context, before the first posting:
 * seek before looking at doc.
 */
extern VsBm25Cursor *vs_bm25_cursor_open(VsBm25Segment *segment,
										 const VsBm25Query *query,
										 const VsBm25Leaf *leaf);

/* Have a cursor without postings go through those of a list. */
extern void vs_bm25_cursor_use(VsBm25Cursor *cursor, const VsBm25List *list);

/* Back to before the first posting. */
extern void vs_bm25_cursor_rewind(VsBm25Cursor *cursor);

/* Compute bounds of scores, if not done yet. */
extern void vs_bm25_cursor_bound(VsBm25Cursor *cursor);

/* Read block "number", its docs, to "block"; false if the segment is stale. */
extern bool vs_bm25_cursor_read_docs(VsBm25Cursor *cursor, uint32 number,
									 VsBm25Block *block);

/* The rest of it. */
extern bool vs_bm25_cursor_read_rest(VsBm25Cursor *cursor, uint32 number,
									 VsBm25Block *block);

/* Parts of the functions below. */
extern uint32 vs_bm25_cursor_seek_slow(VsBm25Cursor *cursor, uint32 target);
extern bool vs_bm25_cursor_load_rest(VsBm25Cursor *cursor);

/*
 * The number of the first block from "number" on that ends at a document or
 * behind it; nblocks if there is none.
 */
extern uint32 vs_bm25_cursor_find_block(const VsBm25Cursor *cursor,
										uint32 number, uint32 doc);

/* The first posting from i on of a document or one behind it; n if none is. */
extern int	vs_bm25_block_find(const VsBm25Block *block, int i, uint32 doc);

/* Go to the first posting of a document or one behind it; returns cursor->doc. */
static inline uint32
vs_bm25_cursor_seek(VsBm25Cursor *cursor, uint32 target)
{
	if (cursor->from <= target && target <= cursor->doc)
		return cursor->doc;
	return vs_bm25_cursor_seek_slow(cursor, target);
}

/*
 * Find the block that would hold a document, without reading it: targets ascend.
 * Returns its number in skips and bounds, nblocks if the list ends before.
 */
static inline uint32
vs_bm25_cursor_peek(VsBm25Cursor *cursor, uint32 target)
{
	if (cursor->ahead < cursor->nblocks &&
		cursor->skips[cursor->ahead].last_doc < target)
		cursor->ahead = vs_bm25_cursor_find_block(cursor, cursor->ahead,
												  target);
	return cursor->ahead;
}

/*
 * What the posting says on which the cursor stands.  Zeroes if the segment is
 * stale.
 */
static inline void
vs_bm25_cursor_get(VsBm25Cursor *cursor, uint16 tfs[BM25_LABELS], uint32 *len)
{
	int			at = cursor->at;

	if (!cursor->has_rest && !vs_bm25_cursor_load_rest(cursor))
	{
		memset(tfs, 0, sizeof(uint16) * BM25_LABELS);
		*len = 0;
		return;
	}
	vs_bm25_block_get_tfs(cursor->block, at, tfs);
	*len = cursor->block->lens[at];
}

#endif							/* VS_BM25_CURSOR_H */
