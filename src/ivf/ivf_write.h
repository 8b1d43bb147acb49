/*
 * ivf_write.h
 *		Writing lists as a whole: for the build, and for an empty index.
 */
#ifndef VS_IVF_WRITE_H
#define VS_IVF_WRITE_H

#include "postgres.h"

#include "ivf/ivf_private.h"

/* Where the pages of a list lie that is written as a whole. */
typedef struct VsIvfLayout
{
	BlockNumber first;			/* list page */
	BlockNumber nlist_pages;
	BlockNumber first_vectors;	/* vector page */
	BlockNumber end;
} VsIvfLayout;

/* Lay out a list of nrows from a block on. */
extern VsIvfLayout vs_ivf_lay_out(const VsIvfGeometry *g, BlockNumber first,
								  uint64 nrows);

/* The (first) page of vector block i of list page "page". */
extern BlockNumber vs_ivf_vector_block(const VsIvfGeometry *g,
									   const VsIvfLayout *layout,
									   BlockNumber page, int i);

/* A new page that is being written. */
typedef struct VsIvfNewPage
{
	ForkNumber	fork;
	BlockNumber block;
	Buffer		buffer;
	VsEdit		edit;
	PGAlignedBlock image;		/* of a page of the init fork */
} VsIvfNewPage;

/*
 * Begin to write a page: one that the main fork's file was extended by, not
 * WAL-logged, or the init fork's next one, which is.  The caller initialises
 * what is returned; it is locked until vs_ivf_end_page.
 */
extern Page vs_ivf_begin_page(VsIvfIndex *index, ForkNumber fork,
							  BlockNumber block, VsIvfNewPage *new);
extern void vs_ivf_end_page(VsIvfIndex *index, VsIvfNewPage *new);

/* Write a page, or pages, with the vectors of n rows. */
extern void vs_ivf_put_vectors(VsIvfIndex *index, ForkNumber fork,
							   BlockNumber block, const VsIvfRow *rows, int n);

/* Write the rows of a list, around a center that is rotated and in unit. */
extern void vs_ivf_put_list(VsIvfIndex *index, ForkNumber fork, uint32 list,
							const VsIvfLayout *layout, const float *center,
							uint64 nrows, VsIvfNextRow next_row, void *state);

#endif							/* VS_IVF_WRITE_H */
