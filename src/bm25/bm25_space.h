/*
 * bm25_space.h
 *		To whom pages belong, and how they become free.
 *
 * README.md, "Vacuum".
 */
#ifndef VS_BM25_SPACE_H
#define VS_BM25_SPACE_H

#include "postgres.h"

#include "bm25/bm25_meta.h"
#include "bm25/bm25_page.h"
#include "storage/buf.h"
#include "utils/rel.h"

/*
 * Who owns pages at one moment.  The free space map is not crash-safe: it may
 * offer pages that are in use.
 */
typedef struct VsBm25Owners
{
	uint32		next_id;		/* who came later owns its pages, too */
	uint32		nids;
	uint32	   *ids;			/* ascending: segments live, retired and being
								 * written */
	uint32		nblocks;
	BlockNumber blocks[BM25_BUFFER_PAGES];	/* of the buffer */
} VsBm25Owners;

/* Who does now, palloc'd. */
extern VsBm25Owners *vs_bm25_read_owners(Relation rel);

/*
 * Whether a page that the free space map offers, locked exclusively, is really
 * nobody's: a page of zeroes, or one whose owner is gone.
 */
extern bool vs_bm25_page_is_free(const VsBm25Owners *owners, Buffer buffer);

/*
 * Called for n adjacent pages of a segment: a section's, or a header page, whose
 * section is BM25_NSECTIONS.
 */
typedef void (*VsBm25VisitPages) (void *state, VsBm25Section section,
								  BlockNumber block, uint32 n);

/*
 * Visit all pages of a segment, by its header pages, which must be its own still.
 * ERROR if these make no sense.
 */
extern void vs_bm25_visit_pages(Relation rel, BlockNumber header,
								VsBm25VisitPages visit, void *state);

/*
 * Step along the queue of retired segments: *block is a header page, and becomes
 * the next one's, or 0.  Returns the id, or 0 where the page is no header.
 * *nsteps is 0 at first; ERROR for more of them than the index has blocks.
 */
extern uint32 vs_bm25_next_retired(Relation rel, BlockNumber *block,
								   uint32 *nsteps);

/*
 * Prepare that n segments are retired together: their headers lead from one to
 * the next.  Nothing has happened yet.
 */
extern void vs_bm25_link_retired(Relation rel, const VsBm25SegmentEntry *entries,
								 int n);

/*
 * Take them out of the directory, and put them into the queue.  The caller holds
 * the merge lock, and has linked them.
 */
extern void vs_bm25_retire(VsBm25MetaEdit *change,
						   const VsBm25SegmentEntry *entries, int n);

/*
 * Free the pages of retired segments that no reader knows any more; returns how
 * many pages.  The caller holds the merge lock.
 */
extern uint64 vs_bm25_reclaim(Relation rel, Relation heap);

/*
 * Free pages that belong to nobody: left by a crash or an error, or by a free
 * space map that was lost.  Returns how many.  The caller holds the rewrite lock
 * and the merge lock.
 */
extern uint64 vs_bm25_free_leftovers(Relation rel);

#endif							/* VS_BM25_SPACE_H */
