/*
 * hnsw_build.c
 *		CREATE INDEX.
 *
 * The table is read once, into a spool of float16 vectors.  A sample of them
 * trains the codec.  The graph is then built in memory from the spool, on
 * compact codes, and written together with the spool's vectors.  Where
 * maintenance_work_mem has no room for it, it is built in parts and joined.
 * Nothing is WAL-logged until all pages are made.  Workers take part in all
 * that takes long.
 */
#include "postgres.h"

#include "commands/progress.h"
#include "hnsw/hnsw_build_private.h"
#include "index/seed.h"
#include "miscadmin.h"
#include "utils/memutils.h"

char *
vs_hnsw_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case HNSW_PHASE_LOAD:
			return "loading tuples";
		case HNSW_PHASE_GRAPH:
			return "building graph";
		case HNSW_PHASE_WRITE:
			return "writing pages";
		case HNSW_PHASE_INSERT:
			return "inserting remaining tuples";
		case HNSW_PHASE_DIVIDE:
			return "dividing tuples";
		case HNSW_PHASE_JOIN:
			return "joining parts";
		case HNSW_PHASE_LOG:
			return "logging pages";
		default:
			return NULL;
	}
}

static const VsBuildMethod build_method = {
	.worker_main = "vs_hnsw_build_worker",
	.shared_nbytes = sizeof(VsHnswBuildShared),
	.load_phase = HNSW_PHASE_LOAD,
	.log_phase = HNSW_PHASE_LOG,
};

/* What a participant has beside the frame's. */
static void
open_build(VsHnswBuild *build)
{
	build->shared = build->base.team->shared;
	build->index = vs_hnsw_open_new(build->base.team->index);
	build->graph_context = AllocSetContextCreate(CurrentMemoryContext,
												 "hnsw build graph",
												 ALLOCSET_DEFAULT_SIZES);
}

/* Insert the rows one by one into an index that stays flat. */
static void
insert_rows(VsHnswBuild *build)
{
	VsBuild    *base = &build->base;
	uint64		nrows = vs_spool_nrows(base->spool);

	vs_team_begin_phase(base->team, HNSW_PHASE_INSERT, nrows);
	for (uint64 i = 0; i < nrows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(base->row_context);
		ItemPointerData tid;

		vs_build_read(base, i, base->x, &tid);
		vs_hnsw_insert_vector(build->index, base->x, &tid, false, true,
							  VS_EDIT_BUILD);
		MemoryContextSwitchTo(old);
		MemoryContextReset(base->row_context);
		vs_team_report(base->team, 1);
	}
}

/* Build the graph of all rows in memory, and write it. */
static void
build_whole(VsHnswBuild *build, const VsHnswMemGraphShape *shape)
{
	uint32		nnodes;

	vs_team_begin_phase(build->base.team, HNSW_PHASE_GRAPH, shape->max_nodes);
	vs_hnsw_build_allocate(build, shape->max_nodes,
						   vs_hnsw_memgraph_nbytes(build->index, shape));
	for (uint32 i = 0; i < shape->max_nodes; i++)
		build->rows[i] = i;
	vs_hnsw_build_draw_levels(build, shape->max_nodes);
	build->shared->nhome = shape->max_nodes;
	vs_hnsw_build_graph(build, shape);

	vs_team_begin_phase(build->base.team, HNSW_PHASE_WRITE,
						vs_hnsw_memgraph_nnodes(build->graph));
	nnodes = vs_hnsw_build_number_nodes(build,
										RelationGetNumberOfBlocks(build->index->rel));
	vs_hnsw_build_write(build, nnodes);
	vs_hnsw_build_write_uppers(build);
	vs_hnsw_build_release(build);
}

/* Train the codec from rows of the spool, and write its codebook. */
static void
train(VsHnswBuild *build)
{
	VsHnswIndex *index = build->index;
	int			n;
	float	   *samples = vs_build_sample(&build->base, HNSW_TRAINING_ROWS,
										  (Size) maintenance_work_mem * 1024 / 4,
										  vs_prng, &n);

	index->codec = vs_hnsw_train_codec(index, samples, n);
	pfree(samples);
	index->meta.state = HNSW_GRAPH;
	vs_hnsw_write_codebook(index, index->codec, VS_EDIT_BUILD);
}

/* Build the graph: train, link in memory, write. */
static void
make_graph(VsHnswBuild *build)
{
	VsHnswIndex *index = build->index;
	VsHnswMemGraphShape shape;
	Size		memory = (Size) maintenance_work_mem * 1024;

	train(build);
	shape = vs_hnsw_build_shape(build, vs_spool_nrows(build->base.spool));
	if (vs_hnsw_build_graph_nbytes(build, &shape) <= memory)
		build_whole(build, &shape);
	else
		vs_hnsw_build_by_parts(build, memory);

	/* The sample was of all rows: centroids are thought of again beyond them. */
	index->meta.trained_nblocks = RelationGetNumberOfBlocks(index->rel);
	vs_hnsw_write_meta(index, VS_EDIT_BUILD);
}

IndexBuildResult *
vs_hnsw_build(Relation heap, Relation rel, IndexInfo *indexInfo)
{
	VsHnswBuild build = {0};
	uint64		nrows;

	vs_hnsw_check_build_options(rel);
	vs_build_begin(&build.base, heap, rel, indexInfo, &build_method);
	open_build(&build);
	vs_build_load_table(&build.base, indexInfo);
	nrows = vs_spool_nrows(build.base.spool);
	if (nrows >= HNSW_INVALID_ID)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("hnsw index cannot hold more than %u vectors",
						HNSW_INVALID_ID)));

	vs_hnsw_create_meta(build.index, VS_EDIT_BUILD);
	if (nrows >= vs_hnsw_flat_limit(build.index) && nrows > 0)
		make_graph(&build);
	else
		insert_rows(&build);
	vs_build_log(&build.base);
	return vs_build_end(&build.base);
}

/* What a parallel worker runs. */
void
vs_hnsw_build_worker(dsm_segment *segment, shm_toc *toc)
{
	VsHnswBuild build = {0};
	int			task;

	vs_build_join(&build.base, segment, toc, &build_method);
	open_build(&build);
	while ((task = vs_build_next_task(&build.base)) != 0)
		switch (task)
		{
			case HNSW_TASK_GRAPH:
				vs_hnsw_build_join_graph(&build);
				break;
			case HNSW_TASK_WRITE:
				if (vs_hnsw_build_see_graph(&build))
					vs_hnsw_build_write_nodes(&build);
				break;
			default:
				elog(ERROR, "unknown task %d of an hnsw build", task);
		}
	if (build.segment != NULL)
		dsm_detach(build.segment);
	vs_build_leave(&build.base);
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
