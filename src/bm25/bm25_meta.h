/*
 * bm25_meta.h
 *		The metapage, and the locks of a bm25 index.
 *
 * Locks, in the order in which they are taken:
 *		rewrite lock	vacuum and vsearch_merge, throughout: merges of any size, whose
 *						sources are busy meanwhile; bits in delete bitmaps
 *		merge lock		who makes a small merge, throughout; and whoever changes
 *						which segments there are, or are busy, or sets bits
 *		insert lock		shared: who appends to the buffer or marks its records;
 *						exclusive: who seals it
 *		metapage, then pages of the buffer in order, then any other page
 * An insert takes the merge lock only if it is free, or the directory is full.
 */
#ifndef VS_BM25_META_H
#define VS_BM25_META_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "storage/buf.h"
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

/* Write the metapage of an index without rows: id 1 is the buffer's. */
extern void vs_bm25_init_meta(VsBm25Meta *meta);

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

#endif							/* VS_BM25_META_H */
