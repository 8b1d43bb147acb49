/*
 * hnsw_buildjoin.c
 *		CREATE INDEX: a graph for which there is no room, by parts.
 *
 * The parts' graphs are built one after another.  A node lies on a page as its
 * home part has it; then its neighbours in the part where it is a guest are
 * added.  The upper levels are one graph, built last.  See README.md, "Build".
 */
#include "postgres.h"

#include "compat.h"
#include "hnsw/hnsw_build_private.h"
#include "hnsw/hnsw_graphwrite.h"
#include "index/seed.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

typedef struct PartJoin
{
	VsHnswBuild *build;
	VsHnswParts *parts;
	BufFile    *file;			/* the parts' graphs */
	uint32	   *places;			/* the node on disk of each row */

	/* Rows of the nodes on upper levels. */
	uint32		nuppers;
	uint32		max_uppers;
	double		upper_share;	/* of those that there is room for */
	uint32	   *upper_rows;
	uint8	   *upper_levels;
} PartJoin;

/* Say that, and why, this takes longer. */
static void
report_parts(const VsHnswBuild *build, const VsHnswParts *parts)
{
	VsHnswMemGraphShape shape =
		vs_hnsw_build_shape(build, vs_spool_nrows(build->base.spool));

	ereport(NOTICE,
			(errmsg("hnsw graph no longer fits into maintenance_work_mem after %u tuples",
					vs_hnsw_parts_max_rows(parts)),
			 errdetail("It is built in %d parts, which takes more time.",
					   vs_hnsw_parts_count(parts)),
			 errhint("Increase maintenance_work_mem to %zu MB to speed up builds.",
					 vs_hnsw_build_graph_nbytes(build, &shape) / (1024 * 1024) + 1)));
}

/* Keep a node for the upper levels, as far as there is room. */
static void
add_upper(PartJoin *join, uint32 node, uint32 row)
{
	VsHnswMemGraph *graph = join->build->graph;

	if (join->nuppers == join->max_uppers ||
		pg_prng_double(vs_prng) > join->upper_share)
	{
		vs_hnsw_memgraph_flatten(graph, node);
		return;
	}
	join->upper_rows[join->nuppers] = row;
	join->upper_levels[join->nuppers] = vs_hnsw_memgraph_level(graph, node);
	join->nuppers++;
}

/*
 * Note where the rows of a part's home nodes will be found.  For the upper
 * levels a node is known by a row that is at home in it: the one that made it
 * may be a guest, whose place is in another part.
 */
static void
note_places(PartJoin *join, uint32 nnodes)
{
	VsHnswBuild *build = join->build;

	for (uint32 i = 0; i < nnodes; i++)
	{
		uint32		node = build->order[i];
		uint32		rows[HNSW_NODE_TIDS];
		int			n = vs_hnsw_memgraph_rows(build->graph, node, rows);
		uint32		home_row = 0;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n; j++)
			if (rows[j] < build->shared->nhome)
			{
				home_row = build->rows[rows[j]];
				join->places[home_row] = build->node_ids[node];
			}
		if (vs_hnsw_memgraph_level(build->graph, node) > 0)
			add_upper(join, node, home_row);
	}
}

/* Build a part's graph, and put it aside; returns its home nodes. */
static uint32
build_part(PartJoin *join, int part, BlockNumber first_block)
{
	VsHnswBuild *build = join->build;
	VsHnswMemGraphShape shape;
	uint32		nhome;
	uint32		nrows = vs_hnsw_parts_list(join->parts, part, build->rows, &nhome);
	uint32		nnodes = 0;

	build->shared->nhome = nhome;
	if (nrows > 0)
	{
		shape = vs_hnsw_build_shape(build, nrows);
		vs_hnsw_build_draw_levels(build, nrows);
		vs_hnsw_build_graph(build, &shape);
		nnodes = vs_hnsw_build_number_nodes(build, first_block);
		note_places(join, nnodes);
	}

	BufFileWrite(join->file, &nrows, sizeof(nrows));
	if (nrows == 0)
		return 0;
	BufFileWrite(join->file, &nhome, sizeof(nhome));
	BufFileWrite(join->file, &nnodes, sizeof(nnodes));
	BufFileWrite(join->file, build->rows, sizeof(uint32) * nrows);
	BufFileWrite(join->file, build->order, sizeof(uint32) * nnodes);
	vs_hnsw_memgraph_save(build->graph, join->file);
	return nnodes;
}

/* Build all parts' graphs; returns their home nodes. */
static uint32
build_parts(PartJoin *join)
{
	VsHnswBuild *build = join->build;
	BlockNumber block = RelationGetNumberOfBlocks(build->index->rel);
	uint32		nnodes = 0;

	vs_team_begin_phase(build->base.team, HNSW_PHASE_GRAPH,
						vs_hnsw_parts_nrows(join->parts));
	for (int part = 0; part < vs_hnsw_parts_count(join->parts); part++)
	{
		uint32		n = build_part(join, part, block);

		block += vs_hnsw_build_npages(build, n);
		nnodes += n;
	}
	return nnodes;
}

/* The node on disk that a node of the present part is. */
static uint32
find_place(const PartJoin *join, uint32 node)
{
	const VsHnswBuild *build = join->build;
	uint32		rows[HNSW_NODE_TIDS];
	int			n = vs_hnsw_memgraph_rows(build->graph, node, rows);

	/* Copies of a guest's vector may be at home here. */
	for (int i = 0; i < n; i++)
		if (rows[i] < build->shared->nhome)
			return join->places[build->rows[rows[i]]];
	return join->places[build->rows[rows[0]]];
}

/* Load the next part's graph; sets *nnodes.  False if the part is empty. */
static bool
load_part(PartJoin *join, uint32 *nnodes)
{
	VsHnswBuild *build = join->build;
	uint32		nrows;

	vs_compat_buffile_read_exact(join->file, &nrows, sizeof(nrows));
	if (nrows == 0)
		return false;
	build->shared->nrows = nrows;
	vs_compat_buffile_read_exact(join->file, &build->shared->nhome,
								 sizeof(uint32));
	vs_compat_buffile_read_exact(join->file, nnodes, sizeof(uint32));
	vs_compat_buffile_read_exact(join->file, build->rows,
								 sizeof(uint32) * nrows);
	vs_compat_buffile_read_exact(join->file, build->order,
								 sizeof(uint32) * *nnodes);
	vs_hnsw_build_load_graph(build, join->file);
	for (uint32 node = 0; node < vs_hnsw_memgraph_nnodes(build->graph); node++)
	{
		CHECK_FOR_INTERRUPTS();
		build->node_ids[node] = find_place(join, node);
	}
	return true;
}

/* Go back to the first part. */
static void
rewind_parts(PartJoin *join)
{
	if (BufFileSeek(join->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in temporary file of an index build: %m")));
}

/* Write the nodes of all parts as their homes have them. */
static void
write_parts(PartJoin *join, uint32 nnodes)
{
	VsHnswBuild *build = join->build;

	vs_team_begin_phase(build->base.team, HNSW_PHASE_WRITE, nnodes);
	rewind_parts(join);
	for (int part = 0; part < vs_hnsw_parts_count(join->parts); part++)
	{
		uint32		n;

		if (load_part(join, &n) && n > 0)
			vs_hnsw_build_write(build, n);
	}
}

/* Which of two nodes comes first on disk. */
static int
compare_places(const void *a, const void *b, void *node_ids)
{
	uint32		left = ((const uint32 *) node_ids)[*(const uint32 *) a];
	uint32		right = ((const uint32 *) node_ids)[*(const uint32 *) b];

	return left < right ? -1 : left > right;
}

/*
 * Add to n nodes on disk, listed in "order", the neighbours that they have on a
 * level of the present graph.
 */
static void
join_nodes(VsHnswBuild *build, uint32 n, int level)
{
	VsHnswNumbering numbering = {.node_ids = build->node_ids};
	MemoryContext old = MemoryContextSwitchTo(build->graph_context);
	VsHnswNodeCopy copy;

	vs_hnsw_node_copy_init(&copy, &build->index->geometry);
	qsort_arg(build->order, n, sizeof(uint32), compare_places, build->node_ids);
	for (uint32 i = 0; i < n; i++)
	{
		vs_hnsw_join_links(build->index, build->graph, build->order[i], level,
						   &numbering, &copy);
		vs_team_report(build->base.team, 1);
	}
	MemoryContextSwitchTo(old);
}

/* Add to the nodes on disk what they have for neighbours as guests. */
static void
join_guests(VsHnswBuild *build)
{
	uint32		n = 0;

	for (uint32 node = 0; node < vs_hnsw_memgraph_nnodes(build->graph); node++)
		if (!vs_hnsw_build_is_home(build, node))
			build->order[n++] = node;
	join_nodes(build, n, 0);
}

/* Join all parts. */
static void
join_parts(PartJoin *join)
{
	VsHnswBuild *build = join->build;

	vs_team_begin_phase(build->base.team, HNSW_PHASE_JOIN,
						vs_hnsw_parts_nrows(join->parts) -
						vs_spool_nrows(build->base.spool));
	rewind_parts(join);
	for (int part = 0; part < vs_hnsw_parts_count(join->parts); part++)
	{
		uint32		n;

		if (load_part(join, &n))
			join_guests(build);
	}
}

/* Build the graph of the upper levels, and write it; join its nodes below. */
static void
build_uppers(PartJoin *join)
{
	VsHnswBuild *build = join->build;
	VsHnswIndex *index = build->index;
	VsHnswMemGraphShape shape = vs_hnsw_build_shape(build, join->nuppers);

	/* Then any node will do to begin at. */
	if (join->nuppers == 0)
	{
		index->meta.entry = join->places[0];
		index->meta.entry_level = 0;
		return;
	}

	shape.lowest_level = 1;
	shape.keeps_duplicates = true;
	memcpy(build->rows, join->upper_rows, sizeof(uint32) * join->nuppers);
	memcpy(build->levels, join->upper_levels, join->nuppers);
	vs_team_begin_phase(build->base.team, HNSW_PHASE_GRAPH, join->nuppers);
	vs_hnsw_build_graph(build, &shape);
	for (uint32 node = 0; node < join->nuppers; node++)
	{
		build->node_ids[node] = find_place(join, node);
		build->order[node] = node;
	}

	/* They are the ways from part to part on the bottom level, too. */
	join_nodes(build, join->nuppers, 1);
	vs_hnsw_build_write_uppers(build);
}

/* Make room for the rows of the upper levels' nodes. */
static void
plan_uppers(PartJoin *join, Size nbytes)
{
	VsHnswBuild *build = join->build;
	double		expected = (double) vs_spool_nrows(build->base.spool) /
		build->index->geometry.m;

	join->max_uppers = Min(vs_hnsw_build_fitting_rows(build, 1, nbytes),
						   vs_hnsw_parts_max_rows(join->parts));
	join->upper_share = Min(1.0, 0.95 * join->max_uppers / expected);
	join->max_uppers = Min(join->max_uppers, 100 + 1.2 * expected);
	join->upper_rows = palloc_extended(sizeof(uint32) * join->max_uppers,
									   MCXT_ALLOC_HUGE);
	join->upper_levels = palloc_extended(join->max_uppers, MCXT_ALLOC_HUGE);
}

/* Allocate memory for the largest of the graphs. */
static void
allocate_memory(PartJoin *join)
{
	VsHnswBuild *build = join->build;
	uint32		max_rows = vs_hnsw_parts_max_rows(join->parts);
	VsHnswMemGraphShape part = vs_hnsw_build_shape(build, max_rows);
	VsHnswMemGraphShape upper = vs_hnsw_build_shape(build, join->max_uppers);

	upper.lowest_level = 1;
	vs_hnsw_build_allocate(build, max_rows,
						   Max(vs_hnsw_memgraph_nbytes(build->index, &part),
							   vs_hnsw_memgraph_nbytes(build->index, &upper)));
}

void
vs_hnsw_build_by_parts(VsHnswBuild *build, Size nbytes)
{
	PartJoin	join = {.build = build};
	uint64		nrows = vs_spool_nrows(build->base.spool);
	Size		rows_nbytes = sizeof(uint32) * nrows;

	/* What is kept of each row counts, and half of the memory is for parts. */
	nbytes = Max(nbytes / 2, nbytes - Min(nbytes, rows_nbytes));
	join.parts = vs_hnsw_parts_divide(build, nbytes);
	report_parts(build, join.parts);

	join.places = palloc_extended(rows_nbytes, MCXT_ALLOC_HUGE);
	join.file = BufFileCreateTemp(false);
	plan_uppers(&join, nbytes);
	allocate_memory(&join);

	write_parts(&join, build_parts(&join));
	join_parts(&join);
	build_uppers(&join);

	vs_hnsw_build_release(build);
	vs_hnsw_parts_free(join.parts);
	BufFileClose(join.file);
	pfree(join.places);
	pfree(join.upper_rows);
	pfree(join.upper_levels);
}
