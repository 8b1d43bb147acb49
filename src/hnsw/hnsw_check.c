/*
 * hnsw_check.c
 *		Verification of an hnsw index, for vsearch_check.
 *
 * First all nodes are read and encoded anew; what their codes should be is
 * kept as a digest.  Then every link is held against its target's digest, and
 * the graph is walked from the entry point.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "hnsw/hnsw_check.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_nodewrite.h"
#include "index/check.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "utils/memutils.h"

/* What is known of a node's place after the first pass. */
typedef struct NodeInfo
{
	uint64		digest;			/* of its code, factors and centroid */
	uint8		state;
	uint8		level;
	uint8		top;			/* level of its highest upper record, or 0 */
	bool		exists;			/* the place is one of a node page */
	bool		reached;
} NodeInfo;

typedef struct VsHnswCheck
{
	VsCheck    *check;
	VsHnswIndex *index;
	BlockNumber nblocks;
	uint32		nnodes;			/* places, of all blocks */
	NodeInfo   *nodes;
	VsHnswNodeCopy copy;
	float	   *x;
	float	   *scratch;
	uint8	   *code;
} VsHnswCheck;

/* Digest of a code with all that belongs to it. */
static uint64
code_digest(const VsHnswGeometry *g, const uint8 *code,
			const VsCodeFactors *factors, uint8 centroid)
{
	uint64		digest = hash_bytes_extended(code, g->code_nbytes, centroid);

	return hash_combine64(digest,
						  hash_bytes_extended((const unsigned char *) factors,
											  sizeof(*factors), 0));
}

/* Digest of a vector, to be held against the table's. */
static uint64
vector_digest(int dim, int exponent, const uint16 *halves)
{
	return hash_bytes_extended((const unsigned char *) halves,
							   sizeof(uint16) * dim, exponent);
}

/* Check one page's bookkeeping; returns its kind, 0 if there is nothing. */
static uint16
check_page(VsHnswCheck *state, BlockNumber block)
{
	Buffer		buffer = ReadBuffer(state->index->rel, block);
	Page		page = BufferGetPage(buffer);
	uint16		kind;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	kind = vs_page_kind(page);
	if (kind == 0)
	{
		if (!PageIsNew(page))
			vs_check_error(state->check, block, -1, "page is not one of ours");
	}
	else if (kind < HNSW_PAGE_META || kind > HNSW_PAGE_UPPER ||
			 (kind == HNSW_PAGE_META) != (block == HNSW_META_BLOCK))
	{
		vs_check_error(state->check, block, -1, "unexpected page kind %u", kind);
		kind = 0;
	}
	else if (!vs_page_is_sound(page, vs_hnsw_page_nbytes(&state->index->geometry,
														 kind)))
		vs_check_error(state->check, block, -1,
					   "page bounds do not fit page kind %u", kind);
	UnlockReleaseBuffer(buffer);
	return kind;
}

/* Check the header of a node that was read. */
static void
check_header(VsHnswCheck *state, BlockNumber block, uint32 number)
{
	const VsHnswNode *header = &state->copy.header;
	uint64		digest = vector_digest(state->index->geometry.dim,
									   header->exponent, state->copy.halves);

	if (header->ntids > HNSW_NODE_TIDS)
		vs_check_error(state->check, block, number, "node has %u heap TIDs",
					   header->ntids);
	else if (header->ntids == 0 && header->state != HNSW_NODE_DELETED)
		vs_check_error(state->check, block, number, "node in use has no heap TID");
	else if (header->ntids > 0 && header->state == HNSW_NODE_DELETED)
		vs_check_error(state->check, block, number, "deleted node has heap TIDs");
	if (header->level > HNSW_MAX_LEVEL)
		vs_check_error(state->check, block, number, "node has level %u",
					   header->level);
	if (header->generation == 0)
		vs_check_error(state->check, block, number,
					   "node in use has no generation");
	for (int i = 0; i < Min(header->ntids, HNSW_NODE_TIDS); i++)
		vs_check_tid(state->check, &header->tids[i], digest, block, number);
}

/* Check the vector of a node that was read; true if it can be encoded. */
static bool
check_vector(VsHnswCheck *state, BlockNumber block, uint32 number)
{
	const VsHnswGeometry *g = &state->index->geometry;

	vs_kernel->f16_to_f32(g->dim, state->copy.halves,
						  vs_f16vec_scale(state->copy.header.exponent),
						  state->x);
	for (int i = 0; i < g->dim; i++)
		if (!isfinite(state->x[i]))
		{
			vs_check_error(state->check, block, number,
						   "element %d of the vector is not finite", i + 1);
			return false;
		}
	return true;
}

/* Check that a list has not more links than room. */
static void
check_length(VsHnswCheck *state, BlockNumber block, uint32 number,
			 const VsHnswSlots *slots, int capacity)
{
	if (slots->header->nlinks > capacity)
		vs_check_error(state->check, block, number,
					   "list has %u links, and room for %d",
					   slots->header->nlinks, capacity);
}

/* Check the lengths of a node's lists. */
static void
check_node_lengths(VsHnswCheck *state, BlockNumber block, uint32 number)
{
	VsHnswIndex *index = state->index;
	const VsHnswGeometry *g = &index->geometry;

	for (int i = 0; i < g->nslot_blocks; i++)
	{
		BlockNumber slot_block = block + (g->npages > 1 ? g->nvector_pages + i : 0);
		Buffer		buffer = vs_page_read(index->rel, slot_block,
										  BUFFER_LOCK_SHARE,
										  g->npages > 1 ? HNSW_PAGE_SLOTS :
										  HNSW_PAGE_NODE);
		Page		page = BufferGetPage(buffer);
		VsHnswSlots slots = g->npages > 1 ? vs_hnsw_page_slots(g, page) :
			vs_hnsw_node_slots(g, vs_hnsw_page_node(g, page,
													vs_hnsw_node_position(g, number)));

		check_length(state, slot_block, number, &slots, g->slots_per_block);
		UnlockReleaseBuffer(buffer);
	}
}

/* First pass over a node: what it is, and what its code should be. */
static void
examine_node(VsHnswCheck *state, BlockNumber block, uint32 number, uint8 raw_state)
{
	VsHnswIndex *index = state->index;
	const VsHnswGeometry *g = &index->geometry;
	NodeInfo   *info = &state->nodes[number];

	info->exists = true;
	info->state = raw_state;
	if (raw_state == HNSW_NODE_FREE)
		return;
	if (raw_state > HNSW_NODE_DELETED)
	{
		vs_check_error(state->check, block, number, "node has state %u",
					   raw_state);
		info->state = HNSW_NODE_FREE;
		return;
	}
	if (!vs_hnsw_read_node(index, number, NULL, true, &state->copy))
	{
		vs_check_error(state->check, block, number,
					   "pages of the node have different generations");
		info->state = HNSW_NODE_FREE;
		return;
	}

	info->level = state->copy.header.level;
	check_header(state, block, number);
	check_node_lengths(state, block, number);
	if (check_vector(state, block, number) && index->codec != NULL)
	{
		VsCodeFactors factors;
		uint8		centroid;

		vs_rabitq_encode(index->codec, state->x, state->scratch, state->code,
						 &factors, &centroid);
		info->digest = code_digest(g, state->code, &factors, centroid);
	}
}

/* First pass over a node page. */
static void
examine_node_page(VsHnswCheck *state, BlockNumber block)
{
	const VsHnswGeometry *g = &state->index->geometry;

	for (int i = 0; i < g->nodes_per_page; i++)
	{
		uint32		number = vs_hnsw_node_number(g, block, i);
		Buffer		buffer = vs_hnsw_lock_node(state->index, number,
											   BUFFER_LOCK_SHARE);
		uint8		raw_state = vs_hnsw_page_node(g, BufferGetPage(buffer), i)->state;

		UnlockReleaseBuffer(buffer);
		examine_node(state, block, number, raw_state);
	}
}

/*
 * Check one link: from an owner on a level to a target, whose node is known.
 */
static void
check_target(VsHnswCheck *state, BlockNumber block, uint32 owner, int slot,
			 uint32 node)
{
	const VsHnswGeometry *g = &state->index->geometry;
	const VsHnswSlots *slots = &state->copy.slots;
	const NodeInfo *target;

	if (node >= state->nnodes || !state->nodes[node].exists)
	{
		vs_check_error(state->check, block, owner,
					   "link %d leads to %u, where there is no node", slot, node);
		return;
	}
	target = &state->nodes[node];
	if (target->state == HNSW_NODE_FREE)
		vs_check_error(state->check, block, owner,
					   "link %d leads to %u, which is free", slot, node);
	else if (target->digest != code_digest(g, slots->codes + slot * g->code_nbytes,
										   &slots->factors[slot],
										   slots->centroids[slot]))
		vs_check_error(state->check, block, owner,
					   "code of link %d is not that of node %u", slot, node);
}

/* Check what can be told of a list of links without looking at targets. */
static void
check_list(VsHnswCheck *state, BlockNumber block, uint32 owner)
{
	const VsHnswSlots *slots = &state->copy.slots;

	for (int i = 0; i < state->copy.nlinks; i++)
	{
		float		dist;

		if (slots->links[i] == owner)
			vs_check_error(state->check, block, owner, "link %d leads to itself", i);
		for (int j = 0; j < i; j++)
			if (slots->links[j] == slots->links[i])
				vs_check_error(state->check, block, owner,
							   "links %d and %d lead to the same node", j, i);
		vs_kernel->f16_to_f32(1, &slots->dists[i], 1.0f, &dist);
		if (!isfinite(dist))
			vs_check_error(state->check, block, owner,
						   "distance of link %d is not finite", i);
		if (slots->kinds[i] > HNSW_LINK_TREE)
			vs_check_error(state->check, block, owner,
						   "kind of link %d is %u", i, slots->kinds[i]);
	}
}

/* Second pass over a node: its links. */
static void
check_node_links(VsHnswCheck *state, BlockNumber block, uint32 number)
{
	if (!vs_hnsw_read_node(state->index, number, NULL, true, &state->copy))
		return;
	check_list(state, block, number);
	for (int i = 0; i < state->copy.nlinks; i++)
		check_target(state, block, number, i, state->copy.slots.links[i]);
}

/* Read the header of an upper record anywhere; false if there is none. */
static bool
read_upper_header(VsHnswCheck *state, uint32 number, VsHnswUpper *header)
{
	const VsHnswGeometry *g = &state->index->geometry;
	BlockNumber block = vs_hnsw_upper_block(g, number);
	Buffer		buffer;
	bool		found = false;

	if (block >= state->nblocks)
		return false;
	buffer = ReadBuffer(state->index->rel, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (vs_page_kind(BufferGetPage(buffer)) == HNSW_PAGE_UPPER)
	{
		VsHnswUpper *upper = vs_hnsw_page_upper(g, BufferGetPage(buffer),
												vs_hnsw_upper_position(g, number));

		*header = *upper;
		found = header->state == HNSW_NODE_LIVE;
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

/* Check an upper record's header: its node, and the record below. */
static void
check_upper_header(VsHnswCheck *state, BlockNumber block, uint32 number,
				   const VsHnswUpper *header)
{
	NodeInfo   *info = header->node < state->nnodes ?
		&state->nodes[header->node] : NULL;
	VsHnswUpper below;

	if (header->level < 1 || header->level > HNSW_MAX_LEVEL)
		vs_check_error(state->check, block, number, "upper record has level %u",
					   header->level);
	if (info == NULL || !info->exists || info->state == HNSW_NODE_FREE)
		vs_check_error(state->check, block, number,
					   "upper record stands for node %u, which is not in use",
					   header->node);
	else
		info->top = Max(info->top, header->level);
	if (header->level > 1 &&
		(!read_upper_header(state, header->down, &below) ||
		 below.node != header->node || below.level != header->level - 1))
		vs_check_error(state->check, block, number,
					   "record below is not that of the same node");
}

/* Check an upper record: its header, its links. */
static void
check_upper(VsHnswCheck *state, BlockNumber block, uint32 number)
{
	VsHnswUpper header;
	VsHnswUpper other;

	if (!read_upper_header(state, number, &header))
		return;
	check_upper_header(state, block, number, &header);
	if (!vs_hnsw_read_upper(state->index, number, header.level, NULL, true,
							&state->copy))
		return;
	check_list(state, block, number);
	for (int i = 0; i < state->copy.nlinks; i++)
	{
		uint32		link = state->copy.slots.links[i];

		if (!read_upper_header(state, link, &other) ||
			other.level != header.level)
			vs_check_error(state->check, block, number,
						   "link %d leads to %u, where there is no record of level %u",
						   i, link, header.level);
		else
			check_target(state, block, number, i, other.node);
	}
}

/* Check what tells which places of an upper page are in use. */
static void
check_upper_page(VsHnswCheck *state, BlockNumber block)
{
	const VsHnswGeometry *g = &state->index->geometry;
	Buffer		buffer = vs_page_read(state->index->rel, block,
									  BUFFER_LOCK_SHARE, HNSW_PAGE_UPPER);

	for (int i = 0; i < g->upper_per_page; i++)
	{
		VsHnswUpper *upper = vs_hnsw_page_upper(g, BufferGetPage(buffer), i);
		VsHnswSlots slots = vs_hnsw_upper_slots(g, upper);
		uint32		number = vs_hnsw_upper_number(g, block, i);

		if (upper->state != HNSW_NODE_FREE && upper->state != HNSW_NODE_LIVE)
			vs_check_error(state->check, block, number,
						   "upper record has state %u", upper->state);
		check_length(state, block, number, &slots, g->upper_m);
	}
	UnlockReleaseBuffer(buffer);
}

/* Check that nodes reach up to the level that they have by their own word. */
static void
check_levels(VsHnswCheck *state)
{
	for (uint32 i = 0; i < state->nnodes; i++)
	{
		const NodeInfo *info = &state->nodes[i];

		if (info->exists && info->state == HNSW_NODE_LIVE &&
			info->level != info->top)
			vs_check_error(state->check,
						   vs_hnsw_node_block(&state->index->geometry, i), i,
						   "node has level %u, and upper records up to level %u",
						   info->level, info->top);
	}
}

/* Check that the chain of upper pages with room has only such and an end. */
static void
check_chain(VsHnswCheck *state, const uint16 *kinds)
{
	BlockNumber block = state->index->meta.upper_block;
	BlockNumber from = HNSW_META_BLOCK;
	BlockNumber nsteps = 0;

	while (block != InvalidBlockNumber)
	{
		Buffer		buffer;

		if (block >= state->nblocks || kinds[block] != HNSW_PAGE_UPPER ||
			++nsteps > state->nblocks)
		{
			vs_check_error(state->check, from, -1,
						   "chain of upper pages leads to block %u", block);
			return;
		}
		buffer = vs_page_read(state->index->rel, block, BUFFER_LOCK_SHARE,
							  HNSW_PAGE_UPPER);
		from = block;
		block = vs_hnsw_next_in_chain(BufferGetPage(buffer));
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Check what the metapage says beside the entry point. */
static void
check_meta(VsHnswCheck *state)
{
	const VsHnswMeta *meta = &state->index->meta;

	if (meta->state == HNSW_FLAT &&
		(meta->entry_level >= 0 || meta->codebook_block != InvalidBlockNumber))
		vs_check_error(state->check, HNSW_META_BLOCK, -1,
					   "index without a graph has an entry point or a codebook");
}

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
	else if (read_upper_header(state, meta->entry, &header) &&
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
		if (!read_upper_header(state, number, &header) ||
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
		const NodeInfo *info = &state->nodes[i];

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

/* Check all links and reachability of an index with a graph. */
static void
check_graph(VsHnswCheck *state, const uint16 *kinds)
{
	const VsHnswGeometry *g = &state->index->geometry;

	for (BlockNumber block = 0; block < state->nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		if (kinds[block] == HNSW_PAGE_NODE)
			for (int i = 0; i < g->nodes_per_page; i++)
				check_node_links(state, block, vs_hnsw_node_number(g, block, i));
		else if (kinds[block] == HNSW_PAGE_UPPER)
		{
			check_upper_page(state, block);
			for (int i = 0; i < g->upper_per_page; i++)
				check_upper(state, block, vs_hnsw_upper_number(g, block, i));
		}
	}
	check_levels(state);

	if (check_entry(state))
		walk_graph(state);
	report_unreached(state);
}

void
vs_hnsw_check(Relation rel, VsCheck *check)
{
	VsHnswCheck state = {0};
	VsHnswIndex *index = vs_hnsw_open(rel);
	const VsHnswGeometry *g = &index->geometry;
	uint16	   *kinds;

	state.check = check;
	state.index = index;
	state.nblocks = RelationGetNumberOfBlocks(rel);
	state.nnodes = vs_hnsw_node_number(g, state.nblocks, 0);
	state.nodes = MemoryContextAllocExtended(CurrentMemoryContext,
											 sizeof(NodeInfo) * ((Size) state.nnodes + 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	kinds = MemoryContextAllocHuge(CurrentMemoryContext,
								   sizeof(uint16) * (Size) state.nblocks);
	vs_hnsw_node_copy_init(&state.copy, g);
	state.x = palloc(sizeof(float) * g->dim);
	state.scratch = palloc(sizeof(float) * g->dim);
	state.code = palloc(g->code_nbytes);

	for (BlockNumber block = 0; block < state.nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		kinds[block] = check_page(&state, block);
		if (kinds[block] == HNSW_PAGE_NODE)
			examine_node_page(&state, block);
	}
	check_meta(&state);
	check_chain(&state, kinds);
	if (index->meta.state == HNSW_GRAPH)
		check_graph(&state, kinds);
}

bool
vs_hnsw_digest_value(Relation rel, Datum value, uint64 *digest)
{
	const VsOpclass *opclass = vs_opclass_of_index(rel);
	int			dim = vs_opclass_index_dim(rel, opclass, "hnsw");
	float	   *x = palloc(sizeof(float) * dim);
	uint16	   *halves = palloc(sizeof(uint16) * dim);
	bool		indexed = vs_opclass_read(opclass, value, dim, x);

	if (indexed)
	{
		int			exponent = vs_f16vec_encode(dim, x, halves);

		*digest = vector_digest(dim, exponent, halves);
	}
	pfree(x);
	pfree(halves);
	return indexed;
}
