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

#include "catalog/index.h"
#include "commands/progress.h"
#include "hnsw/hnsw_build_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
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

/* A participant's view of the build, in the current memory context. */
static VsHnswBuild *
open_build(VsTeam *team)
{
	VsHnswBuild *build = palloc0(sizeof(VsHnswBuild));
	int			dim;

	build->team = team;
	build->shared = team->shared;
	build->index = vs_hnsw_open_new(team->index);
	dim = build->index->geometry.dim;
	build->x = palloc(sizeof(float) * dim);
	build->halves = palloc(sizeof(uint16) * dim);
	build->row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "hnsw build row",
											   ALLOCSET_DEFAULT_SIZES);
	build->graph_context = AllocSetContextCreate(CurrentMemoryContext,
												 "hnsw build graph",
												 ALLOCSET_DEFAULT_SIZES);
	return build;
}

/* Begin a build: with workers, as far as there are any. */
static VsHnswBuild *
begin_build(Relation heap, Relation rel, IndexInfo *indexInfo)
{
	int			nworkers = vs_team_plan_workers(heap, rel, indexInfo);
	Size		nbytes = offsetof(VsHnswBuildShared, spool) +
		vs_spool_shared_nbytes(nworkers + 1);
	VsTeam	   *team = vs_team_create(heap, rel, indexInfo,
									  "vs_hnsw_build_worker", nworkers, nbytes);
	VsHnswBuildShared *shared = team->shared;

	SpinLockInit(&shared->mutex);
	pg_atomic_init_u64(&shared->next, 0);
	if (team->segment != NULL)
	{
		int			nlaunched;

		vs_spool_shared_init(&shared->spool, team->segment, team->nparticipants);
		nlaunched = vs_team_launch(team);
		elog(DEBUG1, "using %d parallel workers", nlaunched);
	}
	return open_build(team);
}

/* Read the table. */
static void
load_table(VsHnswBuild *build, IndexInfo *indexInfo)
{
	vs_team_begin_phase(build->team, HNSW_PHASE_LOAD, 0);
	vs_team_begin_task(build->team, HNSW_TASK_LOAD);
	vs_hnsw_build_load(build, indexInfo);
	vs_team_end_task(build->team);
	vs_spool_begin_reading(build->spool);

	indexInfo->ii_BrokenHotChain = build->shared->broken_hot_chain;
	if (vs_spool_nrows(build->spool) >= HNSW_INVALID_ID)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("hnsw index cannot hold more than %u vectors",
						HNSW_INVALID_ID)));
}

/* Insert the rows one by one into an index that stays flat. */
static void
insert_rows(VsHnswBuild *build)
{
	VsHnswIndex *index = build->index;
	uint64		nrows = vs_spool_nrows(build->spool);

	vs_team_begin_phase(build->team, HNSW_PHASE_INSERT, nrows);
	for (uint64 i = 0; i < nrows; i++)
	{
		VsSpoolRow	row;
		MemoryContext old;

		vs_spool_read(build->spool, i, &row);
		old = MemoryContextSwitchTo(build->row_context);
		vs_kernel->f16_to_f32(index->geometry.dim, row.halves,
							  vs_f16vec_scale(row.exponent), build->x);
		vs_hnsw_insert_vector(index, build->x, &row.tid, false, true,
							  VS_EDIT_BUILD);
		MemoryContextSwitchTo(old);
		MemoryContextReset(build->row_context);
		vs_team_report(build->team, 1);
	}
}

/* Build the graph of all rows in memory, and write it. */
static void
build_whole(VsHnswBuild *build, const VsHnswMemGraphShape *shape)
{
	uint32		nnodes;

	vs_team_begin_phase(build->team, HNSW_PHASE_GRAPH, shape->max_nodes);
	vs_hnsw_build_allocate(build, shape->max_nodes,
						   vs_hnsw_memgraph_nbytes(build->index, shape));
	for (uint32 i = 0; i < shape->max_nodes; i++)
		build->rows[i] = i;
	vs_hnsw_build_draw_levels(build, shape->max_nodes);
	build->shared->nhome = shape->max_nodes;
	vs_hnsw_build_graph(build, shape);

	vs_team_begin_phase(build->team, HNSW_PHASE_WRITE,
						vs_hnsw_memgraph_nnodes(build->graph));
	nnodes = vs_hnsw_build_number_nodes(build,
										RelationGetNumberOfBlocks(build->index->rel));
	vs_hnsw_build_write(build, nnodes);
	vs_hnsw_build_write_uppers(build);
	vs_hnsw_build_release(build);
}

/* Build the graph: train, link in memory, write. */
static void
make_graph(VsHnswBuild *build)
{
	VsHnswIndex *index = build->index;
	VsHnswMemGraphShape shape;
	Size		memory = (Size) maintenance_work_mem * 1024;

	vs_hnsw_build_train(build);
	shape = vs_hnsw_build_shape(build, vs_spool_nrows(build->spool));
	if (vs_hnsw_build_graph_nbytes(build, &shape) <= memory)
		build_whole(build, &shape);
	else
		vs_hnsw_build_by_parts(build, memory);

	/* The sample was of all rows: centroids are thought of again beyond them. */
	index->meta.trained_nblocks = RelationGetNumberOfBlocks(index->rel);
	vs_hnsw_write_meta(index, VS_EDIT_BUILD);
}

/* WAL-log all that was built. */
static void
log_index(VsHnswBuild *build)
{
	VsHnswBuildShared *shared = build->shared;

	vs_team_begin_phase(build->team, HNSW_PHASE_LOG, 0);
	if (!RelationNeedsWAL(build->index->rel))
		return;
	shared->end_block = RelationGetNumberOfBlocks(build->index->rel);
	pg_atomic_write_u64(&shared->next, 0);
	vs_team_begin_task(build->team, HNSW_TASK_LOG);
	vs_hnsw_build_log_pages(build);
	vs_team_end_task(build->team);
}

IndexBuildResult *
vs_hnsw_build(Relation heap, Relation rel, IndexInfo *indexInfo)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	VsHnswBuild *build;

	if (RelationGetNumberOfBlocks(rel) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(rel));
	vs_hnsw_check_build_options(rel);

	build = begin_build(heap, rel, indexInfo);
	load_table(build, indexInfo);
	result->heap_tuples = build->shared->heap_tuples;
	result->index_tuples = vs_spool_nrows(build->spool);

	vs_hnsw_create_meta(build->index, VS_EDIT_BUILD);
	if (result->index_tuples >= vs_hnsw_flat_limit(build->index) &&
		result->index_tuples > 0)
		make_graph(build);
	else
		insert_rows(build);
	log_index(build);

	vs_spool_free(build->spool);
	vs_team_end(build->team);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

/* What a parallel worker runs. */
void
vs_hnsw_build_worker(dsm_segment *segment, shm_toc *toc)
{
	VsTeam	   *team = vs_team_join(segment, toc);
	VsHnswBuild *build = open_build(team);
	int			task;

	vs_spool_shared_attach(&build->shared->spool, segment);
	while ((task = vs_team_next_task(team)) != 0)
		switch (task)
		{
			case HNSW_TASK_LOAD:
				{
					IndexInfo  *indexInfo = BuildIndexInfo(team->index);

					indexInfo->ii_Concurrent = team->is_concurrent;
					vs_hnsw_build_load(build, indexInfo);
					break;
				}
			case HNSW_TASK_GRAPH:
				vs_hnsw_build_join_graph(build);
				break;
			case HNSW_TASK_WRITE:
				if (vs_hnsw_build_see_graph(build))
					vs_hnsw_build_write_nodes(build);
				break;
			case HNSW_TASK_LOG:
				vs_hnsw_build_log_pages(build);
				break;
			default:
				elog(ERROR, "unknown task %d of an hnsw build", task);
		}
	if (build->spool != NULL)
		vs_spool_free(build->spool);
	if (build->segment != NULL)
		dsm_detach(build->segment);
	vs_team_leave(team);
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
