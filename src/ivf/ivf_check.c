/*
 * ivf_check.c
 *		Verification of an ivfflat index, for vsearch_check.
 *
 * First each page by itself; then all lists are walked from the directory, and
 * every row's vector is read and encoded anew.  Last, pages that no list led
 * to.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "ivf/ivf_check.h"
#include "ivf/ivf_codes.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

/* One check under way. */
typedef struct Check
{
	VsCheck    *check;
	VsIvfIndex *index;
	BlockNumber nblocks;
	uint16	   *kinds;			/* of each block; 0: nothing usable */
	bool	   *reached;		/* whether a list led to the block */
	bool	   *has_centroid;	/* of each list, whether the root has it */

	/* Of the list being walked, and of a row of it. */
	uint32		list;
	VsIvfEntry	entry;
	float	   *center;
	bool		has_center;
	PGAlignedBlock page;		/* a copy of the list page */
	VsIvfRow	row;
	uint8	   *code;
	float	   *x;
	float	   *scratch;
} Check;

/* VsCheckKinds.nbytes */
static Size
nbytes_of_kind(const void *state, uint16 kind)
{
	return vs_ivf_page_nbytes(&((const Check *) state)->index->geometry, kind);
}

static const VsCheckKinds page_kinds = {
	.first = IVF_PAGE_META,
	.last = IVF_PAGE_VECTORS,
	.meta = IVF_PAGE_META,
	.nbytes = nbytes_of_kind,
};

/* Whether a block is a page of a kind. */
static bool
is_kind(const Check *state, BlockNumber block, uint16 kind)
{
	return block < state->nblocks && state->kinds[block] == kind;
}

/* Whether all pages of a vector are there. */
static bool
has_vector(const Check *state, BlockNumber block)
{
	for (int i = 0; i < state->index->geometry.pages_per_vector; i++)
		if (!is_kind(state, block + i, IVF_PAGE_VECTORS))
			return false;
	return true;
}

/* Note that a list led to the pages of a vector block. */
static void
reach_vectors(Check *state, BlockNumber from, BlockNumber block)
{
	if (!has_vector(state, block))
	{
		vs_check_error(state->check, from, state->list,
					   "block %u is no page of vectors", block);
		return;
	}
	if (state->reached[block])
		vs_check_error(state->check, from, state->list,
					   "block %u has the vectors of another list page, too", block);
	for (int i = 0; i < state->index->geometry.pages_per_vector; i++)
		state->reached[block + i] = true;
}

/* Check the code of the row that was read, which is encoded anew. */
static void
check_code(Check *state, BlockNumber block, const VsIvfSlots *slots, int slot)
{
	VsIvfIndex *index = state->index;
	const VsIvfGeometry *g = &index->geometry;
	VsIvfRow   *row = &state->row;

	vs_ivf_get_code(g, slots, slot, state->code);
	if (vs_ivf_holds_centroids(index, state->list))
		vs_ivf_encode_centroid(index, state->center, state->scratch, row);
	else
		vs_ivf_encode_row(index, state->center, state->scratch, row);
	if (memcmp(row->code, state->code, g->code_nbytes) != 0 ||
		row->factors.add != slots->add[slot] ||
		row->factors.mul != slots->mul[slot] ||
		row->factors.error != slots->error[slot])
		vs_check_error(state->check, block, state->list,
					   "code of slot %d is not that of its vector", slot);
}

/* Whether a list of centroids may have that of another list. */
static bool
may_hold(const Check *state, uint32 list)
{
	const VsIvfMeta *meta = &state->index->meta;
	bool		is_root = state->list == vs_ivf_root(state->index);

	if (meta->ngroups > 0 && is_root)
		return list >= meta->nlists && list < state->list;
	return list < meta->nlists;
}

/* Check a row that is the centroid of a list. */
static void
check_centroid(Check *state, BlockNumber block, const VsIvfSlots *slots, int slot)
{
	VsIvfIndex *index = state->index;
	const VsIvfGeometry *g = &index->geometry;
	uint32		list = vs_ivf_list_of_tid(&slots->tids[slot]);
	VsIvfEntry	entry;

	if (!may_hold(state, list) || state->has_centroid[list])
	{
		vs_check_error(state->check, block, state->list,
					   "slot %d is the centroid of list %u, which %s", slot, list,
					   may_hold(state, list) ? "has one" : "belongs elsewhere");
		return;
	}
	state->has_centroid[list] = true;
	if (g->vectors_per_page == 0)
		return;
	entry = vs_ivf_read_entry(index, list);
	if (entry.center_block != slots->vector_blocks[slot / g->vectors_per_page] ||
		entry.center_record != slot % g->vectors_per_page)
		vs_check_error(state->check, block, state->list,
					   "directory has another centroid of list %u", list);
}

/* Read the vector of a slot into state->row; false if there is none. */
static bool
read_row(Check *state, BlockNumber block, const VsIvfSlots *slots, int slot)
{
	VsIvfIndex *index = state->index;
	const VsIvfGeometry *g = &index->geometry;
	VsIvfVector *vector = &state->row.vector;

	if (g->vectors_per_page == 0)
	{
		vector->exponent = (int16) slots->add[slot];
		vs_ivf_get_code(g, slots, slot, (uint8 *) vector->halves);
	}
	else
	{
		BlockNumber vectors = slots->vector_blocks[slot / g->vectors_per_page];

		if (!has_vector(state, vectors))
			return false;
		vs_ivf_read_vector(index, vectors, slot % g->vectors_per_page, vector);
	}

	vs_kernel->f16_to_f32(g->dim, vector->halves,
						  vs_f16vec_scale(vector->exponent), state->x);
	for (int i = 0; i < g->dim; i++)
		if (!isfinite(state->x[i]))
		{
			vs_check_error(state->check, block, state->list,
						   "element %d of the vector of slot %d is not finite",
						   i + 1, slot);
			return false;
		}
	return true;
}

/* Check a slot in use. */
static void
check_slot(Check *state, BlockNumber block, const VsIvfSlots *slots, int slot)
{
	VsIvfIndex *index = state->index;

	if (vs_ivf_holds_centroids(index, state->list))
		check_centroid(state, block, slots, slot);
	if (!read_row(state, block, slots, slot))
		return;
	if (state->has_center)
		check_code(state, block, slots, slot);
	if (!vs_ivf_holds_centroids(index, state->list))
		vs_check_tid(state->check, &slots->tids[slot],
					 vs_check_vector_digest(index->geometry.dim,
											state->row.vector.exponent,
											state->row.vector.halves),
					 block, state->list);
}

/* Check the slots of the list page that was copied. */
static void
check_slots(Check *state, BlockNumber block, const VsIvfSlots *slots)
{
	const VsIvfGeometry *g = &state->index->geometry;
	int			nlive = 0;

	if (slots->header->nused > g->nslots)
		vs_check_error(state->check, block, state->list,
					   "page has %u slots, and room for %d",
					   slots->header->nused, g->nslots);
	for (int i = 0; i < g->nvector_blocks; i++)
		if (slots->vector_blocks[i] != 0)
			reach_vectors(state, block, slots->vector_blocks[i]);
	for (int i = 0; i < g->nslots; i++)
	{
		if (!ItemPointerIsValid(&slots->tids[i]))
			continue;
		nlive++;
		if (i >= slots->header->nused)
			vs_check_error(state->check, block, state->list,
						   "slot %d is in use, of %u that ever were", i,
						   slots->header->nused);
		check_slot(state, block, slots, i);
	}
	if (nlive != slots->header->nlive)
		vs_check_error(state->check, block, state->list,
					   "page counts %u rows, and has %d", slots->header->nlive,
					   nlive);
}

/* Copy a list page; false if it is none. */
static bool
copy_list_page(Check *state, BlockNumber block)
{
	Buffer		buffer;

	if (!is_kind(state, block, IVF_PAGE_LIST))
		return false;
	buffer = vs_page_read(state->index->rel, block, BUFFER_LOCK_SHARE,
						  IVF_PAGE_LIST);
	memcpy(state->page.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return true;
}

/* Read the centroid of the list. */
static void
read_center(Check *state)
{
	VsIvfIndex *index = state->index;
	const VsIvfGeometry *g = &index->geometry;

	state->has_center = true;
	if (g->vectors_per_page == 0)
		return;
	state->has_center = has_vector(state, state->entry.center_block) &&
		state->entry.center_record < g->vectors_per_page;
	if (state->has_center)
		vs_ivf_read_center(index, &state->entry, state->center);
	else
		vs_check_error(state->check, index->meta.directory_block, state->list,
					   "centroid of the list is missing");
}

/* Walk a list. */
static void
check_list(Check *state, uint32 list)
{
	BlockNumber block;
	BlockNumber from = state->index->meta.directory_block;
	bool		found_insert = false;

	state->list = list;
	state->entry = vs_ivf_read_entry(state->index, list);
	read_center(state);
	block = state->entry.first;
	do
	{
		VsIvfSlots	slots;

		CHECK_FOR_INTERRUPTS();
		if (!copy_list_page(state, block) || state->reached[block])
		{
			vs_check_error(state->check, from, list, "list leads to block %u",
						   block);
			return;
		}
		slots = vs_ivf_page_slots(&state->index->geometry, state->page.data);
		if (slots.header->list != list)
		{
			vs_check_error(state->check, block, list, "page belongs to list %u",
						   slots.header->list);
			return;
		}
		state->reached[block] = true;
		found_insert |= block == state->entry.insert;
		check_slots(state, block, &slots);
		from = block;
		block = slots.header->next;
		if (block <= from)
		{
			vs_check_error(state->check, from, list,
						   "list leads back to block %u", block);
			return;
		}
	} while (block != InvalidBlockNumber);

	if (!found_insert)
		vs_check_error(state->check, state->index->meta.directory_block, list,
					   "inserts begin at block %u, which is not of the list",
					   state->entry.insert);
}

/* Whether the directory is where the metapage says. */
static bool
check_directory(Check *state)
{
	const VsIvfMeta *meta = &state->index->meta;

	for (uint32 i = 0; i <= vs_ivf_root(state->index) / IVF_ENTRIES_PER_PAGE; i++)
		if (!is_kind(state, meta->directory_block + i, IVF_PAGE_DIRECTORY))
		{
			vs_check_error(state->check, meta->directory_block + i, -1,
						   "page is not one of the directory");
			return false;
		}
	return true;
}

/*
 * Pages that no list led to.  Those of a vector over several pages are written
 * before the list page: a crash in between leaves them so.
 */
static void
check_unreached(Check *state)
{
	for (BlockNumber block = 0; block < state->nblocks; block++)
	{
		if (state->reached[block])
			continue;
		if (state->kinds[block] == IVF_PAGE_LIST)
			vs_check_error(state->check, block, -1, "page is not in its list");
		else if (state->kinds[block] == IVF_PAGE_VECTORS)
			vs_check_warning(state->check, block, -1,
							 "page of vectors is not in use");
	}
}

/* Note the pages of the root's own centroid. */
static void
reach_root_center(Check *state)
{
	VsIvfEntry	entry = vs_ivf_read_entry(state->index,
										  vs_ivf_root(state->index));

	for (int i = 0; i < state->index->geometry.pages_per_vector; i++)
		if (entry.center_block + i < state->nblocks)
			state->reached[entry.center_block + i] = true;
}

void
vs_ivf_check(Relation rel, VsCheck *check)
{
	Check		state = {0};
	VsIvfIndex *index = vs_ivf_open(rel);
	const VsIvfGeometry *g = &index->geometry;
	Size		nblocks = RelationGetNumberOfBlocks(rel);

	state.check = check;
	state.index = index;
	state.nblocks = nblocks;
	state.kinds = MemoryContextAllocHuge(CurrentMemoryContext,
										 sizeof(uint16) * nblocks);
	state.reached = MemoryContextAllocExtended(CurrentMemoryContext, nblocks,
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	state.has_centroid = palloc0(vs_ivf_root(index));
	state.center = palloc(sizeof(float) * g->dim);
	state.x = palloc(sizeof(float) * g->dim);
	state.scratch = palloc(sizeof(float) * g->dim);
	vs_ivf_row_init(&state.row, g);
	state.code = palloc(g->code_nbytes);

	vs_check_pages(check, rel, state.nblocks, &page_kinds, &state, state.kinds);
	if (!check_directory(&state))
		return;

	reach_root_center(&state);
	for (uint32 list = 0; list <= vs_ivf_root(index); list++)
		check_list(&state, list);
	for (uint32 list = 0; list < vs_ivf_root(index); list++)
		if (!state.has_centroid[list])
			vs_check_error(check, index->meta.directory_block, list,
						   "list has no centroid");
	check_unreached(&state);
}
