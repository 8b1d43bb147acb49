/*
 * hnsw_check.c
 *		Verification of an hnsw index, for vsearch_check.
 *
 * First all nodes are read and encoded anew, here; what their codes should be
 * is kept as a digest.  Then every link is held against its target's digest
 * (hnsw_check_links.c), and the graph is walked from the entry point
 * (hnsw_check_walk.c).
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "hnsw/hnsw_check.h"
#include "hnsw/hnsw_check_private.h"
#include "hnsw/hnsw_nodewrite.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "utils/memutils.h"

uint64
vs_hnsw_code_digest(const VsHnswGeometry *g, const uint8 *code,
					const VsCodeFactors *factors, uint8 centroid)
{
	uint64		digest = hash_bytes_extended(code, g->code_nbytes, centroid);

	return hash_combine64(digest,
						  hash_bytes_extended((const unsigned char *) factors,
											  sizeof(*factors), 0));
}

/* Check the header of a node that was read. */
static void
check_header(VsHnswCheck *state, BlockNumber block, uint32 number)
{
	const VsHnswNode *header = &state->copy.header;
	uint64		digest = vs_check_vector_digest(state->index->geometry.dim,
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

void
vs_hnsw_check_length(VsHnswCheck *state, BlockNumber block, uint32 number,
					 const VsHnswSlots *slots, int capacity)
{
	if (slots->header->nlinks > capacity)
		vs_check_error(state->check, block, number,
					   "list has %u links, and room for %d",
					   slots->header->nlinks, capacity);
}

/* Check the lengths of a node's lists. */
static void
check_node_lengths(VsHnswCheck *state, uint32 number)
{
	VsHnswIndex *index = state->index;
	const VsHnswGeometry *g = &index->geometry;

	for (int i = 0; i < g->nslot_blocks; i++)
	{
		Buffer		buffer = vs_hnsw_lock_slots(index, number, i,
												BUFFER_LOCK_SHARE);
		VsHnswSlots slots = vs_hnsw_slots_of_node(g, BufferGetPage(buffer),
												  number);

		vs_hnsw_check_length(state, BufferGetBlockNumber(buffer), number, &slots,
							 g->slots_per_block);
		UnlockReleaseBuffer(buffer);
	}
}

/*
 * Note the codes that a node, whose vector is in state->x, may have in lists:
 * that of the nearest centroid now, and those of the nearest ones before
 * further centroids were appended.
 */
static void
note_codes(VsHnswCheck *state, uint32 number)
{
	VsRabitq	codec = *state->index->codec;
	uint64	   *digests = state->digests + (Size) number * state->ndigests;

	for (int i = 0; i < state->ndigests; i++)
	{
		VsCodeFactors factors;
		uint8		centroid;

		vs_rabitq_encode(&codec, state->x, state->scratch, state->code, &factors,
						 &centroid);
		digests[i] = vs_hnsw_code_digest(&state->index->geometry, state->code,
										 &factors, centroid);
		if (codec.bits == VS_RABITQ_FLOAT16_BITS || centroid < HNSW_CENTROIDS)
			break;

		/* Go back to before that centroid came. */
		codec.ncentroids = HNSW_CENTROIDS + (centroid - HNSW_CENTROIDS) /
			HNSW_MORE_CENTROIDS * HNSW_MORE_CENTROIDS;
	}
}

/* First pass over a node: what it is, and what its code should be. */
static void
examine_node(VsHnswCheck *state, BlockNumber block, uint32 number, uint8 raw_state)
{
	VsHnswIndex *index = state->index;
	VsHnswCheckedNode *info = &state->nodes[number];

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
	check_node_lengths(state, number);
	if (check_vector(state, block, number) && index->codec != NULL)
		note_codes(state, number);
}

/* VsCheckKinds.examine: first pass over a node page. */
static void
examine_page(void *arg, BlockNumber block, uint16 kind)
{
	VsHnswCheck *state = arg;
	const VsHnswGeometry *g = &state->index->geometry;

	if (kind != HNSW_PAGE_NODE)
		return;
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

/* VsCheckKinds.nbytes */
static Size
nbytes_of_kind(const void *state, uint16 kind)
{
	return vs_hnsw_page_nbytes(&((const VsHnswCheck *) state)->index->geometry,
							   kind);
}

static const VsCheckKinds page_kinds = {
	.first = HNSW_PAGE_META,
	.last = HNSW_PAGE_UPPER,
	.meta = HNSW_PAGE_META,
	.nbytes = nbytes_of_kind,
	.examine = examine_page,
};

/* Check that the chain of upper pages with room has only such and an end. */
static void
check_chain(VsHnswCheck *state)
{
	BlockNumber block = state->index->meta.upper_block;
	BlockNumber from = HNSW_META_BLOCK;
	BlockNumber nsteps = 0;

	while (block != InvalidBlockNumber)
	{
		Buffer		buffer;

		if (block >= state->nblocks || state->kinds[block] != HNSW_PAGE_UPPER ||
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

void
vs_hnsw_check(Relation rel, VsCheck *check)
{
	VsHnswCheck state = {0};
	VsHnswIndex *index = vs_hnsw_open(rel);
	const VsHnswGeometry *g = &index->geometry;

	state.check = check;
	state.index = index;
	state.nblocks = RelationGetNumberOfBlocks(rel);
	state.nnodes = vs_hnsw_node_number(g, state.nblocks, 0);
	state.nodes = MemoryContextAllocExtended(CurrentMemoryContext,
											 sizeof(VsHnswCheckedNode) * ((Size) state.nnodes + 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	state.ndigests = 1 + Max(index->meta.ncentroids - HNSW_CENTROIDS, 0) /
		HNSW_MORE_CENTROIDS;
	state.digests = MemoryContextAllocExtended(CurrentMemoryContext,
											   sizeof(uint64) * state.ndigests *
											   ((Size) state.nnodes + 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	state.kinds = MemoryContextAllocHuge(CurrentMemoryContext,
										 sizeof(uint16) * (Size) state.nblocks);
	vs_hnsw_node_copy_init(&state.copy, g);
	state.x = palloc(sizeof(float) * g->dim);
	state.scratch = palloc(sizeof(float) * g->dim);
	state.code = palloc(g->code_nbytes);

	vs_check_pages(check, rel, state.nblocks, &page_kinds, &state, state.kinds);
	check_meta(&state);
	check_chain(&state);
	if (index->meta.state == HNSW_GRAPH)
	{
		vs_hnsw_check_links(&state);
		vs_hnsw_check_reachable(&state);
	}
}
