/*
 * bm25_segment.h
 *		Reading a segment.
 *
 * A segment may be retired and its pages given to others while it is read: on a
 * primary not before every snapshot of that time is gone, on a standby at any
 * time.  What reads pages then finds nothing more, and sets is_stale; whoever
 * uses what it has read looks there first (vs_bm25_segment_is_stale).
 *
 * Errors: pages that are ours but make no sense are reported as
 * ERRCODE_INDEX_CORRUPTED, naming index and block.
 *
 * No function returns with a page locked.  A segment keeps the last page of
 * postings, dictionary and tree pinned, until vs_bm25_segment_close: up to three
 * for each segment of a view.  In a temporary table, where all come out of
 * temp_buffers, it keeps none.
 */
#ifndef VS_BM25_SEGMENT_H
#define VS_BM25_SEGMENT_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "bm25/bm25_posting.h"
#include "storage/buf.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

typedef struct VsBm25Segment
{
	Relation	rel;
	VsBm25SegmentEntry entry;	/* as the metapage had it */
	VsBm25SegmentHeader header; /* zeroes if stale */
	VsBm25Run  *runs;			/* by section and first page */
	int			section_runs[BM25_NSECTIONS + 1];	/* where each one's begin */
	Buffer		pinned[BM25_NSECTIONS];
	bool		is_stale;
	BufferAccessStrategy strategy;	/* NULL, or how pages are to be read */
} VsBm25Segment;

/*
 * Open a segment, in the current memory context.  What its header pages say is
 * remembered by the backend, as it never changes.  ERROR unless they agree with
 * the entry on the rows: there are at most BM25_MAX_ROWS, unless it is stale.
 */
extern VsBm25Segment *vs_bm25_segment_open(Relation rel,
										   const VsBm25SegmentEntry *entry);
extern void vs_bm25_segment_close(VsBm25Segment *segment);

static inline bool
vs_bm25_segment_is_stale(const VsBm25Segment *segment)
{
	return segment->is_stale;
}

/* What the dictionary says of a lexeme. */
typedef struct VsBm25List
{
	uint32		df;				/* postings; 0: the segment has none */
	uint32		nblocks;
	VsBm25Skip	only;			/* of the block, if it is the only one */
	uint32		first_skip;		/* number in BM25_SECTION_SKIPS, if not */
} VsBm25List;

/* Look a lexeme up; list->df is 0 if the segment does not have it. */
extern void vs_bm25_segment_find(VsBm25Segment *segment, const char *lexeme,
								 int nbytes, VsBm25List *list);

/* Copy n entries from number "first" on of a list's skips. */
extern void vs_bm25_segment_read_skips(VsBm25Segment *segment,
									   const VsBm25List *list, uint32 first,
									   uint32 n, VsBm25Skip *skips);

/*
 * Read a block's docs: previous_doc is last_doc of the skip before, or -1.  The
 * other half of the block is read on demand; the page must be asked for again.
 */
extern void vs_bm25_segment_read_docs(VsBm25Segment *segment,
									  const VsBm25Place *place,
									  int64 previous_doc, VsBm25Block *block);
extern void vs_bm25_segment_read_rest(VsBm25Segment *segment,
									  const VsBm25Place *place,
									  VsBm25Block *block);

/* Walk the dictionary in order. */
typedef struct VsBm25LexemeWalk
{
	VsBm25Segment *segment;
	uint32		page;			/* of BM25_SECTION_LEXEMES */
	char	   *copy;			/* of its records */
	int			copy_nbytes;
	int			offset;			/* of the next entry in the copy */
	int			nleft;			/* entries from there on */
	bool		is_ahead;		/* the current entry was not returned yet */
	char		lexeme[2048];	/* the current one, nbytes of it */
	int			nbytes;
	VsBm25List	list;
} VsBm25LexemeWalk;

/*
 * Begin before the first lexeme that is not less than the one given (nbytes 0:
 * before the first).  "next" steps to the next one; false at the end.
 */
extern void vs_bm25_walk_begin(VsBm25LexemeWalk *walk, VsBm25Segment *segment,
							   const char *lexeme, int nbytes);
extern bool vs_bm25_walk_next(VsBm25LexemeWalk *walk);
extern void vs_bm25_walk_end(VsBm25LexemeWalk *walk);

/* Read the TIDs of n rows from number "first" on. */
extern void vs_bm25_segment_read_tids(VsBm25Segment *segment, uint32 first,
									  uint32 n, ItemPointerData *tids);

/* Copy the delete bitmap, ndocs + nnulls bits: bit row % 8 of byte row / 8. */
extern void vs_bm25_segment_read_deletes(VsBm25Segment *segment, uint8 *bitmap);

/* The block of a section's page; InvalidBlockNumber if there is no such page. */
extern BlockNumber vs_bm25_segment_block(const VsBm25Segment *segment,
										 VsBm25Section section, uint32 page);

#endif							/* VS_BM25_SEGMENT_H */
