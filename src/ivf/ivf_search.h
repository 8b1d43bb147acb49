/*
 * ivf_search.h
 *		Nearest rows of some lists, one after the other.
 *
 * Adding a list reads all its codes and notes for each row how near it may be.
 * Rows are then returned in order of their exact distance: a vector is read when
 * its bound is the lowest of all that is left, and the row returned when its
 * distance is.  How many rows are wanted need not be known.  See README.md,
 * "Scan".
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

/* A row that a search may return. */
typedef struct VsIvfRowPlace
{
	ItemPointerData tid;
	uint16		record;			/* of the vector on its page */
	BlockNumber vector_block;
} VsIvfRowPlace;

typedef struct VsIvfSearch
{
	VsIvfIndex *index;
	const VsIvfProbe *probe;	/* NULL: all rows are equally near */
	bool		of_centroids;	/* the root is searched */
	VsResidualQuery *query;		/* NULL where codes are exact */
	float	   *center;			/* work space of dim floats */
	VsIvfVector vector;			/* the same, for vectors over several pages */
	float	   *bounds;			/* the same, of a list page */

	/* Rows for which this is false are left out; NULL takes all. */
	bool		(*member) (void *state, const ItemPointerData *tid);
	void	   *member_state;

	VsIvfRowPlace *rows;
	uint32		nrows;
	uint32		capacity;
	VsCandidateHeap heap;		/* ids are numbers in rows, the tag tells
								 * whether the distance is exact */
	uint64		nexact;			/* vectors that were read */
} VsIvfSearch;

/*
 * A search for the nearest rows, or of_centroids, in the current memory context,
 * which is where all memory of the search will be.
 */
extern VsIvfSearch *vs_ivf_search_create(VsIvfIndex *index,
										 const VsIvfProbe *probe,
										 bool of_centroids);

/* Forget all rows. */
extern void vs_ivf_search_clear(VsIvfSearch *search);

/* Add the rows of a list. */
extern void vs_ivf_search_add_list(VsIvfSearch *search, uint32 list);

/*
 * Remove and return the nearest row that is left, and its distance in the
 * codec's unit, squared by L2; false if there is none.
 */
extern bool vs_ivf_search_next(VsIvfSearch *search, ItemPointer tid, float *dist);

#endif							/* VS_IVF_SEARCH_H */
