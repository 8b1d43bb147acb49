/*
 * hnsw_linking.c
 *		Linking a node of an index with its neighbours, page by page.
 */
#include "postgres.h"

#include "hnsw/hnsw_linking.h"
#include "hnsw/hnsw_noderead.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

VsHnswLinking *
vs_hnsw_linking_begin(VsHnswIndex *index, const VsHnswVector *vector, uint32 id,
					  int level, VsEditMode mode)
{
	VsHnswLinking *linking = palloc0(sizeof(VsHnswLinking));
	int			dim = index->geometry.dim;
	float	   *x = palloc(sizeof(float) * dim);

	/* Everything derives from the float16 elements that are stored. */
	vs_kernel->f16_to_f32(dim, vector->halves,
						  vs_f16vec_scale(vector->exponent), x);

	linking->index = index;
	linking->mode = mode;
	linking->vector = *vector;
	linking->x = x;
	linking->level = level;
	linking->self.id = id;
	linking->parent = HNSW_INVALID_ID;
	linking->pages = vs_hnsw_pagestore_create(index, true);
	linking->search = vs_hnsw_search_create(vs_hnsw_pagestore_store(linking->pages));
	vs_hnsw_pagestore_bind(linking->pages, x);
	return linking;
}

void
vs_hnsw_linking_form_self(VsHnswLinking *linking)
{
	const VsHnswGeometry *g = &linking->index->geometry;
	float	   *scratch = palloc(sizeof(float) * g->dim);
	uint8	   *code = palloc(g->code_nbytes);

	vs_rabitq_encode(linking->index->codec, linking->x, scratch, code,
					 &linking->self.factors, &linking->self.centroid);
	linking->self.code = code;
	pfree(scratch);
}

void
vs_hnsw_linking_choose(VsHnswLinking *linking)
{
	VsHnswSearch *search = linking->search;
	int			level = search->level;
	const VsHnswGeometry *g = &linking->index->geometry;
	VsHnswLevelLinks *chosen = &linking->chosen[level];
	int			capacity = level == 0 ? g->m0 : g->upper_m;
	int			n = 0;
	VsCandidate *candidates = palloc(sizeof(VsCandidate) *
									 Max(search->results.n, 1));
	uint8	   *kinds = palloc(Max(search->results.n, 1));

	for (Size i = 0; i < search->results.n; i++)
	{
		candidates[n] = search->results.items[i];
		if (level == 0 && candidates[n].id == linking->self.id)
			continue;
		if (level == 0 || vs_hnsw_pagestore_resolve(linking->pages, &candidates[n]))
			n++;
	}
	vs_candidates_sort(candidates, n);
	n = vs_hnsw_select_neighbors(vs_hnsw_pagestore_store(linking->pages), candidates,
								 n, capacity, kinds);

	chosen->n = n;
	chosen->links = palloc(sizeof(VsHnswLink) * Max(n, 1));
	chosen->visits = palloc(sizeof(VsHnswVisit *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		VsHnswLink *link = &chosen->links[i];
		uint8	   *code = palloc(g->code_nbytes);

		link->id = candidates[i].id;
		link->dist = candidates[i].dist;
		link->kind = kinds[i];
		memcpy(code, vs_hnsw_pagestore_code(linking->pages, candidates[i].id,
											&candidates[i], &link->factors,
											&link->centroid), g->code_nbytes);
		link->code = code;
		chosen->visits[i] = palloc(sizeof(VsHnswVisit));
		*chosen->visits[i] = *vs_hnsw_pagestore_visit(linking->pages,
													  candidates[i].tag);
	}
	pfree(candidates);
	pfree(kinds);
}

/* The slot that names a node, or -1. */
static int
find_slot(const VsHnswSlots *slots, int capacity, uint32 node)
{
	int			n = Min(slots->header->nlinks, capacity);

	for (int i = 0; i < n; i++)
		if (slots->links[i] == node)
			return i;
	return -1;
}

/*
 * Change a slot block, of the page in an exclusively locked buffer, so that it
 * names the new node, if that is worth it.  Returns whether that became part
 * of the tree, as wanted.
 */
static bool
place_in_slots(VsHnswLinking *linking, Buffer buffer, VsHnswSlots slots, int capacity,
			   const VsHnswLink *link, bool as_tree)
{
	const VsHnswGeometry *g = &linking->index->geometry;
	int			n = Min(slots.header->nlinks, capacity);
	float		dists[2 * HNSW_MAX_M];
	float		to_new[2 * HNSW_MAX_M];
	uint8		kinds[2 * HNSW_MAX_M];
	VsHnswLink	placed = *link;
	Size		slots_offset = (char *) slots.header -
		(char *) BufferGetPage(buffer);
	VsEdit		edit;
	int			slot;

	memcpy(kinds, slots.kinds, n);
	slot = find_slot(&slots, capacity, link->id);
	if (slot >= 0)
	{
		/* Linked anew: a link that is known can only become one to keep. */
		if (!as_tree || kinds[slot] == HNSW_LINK_TREE)
			return as_tree;
		if (!vs_hnsw_has_tree_room(n, capacity, kinds))
			return false;
		placed.kind = HNSW_LINK_TREE;
	}
	else
	{
		vs_hnsw_decode_dists(&slots, n, dists);
		vs_hnsw_pagestore_estimate(linking->pages, &slots, n, to_new);
		slot = vs_hnsw_place_link(n, capacity, dists, kinds, link->dist, to_new,
								  as_tree, &placed.kind);
		if (slot < 0)
			return false;
	}

	vs_edit_begin(&edit, linking->index->rel, linking->mode);
	slots = vs_hnsw_slots_at((char *) vs_edit_page(&edit, buffer, VS_EDIT_CHANGE) +
							 slots_offset, capacity);
	memcpy(slots.kinds, kinds, n);
	vs_hnsw_set_slot(g, &slots, slot, &placed);
	if (slot == n)
		slots.header->nlinks = n + 1;
	vs_edit_commit(&edit);
	return placed.kind == HNSW_LINK_TREE;
}

/*
 * The slot block of a node that takes a further neighbour: the one that names
 * it already, or the first with room, or else one chosen by its number.
 */
static int
choose_slot_block(VsHnswIndex *index, uint32 node, uint32 new_node)
{
	const VsHnswGeometry *g = &index->geometry;
	int			chosen = -1;

	if (g->nslot_blocks == 1)
		return 0;
	for (int i = 0; i < g->nslot_blocks; i++)
	{
		Buffer		buffer = vs_hnsw_lock_slots(index, node, i, BUFFER_LOCK_SHARE);
		VsHnswSlots slots = vs_hnsw_slots_of_node(g, BufferGetPage(buffer), node);
		bool		is_named = find_slot(&slots, g->slots_per_block, new_node) >= 0;
		bool		has_room = slots.header->nlinks < g->slots_per_block;

		UnlockReleaseBuffer(buffer);
		if (is_named)
			return i;
		if (has_room && chosen < 0)
			chosen = i;
	}
	return chosen >= 0 ? chosen : new_node % g->nslot_blocks;
}

/* Tell a bottom-level neighbour about the new node; true if now in the tree. */
static bool
tell_node(VsHnswLinking *linking, const VsHnswVisit *visit, const VsHnswLink *link,
		  bool as_tree)
{
	VsHnswIndex *index = linking->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer;
	Page		page;
	VsHnswSlots slots;
	bool		current;
	bool		in_tree = false;

	if (g->npages > 1)
	{
		int			i = choose_slot_block(index, visit->id, link->id);

		buffer = vs_page_read(index->rel, vs_hnsw_node_block(g, visit->id) +
							  g->nvector_pages + i, BUFFER_LOCK_EXCLUSIVE,
							  HNSW_PAGE_SLOTS);
		page = BufferGetPage(buffer);
		slots = vs_hnsw_page_slots(g, page);
		current = vs_page_opaque(page)->generation == visit->generation;
	}
	else
	{
		VsHnswNode *node;

		buffer = vs_hnsw_lock_node(index, visit->id, BUFFER_LOCK_EXCLUSIVE);
		page = BufferGetPage(buffer);
		node = vs_hnsw_page_node(g, page, vs_hnsw_node_position(g, visit->id));
		slots = vs_hnsw_node_slots(g, node);
		current = node->generation == visit->generation &&
			node->state != HNSW_NODE_FREE;
	}

	if (current)
		in_tree = place_in_slots(linking, buffer, slots, g->slots_per_block, link,
								 as_tree);
	UnlockReleaseBuffer(buffer);
	return in_tree;
}

/* The same for an upper-level neighbour and the new node's upper record. */
static bool
tell_upper(VsHnswLinking *linking, uint32 upper, int level, const VsHnswVisit *visit,
		   const VsHnswLink *link, bool as_tree)
{
	VsHnswIndex *index = linking->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_upper(index, upper, BUFFER_LOCK_EXCLUSIVE);
	Page		page = BufferGetPage(buffer);
	VsHnswUpper *record = vs_hnsw_page_upper(g, page, vs_hnsw_upper_position(g, upper));
	bool		in_tree = false;

	if (record->state == HNSW_NODE_LIVE && record->level == level &&
		record->node == visit->id)
		in_tree = place_in_slots(linking, buffer, vs_hnsw_upper_slots(g, record),
								 g->upper_m, link, as_tree);
	UnlockReleaseBuffer(buffer);
	return in_tree;
}

bool
vs_hnsw_linking_tell(VsHnswLinking *linking, int level, uint32 id, int i,
					 bool as_tree)
{
	const VsHnswLevelLinks *chosen = &linking->chosen[level];
	uint32		neighbor = chosen->links[i].id;
	VsHnswLink	link = linking->self;
	bool		in_tree;

	link.id = id;
	link.dist = chosen->links[i].dist;
	if (level > 0)
		return tell_upper(linking, neighbor, level, chosen->visits[i], &link,
						  as_tree);
	in_tree = tell_node(linking, chosen->visits[i], &link, as_tree);
	if (in_tree)
		linking->parent = neighbor;
	return in_tree;
}

void
vs_hnsw_linking_tell_level(VsHnswLinking *linking, int level, uint32 id)
{
	bool		in_tree = !vs_hnsw_keeps_tree(linking->index);

	/* The nearest that can makes the node part of the tree. */
	for (int i = 0; i < linking->chosen[level].n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		in_tree |= vs_hnsw_linking_tell(linking, level, id, i, !in_tree);
	}
}

/*
 * Make the new node's link to the neighbour that has it in the tree one that is
 * never given up, if others have not displaced it meanwhile.
 */
static void
keep_parent(const VsHnswLinking *linking, VsHnswSlots *slots, int capacity)
{
	int			n = Min(slots->header->nlinks, capacity);

	for (int i = 0; i < n; i++)
		if (slots->links[i] == linking->parent)
			slots->kinds[i] = HNSW_LINK_TREE;
}

void
vs_hnsw_linking_finish(VsHnswLinking *linking, uint32 id, uint32 generation)
{
	VsHnswIndex *index = linking->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_node(index, id, BUFFER_LOCK_EXCLUSIVE);
	int			position = vs_hnsw_node_position(g, id);
	VsHnswNode *node = vs_hnsw_page_node(g, BufferGetPage(buffer), position);
	VsEdit		edit;

	if (node->state == HNSW_NODE_LINKING && node->generation == generation)
	{
		vs_edit_begin(&edit, index->rel, linking->mode);
		node = vs_hnsw_page_node(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
								 position);
		node->state = HNSW_NODE_LIVE;
		node->level = linking->level;
		if (g->npages == 1)
		{
			VsHnswSlots slots = vs_hnsw_node_slots(g, node);

			keep_parent(linking, &slots, g->slots_per_block);
		}
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
}
