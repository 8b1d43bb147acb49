/*
 * hnsw_nodewrite.c
 *		Writing nodes and their neighbours.
 *
 * Free places of nodes are found through the free space map, which lists node
 * pages (the first ones of nodes with several) that may have one; it is a hint
 * and checked under lock.
 */
#include "postgres.h"

#include "hnsw/hnsw_nodewrite.h"
#include "kernel/kernel.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"

/* The largest distance that a slot can hold. */
#define MAX_SLOT_DIST 65504.0f

void
vs_hnsw_init_page(const VsHnswGeometry *g, Page page, uint16 kind)
{
	vs_page_init(page, kind, vs_hnsw_page_nbytes(g, kind));
}

void
vs_hnsw_set_slot(const VsHnswGeometry *g, VsHnswSlots *slots, int i,
				 const VsHnswLink *link)
{
	float		dist = Min(Max(link->dist, -MAX_SLOT_DIST), MAX_SLOT_DIST);

	slots->links[i] = link->id;
	slots->factors[i] = link->factors;
	vs_kernel->f32_to_f16(1, &dist, 1.0f, &slots->dists[i]);
	slots->centroids[i] = link->centroid;
	slots->kinds[i] = link->kind;
	memcpy(slots->codes + i * g->code_nbytes, link->code, g->code_nbytes);
}

void
vs_hnsw_set_slots(const VsHnswGeometry *g, VsHnswSlots *slots, const VsHnswLink *links,
				  int nlinks)
{
	slots->header->nlinks = nlinks;
	slots->header->unused = 0;
	for (int i = 0; i < nlinks; i++)
		vs_hnsw_set_slot(g, slots, i, &links[i]);
}

void
vs_hnsw_decode_dists(const VsHnswSlots *slots, int n, float *dists)
{
	vs_kernel->f16_to_f32(n, slots->dists, 1.0f, dists);
}

void
vs_hnsw_set_vector_part(const VsHnswGeometry *g, Page page, int page_of_node,
						const uint16 *halves)
{
	int			begin = page_of_node == 0 ? 0 :
		g->halves_first + (page_of_node - 1) * g->halves_next;
	int			n = page_of_node == 0 ? g->halves_first : g->halves_next;
	uint16	   *target = (uint16 *)
		(vs_page_records(page) + (page_of_node == 0 ? sizeof(VsHnswNode) : 0));

	memcpy(target, halves + begin, sizeof(uint16) * Min(n, g->dim - begin));
}

void
vs_hnsw_require_numbers(VsHnswIndex *index, uint64 nblocks)
{
	const VsHnswGeometry *g = &index->geometry;
	int			per_page = Max(g->nodes_per_page, g->upper_per_page);

	if (nblocks > HNSW_INVALID_ID / per_page)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot grow any further",
						RelationGetRelationName(index->rel)),
				 errhint("Partition the table.")));
}

/* The same for a new page. */
static void
require_number(VsHnswIndex *index, Buffer buffer)
{
	vs_hnsw_require_numbers(index, (uint64) BufferGetBlockNumber(buffer) + 1);
}

Buffer
vs_hnsw_extend(VsHnswIndex *index)
{
	Buffer		buffer = vs_page_extend_locked(index->rel);

	require_number(index, buffer);
	return buffer;
}

/* The first free node on a page, or -1; counts all in *nfree. */
static int
find_free_node(const VsHnswGeometry *g, Page page, int *nfree)
{
	int			first = -1;

	*nfree = 0;
	for (int i = 0; i < g->nodes_per_page; i++)
		if (vs_hnsw_page_node(g, page, i)->state == HNSW_NODE_FREE)
		{
			(*nfree)++;
			if (first < 0)
				first = i;
		}
	return first;
}

/*
 * Whether the index has the pages of the node(s) that begin at a block.  The
 * free space map is not WAL-logged: after a crash it may name pages that the
 * index has lost.
 */
static bool
places_exist(VsHnswIndex *index, BlockNumber block)
{
	BlockNumber last = block + (index->geometry.npages - 1);

	return last >= block && vs_page_exists(index->rel, last);
}

/*
 * Lock a node page with a free place, or a new page.  Returns the place, and
 * how many there are with it.
 */
static Buffer
lock_free_node(VsHnswIndex *index, int *position, int *nfree, bool *is_new)
{
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer;
	BlockNumber block;

	while ((block = GetFreeIndexPage(index->rel)) != InvalidBlockNumber)
	{
		Page		page;

		if (!places_exist(index, block))
			continue;
		buffer = ReadBuffer(index->rel, block);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		page = BufferGetPage(buffer);
		*is_new = PageIsNew(page);
		if (*is_new)
			break;
		if (vs_page_kind(page) == HNSW_PAGE_NODE)
		{
			*position = find_free_node(g, page, nfree);
			if (*position >= 0)
				return buffer;
		}
		UnlockReleaseBuffer(buffer);
	}

	/* Pages of zeroes come from vacuum, through the map, or from extending. */
	if (block == InvalidBlockNumber)
		buffer = vs_hnsw_extend(index);
	else
		require_number(index, buffer);
	*position = 0;
	*nfree = g->nodes_per_page;
	*is_new = true;
	return buffer;
}

/* Write a node that shares its page with others. */
static uint32
write_shared_node(VsHnswIndex *index, VsHnswNode *header, const uint16 *halves,
				  const VsHnswLink *links, int nlinks, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	VsEdit		edit;
	Buffer		buffer;
	BlockNumber block;
	Page		page;
	VsHnswNode *node;
	VsHnswSlots slots;
	int			position;
	int			nfree;
	bool		is_new;

	buffer = lock_free_node(index, &position, &nfree, &is_new);
	block = BufferGetBlockNumber(buffer);

	vs_edit_begin(&edit, index->rel, mode);
	page = vs_edit_page(&edit, buffer, is_new ? VS_EDIT_NEW : VS_EDIT_CHANGE);
	if (is_new)
		vs_hnsw_init_page(g, page, HNSW_PAGE_NODE);

	node = vs_hnsw_page_node(g, page, position);
	header->generation = node->generation + 1;
	*node = *header;
	memcpy(vs_hnsw_node_vector(node), halves, sizeof(uint16) * g->dim);
	slots = vs_hnsw_node_slots(g, node);
	vs_hnsw_set_slots(g, &slots, links, nlinks);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);

	/* The map's upper levels too, or nobody would find the page. */
	if (nfree > 1)
	{
		RecordFreeIndexPage(index->rel, block);
		FreeSpaceMapVacuumRange(index->rel, block, block + 1);
	}
	return vs_hnsw_node_number(g, block, position);
}

/*
 * Find pages for a node that takes several.  Pins them all, locks the first
 * one, and gives the generation that the place had before.
 */
static void
find_own_pages(VsHnswIndex *index, Buffer *buffers, uint32 *generation,
			   bool *is_new)
{
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber block;

	while ((block = GetFreeIndexPage(index->rel)) != InvalidBlockNumber)
	{
		Page		page;

		if (!places_exist(index, block))
			continue;
		buffers[0] = ReadBuffer(index->rel, block);
		LockBuffer(buffers[0], BUFFER_LOCK_EXCLUSIVE);
		page = BufferGetPage(buffers[0]);
		if (vs_page_kind(page) == HNSW_PAGE_NODE &&
			vs_hnsw_page_node(g, page, 0)->state == HNSW_NODE_FREE)
		{
			*generation = vs_hnsw_page_node(g, page, 0)->generation;
			*is_new = false;
			for (int i = 1; i < g->npages; i++)
				buffers[i] = ReadBuffer(index->rel, block + i);
			return;
		}
		UnlockReleaseBuffer(buffers[0]);
	}

	vs_page_extend(index->rel, g->npages, buffers);
	require_number(index, buffers[0]);
	LockBuffer(buffers[0], BUFFER_LOCK_EXCLUSIVE);
	*generation = 0;
	*is_new = true;
}

/* Write one page of a node that takes several; the page is locked. */
static void
write_own_page(VsHnswIndex *index, Buffer buffer, int page_of_node, bool is_new,
			   const VsHnswNode *header, const uint16 *halves,
			   const VsHnswLink *links, int nlinks, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	VsEdit		edit;
	Page		page;

	vs_edit_begin(&edit, index->rel, mode);
	page = vs_edit_page(&edit, buffer, is_new ? VS_EDIT_NEW : VS_EDIT_CHANGE);
	vs_hnsw_init_page(g, page,
					  page_of_node == 0 ? HNSW_PAGE_NODE : HNSW_PAGE_SLOTS);
	vs_page_opaque(page)->generation = header->generation;

	if (page_of_node < g->nvector_pages)
		vs_hnsw_set_vector_part(g, page, page_of_node, halves);
	else
	{
		VsHnswSlots slots = vs_hnsw_page_slots(g, page);
		int			begin = (page_of_node - g->nvector_pages) * g->slots_per_block;
		int			n = Min(Max(nlinks - begin, 0), g->slots_per_block);

		vs_hnsw_set_slots(g, &slots, links + begin, n);
	}
	if (page_of_node == 0)
		*vs_hnsw_page_node(g, page, 0) = *header;
	vs_edit_commit(&edit);
}

/*
 * Write a node on pages of its own.  The first page is locked throughout and
 * written last: until then the node is free for everybody else.
 */
static uint32
write_own_pages(VsHnswIndex *index, VsHnswNode *header, const uint16 *halves,
				const VsHnswLink *links, int nlinks, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	Buffer	   *buffers = palloc(sizeof(Buffer) * g->npages);
	BlockNumber block;
	uint32		generation;
	bool		is_new;

	find_own_pages(index, buffers, &generation, &is_new);
	block = BufferGetBlockNumber(buffers[0]);
	header->generation = generation + 1;

	for (int i = 1; i < g->npages; i++)
	{
		LockBuffer(buffers[i], BUFFER_LOCK_EXCLUSIVE);
		write_own_page(index, buffers[i], i, is_new, header, halves, links,
					   nlinks, mode);
		UnlockReleaseBuffer(buffers[i]);
	}
	write_own_page(index, buffers[0], 0, is_new, header, halves, links, nlinks,
				   mode);
	UnlockReleaseBuffer(buffers[0]);
	pfree(buffers);
	return vs_hnsw_node_number(g, block, 0);
}

uint32
vs_hnsw_write_new_node(VsHnswIndex *index, VsHnswNode *header, const uint16 *halves,
					   const VsHnswLink *links, int nlinks, VsEditMode mode)
{
	if (index->geometry.npages > 1)
		return write_own_pages(index, header, halves, links, nlinks, mode);
	return write_shared_node(index, header, halves, links, nlinks, mode);
}
