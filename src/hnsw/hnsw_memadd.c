/*
 * hnsw_memadd.c
 *		A graph in memory: adding to it, by several processes at a time.
 *
 * On each level a node has its own neighbours, there and below, before the first
 * of them learns of it.  Two nodes that are added at the same time may not see
 * each other.  See README.md, "Build".
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "hnsw/hnsw_memgraph_private.h"
#include "miscadmin.h"

/* The claim of whoever raises the entry point's level; no hash is 0 or 1. */
#define RAISE_CLAIM UINT64CONST(1)

/* Microseconds to wait for another participant to finish a row. */
#define CLAIM_WAIT_US 20

/* Try to claim a key: false if somebody else has it. */
static bool
try_claim(VsHnswMemGraph *graph, uint64 key)
{
	VsMemShared *shared = graph->shared;
	bool		is_free = true;

	SpinLockAcquire(&shared->claims_mutex);
	for (int i = 0; i < shared->shape.nparticipants; i++)
		for (int j = 0; j < MEMGRAPH_MAX_CLAIMS; j++)
			if (shared->claims[i].keys[j] == key)
				is_free = false;
	if (is_free)
	{
		uint64	   *keys = shared->claims[graph->participant].keys;

		keys[keys[0] == 0 ? 0 : 1] = key;
	}
	SpinLockRelease(&shared->claims_mutex);
	return is_free;
}

/* Wait until nobody else works on what a key stands for, and claim it. */
static void
claim(VsHnswMemGraph *graph, uint64 key)
{
	if (graph->shared->shape.nparticipants == 1)
		return;
	while (!try_claim(graph, key))
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(CLAIM_WAIT_US);
	}
}

/* Give up all claims. */
static void
release_claims(VsHnswMemGraph *graph)
{
	VsMemShared *shared = graph->shared;

	if (shared->shape.nparticipants == 1)
		return;
	SpinLockAcquire(&shared->claims_mutex);
	memset(&shared->claims[graph->participant], 0, sizeof(VsMemClaims));
	SpinLockRelease(&shared->claims_mutex);
}

/* Hash of a vector's bytes; 64 bits stand for identity while building. */
static uint64
vector_hash(int dim, const VsHnswVector *vector)
{
	return hash_bytes_extended((const unsigned char *) vector->halves,
							   sizeof(uint16) * dim, vector->exponent) |
		UINT64CONST(2);
}

/* A node of the same vector with room for a row among the results, or none. */
static bool
find_identical(const VsHnswMemGraph *graph, uint64 hash, uint32 *node)
{
	const VsHnswSearch *search = graph->search;

	if (graph->shared->shape.keeps_duplicates)
		return false;
	for (Size i = 0; i < search->results.n; i++)
	{
		uint32		id = search->results.items[i].id;

		if (graph->hashes[id] == hash && graph->nrows[id] < HNSW_NODE_TIDS)
		{
			*node = id;
			return true;
		}
	}
	return false;
}

/* Give a node one more row.  Whoever does that has claimed the vector's hash. */
static void
add_row(VsHnswMemGraph *graph, uint32 node, uint32 row)
{
	uint32		first = graph->first_row[node];

	graph->next_row[row] = graph->next_row[first];
	graph->next_row[first] = row;
	graph->nrows[node]++;
}

/* Take upper lists for a node; returns how many levels above 0 it gets. */
static int
take_uppers(VsHnswMemGraph *graph, uint32 node, int level)
{
	VsMemShared *shared = graph->shared;
	uint32		first = pg_atomic_read_u32(&shared->nuppers);
	int			n;

	do
	{
		n = Min(level, shared->max_uppers - first);
		if (n < shared->shape.lowest_level)
			elog(ERROR, "no room for upper levels in an hnsw build");
		if (n == 0)
			break;
	} while (!pg_atomic_compare_exchange_u32(&shared->nuppers, &first,
											 first + n));
	graph->first_upper[node] = first;
	return n;
}

/* Empty a new list. */
static void
init_list(VsMemList *list)
{
	pg_atomic_init_u32(&list->version, 0);
	list->n = 0;
	list->unused = 0;
}

/* Make a node of the query: all but its links.  Nobody knows it yet. */
static uint32
create_node(VsHnswMemGraph *graph, const VsHnswVector *vector, uint32 row,
			int level, uint64 hash)
{
	uint32		node = pg_atomic_fetch_add_u32(&graph->shared->nnodes, 1);

	Assert(node < graph->shared->shape.max_nodes);
	vs_memgraph_store_vector(graph, node, vector);
	graph->hashes[node] = hash;
	graph->first_row[node] = row;
	graph->next_row[row] = row;
	graph->nrows[node] = 1;
	graph->levels[node] = take_uppers(graph, node, level);
	for (int l = graph->shared->shape.lowest_level; l <= graph->levels[node]; l++)
		init_list(vs_memgraph_list(graph, node, l));
	return node;
}

/*
 * Tell an owner about its new neighbour, which is the query; true if that
 * became part of the tree, as wanted.
 */
static bool
link_back(VsHnswMemGraph *graph, uint32 owner, int level, uint32 new_node,
		  float dist, bool as_tree)
{
	int			capacity = vs_memgraph_lists(graph, level)->capacity;
	VsMemList  *list = vs_memgraph_list(graph, owner, level);
	VsMemListCopy *copy = &graph->copy;
	uint8		kind;
	int			slot;

	do
	{
		vs_memlist_read(list, capacity, copy);
		for (int i = 0; i < copy->n; i++)
			graph->to_new[i] = vs_memgraph_query_distance(graph, copy->ids[i]);
		slot = vs_hnsw_place_link(copy->n, capacity, copy->dists, copy->kinds,
								  dist, graph->to_new, as_tree, &kind);
		if (slot < 0)
			return false;
		copy->kinds[slot] = kind;
	} while (!vs_memlist_begin_change(list, copy));

	vs_memlist_ids(list)[slot] = new_node;
	vs_memlist_dists(list, capacity)[slot] = dist;
	list->n = Max(copy->n, slot + 1);
	memcpy(vs_memlist_kinds(list, capacity), copy->kinds, list->n);
	vs_memlist_end_change(list);
	return kind == HNSW_LINK_TREE;
}

/*
 * Make a neighbour one that a node never gives up, as the neighbour does.  If
 * the list has lost it meanwhile it comes back.
 */
static void
keep_in_tree(VsHnswMemGraph *graph, uint32 node, int level,
			 const VsCandidate *neighbor)
{
	int			capacity = vs_memgraph_lists(graph, level)->capacity;
	VsMemList  *list = vs_memgraph_list(graph, node, level);
	VsMemListCopy *copy = &graph->copy;
	int			slot;

	do
	{
		vs_memlist_read(list, capacity, copy);
		for (slot = 0; slot < copy->n; slot++)
			if (copy->ids[slot] == neighbor->id)
				break;
		if (slot == capacity)
			slot = vs_hnsw_dispensable_link(copy->n, copy->dists, copy->kinds);
		if (slot < 0)
			return;
	} while (!vs_memlist_begin_change(list, copy));

	vs_memlist_ids(list)[slot] = neighbor->id;
	vs_memlist_dists(list, capacity)[slot] = neighbor->dist;
	vs_memlist_kinds(list, capacity)[slot] = HNSW_LINK_TREE;
	list->n = Max(copy->n, slot + 1);
	vs_memlist_end_change(list);
}

/*
 * Choose a new node's neighbours from the level that was just searched, on
 * which nobody else knows the node yet.
 */
static void
choose_neighbors(VsHnswMemGraph *graph, uint32 node, int level)
{
	const VsHnswSearch *search = graph->search;
	int			capacity = vs_memgraph_lists(graph, level)->capacity;
	VsMemList  *list = vs_memgraph_list(graph, node, level);
	VsCandidate *candidates = graph->candidates;
	int			n = search->results.n;

	memcpy(candidates, search->results.items, sizeof(VsCandidate) * n);
	vs_candidates_sort(candidates, n);
	n = vs_hnsw_select_neighbors(&graph->store, candidates, n, capacity,
								 graph->candidate_kinds);

	for (int i = 0; i < n; i++)
	{
		vs_memlist_ids(list)[i] = candidates[i].id;
		vs_memlist_dists(list, capacity)[i] = candidates[i].dist;
		vs_memlist_kinds(list, capacity)[i] = graph->candidate_kinds[i];
	}
	list->n = n;
}

/* Link a new node with the neighbours that were chosen on a level. */
static void
link_node(VsHnswMemGraph *graph, uint32 node, int level)
{
	VsHnswMemLinks chosen = vs_hnsw_memgraph_links(graph, node, level);
	VsCandidate *candidates = graph->candidates;
	bool		in_tree = !vs_hnsw_keeps_tree(graph->index);
	int			n = chosen.n;

	/* From the first link on others change the list. */
	for (int i = 0; i < n; i++)
		candidates[i] = (VsCandidate) {.dist = chosen.dists[i], .id = chosen.ids[i]};

	/* All that was written of the node precedes the first link to it. */
	pg_write_barrier();

	/* The nearest that can makes the node part of the tree, both ways. */
	for (int i = 0; i < n; i++)
		if (link_back(graph, candidates[i].id, level, node, candidates[i].dist,
					  !in_tree))
		{
			keep_in_tree(graph, node, level, &candidates[i]);
			in_tree = true;
		}
}

/*
 * Link a new node on its levels above the bottom, up to the entry point's.  Who
 * meets it on one goes on with its neighbours below: these are all chosen before
 * the first link, and lower levels are linked before higher ones.
 */
static void
link_upper_levels(VsHnswMemGraph *graph, uint32 node, uint32 entry,
				  int entry_level)
{
	VsHnswSearch *search = graph->search;
	int			top = Min(graph->levels[node], entry_level);

	if (top < 1)
		return;
	vs_hnsw_search_descend(search, entry, entry_level, top);
	for (int level = top; level > 0; level--)
	{
		vs_hnsw_search_run(search, graph->ef_construction);
		choose_neighbors(graph, node, level);
		if (level > 1)
			vs_hnsw_search_lower(search);
	}
	for (int level = 1; level <= top; level++)
		link_node(graph, node, level);
}

/*
 * Add the query, linked on all its levels.  The bottom level comes first, and
 * tells duplicates: then there is no new node.
 */
static bool
connect(VsHnswMemGraph *graph, const VsHnswVector *vector, uint32 row,
		int level, uint64 hash)
{
	VsHnswSearch *search = graph->search;
	bool		has_bottom = graph->shared->shape.lowest_level == 0;
	uint32		entry;
	int			entry_level;
	uint32		node;

	vs_hnsw_memgraph_entry(graph, &entry, &entry_level);
	if (has_bottom)
	{
		vs_hnsw_search_descend(search, entry, entry_level, 0);
		vs_hnsw_search_run(search, graph->ef_construction);
		if (find_identical(graph, hash, &node))
		{
			add_row(graph, node, row);
			return false;
		}
	}

	node = create_node(graph, vector, row, level, hash);
	if (has_bottom)
	{
		choose_neighbors(graph, node, 0);
		link_node(graph, node, 0);
	}
	link_upper_levels(graph, node, entry, entry_level);

	/* Whoever has a higher level than the entry point is alone in that. */
	level = graph->levels[node];
	if (level > entry_level)
		pg_atomic_write_u64(&graph->shared->entry,
							(uint64) (level + 1) << 32 | node);
	return true;
}

/* The level of the entry point, -1 while there is none. */
static int
entry_level(const VsHnswMemGraph *graph)
{
	uint32		entry;
	int			level;

	vs_hnsw_memgraph_entry(graph, &entry, &level);
	return level;
}

bool
vs_hnsw_memgraph_add(VsHnswMemGraph *graph, const VsHnswVector *vector,
					 uint32 row, int level)
{
	const VsHnswMemGraphShape *shape = &graph->shared->shape;
	uint64		hash = vector_hash(graph->dim, vector);
	bool		is_new = true;

	Assert(row < shape->max_nodes);
	Assert(level >= shape->lowest_level && level <= HNSW_MAX_LEVEL);
	vs_memgraph_bind(graph, vector);
	if (entry_level(graph) < 0)
	{
		uint32		node = create_node(graph, vector, row, level, hash);

		pg_atomic_write_u64(&graph->shared->entry,
							(uint64) (graph->levels[node] + 1) << 32 | node);
		return true;
	}

	if (!shape->keeps_duplicates)
		claim(graph, hash);
	if (level > entry_level(graph))
		claim(graph, RAISE_CLAIM);
	is_new = connect(graph, vector, row, level, hash);
	release_claims(graph);
	return is_new;
}
