/*
 * hnsw_scan.c
 *		Scans: the graph first, then all that it did not lead to.
 *
 * A scan returns batches of results of a search that resumes with a larger ef
 * each time.  When the graph is exhausted, or more was visited than the
 * settings allow, a sweep over all nodes returns the rest in order of distance.
 * See README.md, "Scan".
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_pagestore.h"
#include "index/rowsort.h"
#include "index/scan.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * A search for a batch of results looks for more: candidates are picked by
 * estimates, and some of them mislead; and what a later batch finds too late
 * for its place is lost to it.  See README.md, "Scan", for the measurements.
 */
#define FIRST_SEARCH_EF(ef) ((ef) + 4)
#define NEXT_SEARCH_EF(ef) ((ef) + (ef) / 2 + 4)

/* Largest batch, so that doubling ends. */
#define MAX_BATCH (1 << 20)

typedef enum ScanStage
{
	STAGE_GRAPH,
	STAGE_SWEEP,
	STAGE_UNORDERED				/* a sweep for a query without a direction */
} ScanStage;

typedef struct EmittedEntry
{
	uint32		id;
	char		status;			/* simplehash's */
} EmittedEntry;

#define SH_PREFIX emitted
#define SH_ELEMENT_TYPE EmittedEntry
#define SH_KEY_TYPE uint32
#define SH_KEY id
#define SH_HASH_KEY(table, key) murmurhash32(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct VsHnswScan
{
	ScanStage	stage;
	VsHnswIndex *index;
	VsHnswPageStore *pages;
	VsHnswSearch *search;

	/* The batch being returned. */
	int			ef;
	int			batch_size;
	VsCandidate *batch;
	int			nbatch;
	int			next_in_batch;
	double		last_dist;		/* of the last node returned */
	uint64		nvisited;
	emitted_hash *emitted;

	/* The TIDs of the node being returned. */
	ItemPointerData tids[HNSW_NODE_TIDS];
	int			ntids;
	int			next_tid;

	/* The sweep. */
	VsRowSort  *sort;
	BlockNumber nblocks;
	BlockNumber next_block;
	int			next_position;
	VsHnswNodeCopy *copy;
} VsHnswScan;

/* VsScanMethod.end */
static void
end_scan(void *arg)
{
	VsHnswScan *state = arg;

	if (state->sort != NULL)
		vs_rowsort_end(state->sort);
	state->sort = NULL;
}

/* Begin to sweep all nodes from the first block on. */
static void
begin_sweep(VsHnswScan *state, ScanStage stage)
{
	state->stage = stage;
	state->next_block = HNSW_META_BLOCK + 1;
	state->nblocks = RelationGetNumberOfBlocks(state->index->rel);
	state->next_position = 0;
	state->copy = palloc(sizeof(VsHnswNodeCopy));
	vs_hnsw_node_copy_init(state->copy, &state->index->geometry);
	if (stage == STAGE_SWEEP)
		state->copy->probe = vs_hnsw_pagestore_probe(state->pages);
	state->copy->with_vector = false;
}

/* VsScanMethod.start: bind the query; decides how the scan begins. */
static void
start_scan(IndexScanDesc scan, void *arg)
{
	VsHnswScan *state = arg;
	VsHnswIndex *index = vs_hnsw_open(scan->indexRelation);
	float	   *x;

	state->index = index;
	state->pages = vs_hnsw_pagestore_create(index, false);
	state->emitted = emitted_create(CurrentMemoryContext, 128, NULL);
	state->last_dist = -INFINITY;
	state->ef = vs_hnsw_effective_ef_search(scan->indexRelation);
	state->batch_size = state->ef;

	x = vs_scan_read_query(scan, index->opclass, index->geometry.dim);
	if (x == NULL)
	{
		begin_sweep(state, STAGE_UNORDERED);
		return;
	}

	vs_hnsw_pagestore_bind(state->pages, x);
	if (index->meta.state == HNSW_FLAT || index->meta.entry_level < 0)
	{
		begin_sweep(state, STAGE_SWEEP);
		return;
	}
	state->search = vs_hnsw_search_create(vs_hnsw_pagestore_store(state->pages));
	vs_hnsw_search_descend(state->search, index->meta.entry,
						   index->meta.entry_level, 0);
	state->stage = STAGE_GRAPH;
}

/* Make the node the one whose TIDs are returned next. */
static void
emit_node(VsHnswScan *state, uint32 id, double dist, int ntids,
		  const ItemPointerData *tids)
{
	bool		found;

	emitted_insert(state->emitted, id, &found);
	memcpy(state->tids, tids, sizeof(ItemPointerData) * ntids);
	state->ntids = ntids;
	state->next_tid = 0;
	state->last_dist = dist;
}

/* Whether the settings allow the graph search to go on. */
static bool
may_resume(const VsHnswScan *state)
{
	double		memory = (double) work_mem * 1024 * vs_hnsw_scan_mem_multiplier;

	return state->search->nvisited < vs_hnsw_max_scan_tuples &&
		vs_hnsw_pagestore_nbytes(state->pages) +
		state->search->nearest.capacity * sizeof(VsCandidate) < memory;
}

/* Search for the next batch of results; false if there are none. */
static bool
next_batch(VsHnswScan *state)
{
	VsHnswSearch *search = state->search;
	bool		is_first = state->batch == NULL;
	int			ndone;

	if (!is_first)
	{
		if (vs_hnsw_iterative_scan == VS_ITERATIVE_OFF || !may_resume(state))
			return false;
		state->batch_size = Min(state->batch_size * 2, MAX_BATCH);
		vs_hnsw_pagestore_take_left_out(state->pages, &search->nearest);
		pfree(state->batch);
	}

	vs_hnsw_search_run(search, is_first ? FIRST_SEARCH_EF(state->batch_size) :
					   NEXT_SEARCH_EF(state->batch_size));
	vs_candidates_sort(search->results.items, search->results.n);
	ndone = Min(search->results.n, state->batch_size);
	state->batch = palloc_extended(sizeof(VsCandidate) * Max(ndone, 1),
								   MCXT_ALLOC_HUGE);
	memcpy(state->batch, search->results.items, sizeof(VsCandidate) * ndone);
	state->nbatch = ndone;
	state->next_in_batch = 0;

	/* What is not part of the batch waits for the next one. */
	for (Size i = ndone; i < search->results.n; i++)
		vs_candidates_append(&search->spare, search->results.items[i]);
	search->results.n = 0;
	return ndone > 0;
}

/* Advance to the next node that the graph leads to; false if there is none. */
static bool
next_graph_node(VsHnswScan *state)
{
	bool		strict = vs_hnsw_iterative_scan == VS_ITERATIVE_STRICT;

	for (;;)
	{
		VsCandidate *candidate;
		VsHnswVisit *visit;

		if (state->next_in_batch == state->nbatch && !next_batch(state))
			return false;
		candidate = &state->batch[state->next_in_batch++];
		visit = vs_hnsw_pagestore_visit(state->pages, candidate->tag);

		/* Found too late for its place: the sweep returns it at the end. */
		if (strict && candidate->dist < state->last_dist)
			continue;
		emit_node(state, visit->id, candidate->dist, visit->ntids, visit->tids);
		return true;
	}
}

/*
 * Read on to the next node in page order that has rows and was not returned.
 * False at the end of the index.
 */
static bool
next_node_in_order(VsHnswScan *state, uint32 *id)
{
	VsHnswNodeCopy *copy = state->copy;
	VsHnswIndex *index = state->index;
	const VsHnswGeometry *g = &index->geometry;

	while (state->next_block < state->nblocks)
	{
		Buffer		buffer = ReadBuffer(index->rel, state->next_block);
		bool		is_node;

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		is_node = vs_page_kind(BufferGetPage(buffer)) == HNSW_PAGE_NODE;
		UnlockReleaseBuffer(buffer);

		while (is_node && state->next_position < g->nodes_per_page)
		{
			*id = vs_hnsw_node_number(g, state->next_block, state->next_position++);
			if (emitted_lookup(state->emitted, *id) != NULL ||
				!vs_hnsw_read_node(index, *id, NULL, false, copy) ||
				copy->header.state == HNSW_NODE_DELETED ||
				copy->header.ntids == 0)
				continue;
			return true;
		}
		CHECK_FOR_INTERRUPTS();
		state->next_block++;
		state->next_position = 0;
	}
	return false;
}

/* Sort all nodes that were not returned. */
static void
sort_remaining(VsHnswScan *state)
{
	VsHnswNodeCopy *copy = state->copy;
	uint32		id;
	bool		strict = vs_hnsw_iterative_scan == VS_ITERATIVE_STRICT;

	state->sort = vs_rowsort_begin();
	while (next_node_in_order(state, &id))
	{
		double		dist = copy->dist;

		/* What is too late for its place comes at the end. */
		if (strict && (float) dist < (float) state->last_dist)
			dist = INFINITY;
		for (int i = 0; i < Min(copy->header.ntids, HNSW_NODE_TIDS); i++)
			vs_rowsort_add(state->sort, dist, id, &copy->header.tids[i]);
	}
	vs_rowsort_perform(state->sort);
}

/*
 * The next TID of the sorted rest.  Where the scan may not iterate, the first
 * ef nodes are all there is.
 */
static bool
next_sorted_tid(VsHnswScan *state, ItemPointer tid)
{
	uint32		id;
	bool		found;

	if (!vs_rowsort_next(state->sort, &id, tid))
		return false;
	if (vs_hnsw_iterative_scan != VS_ITERATIVE_OFF)
		return true;
	emitted_insert(state->emitted, id, &found);
	return state->emitted->members <= state->ef;
}

/* VsScanMethod.next */
static bool
next_tid(void *arg, ItemPointer tid)
{
	VsHnswScan *state = arg;

	for (;;)
	{
		if (state->next_tid < state->ntids)
		{
			*tid = state->tids[state->next_tid++];
			return true;
		}

		switch (state->stage)
		{
			case STAGE_GRAPH:
				if (next_graph_node(state))
					break;

				/* A graph that led nowhere says nothing of what there is. */
				if (vs_hnsw_iterative_scan == VS_ITERATIVE_OFF &&
					state->emitted->members > 0)
					return false;
				begin_sweep(state, STAGE_SWEEP);
				break;

			case STAGE_SWEEP:
				if (state->sort == NULL)
					sort_remaining(state);
				return next_sorted_tid(state, tid);

			case STAGE_UNORDERED:
				{
					VsHnswNodeCopy *copy = state->copy;
					uint32		id;

					if (!next_node_in_order(state, &id))
						return false;
					emit_node(state, id, 0.0, Min(copy->header.ntids,
												  HNSW_NODE_TIDS),
							  copy->header.tids);
					break;
				}
		}
	}
}

IndexScanDesc
vs_hnsw_beginscan(Relation index, int nkeys, int norderbys)
{
	static const VsScanMethod method = {
		.name = "hnsw",
		.state_nbytes = sizeof(VsHnswScan),
		.start = start_scan,
		.next = next_tid,
		.end = end_scan,
	};

	return vs_scan_begin(index, nkeys, norderbys, &method);
}
