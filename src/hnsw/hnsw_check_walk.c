/*
 * hnsw_check_walk.c
 *		Verification of an hnsw index: what searches can reach.
 */
#include "postgres.h"

#include "hnsw/hnsw_check_private.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Check the entry point; false if there is none to walk from. */
static bool
check_entry(VsHnswCheck *state)
{
	const VsHnswMeta *meta = &state->index->meta;
	VsHnswUpper header;

	if (meta->entry_level < 0)
		return false;
	if (meta->entry_level == 0)
	{
		if (meta->entry < state->nnodes && state->nodes[meta->entry].exists &&
			state->nodes[meta->entry].state != HNSW_NODE_FREE)
			return true;
	}
	else if (vs_hnsw_read_upper_header(state, meta->entry, &header) &&
			 header.level == meta->entry_level && header.node < state->nnodes)
		return true;

	vs_check_error(state->check, HNSW_META_BLOCK, -1,
				   "entry point %u of level %d does not exist", meta->entry,
				   meta->entry_level);
	return false;
}

/* A set of numbers still to be visited, none twice. */
typedef struct Frontier
{
	uint32	   *stack;
	uint32		depth;
	bool	   *reached;
	uint32		limit;			/* numbers are below */
} Frontier;

static Frontier
frontier_create(uint32 limit)
{
	Frontier	frontier = {.limit = limit};

	frontier.stack = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(uint32) * ((Size) limit + 1));
	frontier.reached = MemoryContextAllocExtended(CurrentMemoryContext,
												  (Size) limit + 1,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return frontier;
}

static void
frontier_add(Frontier *frontier, uint32 number)
{
	if (number >= frontier->limit || frontier->reached[number])
		return;
	frontier->reached[number] = true;
	frontier->stack[frontier->depth++] = number;
}

/*
 * Walk the upper levels from the entry point, as far as links lead, and gather
 * the nodes of the bottom level that they lead down to.
 */
static void
walk_uppers(VsHnswCheck *state, Frontier *nodes)
{
	const VsHnswGeometry *g = &state->index->geometry;
	Frontier	uppers = frontier_create(vs_hnsw_upper_number(g, state->nblocks, 0));

	frontier_add(&uppers, state->index->meta.entry);
	while (uppers.depth > 0)
	{
		uint32		number = uppers.stack[--uppers.depth];
		VsHnswUpper header;

		CHECK_FOR_INTERRUPTS();
		if (!vs_hnsw_read_upper_header(state, number, &header) ||
			!vs_hnsw_read_upper(state->index, number, header.level, NULL, true,
								&state->copy))
			continue;
		for (int i = 0; i < state->copy.nlinks; i++)
			frontier_add(&uppers, state->copy.slots.links[i]);
		if (header.level > 1)
			frontier_add(&uppers, header.down);
		else
			frontier_add(nodes, header.node);
	}
	pfree(uppers.stack);
	pfree(uppers.reached);
}

/* Walk the whole graph from the entry point. */
static void
walk_graph(VsHnswCheck *state)
{
	Frontier	nodes = frontier_create(state->nnodes);

	if (state->index->meta.entry_level > 0)
		walk_uppers(state, &nodes);
	else
		frontier_add(&nodes, state->index->meta.entry);

	while (nodes.depth > 0)
	{
		uint32		number = nodes.stack[--nodes.depth];

		CHECK_FOR_INTERRUPTS();
		if (!state->nodes[number].exists ||
			!vs_hnsw_read_node(state->index, number, NULL, true, &state->copy))
			continue;
		state->nodes[number].reached = true;
		for (int i = 0; i < state->copy.nlinks; i++)
			frontier_add(&nodes, state->copy.slots.links[i]);
	}
	pfree(nodes.stack);
	pfree(nodes.reached);
}

/*
 * The share of nodes that the graph may fail to reach.  A few are normal for
 * HNSW: others that were nearer displaced them from every list.  By inner
 * product short vectors are nobody's neighbours, and a few links a node cannot
 * keep a graph together.
 */
static double
tolerated_share(const VsHnswCheck *state)
{
	if (!vs_hnsw_keeps_tree(state->index) || state->index->meta.m < 8)
		return 1.0;
	return 0.05;
}

/* Report what searches cannot find but by the sweep at their end. */
static void
report_unreached(VsHnswCheck *state)
{
	int64		nlive = 0;
	int64		nunreached = 0;
	int64		nlinking = 0;

	for (uint32 i = 0; i < state->nnodes; i++)
	{
		const VsHnswCheckedNode *info = &state->nodes[i];

		if (!info->exists || info->state == HNSW_NODE_FREE ||
			info->state == HNSW_NODE_DELETED)
			continue;
		nlive++;
		if (info->state == HNSW_NODE_LINKING)
			nlinking++;
		else if (!info->reached)
			nunreached++;
	}

	if (nlive > 0 && state->index->meta.entry_level < 0)
		vs_check_error(state->check, HNSW_META_BLOCK, -1,
					   "there are nodes but no entry point");
	else if (nunreached > nlive * tolerated_share(state))
		vs_check_error(state->check, -1, -1,
					   INT64_FORMAT " of " INT64_FORMAT " nodes are not reachable",
					   nunreached, nlive);
	else if (nunreached > 0)
		vs_check_warning(state->check, -1, -1,
						 INT64_FORMAT " of " INT64_FORMAT " nodes are not reachable",
						 nunreached, nlive);
	if (nlinking > 0)
		vs_check_warning(state->check, -1, -1,
						 INT64_FORMAT " nodes were left by interrupted inserts, for vacuum to finish",
						 nlinking);
}

void
vs_hnsw_check_reachable(VsHnswCheck *state)
{
	if (check_entry(state))
		walk_graph(state);
	report_unreached(state);
}
