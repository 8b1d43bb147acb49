/*
 * hnsw_relink.c
 *		Linking a node of the bottom level anew.
 *
 * For vacuum: a node whose insert was cut off, or that has lost too many
 * neighbours.  What links it has it keeps.
 */
#include "postgres.h"

#include "hnsw/hnsw_linking.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_repair.h"
#include "miscadmin.h"

/* Whether a node has another among its neighbours; copy is work space. */
static bool
knows_node(VsHnswIndex *index, uint32 owner, uint32 id, VsHnswNodeCopy *copy)
{
	if (!vs_hnsw_read_node(index, owner, NULL, true, copy))
		return false;
	for (int i = 0; i < copy->nlinks; i++)
		if (copy->slots.links[i] == id)
			return true;
	return false;
}

/* Add the chosen neighbours to a node's own, as far as there is room. */
static void
add_own_links(VsHnswLinking *linking, uint32 id)
{
	VsHnswIndex *index = linking->index;
	const VsHnswGeometry *g = &index->geometry;
	const VsHnswLevelLinks *chosen = &linking->chosen[0];
	int			next = 0;

	for (int i = 0; i < g->nslot_blocks; i++)
	{
		Buffer		buffer = vs_hnsw_lock_slots(index, id, i,
												BUFFER_LOCK_EXCLUSIVE);
		VsEdit		edit;
		VsHnswSlots slots;

		vs_edit_begin(&edit, index->rel, linking->mode);
		slots = vs_hnsw_slots_of_node(g, vs_edit_page(&edit, buffer,
													  VS_EDIT_CHANGE), id);
		while (next < chosen->n && slots.header->nlinks < g->slots_per_block)
			vs_hnsw_set_slot(g, &slots, slots.header->nlinks++,
							 &chosen->links[next++]);
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
	}
}

/* Drop from the chosen neighbours those that a node has already. */
static void
drop_known_links(VsHnswLinking *linking, const VsHnswNodeCopy *copy)
{
	VsHnswLevelLinks *chosen = &linking->chosen[0];
	int			n = 0;

	for (int i = 0; i < chosen->n; i++)
	{
		bool		known = false;

		for (int j = 0; j < copy->nlinks; j++)
			known |= copy->slots.links[j] == chosen->links[i].id;
		if (known)
			continue;
		chosen->links[n] = chosen->links[i];
		chosen->visits[n++] = chosen->visits[i];
	}
	chosen->n = n;
}

/* Tell the chosen neighbours that do not know the node yet. */
static void
tell_others(VsHnswLinking *linking, uint32 id, VsHnswNodeCopy *copy)
{
	const VsHnswLevelLinks *chosen = &linking->chosen[0];
	bool		in_tree = !vs_hnsw_keeps_tree(linking->index);

	for (int i = 0; i < chosen->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!knows_node(linking->index, chosen->links[i].id, id, copy))
			in_tree |= vs_hnsw_linking_tell(linking, 0, id, i, !in_tree);
	}
}

/* Whether searches begin at a node, on whatever level. */
static bool
is_entry(VsHnswIndex *index, uint32 id)
{
	const VsHnswMeta *meta = &index->meta;

	if (meta->entry_level <= 0)
		return meta->entry_level == 0 && meta->entry == id;
	return vs_hnsw_upper_node(index, meta->entry) == id;
}

void
vs_hnsw_relink_node(VsHnswIndex *index, uint32 id, int level)
{
	VsHnswNodeCopy copy;
	VsHnswVector vector;
	VsHnswLinking *linking;
	VsHnswMeta *meta = &index->meta;
	uint32		generation;

	vs_hnsw_node_copy_init(&copy, &index->geometry);
	if (!vs_hnsw_read_node(index, id, NULL, true, &copy) ||
		copy.header.state == HNSW_NODE_DELETED)
		return;
	generation = copy.header.generation;
	vector.exponent = copy.header.exponent;
	vector.halves = palloc(sizeof(uint16) * index->geometry.dim);
	memcpy(vector.halves, copy.halves, sizeof(uint16) * index->geometry.dim);

	vs_hnsw_refresh(index);
	linking = vs_hnsw_linking_begin(index, &vector, id, level, VS_EDIT_LOGGED);
	if (meta->entry_level >= 0)
	{
		vs_hnsw_search_descend(linking->search, meta->entry, meta->entry_level, 0);
		vs_hnsw_search_run(linking->search, meta->ef_construction);
		vs_hnsw_linking_choose(linking);
	}
	if (linking->chosen[0].n > 0)
	{
		drop_known_links(linking, &copy);
		add_own_links(linking, id);
		vs_hnsw_linking_form_self(linking);
		tell_others(linking, id, &copy);
	}
	else if (!is_entry(index, id))
		vs_hnsw_replace_entry(index, meta->entry, meta->entry_level, id, 0,
							  VS_EDIT_LOGGED);
	vs_hnsw_linking_finish(linking, id, generation);
}
