/*
 * hnsw_check_links.c
 *		Verification of an hnsw index: its links.
 *
 * Every link of a node or an upper record is held against what the first pass
 * knows of its target; besides, how upper records hang together.
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_check_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"

/* Whether the code in a slot is one that a node may have. */
static bool
is_code_of(const VsHnswCheck *state, int slot, uint32 node)
{
	const VsHnswGeometry *g = &state->index->geometry;
	const VsHnswSlots *slots = &state->copy.slots;
	uint64		digest = vs_hnsw_code_digest(g, slots->codes + slot * g->code_nbytes,
											 &slots->factors[slot],
											 slots->centroids[slot]);

	for (int i = 0; i < state->ndigests; i++)
		if (state->digests[(Size) node * state->ndigests + i] == digest)
			return true;
	return false;
}

/*
 * Check one link: from an owner on a level to a target, whose node is known.
 */
static void
check_target(VsHnswCheck *state, BlockNumber block, uint32 owner, int slot,
			 uint32 node)
{
	const VsHnswCheckedNode *target;

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
	else if (!is_code_of(state, slot, node))
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

/* Whether a node is deleted; see README.md, "Vacuum", for what that means. */
static bool
is_deleted(const VsHnswCheck *state, uint32 node)
{
	return node < state->nnodes && state->nodes[node].exists &&
		state->nodes[node].state == HNSW_NODE_DELETED;
}

/*
 * Second pass over a node: its links.  Vacuum frees deleted nodes one by one,
 * and a crash may leave one that leads to others that are free already, or in
 * use again.
 */
static void
check_node_links(VsHnswCheck *state, BlockNumber block, uint32 number)
{
	if (!vs_hnsw_read_node(state->index, number, NULL, true, &state->copy))
		return;
	check_list(state, block, number);
	if (is_deleted(state, number))
		return;
	for (int i = 0; i < state->copy.nlinks; i++)
		check_target(state, block, number, i, state->copy.slots.links[i]);
}

bool
vs_hnsw_read_upper_header(VsHnswCheck *state, uint32 number, VsHnswUpper *header)
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
	VsHnswCheckedNode *info = header->node < state->nnodes ?
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
	if (header->level > 1 && !is_deleted(state, header->node) &&
		(!vs_hnsw_read_upper_header(state, header->down, &below) ||
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

	if (!vs_hnsw_read_upper_header(state, number, &header))
		return;
	check_upper_header(state, block, number, &header);
	if (!vs_hnsw_read_upper(state->index, number, header.level, NULL, true,
							&state->copy))
		return;
	check_list(state, block, number);
	if (is_deleted(state, header.node))
		return;
	for (int i = 0; i < state->copy.nlinks; i++)
	{
		uint32		link = state->copy.slots.links[i];

		if (!vs_hnsw_read_upper_header(state, link, &other) ||
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
		vs_hnsw_check_length(state, block, number, &slots, g->upper_m);
	}
	UnlockReleaseBuffer(buffer);
}

/* Check that nodes reach up to the level that they have by their own word. */
static void
check_levels(VsHnswCheck *state)
{
	for (uint32 i = 0; i < state->nnodes; i++)
	{
		const VsHnswCheckedNode *info = &state->nodes[i];

		if (info->exists && info->state == HNSW_NODE_LIVE &&
			info->level != info->top)
			vs_check_error(state->check,
						   vs_hnsw_node_block(&state->index->geometry, i), i,
						   "node has level %u, and upper records up to level %u",
						   info->level, info->top);
	}
}

void
vs_hnsw_check_links(VsHnswCheck *state)
{
	const VsHnswGeometry *g = &state->index->geometry;

	for (BlockNumber block = 0; block < state->nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		if (state->kinds[block] == HNSW_PAGE_NODE)
			for (int i = 0; i < g->nodes_per_page; i++)
				check_node_links(state, block, vs_hnsw_node_number(g, block, i));
		else if (state->kinds[block] == HNSW_PAGE_UPPER)
		{
			check_upper_page(state, block);
			for (int i = 0; i < g->upper_per_page; i++)
				check_upper(state, block, vs_hnsw_upper_number(g, block, i));
		}
	}
	check_levels(state);
}
