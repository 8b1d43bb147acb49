/*
 * hnsw_noderead.h
 *		Reading nodes and upper records, whatever pages they take.
 */
#ifndef VS_HNSW_NODEREAD_H
#define VS_HNSW_NODEREAD_H

#include "postgres.h"

#include "hnsw/hnsw_private.h"
#include "hnsw/hnsw_probe.h"

/* A copy of a node (or upper record), consistent in itself. */
typedef struct VsHnswNodeCopy
{
	VsHnswNode	header;			/* not for upper records */
	const VsHnswProbe *probe;	/* the reader's, or NULL */
	double		dist;			/* exact, to the probe */
	bool		with_vector;	/* whether the reader wants halves */
	uint16	   *halves;			/* dim elements */
	int			nlinks;
	VsHnswSlots slots;			/* codes and factors only if asked for */
	float	   *estimates;		/* nlinks, if a query was given */
	bool		has_newer_codes;	/* of centroids that the query's codec
									 * lacks */
	uint32		below;			/* of upper records: number one level below */
} VsHnswNodeCopy;

/*
 * Allocate the parts of a copy in the current memory context.  The reader has no
 * probe and wants the vector, unless he says otherwise.
 */
extern void vs_hnsw_node_copy_init(VsHnswNodeCopy *copy, const VsHnswGeometry *g);

/*
 * Read a node under share locks, one page at a time.  With a probe in the copy
 * its distance is computed.  With a query its neighbours' distances are
 * estimated; with_codes copies their codes; without either the neighbours are
 * left alone.  False if the place is free, or was reused while we read.
 */
extern bool vs_hnsw_read_node(VsHnswIndex *index, uint32 node,
							  const VsRabitqQuery *query, bool with_codes,
							  VsHnswNodeCopy *copy);

/* The same for an upper record, which must be on this level. */
extern bool vs_hnsw_read_upper(VsHnswIndex *index, uint32 upper, int level,
							   const VsRabitqQuery *query, bool with_codes,
							   VsHnswNodeCopy *copy);

/* The node of an upper record; HNSW_INVALID_ID if it is free. */
extern uint32 vs_hnsw_upper_node(VsHnswIndex *index, uint32 upper);

/* An upper record's number one level below, a node's below level 1. */
extern uint32 vs_hnsw_upper_below(VsHnswIndex *index, uint32 upper, int level);

/* Have the processor fetch the first page of a node that will soon be read. */
extern void vs_hnsw_prefetch_node(VsHnswIndex *index, uint32 node);

/* Read and lock the first page of a node. */
extern Buffer vs_hnsw_lock_node(VsHnswIndex *index, uint32 node, int lockmode);

/* Read and lock the page of slot block i of a node. */
extern Buffer vs_hnsw_lock_slots(VsHnswIndex *index, uint32 node, int i,
								 int lockmode);

/* Read and lock the page of an upper record. */
extern Buffer vs_hnsw_lock_upper(VsHnswIndex *index, uint32 upper, int lockmode);

/*
 * List the nodes with rows on a page, whatever its kind; ids has room for
 * nodes_per_page.  Returns their number.
 */
extern int	vs_hnsw_list_nodes(VsHnswIndex *index, BlockNumber block, uint32 *ids);

/* Copy a float16 vector's part that lies on page "page_of_node" of a node. */
extern void vs_hnsw_copy_vector_part(const VsHnswGeometry *g, Page page,
									 int page_of_node, uint16 *halves);

#endif							/* VS_HNSW_NODEREAD_H */
