/*
 * hnsw_build.c
 *		CREATE INDEX.
 *
 * The table is read once, into a spool of float16 vectors and a sample to
 * train the codec from.  The graph is then built in memory from the spool, on
 * compact codes, and written together with the spool's vectors.  Rows for
 * which maintenance_work_mem has no room are inserted one by one afterwards.
 * Nothing is WAL-logged until all pages are made.
 */
#include "postgres.h"

#include <math.h>

#include "access/tableam.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "hnsw/hnsw_graphwrite.h"
#include "hnsw/hnsw_private.h"
#include "index/sample.h"
#include "index/spool.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "quant/f16vec.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"

/* Phases for pg_stat_progress_create_index; 1 is "initializing". */
enum
{
	PHASE_LOAD = 2,
	PHASE_GRAPH,
	PHASE_WRITE,
	PHASE_INSERT,
	PHASE_LOG
};

/* One build under way. */
typedef struct Build
{
	VsHnswIndex *index;
	VsSample   *sample;
	VsSpool    *spool;
	float	   *x;
	uint16	   *halves;
	MemoryContext row_context;
	double		nindexed;

	VsHnswMemGraph *graph;
	uint32		nbuilt;			/* rows of the spool that the graph holds */
	uint32	   *node_rows;		/* the row of each node */
	uint32	   *order;			/* nodes in the order of writing */
} Build;

char *
vs_hnsw_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case PHASE_LOAD:
			return "loading tuples";
		case PHASE_GRAPH:
			return "building graph";
		case PHASE_WRITE:
			return "writing pages";
		case PHASE_INSERT:
			return "inserting remaining tuples";
		case PHASE_LOG:
			return "logging pages";
		default:
			return NULL;
	}
}

/* Begin a phase that handles "total" tuples. */
static void
begin_phase(int phase, int64 total)
{
	const int	params[] = {
		PROGRESS_CREATEIDX_SUBPHASE,
		PROGRESS_CREATEIDX_TUPLES_TOTAL,
		PROGRESS_CREATEIDX_TUPLES_DONE
	};
	const int64 values[] = {phase, total, 0};

	pgstat_progress_update_multi_param(lengthof(params), params, values);
}

/* Once per tuple: report and allow cancelling. */
static inline void
report_tuple(int64 ndone)
{
	CHECK_FOR_INTERRUPTS();
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, ndone);
}

/* table_index_build_scan callback: spool one row. */
static void
load_row(Relation rel, ItemPointer tid, Datum *values, bool *isnull,
		 bool tupleIsAlive, void *state)
{
	Build	   *build = state;
	VsHnswIndex *index = build->index;
	MemoryContext old;

	if (isnull[0])
		return;

	old = MemoryContextSwitchTo(build->row_context);
	if (vs_opclass_read(index->opclass, values[0], index->geometry.dim,
						build->x))
	{
		int			exponent = vs_f16vec_encode(index->geometry.dim, build->x,
												build->halves);

		vs_sample_add(build->sample, build->x);
		vs_spool_write(build->spool, tid, exponent, build->halves);
		report_tuple(vs_spool_nrows(build->spool));
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);
}

/*
 * How many rows' graph fits maintenance_work_mem; says so if not all do.
 */
static uint32
rows_that_fit(const Build *build)
{
	uint64		nrows = vs_spool_nrows(build->spool);
	Size		memory = (Size) maintenance_work_mem * 1024;
	Size		per_thousand = vs_hnsw_memgraph_nbytes(build->index, 1000);
	uint64		fitting = memory / per_thousand * 1000 +
		memory % per_thousand * 1000 / per_thousand;

	if (nrows >= HNSW_INVALID_ID)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("hnsw index cannot hold more than %u vectors",
						HNSW_INVALID_ID)));
	if (nrows <= fitting)
		return nrows;

	fitting = Max(fitting, 1);
	ereport(NOTICE,
			(errmsg("hnsw graph no longer fits into maintenance_work_mem after " UINT64_FORMAT " tuples",
					fitting),
			 errdetail("Building will take significantly more time."),
			 errhint("Increase maintenance_work_mem to %zu MB to speed up builds.",
					 vs_hnsw_memgraph_nbytes(build->index, nrows) / (1024 * 1024) + 1)));
	return fitting;
}

/* The vector of a spooled row. */
static VsHnswVector
row_vector(const VsSpoolRow *row)
{
	VsHnswVector vector = {.exponent = row->exponent, .halves = row->halves};

	return vector;
}

/* Allocate n numbers, however many. */
static uint32 *
allocate_numbers(uint32 n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext,
								  sizeof(uint32) * ((Size) n + 1));
}

/* Build the graph of the first rows in memory. */
static void
build_graph(Build *build)
{
	VsSpoolRow	row;

	build->nbuilt = rows_that_fit(build);
	begin_phase(PHASE_GRAPH, build->nbuilt);

	build->graph = vs_hnsw_memgraph_create(build->index, build->nbuilt);
	build->node_rows = allocate_numbers(build->nbuilt);
	vs_spool_rewind(build->spool);
	for (uint32 i = 0; i < build->nbuilt; i++)
	{
		VsHnswVector vector;

		if (!vs_spool_read(build->spool, &row))
			elog(ERROR, "spool of an hnsw build ended early");
		vector = row_vector(&row);
		if (vs_hnsw_memgraph_add(build->graph, &vector, &row.tid))
			build->node_rows[vs_hnsw_memgraph_nnodes(build->graph) - 1] = i;
		report_tuple(i + 1);
	}
}

/* The nearest neighbour of some nodes that is not placed yet, if there is. */
static uint32
nearest_unplaced(const Build *build, const uint32 *nodes, int n,
				 const bool *placed)
{
	uint32		nearest = HNSW_INVALID_ID;
	float		best = INFINITY;

	for (int i = 0; i < n; i++)
	{
		VsHnswMemLinks links = vs_hnsw_memgraph_links(build->graph, nodes[i], 0);

		for (int j = 0; j < links.n; j++)
			if (!placed[links.ids[j]] && links.dists[j] < best)
			{
				best = links.dists[j];
				nearest = links.ids[j];
			}
	}
	return nearest;
}

/*
 * Order the nodes so that those on one page are near each other: a search that
 * visits one is likely to visit the others.
 */
static void
order_nodes(Build *build)
{
	int			per_page = build->index->geometry.nodes_per_page;
	uint32		nnodes = vs_hnsw_memgraph_nnodes(build->graph);
	bool	   *placed = MemoryContextAllocExtended(CurrentMemoryContext,
													(Size) nnodes + 1,
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32		next = 0;

	build->order = allocate_numbers(nnodes);
	for (uint32 i = 0; i < nnodes; i++)
	{
		int			n = i % per_page;
		uint32		node = nearest_unplaced(build, build->order + i - n, n,
											placed);

		if (node == HNSW_INVALID_ID)
		{
			while (placed[next])
				next++;
			node = next;
		}
		placed[node] = true;
		build->order[i] = node;
		CHECK_FOR_INTERRUPTS();
	}
	pfree(placed);
}

/* The numbers that nodes get when written in order from a block on. */
static uint32 *
number_nodes(const Build *build, BlockNumber first_block)
{
	const VsHnswGeometry *g = &build->index->geometry;
	uint32		nnodes = vs_hnsw_memgraph_nnodes(build->graph);
	uint32	   *ids = allocate_numbers(nnodes);

	for (uint32 i = 0; i < nnodes; i++)
		ids[build->order[i]] =
			vs_hnsw_node_number(g, first_block +
								(i / g->nodes_per_page) * g->npages,
								i % g->nodes_per_page);
	return ids;
}

/* What the header of a built node says. */
static VsHnswNode
form_header(const Build *build, uint32 node, int exponent)
{
	VsHnswNode	header = {0};

	header.state = HNSW_NODE_LIVE;
	header.level = vs_hnsw_memgraph_level(build->graph, node);
	header.exponent = exponent;
	header.generation = 1;
	header.ntids = vs_hnsw_memgraph_tids(build->graph, node, header.tids);
	return header;
}

/* Write the nodes that share the next page; returns how many. */
static uint32
write_node_page(Build *build, uint32 first, const VsHnswNumbering *numbering,
				VsHnswLink *links)
{
	VsHnswIndex *index = build->index;
	const VsHnswGeometry *g = &index->geometry;
	uint32		n = Min(vs_hnsw_memgraph_nnodes(build->graph) - first,
						g->nodes_per_page);
	Buffer		buffer;
	Page		page;
	VsEdit		edit;

	vs_page_extend(index->rel, 1, &buffer);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	Assert(BufferGetBlockNumber(buffer) ==
		   vs_hnsw_node_block(g, numbering->node_ids[build->order[first]]));
	vs_edit_begin(&edit, index->rel, VS_EDIT_BUILD);
	page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
	vs_hnsw_init_page(g, page, HNSW_PAGE_NODE);

	for (uint32 i = 0; i < n; i++)
	{
		VsHnswNode *node = vs_hnsw_page_node(g, page, i);
		VsHnswSlots slots = vs_hnsw_node_slots(g, node);
		uint32		built = build->order[first + i];
		VsSpoolRow	row;

		vs_spool_read_row(build->spool, build->node_rows[built], &row);
		*node = form_header(build, built, row.exponent);
		memcpy(vs_hnsw_node_vector(node), row.halves, sizeof(uint16) * g->dim);
		vs_hnsw_set_slots(g, &slots, links,
						  vs_hnsw_form_links(index, build->graph, built, 0,
											 numbering, links));
	}
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
	return n;
}

/* Write a node that takes several pages. */
static void
write_node_run(Build *build, uint32 node, const VsHnswNumbering *numbering,
			   VsHnswLink *links)
{
	VsSpoolRow	row;
	VsHnswNode	header;
	uint32		id;

	vs_spool_read_row(build->spool, build->node_rows[node], &row);
	header = form_header(build, node, row.exponent);
	id = vs_hnsw_write_new_node(build->index, &header, row.halves, links,
								vs_hnsw_form_links(build->index, build->graph, node, 0,
												   numbering, links),
								VS_EDIT_BUILD);
	if (id != numbering->node_ids[node])
		elog(ERROR, "node of an hnsw build was written to an unexpected place");
}

/* Write the graph and the vectors of its nodes. */
static void
write_graph(Build *build)
{
	VsHnswIndex *index = build->index;
	const VsHnswGeometry *g = &index->geometry;
	uint32		nnodes = vs_hnsw_memgraph_nnodes(build->graph);
	VsHnswLink *links = palloc(sizeof(VsHnswLink) * g->m0);
	VsHnswNumbering numbering;
	BlockNumber first_block = RelationGetNumberOfBlocks(index->rel);
	BlockNumber nblocks = (nnodes + g->nodes_per_page - 1) / g->nodes_per_page *
		g->npages;

	begin_phase(PHASE_WRITE, nnodes);
	order_nodes(build);
	numbering.node_ids = number_nodes(build, first_block);
	numbering.first_upper_block = first_block + nblocks;

	for (uint32 i = 0; i < nnodes;)
	{
		if (g->npages > 1)
			write_node_run(build, build->order[i++], &numbering, links);
		else
			i += write_node_page(build, i, &numbering, links);
		report_tuple(i);
	}
	vs_hnsw_write_upper_pages(index, build->graph, &numbering, VS_EDIT_BUILD);
	vs_hnsw_set_entry(index, build->graph, &numbering);
}

/* Insert the rows behind the first "skip" one by one. */
static void
insert_rows(Build *build, uint64 skip)
{
	VsHnswIndex *index = build->index;
	uint64		nrows = vs_spool_nrows(build->spool);
	VsSpoolRow	row;
	uint64		i = 0;

	begin_phase(PHASE_INSERT, nrows - skip);
	vs_spool_rewind(build->spool);
	while (vs_spool_read(build->spool, &row))
	{
		MemoryContext old;

		if (i++ < skip)
			continue;
		old = MemoryContextSwitchTo(build->row_context);
		vs_kernel->f16_to_f32(index->geometry.dim, row.halves,
							  vs_f16vec_scale(row.exponent), build->x);
		vs_hnsw_insert_vector(index, build->x, &row.tid, false, true,
							  VS_EDIT_BUILD);
		vs_hnsw_refresh_entry(index);
		MemoryContextSwitchTo(old);
		MemoryContextReset(build->row_context);
		report_tuple(i - skip);
	}
}

/* Build the graph: train, link in memory, write, insert what did not fit. */
static void
make_graph(Build *build, MemoryContext context)
{
	VsHnswIndex *index = build->index;
	MemoryContext old = MemoryContextSwitchTo(context);
	MemoryContext graph_context;

	index->codec = vs_hnsw_train_codec(index, build->sample->rows,
									   build->sample->n);
	vs_sample_free(build->sample);
	index->meta.state = HNSW_GRAPH;
	vs_hnsw_write_codebook(index, index->codec, VS_EDIT_BUILD);

	graph_context = AllocSetContextCreate(context, "hnsw build graph",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(graph_context);
	build_graph(build);
	write_graph(build);
	MemoryContextSwitchTo(context);
	MemoryContextDelete(graph_context);

	/* The sample was of all rows: centroids are thought of again beyond them. */
	index->meta.trained_nblocks = RelationGetNumberOfBlocks(index->rel);
	vs_hnsw_write_meta(index, VS_EDIT_BUILD);
	if (build->nbuilt < vs_spool_nrows(build->spool))
		insert_rows(build, build->nbuilt);
	MemoryContextSwitchTo(old);
}

IndexBuildResult *
vs_hnsw_build(Relation heap, Relation rel, IndexInfo *indexInfo)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Build		build = {0};
	VsHnswIndex *index = vs_hnsw_open_new(rel);
	int			dim = index->geometry.dim;

	if (RelationGetNumberOfBlocks(rel) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(rel));
	vs_hnsw_check_build_options(rel);

	build.index = index;
	build.x = palloc(sizeof(float) * dim);
	build.halves = palloc(sizeof(uint16) * dim);
	build.sample = vs_sample_create(dim, HNSW_TRAINING_ROWS,
									(Size) maintenance_work_mem * 1024 / 4);
	build.spool = vs_spool_create(dim);
	build.row_context = AllocSetContextCreate(context, "hnsw build row",
											  ALLOCSET_DEFAULT_SIZES);

	begin_phase(PHASE_LOAD, 0);
	result->heap_tuples = table_index_build_scan(heap, rel, indexInfo, true,
												 true, load_row, &build, NULL);
	result->index_tuples = vs_spool_nrows(build.spool);

	vs_hnsw_create_meta(index, VS_EDIT_BUILD);
	if (result->index_tuples >= vs_hnsw_flat_limit(index) &&
		result->index_tuples > 0)
		make_graph(&build, context);
	else
		insert_rows(&build, 0);

	begin_phase(PHASE_LOG, 0);
	vs_edit_log_build(rel);

	vs_spool_free(build.spool);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

void
vs_hnsw_buildempty(Relation rel)
{
	PGAlignedBlock page;
	VsHnswMeta	meta;

	vs_hnsw_check_build_options(rel);
	vs_hnsw_meta_form(&meta, rel);
	vs_page_init((Page) page.data, HNSW_PAGE_META, sizeof(VsHnswMeta));
	memcpy(vs_page_records((Page) page.data), &meta, sizeof(VsHnswMeta));
	vs_edit_write_init_page(rel, HNSW_META_BLOCK, page.data);
}
