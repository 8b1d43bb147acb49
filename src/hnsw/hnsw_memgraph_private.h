/*
 * hnsw_memgraph_private.h
 *		What the files of the graph in memory share.
 *
 * hnsw_memgraph.c lays the graph out in its block of memory, hnsw_memstore.c
 * searches it, hnsw_memadd.c adds nodes.
 */
#ifndef VS_HNSW_MEMGRAPH_PRIVATE_H
#define VS_HNSW_MEMGRAPH_PRIVATE_H

#include "postgres.h"

#include "hnsw/hnsw_graph.h"
#include "hnsw/hnsw_memgraph.h"
#include "hnsw/hnsw_visited.h"
#include "port/atomics.h"
#include "storage/spin.h"

/* Vectors up to this many dimensions are kept as float16. */
#define MEMGRAPH_MAX_FLOAT16_DIM 96

/* Bits per dimension of the codes that longer ones are kept as. */
#define MEMGRAPH_BITS 4

/* What is kept of a vector: this, followed by its elements or its code. */
typedef struct VsMemVector
{
	float		add;			/* factors of a code, decoded */
	float		mul;			/* or the scale of float16 elements */
} VsMemVector;

/*
 * The neighbours of a node on a level; followed by arrays of the level's
 * capacity: uint32 ids, float dists, uint8 kinds.
 *
 * Nobody locks a list to read it.  The version is odd while somebody writes,
 * and changes with each change: a reader copies the list and looks whether the
 * version is still the same.  A writer makes it odd only if it is still that
 * of the copy from which the change was worked out.
 */
typedef struct VsMemList
{
	pg_atomic_uint32 version;
	uint16		n;
	uint16		unused;
} VsMemList;

/* Lists of one capacity. */
typedef struct VsMemLists
{
	int			capacity;
	Size		list_nbytes;
	char	   *lists;
} VsMemLists;

/* A private copy of a list. */
typedef struct VsMemListCopy
{
	uint32		version;
	int			n;
	uint32	   *ids;
	float	   *dists;
	uint8	   *kinds;
} VsMemListCopy;

/* Keys that a participant may claim at a time. */
#define MEMGRAPH_MAX_CLAIMS 2

/* What one participant works on and others must not; 0 for nothing. */
typedef struct VsMemClaims
{
	uint64		keys[MEMGRAPH_MAX_CLAIMS];
} VsMemClaims;

/* Head of the block of memory. */
typedef struct VsMemShared
{
	VsHnswMemGraphShape shape;
	uint32		max_uppers;
	pg_atomic_uint32 nnodes;
	pg_atomic_uint32 nuppers;
	pg_atomic_uint64 entry;		/* (level + 1) << 32 | node, 0: none */
	slock_t		claims_mutex;
	VsMemClaims claims[FLEXIBLE_ARRAY_MEMBER];	/* by participant */
} VsMemShared;

struct VsHnswMemGraph
{
	VsHnswStore store;			/* must be first */
	const VsHnswIndex *index;
	int			dim;
	int			ef_construction;
	int			participant;

	VsMemShared *shared;

	/* Vectors for distances while building. */
	bool		exact;			/* float16 elements, not codes */
	VsRabitq	build_codec;
	Size		record_nbytes;
	char	   *records;

	/* Codes for the pages. */
	uint8	   *codes;
	VsCodeFactors *factors;
	uint8	   *centroids;

	/* Identity of vectors, and their rows in chains that end with themselves. */
	uint64	   *hashes;
	uint32	   *first_row;		/* by node */
	uint32	   *next_row;		/* by row */
	uint8	   *nrows;

	/* Links: list i of bottom is node i's. */
	uint8	   *levels;
	uint32	   *first_upper;
	VsMemLists	bottom;
	VsMemLists	upper;

	/* The query: decoded, in the codec's unit when exact. */
	float	   *query;
	VsRabitqQuery *bound;
	float	   *anchor_query;
	VsRabitqQuery *anchor_bound;
	float	   *rotated;
	float		clamped;		/* off it, by L1 */
	float	   *scratch;

	VsHnswVisited visited;
	VsHnswSearch *search;

	/* Work space of linking. */
	VsMemListCopy copy;
	VsCandidate *candidates;
	uint8	   *candidate_kinds;
	float	   *to_new;
};

/* What is kept of a node's vector. */
static inline VsMemVector *
vs_memgraph_vector(const VsHnswMemGraph *graph, uint32 node)
{
	return (VsMemVector *) (graph->records + graph->record_nbytes * node);
}

/* Ask for it ahead of its use. */
static inline void
vs_memgraph_prefetch(const VsHnswMemGraph *graph, uint32 node)
{
	const char *record = (const char *) vs_memgraph_vector(graph, node);

	for (Size offset = 0; offset < graph->record_nbytes; offset += 64)
		__builtin_prefetch(record + offset);
}

static inline const VsMemLists *
vs_memgraph_lists(const VsHnswMemGraph *graph, int level)
{
	return level == 0 ? &graph->bottom : &graph->upper;
}

/* The list of a node on a level. */
static inline VsMemList *
vs_memgraph_list(const VsHnswMemGraph *graph, uint32 node, int level)
{
	if (level == 0)
		return (VsMemList *) (graph->bottom.lists +
							  graph->bottom.list_nbytes * node);
	return (VsMemList *) (graph->upper.lists + graph->upper.list_nbytes *
						  (graph->first_upper[node] + level - 1));
}

/* Ask for the part of a list that a search reads. */
static inline void
vs_memgraph_prefetch_list(const VsHnswMemGraph *graph, uint32 node, int level)
{
	const char *list = (const char *) vs_memgraph_list(graph, node, level);

	__builtin_prefetch(list);
	__builtin_prefetch(list + 64);
}

/* The arrays of a list. */
static inline uint32 *
vs_memlist_ids(VsMemList *list)
{
	return (uint32 *) (list + 1);
}

static inline float *
vs_memlist_dists(VsMemList *list, int capacity)
{
	return (float *) (vs_memlist_ids(list) + capacity);
}

static inline uint8 *
vs_memlist_kinds(VsMemList *list, int capacity)
{
	return (uint8 *) (vs_memlist_dists(list, capacity) + capacity);
}

/*
 * Copy the ids of a list as they are between two changes; returns their number.
 */
extern int	vs_memlist_read_ids(VsMemList *list, uint32 *ids);

/* Copy a whole list. */
extern void vs_memlist_read(VsMemList *list, int capacity, VsMemListCopy *copy);

/*
 * Begin to change a list from which the copy was read: false if it has changed
 * since.  Until the end of the change others wait for it: no errors, nothing
 * that takes time.
 */
extern bool vs_memlist_begin_change(VsMemList *list, const VsMemListCopy *copy);
extern void vs_memlist_end_change(VsMemList *list);

/* Set up the store over a graph that was laid out. */
extern void vs_memgraph_init_store(VsHnswMemGraph *graph);

/* Make the vector the query. */
extern void vs_memgraph_bind(VsHnswMemGraph *graph, const VsHnswVector *vector);

/* Distance of a node to the query. */
extern float vs_memgraph_query_distance(const VsHnswMemGraph *graph, uint32 node);

/* Keep what is needed of the vector, which is the query, as that of a node. */
extern void vs_memgraph_store_vector(VsHnswMemGraph *graph, uint32 node,
									 const VsHnswVector *vector);

#endif							/* VS_HNSW_MEMGRAPH_PRIVATE_H */
