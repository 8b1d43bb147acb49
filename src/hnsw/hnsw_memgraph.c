/*
 * hnsw_memgraph.c
 *		A graph in memory: how it lies there.
 *
 * All arrays are indexed by the numbers of nodes, rows or lists, and hold no
 * pointers: each process that joins the graph finds them at the same offsets.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "hnsw/hnsw_memgraph_private.h"
#include "index/seed.h"
#include "miscadmin.h"

/* Whether vectors are kept as float16. */
static bool
keeps_float16(int dim)
{
	return dim <= MEMGRAPH_MAX_FLOAT16_DIM;
}

/* Bytes kept of one vector. */
static Size
vector_nbytes(int dim)
{
	Size		nbytes = keeps_float16(dim) ? sizeof(uint16) * dim :
		vs_code_nbytes(MEMGRAPH_BITS, dim);

	return MAXALIGN(sizeof(VsMemVector) + nbytes);
}

/*
 * Upper lists to make room for: the mean is 1 / (m - 1) a node, m / (m - 1)
 * where each node has one.
 */
static uint32
expected_uppers(int m, const VsHnswMemGraphShape *shape)
{
	double		mean = (double) shape->max_nodes / (m - 1);
	double		least = shape->lowest_level > 0 ? shape->max_nodes : 0;

	return Min(64 + least + mean + 12 * sqrt(mean), PG_UINT32_MAX - 1);
}

/* Takes arrays one after another from a block of memory. */
typedef struct Layout
{
	char	   *base;			/* NULL to measure only */
	Size		nbytes;
} Layout;

static void *
take(Layout *layout, Size element_nbytes, Size n)
{
	char	   *array = layout->base == NULL ? NULL :
		layout->base + layout->nbytes;

	layout->nbytes = add_size(layout->nbytes,
							  CACHELINEALIGN(mul_size(element_nbytes, n)));
	return array;
}

/* Take lists of a capacity. */
static VsMemLists
take_lists(Layout *layout, Size nlists, int capacity)
{
	VsMemLists	lists;

	lists.capacity = capacity;
	lists.list_nbytes = MAXALIGN(sizeof(VsMemList) + capacity *
								 (sizeof(uint32) + sizeof(float) + sizeof(uint8)));
	lists.lists = take(layout, lists.list_nbytes, nlists);
	return lists;
}

/* Find the arrays of a graph in a block of memory; returns the block's size. */
static Size
lay_out(VsHnswMemGraph *graph, const VsHnswGeometry *g,
		const VsHnswMemGraphShape *shape, void *memory)
{
	Layout		layout = {.base = memory};
	uint32		n = shape->max_nodes;
	bool		has_bottom = shape->lowest_level == 0;

	graph->shared = take(&layout, 1,
						 offsetof(VsMemShared, claims) +
						 sizeof(VsMemClaims) * shape->nparticipants);
	graph->exact = keeps_float16(g->dim);
	graph->record_nbytes = vector_nbytes(g->dim);
	graph->records = take(&layout, graph->record_nbytes, n);
	graph->codes = take(&layout, g->code_nbytes, n);
	graph->factors = take(&layout, sizeof(VsCodeFactors), n);
	graph->centroids = take(&layout, sizeof(uint8), n);
	graph->hashes = take(&layout, sizeof(uint64), n);
	graph->first_row = take(&layout, sizeof(uint32), n);
	graph->next_row = take(&layout, sizeof(uint32), n);
	graph->nrows = take(&layout, sizeof(uint8), n);
	graph->levels = take(&layout, sizeof(uint8), n);
	graph->first_upper = take(&layout, sizeof(uint32), n);
	graph->bottom = take_lists(&layout, has_bottom ? n : 0, g->m0);
	graph->upper = take_lists(&layout, expected_uppers(g->m, shape), g->upper_m);
	return layout.nbytes;
}

Size
vs_hnsw_memgraph_nbytes(const VsHnswIndex *index,
						const VsHnswMemGraphShape *shape)
{
	VsHnswMemGraph graph;

	return lay_out(&graph, &index->geometry, shape, NULL);
}

/* The codec of the vectors kept while building: 4 bits around the mean. */
static void
init_build_codec(VsHnswMemGraph *graph)
{
	graph->build_codec = *graph->index->codec;
	graph->build_codec.bits = MEMGRAPH_BITS;
	graph->build_codec.ncentroids = 1;
	graph->build_codec.centroids = graph->build_codec.mean;
}

/* What one process needs to search the graph and add to it. */
static VsHnswMemGraph *
open_graph(const VsHnswIndex *index, const VsHnswMemGraphShape *shape,
		   void *memory, int participant)
{
	VsHnswMemGraph *graph = palloc0(sizeof(VsHnswMemGraph));
	const VsHnswGeometry *g = &index->geometry;
	int			max_neighbors = Max(g->m0, g->upper_m);
	int			max_candidates;

	graph->index = index;
	graph->dim = g->dim;
	graph->ef_construction = index->meta.ef_construction;
	graph->participant = participant;
	lay_out(graph, g, shape, memory);
	init_build_codec(graph);

	graph->query = palloc(sizeof(float) * g->dim);
	graph->anchor_query = palloc(sizeof(float) * g->dim);
	graph->rotated = palloc(sizeof(float) * g->dim);
	graph->scratch = palloc(sizeof(float) * g->dim);
	graph->bound = vs_rabitq_query_create(&graph->build_codec);
	graph->anchor_bound = vs_rabitq_query_create(&graph->build_codec);

	graph->copy.ids = palloc(sizeof(uint32) * max_neighbors);
	graph->copy.dists = palloc(sizeof(float) * max_neighbors);
	graph->copy.kinds = palloc(max_neighbors);
	max_candidates = Max(graph->ef_construction, max_neighbors) + 1;
	graph->candidates = palloc(sizeof(VsCandidate) * max_candidates);
	graph->candidate_kinds = palloc(max_candidates);
	graph->to_new = palloc(sizeof(float) * max_neighbors);

	vs_visited_init(&graph->visited, 11, true);
	graph->store.max_neighbors = max_neighbors;
	graph->store.descent_width = 1;
	graph->store.stretch = 1.0f;
	vs_memgraph_init_store(graph);
	graph->search = vs_hnsw_search_create(&graph->store);
	return graph;
}

VsHnswMemGraph *
vs_hnsw_memgraph_create(const VsHnswIndex *index,
						const VsHnswMemGraphShape *shape, void *memory)
{
	VsHnswMemGraph *graph = open_graph(index, shape, memory, 0);
	VsMemShared *shared = graph->shared;

	shared->shape = *shape;
	shared->max_uppers = expected_uppers(index->geometry.m, shape);
	pg_atomic_init_u32(&shared->nnodes, 0);
	pg_atomic_init_u32(&shared->nuppers, 0);
	pg_atomic_init_u64(&shared->entry, 0);
	SpinLockInit(&shared->claims_mutex);
	memset(shared->claims, 0, sizeof(VsMemClaims) * shape->nparticipants);
	return graph;
}

VsHnswMemGraph *
vs_hnsw_memgraph_join(const VsHnswIndex *index, void *memory, int participant)
{
	const VsMemShared *shared = memory;

	Assert(participant < shared->shape.nparticipants);
	return open_graph(index, &shared->shape, memory, participant);
}

/*
 * Wait until nobody writes a list, and return its version.  Writers take a few
 * dozen instructions.
 */
static uint32
stable_version(VsMemList *list)
{
	SpinDelayStatus delay;
	uint32		version = pg_atomic_read_u32(&list->version);

	if (likely((version & 1) == 0))
		return version;
	init_local_spin_delay(&delay);
	while ((version & 1) != 0)
	{
		perform_spin_delay(&delay);
		version = pg_atomic_read_u32(&list->version);
	}
	finish_spin_delay(&delay);
	return version;
}

int
vs_memlist_read_ids(VsMemList *list, uint32 *ids)
{
	uint32		version;
	int			n;

	do
	{
		version = stable_version(list);
		pg_read_barrier();
		n = list->n;
		memcpy(ids, vs_memlist_ids(list), sizeof(uint32) * n);
		pg_read_barrier();
	} while (unlikely(pg_atomic_read_u32(&list->version) != version));
	return n;
}

void
vs_memlist_read(VsMemList *list, int capacity, VsMemListCopy *copy)
{
	do
	{
		copy->version = stable_version(list);
		pg_read_barrier();
		copy->n = list->n;
		memcpy(copy->ids, vs_memlist_ids(list), sizeof(uint32) * copy->n);
		memcpy(copy->dists, vs_memlist_dists(list, capacity),
			   sizeof(float) * copy->n);
		memcpy(copy->kinds, vs_memlist_kinds(list, capacity), copy->n);
		pg_read_barrier();
	} while (unlikely(pg_atomic_read_u32(&list->version) != copy->version));
}

bool
vs_memlist_begin_change(VsMemList *list, const VsMemListCopy *copy)
{
	uint32		expected = copy->version;

	if (!pg_atomic_compare_exchange_u32(&list->version, &expected,
										expected + 1))
		return false;

	/*
	 * Whoever sees some of the change must see the odd version.  The exchange
	 * alone does not promise that: on AArch64 a pair of exclusive load and
	 * store lets later stores pass the store.
	 */
	pg_write_barrier();
	return true;
}

void
vs_memlist_end_change(VsMemList *list)
{
	pg_write_barrier();
	pg_atomic_write_u32(&list->version,
						pg_atomic_read_u32(&list->version) + 1);
}

int
vs_hnsw_random_level(int m)
{
	double		draw = 1.0 - pg_prng_double(vs_prng);
	int			level = (int) (-log(draw) / log(m));

	return Min(level, HNSW_MAX_LEVEL);
}

uint32
vs_hnsw_memgraph_nnodes(const VsHnswMemGraph *graph)
{
	return pg_atomic_read_u32(&graph->shared->nnodes);
}

int
vs_hnsw_memgraph_level(const VsHnswMemGraph *graph, uint32 node)
{
	return graph->levels[node];
}

uint32
vs_hnsw_memgraph_nuppers(const VsHnswMemGraph *graph)
{
	return pg_atomic_read_u32(&graph->shared->nuppers);
}

uint32
vs_hnsw_memgraph_upper(const VsHnswMemGraph *graph, uint32 node, int level)
{
	return graph->first_upper[node] + level - 1;
}

VsHnswMemLinks
vs_hnsw_memgraph_links(const VsHnswMemGraph *graph, uint32 node, int level)
{
	VsMemList  *list = vs_memgraph_list(graph, node, level);
	int			capacity = vs_memgraph_lists(graph, level)->capacity;
	VsHnswMemLinks result = {
		.n = list->n,
		.ids = vs_memlist_ids(list),
		.dists = vs_memlist_dists(list, capacity),
		.kinds = vs_memlist_kinds(list, capacity),
	};

	return result;
}

int
vs_hnsw_memgraph_rows(const VsHnswMemGraph *graph, uint32 node, uint32 *rows)
{
	uint32		row = graph->first_row[node];
	int			n = graph->nrows[node];

	for (int i = 0; i < n; i++)
	{
		rows[i] = row;
		row = graph->next_row[row];
	}
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

void
vs_hnsw_memgraph_flatten(VsHnswMemGraph *graph, uint32 node)
{
	graph->levels[node] = 0;
}

/* An array that is kept in a file. */
typedef struct SavedArray
{
	void	   *array;
	Size		nbytes;
} SavedArray;

#define NSAVED 8

/* Bytes of it that are written or read between two chances to cancel. */
#define SAVED_NBYTES (1024 * 1024)

/* All arrays that are kept in a file. */
static void
list_saved_arrays(const VsHnswMemGraph *graph, SavedArray *saved)
{
	Size		nrows = graph->shared->shape.max_nodes;
	Size		nnodes = vs_hnsw_memgraph_nnodes(graph);
	const SavedArray arrays[NSAVED] = {
		{graph->codes, graph->index->geometry.code_nbytes * nnodes},
		{graph->factors, sizeof(VsCodeFactors) * nnodes},
		{graph->centroids, sizeof(uint8) * nnodes},
		{graph->first_row, sizeof(uint32) * nnodes},
		{graph->nrows, sizeof(uint8) * nnodes},
		{graph->levels, sizeof(uint8) * nnodes},
		{graph->bottom.lists, graph->bottom.list_nbytes * nnodes},
		{graph->next_row, sizeof(uint32) * nrows},
	};

	memcpy(saved, arrays, sizeof(arrays));
}

void
vs_hnsw_memgraph_save(const VsHnswMemGraph *graph, BufFile *file)
{
	SavedArray	saved[NSAVED];
	VsHnswMemGraphShape shape = graph->shared->shape;
	uint32		nnodes = vs_hnsw_memgraph_nnodes(graph);

	list_saved_arrays(graph, saved);
	BufFileWrite(file, &shape, sizeof(shape));
	BufFileWrite(file, &nnodes, sizeof(nnodes));
	for (int i = 0; i < NSAVED; i++)
		for (Size begin = 0; begin < saved[i].nbytes; begin += SAVED_NBYTES)
		{
			CHECK_FOR_INTERRUPTS();
			BufFileWrite(file, (char *) saved[i].array + begin,
						 Min(saved[i].nbytes - begin, SAVED_NBYTES));
		}
}

VsHnswMemGraph *
vs_hnsw_memgraph_load(const VsHnswIndex *index, BufFile *file, void *memory)
{
	VsHnswMemGraph *graph;
	SavedArray	saved[NSAVED];
	VsHnswMemGraphShape shape;
	uint32		nnodes;

	vs_compat_buffile_read_exact(file, &shape, sizeof(shape));
	vs_compat_buffile_read_exact(file, &nnodes, sizeof(nnodes));
	graph = vs_hnsw_memgraph_create(index, &shape, memory);
	pg_atomic_write_u32(&graph->shared->nnodes, nnodes);
	list_saved_arrays(graph, saved);
	for (int i = 0; i < NSAVED; i++)
		for (Size begin = 0; begin < saved[i].nbytes; begin += SAVED_NBYTES)
		{
			CHECK_FOR_INTERRUPTS();
			vs_compat_buffile_read_exact(file, (char *) saved[i].array + begin,
										 Min(saved[i].nbytes - begin, SAVED_NBYTES));
		}
	return graph;
}

bool
vs_hnsw_memgraph_entry(const VsHnswMemGraph *graph, uint32 *node, int *level)
{
	uint64		entry = pg_atomic_read_u64(&graph->shared->entry);

	*node = (uint32) entry;
	*level = (int) (entry >> 32) - 1;
	return entry != 0;
}
