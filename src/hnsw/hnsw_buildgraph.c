/*
 * hnsw_buildgraph.c
 *		CREATE INDEX: linking a graph in memory.
 *
 * One block of memory, shared if there are workers, holds the graph and three
 * numbers for each of its rows or nodes.
 */
#include "postgres.h"

#include "hnsw/hnsw_build_private.h"
#include "miscadmin.h"
#include "storage/dsm.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Rows that a participant takes at a time. */
#define ROWS_TAKEN 8

/* Bytes beside the graph: an element of rows, order, node_ids and levels. */
#define ROW_NBYTES (3 * sizeof(uint32) + sizeof(uint8))

VsHnswMemGraphShape
vs_hnsw_build_shape(const VsHnswBuild *build, uint32 nrows)
{
	VsHnswMemGraphShape shape = {
		.max_nodes = nrows,
		.nparticipants = build->base.team->nparticipants,
	};

	return shape;
}

/* Bytes of what lies in front of the graph. */
static Size
beside_nbytes(uint32 max_rows)
{
	return CACHELINEALIGN(mul_size(ROW_NBYTES, max_rows));
}

Size
vs_hnsw_build_graph_nbytes(const VsHnswBuild *build,
						   const VsHnswMemGraphShape *shape)
{
	return add_size(vs_hnsw_memgraph_nbytes(build->index, shape),
					beside_nbytes(shape->max_nodes));
}

uint32
vs_hnsw_build_fitting_rows(const VsHnswBuild *build, int lowest_level,
						   Size nbytes)
{
	VsHnswMemGraphShape shape = vs_hnsw_build_shape(build, 0);
	uint32		fitting = 1;
	uint32		too_many = vs_spool_nrows(build->base.spool) + 1;

	shape.lowest_level = lowest_level;
	while (too_many - fitting > 1)
	{
		shape.max_nodes = fitting + (too_many - fitting) / 2;
		if (vs_hnsw_build_graph_nbytes(build, &shape) <= nbytes)
			fitting = shape.max_nodes;
		else
			too_many = shape.max_nodes;
	}
	return fitting;
}

/* Find the arrays in the memory. */
static void
lay_out(VsHnswBuild *build, char *memory, uint32 max_rows)
{
	build->rows = (uint32 *) memory;
	build->order = build->rows + max_rows;
	build->node_ids = build->order + max_rows;
	build->levels = (uint8 *) (build->node_ids + max_rows);
	build->memory = memory + beside_nbytes(max_rows);
}

void
vs_hnsw_build_allocate(VsHnswBuild *build, uint32 nrows, Size graph_nbytes)
{
	VsHnswBuildShared *shared = build->shared;
	Size		nbytes = add_size(graph_nbytes, beside_nbytes(nrows));
	char	   *memory;

	shared->graph_handle = DSM_HANDLE_INVALID;
	shared->max_rows = nrows;
	if (build->base.team->segment != NULL)
	{
		char	   *reason = NULL;

		build->segment = vs_build_try_segment(nbytes, &reason);
		if (build->segment == NULL)
			ereport(NOTICE,
					(errmsg("hnsw graph is built by one process because there is not enough shared memory"),
					 errdetail("%zu MB are needed: %s.",
							   nbytes / (1024 * 1024) + 1, reason),
					 errhint("Give /dev/shm more room, or choose another dynamic_shared_memory_type.")));
	}

	if (build->segment != NULL)
	{
		shared->graph_handle = dsm_segment_handle(build->segment);
		memory = dsm_segment_address(build->segment);
	}
	else
		memory = palloc_extended(nbytes, MCXT_ALLOC_HUGE);
	lay_out(build, memory, nrows);
}

void
vs_hnsw_build_release(VsHnswBuild *build)
{
	if (build->segment != NULL)
		dsm_detach(build->segment);
	else
		pfree(build->rows);
	build->segment = NULL;
	build->rows = NULL;
}

/* Forget the last graph, and switch to where the next one will live. */
static MemoryContext
begin_graph(VsHnswBuild *build)
{
	MemoryContextReset(build->graph_context);
	return MemoryContextSwitchTo(build->graph_context);
}

void
vs_hnsw_build_draw_levels(VsHnswBuild *build, uint32 nrows)
{
	for (uint32 i = 0; i < nrows; i++)
		build->levels[i] = vs_hnsw_random_level(build->index->geometry.m);
}

/* Add a row of the graph. */
static void
add_row(VsHnswBuild *build, uint32 i)
{
	VsSpoolRow	row;
	VsHnswVector vector;

	vs_spool_read(build->base.spool, build->rows[i], &row);
	vector = vs_hnsw_build_vector(&row);
	vs_hnsw_memgraph_add(build->graph, &vector, i, build->levels[i]);
	vs_team_report(build->base.team, 1);
}

/* Add rows until all are taken. */
static void
add_rows(VsHnswBuild *build)
{
	uint32		nrows = build->shared->nrows;
	uint64		begin;

	while ((begin = vs_team_take(build->base.team, ROWS_TAKEN)) < nrows)
		for (uint64 i = begin; i < Min(begin + ROWS_TAKEN, nrows); i++)
			add_row(build, i);
}

void
vs_hnsw_build_graph(VsHnswBuild *build, const VsHnswMemGraphShape *shape)
{
	VsHnswBuildShared *shared = build->shared;
	MemoryContext old = begin_graph(build);

	Assert(shape->max_nodes <= shared->max_rows);
	build->graph = vs_hnsw_memgraph_create(build->index, shape, build->memory);
	shared->meta = build->index->meta;
	shared->nrows = shape->max_nodes;
	vs_team_deal(build->base.team, 1);

	/* The others need somewhere to begin. */
	add_row(build, 0);
	vs_team_begin_task(build->base.team, HNSW_TASK_GRAPH);
	add_rows(build);
	vs_team_end_task(build->base.team);
	MemoryContextSwitchTo(old);
}

void
vs_hnsw_build_load_graph(VsHnswBuild *build, BufFile *file)
{
	MemoryContext old = begin_graph(build);

	build->graph = vs_hnsw_memgraph_load(build->index, file, build->memory);
	MemoryContextSwitchTo(old);
}

bool
vs_hnsw_build_see_graph(VsHnswBuild *build)
{
	VsHnswBuildShared *shared = build->shared;
	VsHnswIndex *index = build->index;
	MemoryContext old;

	if (shared->graph_handle == DSM_HANDLE_INVALID)
		return false;
	if (build->segment == NULL)
	{
		build->segment = dsm_attach(shared->graph_handle);
		if (build->segment == NULL)
			elog(ERROR, "could not attach to the memory of an hnsw build");
		lay_out(build, dsm_segment_address(build->segment), shared->max_rows);
		index->meta = shared->meta;
		index->codec = vs_hnsw_acquire_codec(index->rel, &index->meta);
	}
	old = begin_graph(build);
	build->graph = vs_hnsw_memgraph_join(index, build->memory,
										 build->base.team->participant);
	MemoryContextSwitchTo(old);
	return true;
}

void
vs_hnsw_build_join_graph(VsHnswBuild *build)
{
	if (vs_hnsw_build_see_graph(build))
		add_rows(build);
}
