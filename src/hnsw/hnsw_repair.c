/*
 * hnsw_repair.c
 *		Repairing the graph around deleted nodes.
 *
 * A node that loses neighbours chooses new ones among the neighbours of those
 * it lost, as in FreshDiskANN (Singh et al. 2021); see README.md, "Vacuum".
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_linking.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_repair.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "utils/memutils.h"

/* Neighbours without which a node is linked anew. */
#define MIN_CHOSEN 4

/* Deleted nodes whose neighbours are considered for one repair. */
#define MAX_EXPANSIONS 64

struct VsHnswRepair
{
	VsHnswIndex *index;
	const VsHnswNumbers *deleted;
	const VsHnswNumbers *deleted_uppers;
	VsHnswPageStore *pages;
	VsHnswStore *store;
	VsHnswNodeCopy copy;		/* what is being repaired */
	float	   *x;
	VsCandidate *fresh;
	VsCandidateHeap candidates;
	uint32		parent;			/* the neighbour that has it in the tree anew */
	MemoryContext context;		/* of one repair */
};

VsHnswRepair *
vs_hnsw_repair_create(VsHnswIndex *index, const VsHnswNumbers *deleted,
					  const VsHnswNumbers *deleted_uppers)
{
	VsHnswRepair *repair = palloc0(sizeof(VsHnswRepair));

	repair->index = index;
	repair->deleted = deleted;
	repair->deleted_uppers = deleted_uppers;
	repair->pages = vs_hnsw_pagestore_create(index, true);
	repair->store = vs_hnsw_pagestore_store(repair->pages);
	vs_hnsw_node_copy_init(&repair->copy, &index->geometry);
	repair->x = palloc(sizeof(float) * index->geometry.dim);
	repair->fresh = palloc(sizeof(VsCandidate) * repair->store->max_neighbors);
	vs_candidates_init(&repair->candidates, 256);
	repair->context = AllocSetContextCreate(CurrentMemoryContext, "hnsw repair",
											ALLOCSET_DEFAULT_SIZES);
	return repair;
}

/* The deleted numbers on a level. */
static const VsHnswNumbers *
deleted_on_level(const VsHnswRepair *repair, int level)
{
	return level == 0 ? repair->deleted : repair->deleted_uppers;
}

/* Whether link i of those that were read is to a deleted node. */
static bool
is_deleted_link(const VsHnswRepair *repair, int level, int i)
{
	return vs_hnsw_numbers_contain(deleted_on_level(repair, level),
								   repair->copy.slots.links[i]);
}

/* Whether one of them is. */
static bool
has_deleted_link(const VsHnswRepair *repair, int level)
{
	for (int i = 0; i < repair->copy.nlinks; i++)
		if (is_deleted_link(repair, level, i))
			return true;
	return false;
}

/* Whether one of them is, and kept the graph connected. */
static bool
has_lost_tree(const VsHnswRepair *repair)
{
	for (int i = 0; i < repair->copy.nlinks; i++)
		if (repair->copy.slots.kinds[i] == HNSW_LINK_TREE &&
			is_deleted_link(repair, 0, i))
			return true;
	return false;
}

/*
 * Collect the live neighbours of "id", those of its deleted neighbours, and so
 * on, as candidates with estimated distances.
 */
static void
collect_candidates(VsHnswRepair *repair, uint32 id, int level)
{
	const VsHnswNumbers *deleted = deleted_on_level(repair, level);
	uint32		queue[MAX_EXPANSIONS];
	int			nqueued = 1;

	queue[0] = id;
	repair->candidates.n = 0;
	repair->store->reset(repair->store);
	repair->store->mark(repair->store, id);

	for (int i = 0; i < nqueued; i++)
	{
		VsCandidate node = {.id = queue[i]};
		bool		is_result;
		int			nfresh = repair->store->expand(repair->store, level, &node,
												   INFINITY, repair->fresh,
												   &is_result);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < nfresh; j++)
		{
			if (!vs_hnsw_numbers_contain(deleted, repair->fresh[j].id))
				vs_candidates_append(&repair->candidates, repair->fresh[j]);
			else if (nqueued < MAX_EXPANSIONS)
				queue[nqueued++] = repair->fresh[j].id;
		}
	}
	vs_candidates_sort(repair->candidates.items, repair->candidates.n);
}

/*
 * Choose the neighbours that the node should have now among the candidates;
 * returns how many, with exact distances, in front of the candidates.
 */
static int
choose_neighbors(VsHnswRepair *repair, int level, int capacity, uint8 *kinds)
{
	VsCandidate *candidates = repair->candidates.items;
	int			n = 0;
	int			wanted = Max(repair->index->meta.ef_construction, 2 * capacity);
	int			limit = Min(repair->candidates.n, wanted);

	for (int i = 0; i < limit; i++)
	{
		VsCandidate candidate = candidates[i];

		if (level == 0 ? vs_hnsw_pagestore_load(repair->pages, &candidate) :
			vs_hnsw_pagestore_resolve(repair->pages, &candidate))
			candidates[n++] = candidate;
	}
	vs_candidates_sort(candidates, n);
	return vs_hnsw_select_neighbors(repair->store, candidates, n, capacity,
									kinds);
}

/* Whether a slot block already names a node. */
static bool
names_node(const VsHnswSlots *slots, int n, uint32 id)
{
	for (int i = 0; i < n; i++)
		if (slots->links[i] == id)
			return true;
	return false;
}

/* Take the next chosen neighbour that the slot block lacks. */
static bool
next_replacement(const VsHnswSlots *slots, int n, const VsHnswLink *links,
				 int nlinks, int *next)
{
	while (*next < nlinks && names_node(slots, n, links[*next].id))
		(*next)++;
	return *next < nlinks;
}

/*
 * Have the nearest of the chosen neighbours that has room keep the node, which
 * has lost what kept it in the tree.  Returns that neighbour, to be kept in
 * turn.
 */
static uint32
rejoin_tree(VsHnswRepair *repair, uint32 id, int nchosen)
{
	VsHnswLinking linking = {
		.index = repair->index,
		.pages = repair->pages,
		.mode = VS_EDIT_LOGGED,
		.x = repair->x,
		.parent = HNSW_INVALID_ID
	};
	VsHnswLink	link;
	VsHnswVisit visit;
	VsHnswVisit *visits = &visit;

	linking.chosen[0] = (VsHnswLevelLinks) {.n = 1, .links = &link, .visits = &visits};
	vs_hnsw_linking_form_self(&linking);
	for (int i = 0; i < nchosen; i++)
	{
		const VsCandidate *candidate = &repair->candidates.items[i];

		link.id = candidate->id;
		link.dist = candidate->dist;
		visit = *vs_hnsw_pagestore_visit(repair->pages, candidate->tag);
		if (vs_hnsw_linking_tell(&linking, 0, id, 0, true))
			break;
	}
	return linking.parent;
}

/*
 * Change a slot block, on a page in an edit: deleted neighbours give way to
 * chosen ones, and free slots are filled.  "next" runs over the chosen ones.
 */
static void
replace_links(const VsHnswRepair *repair, int level, VsHnswSlots *slots,
			  int capacity, const VsHnswLink *links, int nlinks, int *next)
{
	const VsHnswGeometry *g = &repair->index->geometry;
	const VsHnswNumbers *deleted = deleted_on_level(repair, level);
	int			n = Min(slots->header->nlinks, capacity);
	int			nkept = 0;

	for (int i = 0; i < n; i++)
	{
		if (vs_hnsw_numbers_contain(deleted, slots->links[i]))
			continue;
		if (nkept < i)
		{
			slots->links[nkept] = slots->links[i];
			slots->factors[nkept] = slots->factors[i];
			slots->dists[nkept] = slots->dists[i];
			slots->centroids[nkept] = slots->centroids[i];
			slots->kinds[nkept] = slots->kinds[i];
			memcpy(slots->codes + nkept * g->code_nbytes,
				   slots->codes + i * g->code_nbytes, g->code_nbytes);
		}
		nkept++;
	}
	while (nkept < capacity &&
		   next_replacement(slots, nkept, links, nlinks, next))
		vs_hnsw_set_slot(g, slots, nkept++, &links[(*next)++]);
	slots->header->nlinks = nkept;
	for (int i = 0; i < nkept; i++)
		if (level == 0 && slots->links[i] == repair->parent)
			slots->kinds[i] = HNSW_LINK_TREE;
}

/*
 * Form the chosen neighbours that the node does not have yet as links, with
 * copies of their codes; returns their number.
 */
static int
form_chosen(VsHnswRepair *repair, int nchosen, const uint8 *kinds,
			VsHnswLink *links)
{
	const VsHnswGeometry *g = &repair->index->geometry;
	int			n = 0;

	for (int i = 0; i < nchosen; i++)
	{
		const VsCandidate *candidate = &repair->candidates.items[i];
		VsHnswLink *link = &links[n];
		uint8	   *code;

		if (names_node(&repair->copy.slots, repair->copy.nlinks, candidate->id))
			continue;
		n++;
		code = palloc(g->code_nbytes);
		link->id = candidate->id;
		link->dist = candidate->dist;
		link->kind = kinds[i];
		memcpy(code, vs_hnsw_pagestore_code(repair->pages, candidate->id, candidate,
											&link->factors, &link->centroid),
			   g->code_nbytes);
		link->code = code;
	}
	return n;
}

/* Write the new neighbours of a node to each of its slot blocks. */
static void
rewrite_node(VsHnswRepair *repair, uint32 node, const VsHnswLink *links, int nlinks)
{
	VsHnswIndex *index = repair->index;
	const VsHnswGeometry *g = &index->geometry;
	int			next = 0;

	for (int i = 0; i < g->nslot_blocks; i++)
	{
		Buffer		buffer = vs_hnsw_lock_slots(index, node, i,
												BUFFER_LOCK_EXCLUSIVE);
		VsEdit		edit;
		VsHnswSlots slots;

		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		slots = vs_hnsw_slots_of_node(g, vs_edit_page(&edit, buffer,
													  VS_EDIT_CHANGE), node);
		replace_links(repair, 0, &slots, g->slots_per_block, links, nlinks,
					  &next);
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
	}
}

/* Write the new neighbours of an upper record. */
static void
rewrite_upper(VsHnswRepair *repair, uint32 upper, int level,
			  const VsHnswLink *links, int nlinks)
{
	VsHnswIndex *index = repair->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_upper(index, upper, BUFFER_LOCK_EXCLUSIVE);
	VsEdit		edit;
	Page		page;
	VsHnswSlots slots;
	int			next = 0;

	vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
	page = vs_edit_page(&edit, buffer, VS_EDIT_CHANGE);
	slots = vs_hnsw_upper_slots(g, vs_hnsw_page_upper(g, page,
													  vs_hnsw_upper_position(g, upper)));
	replace_links(repair, level, &slots, g->upper_m, links, nlinks, &next);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

/*
 * Give a node or upper record new neighbours; its vector is in repair->copy.
 */
static void
repair_links(VsHnswRepair *repair, uint32 id, int level)
{
	const VsHnswGeometry *g = &repair->index->geometry;
	MemoryContext old = MemoryContextSwitchTo(repair->context);
	int			capacity = level == 0 ? g->m0 : g->upper_m;
	uint8	   *kinds = palloc(capacity);
	VsHnswLink *links = palloc(sizeof(VsHnswLink) * capacity);
	int			n;
	int			nnew;

	vs_kernel->f16_to_f32(g->dim, repair->copy.halves,
						  vs_f16vec_scale(repair->copy.header.exponent),
						  repair->x);
	vs_hnsw_pagestore_bind(repair->pages, repair->x);
	collect_candidates(repair, id, level);
	n = choose_neighbors(repair, level, capacity, kinds);
	nnew = form_chosen(repair, n, kinds, links);
	repair->parent = HNSW_INVALID_ID;
	if (level == 0 && has_lost_tree(repair))
		repair->parent = rejoin_tree(repair, id, n);

	if (level == 0)
		rewrite_node(repair, id, links, nnew);
	else
		rewrite_upper(repair, id, level, links, nnew);

	/*
	 * What deleted nodes led to was not enough: search as an insert does. Not
	 * for a node that an insert is still at.
	 */
	if (level == 0 && n < MIN_CHOSEN &&
		repair->copy.header.state == HNSW_NODE_LIVE)
		vs_hnsw_relink_node(repair->index, id, repair->copy.header.level);

	MemoryContextSwitchTo(old);
	MemoryContextReset(repair->context);
}

void
vs_hnsw_repair_node(VsHnswRepair *repair, uint32 node)
{
	if (!vs_hnsw_read_node(repair->index, node, NULL, true, &repair->copy) ||
		repair->copy.header.state == HNSW_NODE_DELETED ||
		(repair->copy.nlinks > 0 && !has_deleted_link(repair, 0)))
		return;
	repair_links(repair, node, 0);
}

void
vs_hnsw_repair_upper(VsHnswRepair *repair, uint32 upper)
{
	VsHnswIndex *index = repair->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer;
	VsHnswUpper record;

	if (vs_hnsw_numbers_contain(repair->deleted_uppers, upper))
		return;
	buffer = vs_hnsw_lock_upper(index, upper, BUFFER_LOCK_SHARE);
	record = *vs_hnsw_page_upper(g, BufferGetPage(buffer),
								 vs_hnsw_upper_position(g, upper));
	UnlockReleaseBuffer(buffer);

	if (record.state != HNSW_NODE_LIVE ||
		!vs_hnsw_read_upper(index, upper, record.level, NULL, true, &repair->copy) ||
		!has_deleted_link(repair, record.level))
		return;
	if (!vs_hnsw_read_node(index, record.node, NULL, false, &repair->copy))
		elog(ERROR, "upper record %u of index \"%s\" has no node", upper,
			 RelationGetRelationName(index->rel));
	repair_links(repair, upper, record.level);
}

/* The highest upper record that stays; false if there is none. */
static bool
find_highest_upper(VsHnswRepair *repair, const VsHnswNumbers *upper_blocks,
				   uint32 *entry, int *level)
{
	VsHnswIndex *index = repair->index;
	const VsHnswGeometry *g = &index->geometry;

	*level = 0;
	for (uint32 i = 0; i < upper_blocks->n; i++)
	{
		Buffer		buffer = vs_page_read(index->rel, upper_blocks->items[i],
										  BUFFER_LOCK_SHARE, HNSW_PAGE_UPPER);

		for (int j = 0; j < g->upper_per_page; j++)
		{
			VsHnswUpper *upper = vs_hnsw_page_upper(g, BufferGetPage(buffer), j);
			uint32		number = vs_hnsw_upper_number(g, upper_blocks->items[i], j);

			if (upper->state == HNSW_NODE_LIVE && upper->level > *level &&
				!vs_hnsw_numbers_contain(repair->deleted_uppers, number))
			{
				*entry = number;
				*level = upper->level;
			}
		}
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	return *level > 0;
}

/* Any node that stays; false if there is none. */
static bool
find_any_node(VsHnswRepair *repair, uint32 *entry)
{
	VsHnswIndex *index = repair->index;
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber nblocks = RelationGetNumberOfBlocks(index->rel);
	bool		found = false;

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < nblocks && !found;
		 block++)
	{
		Buffer		buffer = ReadBuffer(index->rel, block);
		Page		page = BufferGetPage(buffer);

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		for (int i = 0; i < g->nodes_per_page && !found; i++)
			if (vs_page_kind(page) == HNSW_PAGE_NODE)
			{
				uint8		state = vs_hnsw_page_node(g, page, i)->state;

				found = state == HNSW_NODE_LIVE || state == HNSW_NODE_LINKING;
				*entry = vs_hnsw_node_number(g, block, i);
			}
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	return found;
}

void
vs_hnsw_repair_entry(VsHnswRepair *repair, const VsHnswNumbers *upper_blocks)
{
	VsHnswIndex *index = repair->index;
	uint32		old_entry;
	int			old_level;
	uint32		entry = HNSW_INVALID_ID;
	int			level = 0;

	vs_hnsw_refresh(index);
	old_entry = index->meta.entry;
	old_level = index->meta.entry_level;
	if (old_level < 0 ||
		!vs_hnsw_numbers_contain(deleted_on_level(repair, old_level), old_entry))
		return;

	if (!find_highest_upper(repair, upper_blocks, &entry, &level) &&
		!find_any_node(repair, &entry))
		level = -1;
	vs_hnsw_replace_entry(index, old_entry, old_level,
						  level < 0 ? HNSW_INVALID_ID : entry, level,
						  VS_EDIT_LOGGED);
}
