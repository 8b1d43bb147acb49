/*
 * ivf_lists.h
 *		The lists nearest to a vector, one after the other.
 *
 * Few centroids are searched one by one.  Where they are in groups, those of the
 * nearest groups are searched first: lists then come nearly in order.
 */
#ifndef VS_IVF_LISTS_H
#define VS_IVF_LISTS_H

#include "postgres.h"

#include "ivf/ivf_search.h"

/* Groups that are opened at a time. */
#define IVF_GROUPS_OPENED 16

/*
 * So many times as many lists are looked at as are returned: the nearest ones
 * lie in many groups, where data have no clusters.
 */
#define IVF_LOOKED_AT	16

typedef struct VsIvfLists
{
	VsIvfIndex *index;
	VsIvfSearch *groups;		/* NULL where there are none */
	VsIvfSearch *lists;			/* its rows are the lists looked at */
	uint64		nreturned;		/* lists */
} VsIvfLists;

/*
 * Begin to find the lists nearest to a probe, in the current memory context.
 */
extern VsIvfLists *vs_ivf_lists_create(VsIvfIndex *index,
									   const VsIvfProbe *probe);

/* The next nearest list; false if there is none. */
extern bool vs_ivf_lists_next(VsIvfLists *lists, uint32 *list);

#endif							/* VS_IVF_LISTS_H */
