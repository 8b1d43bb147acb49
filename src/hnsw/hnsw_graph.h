/*
 * hnsw_graph.h
 *		The algorithms of the graph, over any store of nodes.
 *
 * A store holds nodes and one query.  There is a memory store for builds
 * (hnsw_memgraph.c) and one over the index's pages (hnsw_pagestore.c); search
 * and neighbour selection are written once, here.  See README.md, "Idea".
 */
#ifndef VS_HNSW_GRAPH_H
#define VS_HNSW_GRAPH_H

#include "postgres.h"

#include "index/candidate.h"

typedef struct VsHnswStore VsHnswStore;

struct VsHnswStore
{
	/*
	 * Visit a node: put its distance to the query into node->dist and the
	 * store's handle for what it remembered of it into node->tag, and write
	 * the neighbours nobody has visited yet, with their (estimated)
	 * distances, to fresh.  Neighbours not below bound may be left out.
	 * Returns their number, at most max_neighbors.  *is_result says whether
	 * the node itself may be an answer.
	 */
	int			(*expand) (VsHnswStore *store, int level, VsCandidate *node,
						   float bound, VsCandidate *fresh, bool *is_result);

	/* A node that is likely to be visited soon; may be NULL. */
	void		(*foresee) (VsHnswStore *store, int level, uint32 id);

	/* True if expand's distances of fresh neighbours are as good as it gets. */
	bool		(*is_final) (VsHnswStore *store, int level);

	/* Distance of the graph's entry point, infinite if it is gone. */
	float		(*entry_distance) (VsHnswStore *store, int level, uint32 id);

	/* The number of the same node one level below; invalid if it is gone. */
	uint32		(*descend) (VsHnswStore *store, int level, uint32 id);

	/* Count a node as visited; forget all that were. */
	void		(*mark) (VsHnswStore *store, uint32 id);
	void		(*reset) (VsHnswStore *store);

	/*
	 * Bind a candidate that a search returned, then compute the distances of
	 * others to it.
	 */
	void		(*anchor) (VsHnswStore *store, const VsCandidate *candidate);
	float		(*distance) (VsHnswStore *store, const VsCandidate *candidate);

	int			max_neighbors;
	int			descent_width;	/* ef of the way down */

	/*
	 * Up to where estimates are followed on levels that are not final: the
	 * bound times stretch, plus slack.  A store may change both while it is
	 * searched.
	 */
	float		stretch;
	float		slack;
};

/* A search on one level, resumable with a larger ef. */
typedef struct VsHnswSearch
{
	VsHnswStore *store;
	int			level;
	VsCandidateHeap nearest;	/* to be visited, nearest first */
	VsCandidateHeap results;	/* the best ef so far, farthest first */
	VsCandidateHeap spare;		/* visited, but pushed out of results */
	VsCandidate *fresh;			/* max_neighbors of them */
	uint64		nvisited;
} VsHnswSearch;

/* Allocate a search in the current memory context. */
extern VsHnswSearch *vs_hnsw_search_create(VsHnswStore *store);

/* Start afresh on a level; keeps the memory. */
extern void vs_hnsw_search_begin(VsHnswSearch *search, int level);

/* Add a starting point at a known distance. */
extern void vs_hnsw_search_add(VsHnswSearch *search, uint32 id, float dist);

/*
 * Run until the best ef results are found.  Results stay a heap, and what they
 * pushed out stays in spare: take what is wanted and call again for more.
 */
extern void vs_hnsw_search_run(VsHnswSearch *search, int ef);

/* Begin on the next lower level with the best results as starting points. */
extern void vs_hnsw_search_lower(VsHnswSearch *search);

/*
 * Walk from the entry point on level "from" down, leaving the search begun on
 * level "to" with its starting points.
 */
extern void vs_hnsw_search_descend(VsHnswSearch *search, uint32 entry, int from,
								   int to);

/*
 * Choose up to max_links neighbours out of n candidates sorted by distance:
 * first those not covered by a nearer chosen one, then the nearest of the rest;
 * kinds tells which.  Moves the chosen ones to the front and returns their
 * number.
 */
extern int	vs_hnsw_select_neighbors(VsHnswStore *store, VsCandidate *candidates,
									 int n, int max_links, uint8 *kinds);

/*
 * Decide where a node whose list of neighbours has distances dists (to the
 * owner) and these kinds takes a new neighbour at distance dist, whose
 * distances to the present ones are to_new.  Returns the slot to write, n if
 * the list grows, or -1 to leave the list alone; updates the kinds of the
 * present neighbours and sets *new_kind.
 *
 * With as_tree the new neighbour becomes one that is never given up, unless the
 * list has its share of those.
 */
extern int	vs_hnsw_place_link(int n, int capacity, const float *dists,
							   uint8 *kinds, float dist, const float *to_new,
							   bool as_tree, uint8 *new_kind);

/*
 * Whether a list may take one more neighbour that it must keep: up to half of
 * it, three where half would be less.
 */
extern bool vs_hnsw_has_tree_room(int n, int capacity, const uint8 *kinds);

/*
 * The neighbour of a full list that is missed least: the farthest one kept
 * though covered, or else the farthest that may be given up; -1 if none may.
 */
extern int	vs_hnsw_dispensable_link(int n, const float *dists,
									 const uint8 *kinds);

#endif							/* VS_HNSW_GRAPH_H */
