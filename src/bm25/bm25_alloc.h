/*
 * bm25_alloc.h
 *		Pages for what is being written: taken, filled and logged in one step, so
 *		that nothing is left behind that is neither free nor filled.
 */
#ifndef VS_BM25_ALLOC_H
#define VS_BM25_ALLOC_H

#include "postgres.h"

#include "bm25/bm25_space.h"
#include "storage/edit.h"
#include "storage/page.h"
#include "utils/rel.h"

/* The records of a page to be. */
typedef struct VsBm25Image
{
	uint32		nbytes;
	char		bytes[VS_PAGE_CAPACITY];
} VsBm25Image;

/* For whom pages are taken, as long as it is being written. */
typedef struct VsBm25Taker
{
	Relation	index;
	VsEditMode	mode;
	uint32		id;				/* what the pages carry */
	MemoryContext context;		/* of what follows */
	VsBm25Owners *owners;		/* who had pages; NULL: not asked yet */
} VsBm25Taker;

/*
 * Write n images as pages of this kind.  In VS_EDIT_BUILD mode they are adjacent,
 * at the end of the file; otherwise they come from the free space map, as far as
 * that has pages that really are free.  Fills in their blocks, in the order of the
 * images; checks for interrupts.
 */
extern void vs_bm25_write_pages(VsBm25Taker *taker, uint16 kind,
								const VsBm25Image *images, int n,
								BlockNumber *blocks);

#endif							/* VS_BM25_ALLOC_H */
