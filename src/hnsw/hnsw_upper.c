/*
 * hnsw_upper.c
 *		Places for upper records.
 *
 * Upper pages with room form a chain that begins in the metapage.  A page's
 * VsPageOpaque, whose generation has no other use on upper pages, says whether
 * the page is in the chain and which one follows.  The metapage is always
 * locked before an upper page.
 */
#include "postgres.h"

#include "hnsw/hnsw_nodewrite.h"

/* Values of the generation beside "block + 1 of the next page". */
#define NOT_IN_CHAIN	0
#define END_OF_CHAIN	PG_UINT32_MAX

static inline uint32
encode_next(BlockNumber next)
{
	return next == InvalidBlockNumber ? END_OF_CHAIN : next + 1;
}

static inline BlockNumber
decode_next(uint32 generation)
{
	return generation == END_OF_CHAIN ? InvalidBlockNumber : generation - 1;
}

BlockNumber
vs_hnsw_next_in_chain(Page page)
{
	uint32		generation = vs_page_opaque(page)->generation;

	return generation == NOT_IN_CHAIN ? HNSW_META_BLOCK :
		decode_next(generation);
}

/* The first free upper record on a page, or -1. */
static int
find_free_upper(const VsHnswGeometry *g, Page page)
{
	for (int i = 0; i < g->upper_per_page; i++)
		if (vs_hnsw_page_upper(g, page, i)->state == HNSW_NODE_FREE)
			return i;
	return -1;
}

/* Lock the metapage; index->meta then has the chain's present begin. */
static Buffer
lock_chain(VsHnswIndex *index)
{
	Buffer		buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
									  BUFFER_LOCK_EXCLUSIVE, HNSW_PAGE_META);

	index->meta.upper_block =
		vs_hnsw_page_meta(BufferGetPage(buffer))->upper_block;
	return buffer;
}

/* Note a new begin of the chain, on the metapage in an edit. */
static void
set_chain(VsHnswIndex *index, VsEdit *edit, Buffer meta_buffer, BlockNumber block)
{
	index->meta.upper_block = block;
	vs_hnsw_page_meta(vs_edit_page(edit, meta_buffer,
								   VS_EDIT_CHANGE))->upper_block = block;
}

void
vs_hnsw_chain_upper_page(VsHnswIndex *index, BlockNumber block, VsEditMode mode)
{
	Buffer		meta_buffer = lock_chain(index);
	Buffer		buffer = vs_page_read(index->rel, block, BUFFER_LOCK_EXCLUSIVE,
									  HNSW_PAGE_UPPER);

	if (vs_page_opaque(BufferGetPage(buffer))->generation == NOT_IN_CHAIN)
	{
		VsEdit		edit;
		Page		page;

		vs_edit_begin(&edit, index->rel, mode);
		page = vs_edit_page(&edit, buffer, VS_EDIT_CHANGE);
		vs_page_opaque(page)->generation = encode_next(index->meta.upper_block);
		set_chain(index, &edit, meta_buffer, block);
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta_buffer);
}

/* Take the first page off the chain if it is this one and has no room. */
static void
unchain_full_page(VsHnswIndex *index, BlockNumber block, VsEditMode mode)
{
	Buffer		meta_buffer = lock_chain(index);

	if (index->meta.upper_block == block)
	{
		Buffer		buffer = vs_page_read(index->rel, block,
										  BUFFER_LOCK_EXCLUSIVE,
										  HNSW_PAGE_UPPER);

		if (find_free_upper(&index->geometry, BufferGetPage(buffer)) < 0)
		{
			VsEdit		edit;
			Page		page;
			BlockNumber next;

			vs_edit_begin(&edit, index->rel, mode);
			page = vs_edit_page(&edit, buffer, VS_EDIT_CHANGE);
			next = decode_next(vs_page_opaque(page)->generation);
			vs_page_opaque(page)->generation = NOT_IN_CHAIN;
			set_chain(index, &edit, meta_buffer, next);
			vs_edit_commit(&edit);
		}
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(meta_buffer);
}

/* Add a page of free records to the index and to the chain. */
static void
add_upper_page(VsHnswIndex *index, VsEditMode mode)
{
	Buffer		buffer = vs_hnsw_extend(index);
	BlockNumber block = BufferGetBlockNumber(buffer);
	VsEdit		edit;

	vs_edit_begin(&edit, index->rel, mode);
	vs_hnsw_init_page(&index->geometry, vs_edit_page(&edit, buffer, VS_EDIT_NEW),
					  HNSW_PAGE_UPPER);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);

	vs_hnsw_chain_upper_page(index, block, mode);
}

/* Lock an upper page with a free record, whose position is returned. */
static Buffer
lock_free_upper(VsHnswIndex *index, int *position, VsEditMode mode)
{
	for (;;)
	{
		BlockNumber block = index->meta.upper_block;
		Buffer		buffer;

		if (block == InvalidBlockNumber)
		{
			add_upper_page(index, mode);
			continue;
		}
		buffer = vs_page_read(index->rel, block, BUFFER_LOCK_EXCLUSIVE,
							  HNSW_PAGE_UPPER);
		*position = find_free_upper(&index->geometry, BufferGetPage(buffer));
		if (*position >= 0)
			return buffer;
		UnlockReleaseBuffer(buffer);
		unchain_full_page(index, block, mode);
	}
}

uint32
vs_hnsw_write_new_upper(VsHnswIndex *index, VsHnswUpper *header,
						const VsHnswLink *links, int nlinks, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	int			position;
	Buffer		buffer = lock_free_upper(index, &position, mode);
	BlockNumber block = BufferGetBlockNumber(buffer);
	VsEdit		edit;
	VsHnswUpper *upper;
	VsHnswSlots slots;

	vs_edit_begin(&edit, index->rel, mode);
	upper = vs_hnsw_page_upper(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
							   position);
	header->generation = upper->generation + 1;
	*upper = *header;
	slots = vs_hnsw_upper_slots(g, upper);
	vs_hnsw_set_slots(g, &slots, links, nlinks);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
	return vs_hnsw_upper_number(g, block, position);
}
