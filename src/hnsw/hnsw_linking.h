/*
 * hnsw_linking.h
 *		Linking a node of an index with its neighbours, page by page.
 *
 * For a new node (hnsw_insert.c), and for one that a crash left half linked or
 * that has lost its neighbours (hnsw_relink.c).  See README.md, "Insert".
 */
#ifndef VS_HNSW_LINKING_H
#define VS_HNSW_LINKING_H

#include "postgres.h"

#include "hnsw/hnsw_nodewrite.h"
#include "hnsw/hnsw_pagestore.h"

/* Neighbours chosen on one level. */
typedef struct VsHnswLevelLinks
{
	int			n;
	VsHnswLink *links;
	VsHnswVisit **visits;		/* of each neighbour's node */
} VsHnswLevelLinks;

/* A node being linked. */
typedef struct VsHnswLinking
{
	VsHnswIndex *index;
	VsHnswPageStore *pages;
	VsHnswSearch *search;		/* for the node's vector */
	VsEditMode	mode;
	VsHnswVector vector;
	const float *x;				/* the same, decoded */
	int			level;			/* of the node's highest upper record, or 0 */
	VsHnswLink	self;			/* as neighbours see the node */
	uint32		parent;			/* the neighbour that has it in the tree */
	VsHnswLevelLinks chosen[HNSW_MAX_LEVEL + 1];
} VsHnswLinking;

/*
 * Begin to link a vector, whose elements the caller keeps, in the current
 * memory context.  self.id is the node's number, or HNSW_INVALID_ID while it
 * has none.
 */
extern VsHnswLinking *vs_hnsw_linking_begin(VsHnswIndex *index,
											const VsHnswVector *vector,
											uint32 id, int level,
											VsEditMode mode);

/* Encode the node as its neighbours will see it. */
extern void vs_hnsw_linking_form_self(VsHnswLinking *linking);

/* Choose neighbours from the search's results on its level. */
extern void vs_hnsw_linking_choose(VsHnswLinking *linking);

/*
 * Tell neighbour i chosen on a level about the node, whose number there is id.
 * With as_tree it keeps the node for good, as a part of the tree, if it has
 * room for that; true then.
 */
extern bool vs_hnsw_linking_tell(VsHnswLinking *linking, int level, uint32 id,
								 int i, bool as_tree);

/* Tell all neighbours chosen on a level. */
extern void vs_hnsw_linking_tell_level(VsHnswLinking *linking, int level,
									   uint32 id);

/* Mark the node as linked, unless its place was used anew meanwhile. */
extern void vs_hnsw_linking_finish(VsHnswLinking *linking, uint32 id,
								   uint32 generation);

#endif							/* VS_HNSW_LINKING_H */
