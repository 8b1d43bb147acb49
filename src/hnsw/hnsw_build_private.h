/*
 * hnsw_build_private.h
 *		What the files of CREATE INDEX share.
 *
 * hnsw_build.c leads through the phases, hnsw_buildgraph.c links a graph in
 * memory, hnsw_buildwrite.c writes it.  What does not fit memory is divided by
 * hnsw_buildpart.c and joined by hnsw_buildjoin.c.  Every participant of the
 * team has a VsHnswBuild of its own.
 */
#ifndef VS_HNSW_BUILD_PRIVATE_H
#define VS_HNSW_BUILD_PRIVATE_H

#include "postgres.h"

#include "hnsw/hnsw_memgraph.h"
#include "hnsw/hnsw_private.h"
#include "index/build.h"

/* Phases for pg_stat_progress_create_index; 1 is "initializing". */
enum
{
	HNSW_PHASE_LOAD = 2,
	HNSW_PHASE_GRAPH,
	HNSW_PHASE_WRITE,
	HNSW_PHASE_INSERT,
	HNSW_PHASE_DIVIDE,
	HNSW_PHASE_JOIN,
	HNSW_PHASE_LOG
};

/* What the team works on together. */
enum
{
	HNSW_TASK_GRAPH = VS_BUILD_FIRST_TASK,
	HNSW_TASK_WRITE
};

/* The present task, which participants share; set by the leader. */
typedef struct VsHnswBuildShared
{
	VsHnswMeta	meta;			/* knows the codebook */
	dsm_handle	graph_handle;	/* invalid: the leader works alone */
	uint32		max_rows;		/* of the graph's memory */
	uint32		nrows;			/* of the graph */
	uint32		nhome;			/* the graph's first rows, see
								 * hnsw_buildpart.c */
	uint32		nnodes;			/* to write */
	BlockNumber first_block;	/* that they are written to */
} VsHnswBuildShared;

typedef struct VsHnswBuild
{
	VsBuild		base;
	VsHnswBuildShared *shared;
	VsHnswIndex *index;

	/* The graph's memory, see hnsw_buildgraph.c. */
	dsm_segment *segment;		/* NULL where it is private */
	char	   *memory;
	MemoryContext graph_context;	/* of what a process adds to it */
	VsHnswMemGraph *graph;
	uint32	   *rows;			/* the spool's row of each row of the graph */
	uint32	   *order;			/* nodes in the order of writing */
	uint32	   *node_ids;		/* their numbers on disk */
	uint8	   *levels;			/* of each row of the graph */
} VsHnswBuild;

/* The vector of a spooled row. */
static inline VsHnswVector
vs_hnsw_build_vector(const VsSpoolRow *row)
{
	VsHnswVector vector = {.exponent = row->exponent, .halves = row->halves};

	return vector;
}

/* hnsw_buildgraph.c */

/* The shape of the graph of nrows rows. */
extern VsHnswMemGraphShape vs_hnsw_build_shape(const VsHnswBuild *build,
											   uint32 nrows);

/* Bytes that a graph takes, with what lies beside it. */
extern Size vs_hnsw_build_graph_nbytes(const VsHnswBuild *build,
									   const VsHnswMemGraphShape *shape);

/* The most rows of a graph whose memory is at most nbytes; at least 1. */
extern uint32 vs_hnsw_build_fitting_rows(const VsHnswBuild *build,
										 int lowest_level, Size nbytes);

/*
 * Allocate memory for graphs of up to nrows rows and graph_nbytes, shared if
 * it can be.
 */
extern void vs_hnsw_build_allocate(VsHnswBuild *build, uint32 nrows,
								   Size graph_nbytes);
extern void vs_hnsw_build_release(VsHnswBuild *build);

/* Draw levels for the first nrows rows. */
extern void vs_hnsw_build_draw_levels(VsHnswBuild *build, uint32 nrows);

/*
 * Build the graph of the rows that build->rows and build->levels list, all
 * together.
 */
extern void vs_hnsw_build_graph(VsHnswBuild *build,
								const VsHnswMemGraphShape *shape);

/* A worker's share of that. */
extern void vs_hnsw_build_join_graph(VsHnswBuild *build);

/* Load a graph that vs_hnsw_memgraph_save wrote, in place of the present one. */
extern void vs_hnsw_build_load_graph(VsHnswBuild *build, BufFile *file);

/* A worker's look at the present graph; false if it is not shared. */
extern bool vs_hnsw_build_see_graph(VsHnswBuild *build);

/* hnsw_buildwrite.c */

/*
 * Order the nodes of the graph's home rows as they will lie on pages from
 * first_block on, and number them.  Returns how many there are.
 */
extern uint32 vs_hnsw_build_number_nodes(VsHnswBuild *build,
										 BlockNumber first_block);

/* Pages that so many nodes take. */
extern BlockNumber vs_hnsw_build_npages(const VsHnswBuild *build, uint32 nnodes);

/* Whether a node of the graph has a home row. */
extern bool vs_hnsw_build_is_home(const VsHnswBuild *build, uint32 node);

/* Write the first n nodes in that order to new pages, all together. */
extern void vs_hnsw_build_write(VsHnswBuild *build, uint32 n);

/* Write the upper levels of the graph, and note its entry point. */
extern void vs_hnsw_build_write_uppers(VsHnswBuild *build);

/* A participant's share of writing nodes. */
extern void vs_hnsw_build_write_nodes(VsHnswBuild *build);

/* hnsw_buildpart.c, hnsw_buildjoin.c: see there */
typedef struct VsHnswParts VsHnswParts;

/*
 * Divide the rows into parts that overlap, each small enough for memory of
 * nbytes.
 */
extern VsHnswParts *vs_hnsw_parts_divide(VsHnswBuild *build, Size nbytes);
extern int	vs_hnsw_parts_count(const VsHnswParts *parts);

/* Rows of all parts together, and of the largest one. */
extern uint64 vs_hnsw_parts_nrows(const VsHnswParts *parts);
extern uint32 vs_hnsw_parts_max_rows(const VsHnswParts *parts);

/*
 * List the rows of a part in "rows": first those whose home it is, whose number
 * is *nhome, then its guests.  Returns how many there are.
 */
extern uint32 vs_hnsw_parts_list(VsHnswParts *parts, int part, uint32 *rows,
								 uint32 *nhome);
extern void vs_hnsw_parts_free(VsHnswParts *parts);

/* Build a graph that does not fit memory of nbytes, and write it. */
extern void vs_hnsw_build_by_parts(VsHnswBuild *build, Size nbytes);

#endif							/* VS_HNSW_BUILD_PRIVATE_H */
