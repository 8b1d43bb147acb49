/*
 * hnsw_graphwrite.h
 *		From a graph in memory to pages.
 */
#ifndef VS_HNSW_GRAPHWRITE_H
#define VS_HNSW_GRAPHWRITE_H

#include "postgres.h"

#include "hnsw/hnsw_memgraph.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_nodewrite.h"

/* Where the nodes of a graph in memory lie on disk. */
typedef struct VsHnswNumbering
{
	const uint32 *node_ids;		/* by node number in memory */
	BlockNumber first_upper_block;	/* of adjacent upper pages */
} VsHnswNumbering;

/*
 * Form a node's neighbours on a level as they are written; links must have
 * room for the level's capacity.  Returns their number.
 */
extern int	vs_hnsw_form_links(const VsHnswIndex *index, const VsHnswMemGraph *graph,
							   uint32 node, int level,
							   const VsHnswNumbering *numbering, VsHnswLink *links);

/*
 * The same on the bottom level of a part's graph, where several nodes may be
 * one on disk: no neighbour twice, nor the node itself.
 */
extern int	vs_hnsw_form_part_links(const VsHnswIndex *index,
									const VsHnswMemGraph *graph, uint32 node,
									const VsHnswNumbering *numbering,
									VsHnswLink *links);

/*
 * Write n neighbours of a node that is on its page(s), in place of those that
 * it has.
 */
extern void vs_hnsw_rewrite_links(VsHnswIndex *index, uint32 id,
								  const VsHnswLink *links, int n,
								  VsEditMode mode);

/*
 * While building: add the neighbours that a graph's node has on a level to
 * those that it has on its page, on the bottom level.  Where there are too many
 * the tree's stay, then the nearest that are not covered in their own lists.
 * copy is work space.
 */
extern void vs_hnsw_join_links(VsHnswIndex *index, const VsHnswMemGraph *graph,
							   uint32 node, int list_level,
							   const VsHnswNumbering *numbering,
							   VsHnswNodeCopy *copy);

/*
 * Write all upper records to new pages, which must begin at
 * numbering->first_upper_block.
 */
extern void vs_hnsw_write_upper_pages(VsHnswIndex *index, const VsHnswMemGraph *graph,
									  const VsHnswNumbering *numbering,
									  VsEditMode mode);

/* Note the graph's entry point in index->meta. */
extern void vs_hnsw_set_entry(VsHnswIndex *index, const VsHnswMemGraph *graph,
							  const VsHnswNumbering *numbering);

#endif							/* VS_HNSW_GRAPHWRITE_H */
