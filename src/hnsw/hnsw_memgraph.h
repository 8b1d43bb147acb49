/*
 * hnsw_memgraph.h
 *		A graph in memory, on compact codes, for building.
 *
 * Nodes are numbered from 0 in the order in which they were added.  Vectors
 * themselves are not kept: the caller has them, in the order of the nodes.
 */
#ifndef VS_HNSW_MEMGRAPH_H
#define VS_HNSW_MEMGRAPH_H

#include "postgres.h"

#include "hnsw/hnsw_private.h"

typedef struct VsHnswMemGraph VsHnswMemGraph;

/* One level's neighbours of a node. */
typedef struct VsHnswMemLinks
{
	int			n;
	const uint32 *ids;
	const float *dists;
	const uint8 *kinds;
} VsHnswMemLinks;

/* Bytes that a graph of that many nodes will take, all levels included. */
extern Size vs_hnsw_memgraph_nbytes(const VsHnswIndex *index, uint32 nnodes);

/*
 * Create a graph for up to max_nodes nodes in the current memory context.
 * index->codec must be set.
 */
extern VsHnswMemGraph *vs_hnsw_memgraph_create(const VsHnswIndex *index,
											   uint32 max_nodes);

/*
 * Add a vector with one heap TID (or without any: NULL).  Returns true if it
 * became a new node, false if it joined the node of an identical vector.
 */
extern bool vs_hnsw_memgraph_add(VsHnswMemGraph *graph, const VsHnswVector *vector,
								 ItemPointer tid);

/* From now on identical vectors get nodes of their own. */
extern void vs_hnsw_memgraph_keep_duplicates(VsHnswMemGraph *graph);

extern uint32 vs_hnsw_memgraph_nnodes(const VsHnswMemGraph *graph);
extern int	vs_hnsw_memgraph_level(const VsHnswMemGraph *graph, uint32 node);
extern VsHnswMemLinks vs_hnsw_memgraph_links(const VsHnswMemGraph *graph, uint32 node,
											 int level);

/* Lists on upper levels are numbered by node and level; their number. */
extern uint32 vs_hnsw_memgraph_nuppers(const VsHnswMemGraph *graph);

/* The number of the list of a node on a level above the bottom. */
extern uint32 vs_hnsw_memgraph_upper(const VsHnswMemGraph *graph, uint32 node,
									 int level);

/* Copy a node's TIDs out; returns their number, at most HNSW_NODE_TIDS. */
extern int	vs_hnsw_memgraph_tids(const VsHnswMemGraph *graph, uint32 node,
								  ItemPointer tids);

/* A node's code in the index's codec. */
extern const uint8 *vs_hnsw_memgraph_code(const VsHnswMemGraph *graph, uint32 node,
										  VsCodeFactors *factors,
										  uint8 *centroid);

/* The entry point; false if the graph is empty. */
extern bool vs_hnsw_memgraph_entry(const VsHnswMemGraph *graph, uint32 *node,
								   int *level);

/* A random level with the usual distribution. */
extern int	vs_hnsw_random_level(int m);

#endif							/* VS_HNSW_MEMGRAPH_H */
