/*
 * hnsw_graph.c
 *		The algorithms of the graph, over any store of nodes.
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_graph.h"
#include "hnsw/hnsw_page.h"
#include "miscadmin.h"

/* The nearest node and its children in the heap: what is visited next. */
#define FORESEEN 3

VsHnswSearch *
vs_hnsw_search_create(VsHnswStore *store)
{
	VsHnswSearch *search = palloc0(sizeof(VsHnswSearch));

	search->store = store;
	vs_candidates_init(&search->nearest, 512);
	vs_candidates_init(&search->results, 64);
	vs_candidates_init(&search->spare, 64);
	search->fresh = palloc(sizeof(VsCandidate) * store->max_neighbors);
	return search;
}

void
vs_hnsw_search_begin(VsHnswSearch *search, int level)
{
	search->level = level;
	search->nearest.n = 0;
	search->results.n = 0;
	search->spare.n = 0;
	search->nvisited = 0;
	search->store->reset(search->store);
}

void
vs_hnsw_search_add(VsHnswSearch *search, uint32 id, float dist)
{
	VsHnswStore *store = search->store;
	VsCandidate candidate = {.dist = dist, .id = id};

	store->mark(store, id);
	vs_minheap_push(&search->nearest, candidate);
	if (store->is_final(store, search->level))
		vs_maxheap_push(&search->results, candidate);
}

/* Add to the best ef results; the one that is pushed out is spared. */
static inline void
add_result(VsHnswSearch *search, int ef, VsCandidate result)
{
	if (search->results.n < ef)
		vs_maxheap_push(&search->results, result);
	else if (result.dist < search->results.items[0].dist)
	{
		vs_candidates_append(&search->spare, search->results.items[0]);
		vs_maxheap_replace(&search->results, result);
	}
	else
		vs_candidates_append(&search->spare, result);
}

/* Distance that a candidate must beat. */
static inline float
search_bound(const VsHnswSearch *search, int ef)
{
	return search->results.n < ef ? INFINITY : search->results.items[0].dist;
}

/* Fill the results up to ef from what an earlier run with a smaller ef left. */
static void
reclaim_spare(VsHnswSearch *search, int ef)
{
	Size		n = search->spare.n;

	search->spare.n = 0;
	for (Size i = 0; i < n; i++)
		add_result(search, ef, search->spare.items[i]);
}

void
vs_hnsw_search_run(VsHnswSearch *search, int ef)
{
	VsHnswStore *store = search->store;
	bool		final = store->is_final(store, search->level);

	reclaim_spare(search, ef);

	while (search->nearest.n > 0)
	{
		VsCandidate node;
		float		bound = search_bound(search, ef);
		bool		is_result;
		int			nfresh;

		if (!final)
			bound = bound * store->stretch + store->slack;
		if (search->nearest.items[0].dist > bound)
			break;
		CHECK_FOR_INTERRUPTS();

		node = vs_minheap_pop(&search->nearest);
		if (store->foresee != NULL)
			for (int i = 0; i < Min(search->nearest.n, FORESEEN); i++)
				store->foresee(store, search->level,
							   search->nearest.items[i].id);
		nfresh = store->expand(store, search->level, &node, bound,
							   search->fresh, &is_result);
		search->nvisited++;

		if (is_result && !final)
			add_result(search, ef, node);
		for (int i = 0; i < nfresh; i++)
		{
			vs_minheap_push(&search->nearest, search->fresh[i]);
			if (final)
				add_result(search, ef, search->fresh[i]);
		}
	}
}

void
vs_hnsw_search_lower(VsHnswSearch *search)
{
	VsHnswStore *store = search->store;
	VsCandidate starts[16];
	int			n = Min(search->results.n, Min(store->descent_width, 16));
	int			level = search->level;

	vs_candidates_sort(search->results.items, search->results.n);
	memcpy(starts, search->results.items, sizeof(VsCandidate) * n);

	vs_hnsw_search_begin(search, level - 1);
	for (int i = 0; i < n; i++)
	{
		uint32		id = store->descend(store, level, starts[i].id);

		if (id != PG_UINT32_MAX)
			vs_hnsw_search_add(search, id, starts[i].dist);
	}
}

void
vs_hnsw_search_descend(VsHnswSearch *search, uint32 entry, int from, int to)
{
	VsHnswStore *store = search->store;

	vs_hnsw_search_begin(search, from);
	vs_hnsw_search_add(search, entry,
					   store->entry_distance(store, from, entry));
	while (search->level > to)
	{
		vs_hnsw_search_run(search, store->descent_width);
		vs_hnsw_search_lower(search);
	}
}

int
vs_hnsw_select_neighbors(VsHnswStore *store, VsCandidate *candidates, int n,
						 int max_links, uint8 *kinds)
{
	bool	   *covered = palloc0(sizeof(bool) * n);
	VsCandidate *rest = palloc(sizeof(VsCandidate) * n);
	int			nchosen = 0;
	int			nrest = 0;

	for (int i = 0; i < n; i++)
	{
		VsCandidate candidate = candidates[i];

		if (covered[i] || nchosen == max_links)
		{
			rest[nrest++] = candidate;
			continue;
		}

		/* Cover what is nearer to this one than to the query. */
		store->anchor(store, &candidate);
		for (int j = i + 1; j < n; j++)
			if (!covered[j] &&
				store->distance(store, &candidates[j]) <= candidates[j].dist)
				covered[j] = true;
		kinds[nchosen] = HNSW_LINK_DIVERSE;
		candidates[nchosen++] = candidate;
	}

	for (int i = 0; i < nrest && nchosen < max_links; i++)
	{
		kinds[nchosen] = HNSW_LINK_FILL;
		candidates[nchosen++] = rest[i];
	}

	pfree(covered);
	pfree(rest);
	return nchosen;
}

/* The neighbour farthest from the owner among those of a kind, or -1. */
static int
farthest_neighbor(int n, const float *dists, const uint8 *kinds,
				  VsHnswLinkKind kind)
{
	int			farthest = -1;

	for (int i = 0; i < n; i++)
		if (kinds[i] == kind &&
			(farthest < 0 || dists[i] > dists[farthest]))
			farthest = i;
	return farthest;
}

int
vs_hnsw_dispensable_link(int n, const float *dists, const uint8 *kinds)
{
	int			farthest = farthest_neighbor(n, dists, kinds, HNSW_LINK_FILL);

	return farthest >= 0 ? farthest :
		farthest_neighbor(n, dists, kinds, HNSW_LINK_DIVERSE);
}

bool
vs_hnsw_has_tree_room(int n, int capacity, const uint8 *kinds)
{
	int			ntree = 0;

	for (int i = 0; i < n; i++)
		ntree += kinds[i] == HNSW_LINK_TREE;
	return ntree < Max(capacity / 2, Min(capacity - 1, 3));
}

/* Whether a nearer neighbour covers the new one. */
static bool
is_covered(int n, const float *dists, const uint8 *kinds, float dist,
		   const float *to_new)
{
	for (int i = 0; i < n; i++)
		if (kinds[i] == HNSW_LINK_DIVERSE && dists[i] <= dist &&
			to_new[i] <= dist)
			return true;
	return false;
}

int
vs_hnsw_place_link(int n, int capacity, const float *dists, uint8 *kinds,
				   float dist, const float *to_new, bool as_tree,
				   uint8 *new_kind)
{
	int			victim;

	if (as_tree && vs_hnsw_has_tree_room(n, capacity, kinds))
	{
		*new_kind = HNSW_LINK_TREE;
		return n < capacity ? n : vs_hnsw_dispensable_link(n, dists, kinds);
	}

	if (is_covered(n, dists, kinds, dist, to_new))
		*new_kind = HNSW_LINK_FILL;
	else
	{
		/* It covers farther ones. */
		*new_kind = HNSW_LINK_DIVERSE;
		for (int i = 0; i < n; i++)
			if (kinds[i] == HNSW_LINK_DIVERSE && dists[i] > dist &&
				to_new[i] < dists[i])
				kinds[i] = HNSW_LINK_FILL;
	}
	if (n < capacity)
		return n;

	victim = farthest_neighbor(n, dists, kinds, HNSW_LINK_FILL);
	if (victim >= 0)
		return *new_kind == HNSW_LINK_DIVERSE || dists[victim] > dist ?
			victim : -1;
	victim = farthest_neighbor(n, dists, kinds, HNSW_LINK_DIVERSE);
	if (victim >= 0 && *new_kind == HNSW_LINK_DIVERSE && dists[victim] > dist)
		return victim;
	return -1;
}
