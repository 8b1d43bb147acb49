/*
 * ivf_search.h
 *		Nearest rows of some lists, one after the other.
 *
 * Adding a list reads all its codes and notes for each row how near it may be.
 * Rows are then returned in order of their exact distance: a vector is read when
 * its bound is the lowest of all that is left, and the row returned when its
 * distance is.  How many rows are wanted need not be known, nor are rows put in
 * order that nobody asks for.  See README.md, "Scan".
 */
#ifndef VS_IVF_SEARCH_H
#define VS_IVF_SEARCH_H

#include "postgres.h"

#include "index/candidate.h"
#include "ivf/ivf_private.h"

/* A vector that nearest rows are searched for, as lists need it. */
typedef struct VsIvfProbe
{
	float	   *scaled;			/* dim floats in the codec's unit */
	float	   *rotated;		/* and rotated; the same where nothing is */
} VsIvfProbe;

/* Form the probe of x (dim floats) in the current memory context. */
extern VsIvfProbe *vs_ivf_probe_create(const VsIvfIndex *index, const float *x);

/*
 * Up to 32 rows, neighbours on a list page.  Row i of block b has the number
 * 32 * b + i in the search's arrays.
 */
typedef struct VsIvfRows
{
	uint32		left;			/* a bit for each that is not yet taken */
	uint16		slot;			/* of the first one */
	int8		nearest;		/* of those left, if known, or -1 */
	bool		foreseen;		/* whether its vector has been prefetched */
	Size		vectors;		/* where the page's vector blocks are in
								 * vector_blocks */
} VsIvfRows;

typedef struct VsIvfSearch
{
	VsIvfIndex *index;
	const VsIvfProbe *probe;	/* NULL: all rows are equally near */
	bool		of_centroids;	/* the root is searched */
	VsResidualQuery *query;		/* NULL where codes are exact */
	float	   *center;			/* work space of dim floats */
	VsIvfVector vector;			/* the same, for vectors over several pages */

	/* Rows for which this is false are left out; NULL takes all. */
	bool		(*member) (void *state, const ItemPointerData *tid);
	void	   *member_state;

	uint64		nrows;			/* that were added since it was cleared */
	VsIvfRows  *blocks;
	Size		nblocks;
	Size		capacity;		/* blocks */
	float	   *dists;			/* of each row, or bounds */
	ItemPointerData *tids;
	BlockNumber *vector_blocks; /* of all list pages, one after the other */
	Size		nvector_blocks;
	Size		vector_capacity;

	/*
	 * Blocks by what is lowest of their rows, and rows whose vectors were
	 * read: the tag tells them apart, ids are their numbers.
	 */
	VsCandidateHeap heap;
} VsIvfSearch;

/*
 * A search for the nearest rows, or of_centroids, in the current memory context,
 * which is where all memory of the search will be.
 */
extern VsIvfSearch *vs_ivf_search_create(VsIvfIndex *index,
										 const VsIvfProbe *probe,
										 bool of_centroids);

/* Bytes that the rows added take. */
extern Size vs_ivf_search_nbytes(const VsIvfSearch *search);

/* Forget all rows. */
extern void vs_ivf_search_clear(VsIvfSearch *search);

/* Add the rows of n lists. */
extern void vs_ivf_search_add_lists(VsIvfSearch *search, const uint32 *lists,
									uint32 n);

/*
 * Remove and return the nearest row that is left, and its distance in the
 * codec's unit, squared by L2; false if there is none.
 */
extern bool vs_ivf_search_next(VsIvfSearch *search, ItemPointer tid, float *dist);

#endif							/* VS_IVF_SEARCH_H */
