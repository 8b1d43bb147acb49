/*
 * bm25_meta.h
 *		The metapage, and the locks of a bm25 index.
 *
 * Locks, in the order in which they are taken:
 *		rewrite lock	vacuum and vsearch_merge, throughout: merges of any size, and
 *						bits in delete bitmaps; the segments are busy meanwhile
 *		merge lock		who makes a small merge, throughout; and whoever takes
 *						segments out of the directory, or changes which are busy
 *		insert lock		shared: who moves the buffer's tail or marks its records;
 *						exclusive: who seals it
 *		metapage		shared: who reads it or appends to the tail
 *		pages of the buffer in order, then any other page
 * An insert takes the merge lock only if it is free, or the directory is full.
 *
 * A segment that is busy is changed, or goes away, by who holds the rewrite lock
 * alone.  One that is not may be merged by who holds the merge lock, and nobody
 * sets bits in it.
 */
#ifndef VS_BM25_META_H
#define VS_BM25_META_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "storage/buf.h"
#include "storage/edit.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/* Page numbers for LockPage: no pages, but names of locks. */
#define BM25_INSERT_LOCK	BM25_META_BLOCK
#define BM25_MERGE_LOCK		(BM25_META_BLOCK + 1)
#define BM25_REWRITE_LOCK	(BM25_META_BLOCK + 2)

/* Read and lock the metapage; ERROR unless it is one that we can go by. */
extern Buffer vs_bm25_lock_meta(Relation rel, int lockmode);

/* A copy of the metapage, palloc'd. */
extern VsBm25Meta *vs_bm25_read_meta(Relation rel);

/* The same, and what the write buffer held at that moment. */
extern VsBm25Meta *vs_bm25_read_all_meta(Relation rel,
										 VsBm25BufferTotals *totals);

/* The same for one that may be damaged; has_tail is false if nothing is found. */
extern VsBm25Meta *vs_bm25_find_all_meta(Relation rel,
										 VsBm25BufferTotals *totals,
										 bool *has_tail);

/* What the write buffer holds, while the caller has the metapage locked. */
extern void vs_bm25_read_totals(Relation rel, Buffer meta_buffer,
								VsBm25BufferTotals *totals);

/* The same from its tail, where the caller has locked that as well. */
extern void vs_bm25_tail_totals(Relation rel, const VsBm25BufferMeta *meta,
								Page page, VsBm25BufferTotals *totals);

/* Write the metapage of an index without rows: id 1 is the buffer's. */
extern void vs_bm25_init_meta(Page page);

/* Let the metapage end behind its directory, which has changed. */
extern void vs_bm25_fit_meta(Page page);

/* A change of the metapage and up to three pages more. */
typedef struct VsBm25MetaEdit
{
	Relation	rel;
	Page		page;			/* the metapage's copy to change */
	VsBm25Meta *meta;			/* what it says */
	int			nbuffers;
	Buffer		buffers[VS_EDIT_MAX_PAGES]; /* locked exclusively */
	VsEdit		edit;
} VsBm25MetaEdit;

/* Returns the copy to change.  An error before the commit changes nothing. */
extern VsBm25Meta *vs_bm25_begin_meta(Relation rel, VsBm25MetaEdit *change);

/*
 * Read and lock exclusively a page of this kind, beside n others that the caller
 * has locked.  ERROR if it is one of these: a damaged number must not wait for
 * ourselves.
 */
extern Buffer vs_bm25_lock_another(Relation rel, BlockNumber block, uint16 kind,
								   const Buffer *locked, int n);

/* Take another page into the change. */
extern Page vs_bm25_add_page(VsBm25MetaEdit *change, BlockNumber block,
							 uint16 kind);
extern void vs_bm25_commit_meta(VsBm25MetaEdit *change);

/* Give the id of a segment that is going to be written. */
extern uint32 vs_bm25_give_id(VsBm25Meta *meta, VsBm25Writing writing);

/* It has been written: enter it into the directory, if it has any rows. */
extern void vs_bm25_publish(VsBm25Meta *meta, VsBm25Writing writing,
							const VsBm25SegmentEntry *entry);

/* A segment's entry, or NULL. */
extern VsBm25SegmentEntry *vs_bm25_find_segment(VsBm25Meta *meta, uint32 id);

#endif							/* VS_BM25_META_H */
