/*
 * bm25_meta.h
 *		The metapage, and the locks of a bm25 index.
 *
 * Locks, in the order in which they are taken:
 *		merge lock		who merges segments, or sets bits in delete bitmaps
 *		insert lock		shared: who appends to the buffer or marks its records;
 *						exclusive: who seals it
 *		metapage, then pages of the buffer in order, then any other page
 * An insert takes the merge lock only if it is free.
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

/* Read and lock the metapage; ERROR unless it is one that we can go by. */
extern Buffer vs_bm25_lock_meta(Relation rel, int lockmode);

/* A copy of the metapage, palloc'd. */
extern VsBm25Meta *vs_bm25_read_meta(Relation rel);

/* Write the metapage of an index without rows: id 1 is the buffer's. */
extern void vs_bm25_init_meta(VsBm25Meta *meta);

#endif							/* VS_BM25_META_H */
