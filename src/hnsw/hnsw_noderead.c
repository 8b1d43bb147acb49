/*
 * hnsw_noderead.c
 *		Reading nodes and upper records, whatever pages they take.
 */
#include "postgres.h"

#include "hnsw/hnsw_noderead.h"

void
vs_hnsw_node_copy_init(VsHnswNodeCopy *copy, const VsHnswGeometry *g)
{
	int			capacity = Max(g->m0, g->upper_m);

	memset(copy, 0, sizeof(VsHnswNodeCopy));
	copy->with_vector = true;
	copy->halves = palloc(sizeof(uint16) * g->dim);
	copy->slots = vs_hnsw_slots_at(palloc(vs_hnsw_slots_nbytes(capacity,
															   g->code_nbytes)),
								   capacity);
	copy->estimates = palloc(sizeof(float) * capacity);
}

void
vs_hnsw_prefetch_node(VsHnswIndex *index, uint32 node)
{
	const VsHnswGeometry *g = &index->geometry;

	vs_page_prefetch(index->rel, vs_hnsw_node_block(g, node),
					 vs_hnsw_node_position(g, node) * g->node_nbytes,
					 g->node_nbytes);
}

Buffer
vs_hnsw_lock_node(VsHnswIndex *index, uint32 node, int lockmode)
{
	vs_hnsw_prefetch_node(index, node);
	return vs_page_read(index->rel, vs_hnsw_node_block(&index->geometry, node),
						lockmode, HNSW_PAGE_NODE);
}

Buffer
vs_hnsw_lock_slots(VsHnswIndex *index, uint32 node, int i, int lockmode)
{
	const VsHnswGeometry *g = &index->geometry;

	if (g->npages == 1)
		return vs_hnsw_lock_node(index, node, lockmode);
	return vs_page_read(index->rel,
						vs_hnsw_node_block(g, node) + g->nvector_pages + i,
						lockmode, HNSW_PAGE_SLOTS);
}

Buffer
vs_hnsw_lock_upper(VsHnswIndex *index, uint32 upper, int lockmode)
{
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber block = vs_hnsw_upper_block(g, upper);

	vs_page_prefetch(index->rel, block,
					 vs_hnsw_upper_position(g, upper) * g->upper_nbytes,
					 g->upper_nbytes);
	return vs_page_read(index->rel, block, lockmode, HNSW_PAGE_UPPER);
}

/* Append a page's neighbours to the copy, of whose room "capacity" is left. */
static void
copy_slots(const VsHnswGeometry *g, const VsHnswSlots *slots, int block_capacity,
		   int capacity, const VsRabitqQuery *query, bool with_codes,
		   VsHnswNodeCopy *copy)
{
	int			begin = copy->nlinks;
	int			n = Min(slots->header->nlinks, block_capacity);

	n = Min(n, capacity - begin);
	if (n <= 0)
		return;

	memcpy(copy->slots.links + begin, slots->links, sizeof(uint32) * n);
	if (query != NULL)
	{
		copy->has_newer_codes |= !vs_rabitq_knows(query->codec, n,
												  slots->centroids);
		vs_rabitq_estimate(query, n, slots->codes, g->code_nbytes,
						   slots->factors, slots->centroids,
						   copy->estimates + begin);
	}
	if (with_codes)
	{
		memcpy(copy->slots.factors + begin, slots->factors,
			   sizeof(VsCodeFactors) * n);
		memcpy(copy->slots.dists + begin, slots->dists, sizeof(uint16) * n);
		memcpy(copy->slots.centroids + begin, slots->centroids, n);
		memcpy(copy->slots.kinds + begin, slots->kinds, n);
		memcpy(copy->slots.codes + begin * g->code_nbytes, slots->codes,
			   n * g->code_nbytes);
	}
	copy->nlinks += n;
}

void
vs_hnsw_copy_vector_part(const VsHnswGeometry *g, Page page, int page_of_node,
						 uint16 *halves)
{
	int			begin = page_of_node == 0 ? 0 :
		g->halves_first + (page_of_node - 1) * g->halves_next;
	int			n = page_of_node == 0 ? g->halves_first : g->halves_next;
	const uint16 *source = (const uint16 *)
		(vs_page_records(page) + (page_of_node == 0 ? sizeof(VsHnswNode) : 0));

	memcpy(halves + begin, source, sizeof(uint16) * Min(n, g->dim - begin));
}

/* Compute the distance of the node's vector, wherever that is. */
static void
measure(VsHnswNodeCopy *copy, uint16 *halves)
{
	VsHnswVector vector = {copy->header.exponent, halves};

	if (copy->probe != NULL)
		copy->dist = vs_hnsw_probe_distance(copy->probe, &vector);
}

/*
 * Read the further pages of a node that has pages of its own; false if one is
 * of another generation than the first.
 */
static bool
read_further_pages(VsHnswIndex *index, BlockNumber block,
				   const VsRabitqQuery *query, bool with_codes,
				   VsHnswNodeCopy *copy)
{
	const VsHnswGeometry *g = &index->geometry;
	bool		with_slots = query != NULL || with_codes;
	int			npages = with_slots ? g->npages : g->nvector_pages;

	for (int i = 1; i < npages; i++)
	{
		Buffer		buffer = vs_page_read(index->rel, block + i,
										  BUFFER_LOCK_SHARE, HNSW_PAGE_SLOTS);
		Page		page = BufferGetPage(buffer);
		bool		same = vs_page_opaque(page)->generation ==
			copy->header.generation;

		if (same && i < g->nvector_pages)
			vs_hnsw_copy_vector_part(g, page, i, copy->halves);
		else if (same)
		{
			VsHnswSlots slots = vs_hnsw_page_slots(g, page);

			copy_slots(g, &slots, g->slots_per_block, g->m0, query, with_codes,
					   copy);
		}
		UnlockReleaseBuffer(buffer);
		if (!same)
			return false;
	}
	return true;
}

bool
vs_hnsw_read_node(VsHnswIndex *index, uint32 node, const VsRabitqQuery *query,
				  bool with_codes, VsHnswNodeCopy *copy)
{
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_node(index, node, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(buffer);
	VsHnswNode *record = vs_hnsw_page_node(g, page, vs_hnsw_node_position(g, node));

	copy->nlinks = 0;
	copy->has_newer_codes = false;
	copy->header = *record;
	if (record->state == HNSW_NODE_FREE)
	{
		UnlockReleaseBuffer(buffer);
		return false;
	}

	if (g->npages > 1)
	{
		vs_hnsw_copy_vector_part(g, page, 0, copy->halves);
		UnlockReleaseBuffer(buffer);
		if (!read_further_pages(index, vs_hnsw_node_block(g, node), query,
								with_codes, copy))
			return false;
		measure(copy, copy->halves);
		return true;
	}

	measure(copy, vs_hnsw_node_vector(record));
	if (copy->with_vector)
		memcpy(copy->halves, vs_hnsw_node_vector(record), sizeof(uint16) * g->dim);
	if (query != NULL || with_codes)
	{
		VsHnswSlots slots = vs_hnsw_node_slots(g, record);

		copy_slots(g, &slots, g->slots_per_block, g->m0, query, with_codes,
				   copy);
	}
	UnlockReleaseBuffer(buffer);
	return true;
}

/* Number of an upper record's node one level below. */
static inline uint32
number_below(const VsHnswUpper *record)
{
	return record->level == 1 ? record->node : record->down;
}

bool
vs_hnsw_read_upper(VsHnswIndex *index, uint32 upper, int level,
				   const VsRabitqQuery *query, bool with_codes,
				   VsHnswNodeCopy *copy)
{
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_upper(index, upper, BUFFER_LOCK_SHARE);
	VsHnswUpper *record = vs_hnsw_page_upper(g, BufferGetPage(buffer),
											 vs_hnsw_upper_position(g, upper));
	bool		valid = record->state == HNSW_NODE_LIVE &&
		record->level == level;

	copy->nlinks = 0;
	copy->has_newer_codes = false;
	if (valid)
	{
		VsHnswSlots slots = vs_hnsw_upper_slots(g, record);

		copy_slots(g, &slots, g->upper_m, g->upper_m, query, with_codes, copy);
		copy->below = number_below(record);
	}
	UnlockReleaseBuffer(buffer);
	return valid;
}

uint32
vs_hnsw_upper_node(VsHnswIndex *index, uint32 upper)
{
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_upper(index, upper, BUFFER_LOCK_SHARE);
	VsHnswUpper *record = vs_hnsw_page_upper(g, BufferGetPage(buffer),
											 vs_hnsw_upper_position(g, upper));
	uint32		node = record->state == HNSW_NODE_LIVE ? record->node :
		HNSW_INVALID_ID;

	UnlockReleaseBuffer(buffer);
	return node;
}

uint32
vs_hnsw_upper_below(VsHnswIndex *index, uint32 upper, int level)
{
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_upper(index, upper, BUFFER_LOCK_SHARE);
	VsHnswUpper *record = vs_hnsw_page_upper(g, BufferGetPage(buffer),
											 vs_hnsw_upper_position(g, upper));
	uint32		below = HNSW_INVALID_ID;

	if (record->state == HNSW_NODE_LIVE && record->level == level)
		below = number_below(record);
	UnlockReleaseBuffer(buffer);
	return below;
}

int
vs_hnsw_list_nodes(VsHnswIndex *index, BlockNumber block, uint32 *ids)
{
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = ReadBuffer(index->rel, block);
	Page		page = BufferGetPage(buffer);
	int			n = 0;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (vs_page_kind(page) == HNSW_PAGE_NODE)
		for (int i = 0; i < g->nodes_per_page; i++)
		{
			uint8		state = vs_hnsw_page_node(g, page, i)->state;

			if (state == HNSW_NODE_LIVE || state == HNSW_NODE_LINKING)
				ids[n++] = vs_hnsw_node_number(g, block, i);
		}
	UnlockReleaseBuffer(buffer);
	return n;
}
