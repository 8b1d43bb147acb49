/*
 * bm25_alloc.h
 *		Pages for what is being written: taken, filled and logged in one step, so
 *		that nothing is left behind that is neither free nor filled.
 */
#ifndef VS_BM25_ALLOC_H
#define VS_BM25_ALLOC_H

#include "postgres.h"

#include "storage/edit.h"
#include "storage/page.h"
#include "utils/rel.h"

/* The records of a page to be. */
typedef struct VsBm25Image
{
	uint32		nbytes;
	char		bytes[VS_PAGE_CAPACITY];
} VsBm25Image;

/*
 * Write n images as pages of this kind and owner.  In VS_EDIT_BUILD mode they are
 * adjacent, at the end of the file; otherwise they come from the free space map,
 * as far as that has pages that really are free.  Fills in their blocks, in the
 * order of the images; checks for interrupts.
 */
extern void vs_bm25_write_pages(Relation index, VsEditMode mode, uint16 kind,
								uint32 generation, const VsBm25Image *images,
								int n, BlockNumber *blocks);

#endif							/* VS_BM25_ALLOC_H */
