/*
 * hnsw_memgraph.h
 *		A graph in memory, on compact codes, for building.
 *
 * The graph lies in one block of memory without pointers, private or shared.
 * A VsHnswMemGraph is how one process sees it; several may add rows at a time.
 * Nodes are numbered from 0 as they are added.  Vectors are not kept: the
 * caller knows them by the numbers of their rows.
 */
#ifndef VS_HNSW_MEMGRAPH_H
#define VS_HNSW_MEMGRAPH_H

#include "postgres.h"

#include "hnsw/hnsw_private.h"
#include "storage/buffile.h"

typedef struct VsHnswMemGraph VsHnswMemGraph;

/* What a graph is made for. */
typedef struct VsHnswMemGraphShape
{
	uint32		max_nodes;
	int			lowest_level;	/* 1: a graph of the upper levels alone */
	int			nparticipants;	/* processes that will add rows */
	bool		keeps_duplicates;	/* identical vectors get their own nodes */
} VsHnswMemGraphShape;

/* One level's neighbours of a node. */
typedef struct VsHnswMemLinks
{
	int			n;
	const uint32 *ids;
	const float *dists;
	const uint8 *kinds;
} VsHnswMemLinks;

/* Bytes of a graph, all levels included. */
extern Size vs_hnsw_memgraph_nbytes(const VsHnswIndex *index,
									const VsHnswMemGraphShape *shape);

/*
 * Make an empty graph in memory, aligned as palloc does, of the size that
 * vs_hnsw_memgraph_nbytes says, and join it as participant 0.
 */
extern VsHnswMemGraph *vs_hnsw_memgraph_create(const VsHnswIndex *index,
											   const VsHnswMemGraphShape *shape,
											   void *memory);

/*
 * Join a graph that another process made; participants are numbered from 0.
 * What the process itself needs is allocated in the current memory context.
 * index->codec must be set.
 */
extern VsHnswMemGraph *vs_hnsw_memgraph_join(const VsHnswIndex *index,
											 void *memory, int participant);

/*
 * Add the vector of a row, whose number is below max_nodes, as a node of a
 * level that vs_hnsw_random_level chose; lowest_level is the least.  Returns
 * true if it became a new node, false if it joined the node of an identical
 * vector.  The first row must be added before other participants begin.
 */
extern bool vs_hnsw_memgraph_add(VsHnswMemGraph *graph,
								 const VsHnswVector *vector, uint32 row,
								 int level);

/* The rest looks at a graph to which nobody is adding. */

extern uint32 vs_hnsw_memgraph_nnodes(const VsHnswMemGraph *graph);
extern int	vs_hnsw_memgraph_level(const VsHnswMemGraph *graph, uint32 node);
extern VsHnswMemLinks vs_hnsw_memgraph_links(const VsHnswMemGraph *graph, uint32 node,
											 int level);

/* Lists on upper levels are numbered; their number. */
extern uint32 vs_hnsw_memgraph_nuppers(const VsHnswMemGraph *graph);

/* The number of the list of a node on a level above the bottom. */
extern uint32 vs_hnsw_memgraph_upper(const VsHnswMemGraph *graph, uint32 node,
									 int level);

/*
 * The rows of a node, at most HNSW_NODE_TIDS of them; the first one made it.
 * Returns their number.
 */
extern int	vs_hnsw_memgraph_rows(const VsHnswMemGraph *graph, uint32 node,
								  uint32 *rows);

/* A node's code in the index's codec. */
extern const uint8 *vs_hnsw_memgraph_code(const VsHnswMemGraph *graph, uint32 node,
										  VsCodeFactors *factors,
										  uint8 *centroid);

/* Take a node off the upper levels, where nobody will search them any more. */
extern void vs_hnsw_memgraph_flatten(VsHnswMemGraph *graph, uint32 node);

/* Write what pages are made from to a file: bottom level, rows and codes. */
extern void vs_hnsw_memgraph_save(const VsHnswMemGraph *graph, BufFile *file);

/* Read that back into memory as of vs_hnsw_memgraph_create. */
extern VsHnswMemGraph *vs_hnsw_memgraph_load(const VsHnswIndex *index,
											 BufFile *file, void *memory);

/* The entry point; false if the graph is empty. */
extern bool vs_hnsw_memgraph_entry(const VsHnswMemGraph *graph, uint32 *node,
								   int *level);

/* A random level with the usual distribution. */
extern int	vs_hnsw_random_level(int m);

#endif							/* VS_HNSW_MEMGRAPH_H */
