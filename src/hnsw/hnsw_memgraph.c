/*
 * hnsw_memgraph.c
 *		A graph in memory, on compact codes, for building.
 *
 * Distances come from 4-bit codes around the mean (see README.md, "Build"),
 * or from the float16 elements themselves where vectors are so short that
 * these take little room.  All arrays are indexed by node number and hold no
 * pointers.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "hnsw/hnsw_graph.h"
#include "hnsw/hnsw_memgraph.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

/* Vectors up to this many dimensions are kept as float16. */
#define MAX_FLOAT16_DIM 96

/* Bits per dimension of the codes that longer ones are kept as. */
#define BUILD_BITS 4

/* What is kept of a vector: this, followed by its elements or its code. */
typedef struct VectorRecord
{
	float		add;			/* factors of a code, decoded */
	float		mul;			/* or the scale of float16 elements */
} VectorRecord;

/* Neighbour lists of one level class, lists of equal capacity. */
typedef struct LinkArrays
{
	int			capacity;
	Size		nlists;
	Size		max_lists;
	uint16	   *n;
	uint32	   *ids;
	float	   *dists;
	uint8	   *kinds;
} LinkArrays;

/* A heap TID of a node, chained. */
typedef struct TidLink
{
	ItemPointerData tid;
	uint32		next;			/* index + 1, 0 ends the chain */
} TidLink;

struct VsHnswMemGraph
{
	VsHnswStore store;			/* must be first */
	const VsHnswIndex *index;
	int			dim;
	int			m0;
	int			upper_m;
	int			ef_construction;
	uint32		max_nodes;
	uint32		nnodes;

	/* Vectors for distances while building. */
	bool		exact;			/* float16 elements, not codes */
	VsRabitq	build_codec;
	Size		record_nbytes;
	char	   *records;

	/* Codes for the pages. */
	uint8	   *codes;
	VsCodeFactors *factors;
	uint8	   *centroids;

	/* Identity of vectors, and their rows. */
	bool		keeps_duplicates;
	uint64	   *hashes;
	uint32	   *first_tid;
	uint8	   *ntids;
	TidLink    *tids;
	Size		ntid_links;
	Size		max_tid_links;

	/* Links: list i of bottom is node i's; upper lists level by level. */
	uint8	   *levels;
	uint32	   *first_upper;
	LinkArrays	bottom;
	LinkArrays	upper;
	uint32		entry;
	int			entry_level;

	/* The query. */
	float	   *query;			/* decoded, in the codec's unit when exact */
	VsRabitqQuery *bound;
	float	   *anchor_query;
	VsRabitqQuery *anchor_bound;
	float	   *scratch;

	/* Visited nodes carry the current mark. */
	uint16	   *marks;
	uint16		mark;

	VsHnswSearch *search;
	VsCandidate *candidates;
	uint8	   *candidates_kinds;
	float	   *to_new;
};

static void set_store_routines(VsHnswStore *store);

/* Whether vectors are kept as float16. */
static bool
keeps_float16(int dim)
{
	return dim <= MAX_FLOAT16_DIM;
}

/* Bytes kept of one vector. */
static Size
record_nbytes(int dim)
{
	Size		nbytes = keeps_float16(dim) ? sizeof(uint16) * dim :
		vs_code_nbytes(BUILD_BITS, dim);

	return MAXALIGN(sizeof(VectorRecord) + nbytes);
}

/* Upper lists to make room for: the mean is 1 / (m - 1) a node. */
static Size
expected_upper_lists(int m, uint32 nnodes)
{
	return 64 + (Size) (nnodes * (1.25 / (m - 1)));
}

/* Bytes of lists of a capacity. */
static Size
link_arrays_nbytes(Size nlists, int capacity)
{
	return nlists * (sizeof(uint16) +
					 capacity * (sizeof(uint32) + sizeof(float) + 1));
}

Size
vs_hnsw_memgraph_nbytes(const VsHnswIndex *index, uint32 nnodes)
{
	const VsHnswGeometry *g = &index->geometry;
	Size		per_node = record_nbytes(g->dim) + g->code_nbytes +
		sizeof(VsCodeFactors) + sizeof(uint8) +
		sizeof(uint64) + sizeof(uint32) + sizeof(uint8) + sizeof(TidLink) +
		sizeof(uint8) + sizeof(uint32) + sizeof(uint16);

	return nnodes * per_node + link_arrays_nbytes(nnodes, g->m0) +
		link_arrays_nbytes(expected_upper_lists(g->m, nnodes), g->upper_m);
}

/* Allocate possibly huge memory. */
static void *
allocate(Size nbytes)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(nbytes, 1));
}

static void
link_arrays_init(LinkArrays *links, Size max_lists, int capacity)
{
	links->capacity = capacity;
	links->nlists = 0;
	links->max_lists = max_lists;
	links->n = allocate(sizeof(uint16) * max_lists);
	links->ids = allocate(sizeof(uint32) * max_lists * capacity);
	links->dists = allocate(sizeof(float) * max_lists * capacity);
	links->kinds = allocate(max_lists * capacity);
}

/* Add an empty list; returns its number. */
static uint32
link_arrays_add(LinkArrays *links)
{
	if (links->nlists == links->max_lists)
	{
		Size		max_lists = links->max_lists + links->max_lists / 4 + 1;
		Size		nslots = max_lists * links->capacity;

		links->n = repalloc_huge(links->n, sizeof(uint16) * max_lists);
		links->ids = repalloc_huge(links->ids, sizeof(uint32) * nslots);
		links->dists = repalloc_huge(links->dists, sizeof(float) * nslots);
		links->kinds = repalloc_huge(links->kinds, nslots);
		links->max_lists = max_lists;
	}
	links->n[links->nlists] = 0;
	return links->nlists++;
}

/* The codec of the vectors kept while building: 4 bits around the mean. */
static void
init_build_codec(VsHnswMemGraph *graph)
{
	graph->build_codec = *graph->index->codec;
	graph->build_codec.bits = BUILD_BITS;
	graph->build_codec.ncentroids = 1;
	graph->build_codec.centroids = graph->build_codec.mean;
}

VsHnswMemGraph *
vs_hnsw_memgraph_create(const VsHnswIndex *index, uint32 max_nodes)
{
	VsHnswMemGraph *graph = palloc0(sizeof(VsHnswMemGraph));
	const VsHnswGeometry *g = &index->geometry;
	int			max_neighbors = Max(g->m0, g->upper_m);
	int			max_candidates;

	graph->index = index;
	graph->dim = g->dim;
	graph->m0 = g->m0;
	graph->upper_m = g->upper_m;
	graph->ef_construction = index->meta.ef_construction;
	graph->max_nodes = max_nodes;

	graph->exact = keeps_float16(g->dim);
	graph->record_nbytes = record_nbytes(g->dim);
	graph->records = allocate(graph->record_nbytes * max_nodes);
	init_build_codec(graph);

	graph->codes = allocate(g->code_nbytes * max_nodes);
	graph->factors = allocate(sizeof(VsCodeFactors) * max_nodes);
	graph->centroids = allocate(max_nodes);

	graph->hashes = allocate(sizeof(uint64) * max_nodes);
	graph->first_tid = allocate(sizeof(uint32) * max_nodes);
	graph->ntids = allocate(max_nodes);
	graph->max_tid_links = max_nodes;
	graph->tids = allocate(sizeof(TidLink) * graph->max_tid_links);

	graph->levels = allocate(max_nodes);
	graph->first_upper = allocate(sizeof(uint32) * max_nodes);
	link_arrays_init(&graph->bottom, max_nodes, g->m0);
	link_arrays_init(&graph->upper, expected_upper_lists(g->m, max_nodes),
					 g->upper_m);
	graph->entry_level = -1;

	graph->query = palloc(sizeof(float) * g->dim);
	graph->anchor_query = palloc(sizeof(float) * g->dim);
	graph->scratch = palloc(sizeof(float) * g->dim);
	graph->bound = vs_rabitq_query_create(&graph->build_codec);
	graph->anchor_bound = vs_rabitq_query_create(&graph->build_codec);

	graph->marks = allocate(sizeof(uint16) * max_nodes);
	memset(graph->marks, 0, sizeof(uint16) * max_nodes);

	set_store_routines(&graph->store);
	graph->store.max_neighbors = max_neighbors;
	graph->store.descent_width = 1;
	graph->store.stretch = 1.0f;
	graph->search = vs_hnsw_search_create(&graph->store);

	max_candidates = Max(graph->ef_construction, max_neighbors) + 1;
	graph->candidates = palloc(sizeof(VsCandidate) * max_candidates);
	graph->candidates_kinds = palloc(max_candidates);
	graph->to_new = palloc(sizeof(float) * max_neighbors);
	return graph;
}

static inline VectorRecord *
node_record(const VsHnswMemGraph *graph, uint32 node)
{
	return (VectorRecord *) (graph->records + graph->record_nbytes * node);
}

/* The list of a node on a level. */
static inline uint32
node_list(const VsHnswMemGraph *graph, uint32 node, int level)
{
	return level == 0 ? node : graph->first_upper[node] + level - 1;
}

static inline LinkArrays *
level_links(VsHnswMemGraph *graph, int level)
{
	return level == 0 ? &graph->bottom : &graph->upper;
}

/* Distance of float16 elements to a query in the codec's unit. */
static inline float
exact_distance(const VsHnswMemGraph *graph, const float *query,
			   const VectorRecord *record)
{
	return vs_rabitq_exact(graph->build_codec.estimate, graph->dim, query,
						   (const uint16 *) (record + 1), record->mul);
}

/* Distance of a node to the query, or to the anchor. */
static inline float
node_distance(const VsHnswMemGraph *graph, const float *query,
			  const VsRabitqQuery *bound, uint32 node)
{
	const VectorRecord *record = node_record(graph, node);
	float		dist;

	if (graph->exact)
		dist = exact_distance(graph, query, record);
	else
		dist = vs_rabitq_estimate_one(bound, (const uint8 *) (record + 1),
									  record->add, record->mul);
	return isnan(dist) ? INFINITY : dist;
}

/* Ask for a node's vector ahead of its use. */
static inline void
prefetch_node(const VsHnswMemGraph *graph, uint32 node)
{
	const char *record = (const char *) node_record(graph, node);

	for (Size offset = 0; offset < graph->record_nbytes; offset += 64)
		__builtin_prefetch(record + offset);
}

/* VsHnswStore.expand */
static int
memgraph_expand(VsHnswStore *store, int level, VsCandidate *node, float bound,
				VsCandidate *fresh, bool *is_result)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;
	LinkArrays *links = level_links(graph, level);
	uint32		list = node_list(graph, node->id, level);
	const uint32 *ids = links->ids + (Size) list * links->capacity;
	int			nfresh = 0;
	int			nkept = 0;

	*is_result = true;
	for (int i = 0; i < links->n[list]; i++)
	{
		uint32		id = ids[i];

		if (graph->marks[id] == graph->mark)
			continue;
		graph->marks[id] = graph->mark;
		prefetch_node(graph, id);
		fresh[nfresh++].id = id;
	}

	for (int i = 0; i < nfresh; i++)
	{
		uint32		id = fresh[i].id;
		float		dist = node_distance(graph, graph->query, graph->bound, id);

		if (dist < bound)
			fresh[nkept++] = (VsCandidate) {.dist = dist, .id = id};
	}
	return nkept;
}

/* VsHnswStore.is_final */
static bool
memgraph_is_final(VsHnswStore *store, int level)
{
	return true;
}

/* VsHnswStore.entry_distance */
static float
memgraph_entry_distance(VsHnswStore *store, int level, uint32 id)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;

	return node_distance(graph, graph->query, graph->bound, id);
}

/* VsHnswStore.descend */
static uint32
memgraph_descend(VsHnswStore *store, int level, uint32 id)
{
	return id;
}

/* VsHnswStore.mark */
static void
memgraph_mark(VsHnswStore *store, uint32 id)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;

	graph->marks[id] = graph->mark;
}

/* VsHnswStore.reset */
static void
memgraph_reset(VsHnswStore *store)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;

	if (++graph->mark == 0)
	{
		memset(graph->marks, 0, sizeof(uint16) * graph->max_nodes);
		graph->mark = 1;
	}
}

/* VsHnswStore.anchor */
static void
memgraph_anchor(VsHnswStore *store, const VsCandidate *candidate)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;
	const VectorRecord *record = node_record(graph, candidate->id);

	if (graph->exact)
		vs_kernel->f16_to_f32(graph->dim, (const uint16 *) (record + 1),
							  record->mul, graph->anchor_query);
	else
		vs_rabitq_query_bind_code(graph->anchor_bound,
								  (const uint8 *) (record + 1),
								  record->add, record->mul);
}

/* VsHnswStore.distance */
static float
memgraph_distance(VsHnswStore *store, const VsCandidate *candidate)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;

	return node_distance(graph, graph->anchor_query, graph->anchor_bound,
						 candidate->id);
}

static void
set_store_routines(VsHnswStore *store)
{
	store->expand = memgraph_expand;
	store->is_final = memgraph_is_final;
	store->entry_distance = memgraph_entry_distance;
	store->descend = memgraph_descend;
	store->mark = memgraph_mark;
	store->reset = memgraph_reset;
	store->anchor = memgraph_anchor;
	store->distance = memgraph_distance;
}

int
vs_hnsw_random_level(int m)
{
	double		draw = 1.0 - pg_prng_double(&pg_global_prng_state);
	int			level = (int) (-log(draw) / log(m));

	return Min(level, HNSW_MAX_LEVEL);
}

/* Make the vector the query. */
static void
bind_query(VsHnswMemGraph *graph, const VsHnswVector *vector)
{
	if (graph->exact)
		vs_kernel->f16_to_f32(graph->dim, vector->halves,
							  vs_f16vec_scale(vector->exponent -
											  graph->build_codec.exponent),
							  graph->query);
	else
	{
		vs_kernel->f16_to_f32(graph->dim, vector->halves,
							  vs_f16vec_scale(vector->exponent), graph->query);
		vs_rabitq_query_bind(graph->bound, graph->query);
	}
}

/* Store what is kept of the vector, which is the query, as the next node. */
static void
store_vector(VsHnswMemGraph *graph, const VsHnswVector *vector, uint64 hash)
{
	const VsHnswIndex *index = graph->index;
	uint32		node = graph->nnodes;
	VectorRecord *record = node_record(graph, node);
	Size		code_nbytes = index->geometry.code_nbytes;
	float	   *x = graph->anchor_query;

	vs_kernel->f16_to_f32(graph->dim, vector->halves,
						  vs_f16vec_scale(vector->exponent), x);
	vs_rabitq_encode(index->codec, x, graph->scratch,
					 graph->codes + code_nbytes * node,
					 &graph->factors[node], &graph->centroids[node]);

	if (graph->exact)
	{
		record->add = 0.0f;
		record->mul = vs_f16vec_scale(vector->exponent -
									  graph->build_codec.exponent);
		memcpy(record + 1, vector->halves, sizeof(uint16) * graph->dim);
	}
	else
	{
		VsCodeFactors factors;
		uint8		centroid;

		vs_rabitq_encode(&graph->build_codec, x, graph->scratch,
						 (uint8 *) (record + 1), &factors, &centroid);
		vs_kernel->f16_to_f32(1, &factors.add, 1.0f, &record->add);
		vs_kernel->f16_to_f32(1, &factors.mul, 1.0f, &record->mul);
	}

	graph->hashes[node] = hash;
	graph->first_tid[node] = 0;
	graph->ntids[node] = 0;
}

/* Give a node one more TID. */
static void
add_tid(VsHnswMemGraph *graph, uint32 node, ItemPointer tid)
{
	if (tid == NULL)
		return;
	if (graph->ntid_links == graph->max_tid_links)
	{
		graph->max_tid_links += graph->max_tid_links / 4 + 1;
		graph->tids = repalloc_huge(graph->tids,
									sizeof(TidLink) * graph->max_tid_links);
	}
	graph->tids[graph->ntid_links].tid = *tid;
	graph->tids[graph->ntid_links].next = graph->first_tid[node];
	graph->first_tid[node] = ++graph->ntid_links;
	graph->ntids[node]++;
}

/*
 * Tell an owner about its new neighbour at the end of the node array; true if
 * that became part of the tree, as wanted.
 */
static bool
link_back(VsHnswMemGraph *graph, uint32 owner, int level, uint32 new_node,
		  float dist, bool as_tree)
{
	LinkArrays *links = level_links(graph, level);
	uint32		list = node_list(graph, owner, level);
	Size		base = (Size) list * links->capacity;
	int			n = links->n[list];
	uint8		kind;
	int			slot;

	for (int i = 0; i < n; i++)
		prefetch_node(graph, links->ids[base + i]);
	for (int i = 0; i < n; i++)
		graph->to_new[i] = node_distance(graph, graph->query, graph->bound,
										 links->ids[base + i]);
	slot = vs_hnsw_place_link(n, links->capacity, links->dists + base,
							  links->kinds + base, dist, graph->to_new, as_tree,
							  &kind);
	if (slot < 0)
		return false;
	links->ids[base + slot] = new_node;
	links->dists[base + slot] = dist;
	links->kinds[base + slot] = kind;
	if (slot == n)
		links->n[list]++;
	return kind == HNSW_LINK_TREE;
}

/* Link the next node on the level that was just searched. */
static void
link_node(VsHnswMemGraph *graph, int level)
{
	VsHnswSearch *search = graph->search;
	LinkArrays *links = level_links(graph, level);
	uint32		node = graph->nnodes;
	uint32		list = node_list(graph, node, level);
	Size		base = (Size) list * links->capacity;
	int			n = search->results.n;
	bool		in_tree = !vs_hnsw_keeps_tree(graph->index);

	memcpy(graph->candidates, search->results.items, sizeof(VsCandidate) * n);
	vs_candidates_sort(graph->candidates, n);
	n = vs_hnsw_select_neighbors(&graph->store, graph->candidates, n,
								 links->capacity, graph->candidates_kinds);

	links->n[list] = n;
	for (int i = 0; i < n; i++)
	{
		links->ids[base + i] = graph->candidates[i].id;
		links->dists[base + i] = graph->candidates[i].dist;
		links->kinds[base + i] = graph->candidates_kinds[i];
	}


	/* The nearest that can makes the node part of the tree, both ways. */
	for (int i = 0; i < n; i++)
		if (link_back(graph, graph->candidates[i].id, level, node,
					  graph->candidates[i].dist, !in_tree))
		{
			links->kinds[base + i] = HNSW_LINK_TREE;
			in_tree = true;
		}
}

/* A node of the same vector with room for a TID among the results, or none. */
static bool
find_identical(const VsHnswMemGraph *graph, uint64 hash, uint32 *node)
{
	const VsHnswSearch *search = graph->search;

	if (graph->keeps_duplicates)
		return false;
	for (Size i = 0; i < search->results.n; i++)
	{
		uint32		id = search->results.items[i].id;

		if (graph->hashes[id] == hash && graph->ntids[id] < HNSW_NODE_TIDS)
		{
			*node = id;
			return true;
		}
	}
	return false;
}

/* Hash of a vector's bytes; 64 bits stand for identity while building. */
static uint64
vector_hash(int dim, const VsHnswVector *vector)
{
	return hash_bytes_extended((const unsigned char *) vector->halves,
							   sizeof(uint16) * dim, vector->exponent);
}

/*
 * Find a node's neighbours on all its levels and link them both ways.  The
 * bottom level comes last, and tells duplicates: then nothing is linked.
 */
static bool
connect(VsHnswMemGraph *graph, const VsHnswVector *vector, ItemPointer tid,
		int level, uint64 hash)
{
	VsHnswSearch *search = graph->search;
	int			ef = graph->ef_construction;
	uint32		identical;

	vs_hnsw_search_descend(search, graph->entry, graph->entry_level, 0);
	vs_hnsw_search_run(search, ef);
	if (find_identical(graph, hash, &identical))
	{
		add_tid(graph, identical, tid);
		return false;
	}

	store_vector(graph, vector, hash);
	link_arrays_add(&graph->bottom);
	link_node(graph, 0);

	/* The few nodes with upper levels search these once more. */
	if (level > 0)
	{
		int			top = Min(level, graph->entry_level);

		graph->first_upper[graph->nnodes] = graph->upper.nlists;
		for (int l = 1; l <= level; l++)
			link_arrays_add(&graph->upper);
		if (top > 0)
			vs_hnsw_search_descend(search, graph->entry, graph->entry_level, top);
		for (int l = top; l > 0; l--)
		{
			vs_hnsw_search_run(search, ef);
			link_node(graph, l);
			if (l > 1)
				vs_hnsw_search_lower(search);
		}
	}
	return true;
}

bool
vs_hnsw_memgraph_add(VsHnswMemGraph *graph, const VsHnswVector *vector,
					 ItemPointer tid)
{
	uint32		node = graph->nnodes;
	int			level = vs_hnsw_random_level(graph->index->geometry.m);
	uint64		hash = vector_hash(graph->dim, vector);

	Assert(node < graph->max_nodes);

	bind_query(graph, vector);
	if (graph->entry_level < 0)
	{
		store_vector(graph, vector, hash);
		link_arrays_add(&graph->bottom);
		graph->first_upper[node] = graph->upper.nlists;
		for (int l = 1; l <= level; l++)
			link_arrays_add(&graph->upper);
	}
	else if (!connect(graph, vector, tid, level, hash))
		return false;

	graph->levels[node] = level;
	add_tid(graph, node, tid);
	graph->nnodes++;
	if (level > graph->entry_level)
	{
		graph->entry = node;
		graph->entry_level = level;
	}
	return true;
}

void
vs_hnsw_memgraph_keep_duplicates(VsHnswMemGraph *graph)
{
	graph->keeps_duplicates = true;
}

uint32
vs_hnsw_memgraph_nnodes(const VsHnswMemGraph *graph)
{
	return graph->nnodes;
}

int
vs_hnsw_memgraph_level(const VsHnswMemGraph *graph, uint32 node)
{
	return graph->levels[node];
}

uint32
vs_hnsw_memgraph_nuppers(const VsHnswMemGraph *graph)
{
	return graph->upper.nlists;
}

uint32
vs_hnsw_memgraph_upper(const VsHnswMemGraph *graph, uint32 node, int level)
{
	return node_list(graph, node, level);
}

VsHnswMemLinks
vs_hnsw_memgraph_links(const VsHnswMemGraph *graph, uint32 node, int level)
{
	const LinkArrays *links = level == 0 ? &graph->bottom : &graph->upper;
	uint32		list = node_list(graph, node, level);
	Size		base = (Size) list * links->capacity;
	VsHnswMemLinks result = {
		.n = links->n[list],
		.ids = links->ids + base,
		.dists = links->dists + base,
		.kinds = links->kinds + base,
	};

	return result;
}

int
vs_hnsw_memgraph_tids(const VsHnswMemGraph *graph, uint32 node, ItemPointer tids)
{
	int			n = 0;

	for (uint32 i = graph->first_tid[node]; i != 0; i = graph->tids[i - 1].next)
		tids[n++] = graph->tids[i - 1].tid;
	return n;
}

const uint8 *
vs_hnsw_memgraph_code(const VsHnswMemGraph *graph, uint32 node,
					  VsCodeFactors *factors, uint8 *centroid)
{
	*factors = graph->factors[node];
	*centroid = graph->centroids[node];
	return graph->codes + graph->index->geometry.code_nbytes * node;
}

bool
vs_hnsw_memgraph_entry(const VsHnswMemGraph *graph, uint32 *node, int *level)
{
	*node = graph->entry;
	*level = graph->entry_level;
	return graph->entry_level >= 0;
}
