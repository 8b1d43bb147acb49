/*
 * hnsw_insert.c
 *		Inserting one row.
 *
 * A node is written with its own neighbours first, reachable for nobody; then
 * its neighbours are told about it one page at a time, and at last it is marked
 * as linked.  A crash in between leaves a node that some or no neighbours know,
 * marked as such.  See README.md, "Insert".
 */
#include "postgres.h"

#include "hnsw/hnsw_memgraph.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_nodewrite.h"
#include "hnsw/hnsw_pagestore.h"
#include "hnsw/hnsw_repair.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

/* Results of the search for a vector that should be there. */
#define UNCHANGED_EF 8

/* Neighbours chosen on one level. */
typedef struct LevelLinks
{
	int			n;
	VsHnswLink *links;
	VsHnswVisit **visits;		/* of each neighbour's node */
} LevelLinks;

/* One insert under way. */
typedef struct Insert
{
	VsHnswIndex *index;
	VsHnswPageStore *pages;
	VsHnswSearch *search;
	VsEditMode	mode;
	VsHnswVector vector;
	const float *x;				/* the same, decoded */
	int			level;
	VsHnswLink	self;			/* as neighbours see the new node */
	uint32		parent;			/* the neighbour that has it in the tree */
	LevelLinks	chosen[HNSW_MAX_LEVEL + 1];
} Insert;

/* Whether a node's vector is the one being inserted, to the bit. */
static bool
is_identical(const Insert *insert, const VsHnswVector *vector)
{
	return vector->exponent == insert->vector.exponent &&
		memcmp(vector->halves, insert->vector.halves,
			   sizeof(uint16) * insert->index->geometry.dim) == 0;
}

/* Add a TID to an existing node; false if it has gone or is full. */
static bool
add_tid(Insert *insert, const VsHnswVisit *visit, ItemPointer tid)
{
	VsHnswIndex *index = insert->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_node(index, visit->id,
										   BUFFER_LOCK_EXCLUSIVE);
	int			position = vs_hnsw_node_position(g, visit->id);
	VsHnswNode *node = vs_hnsw_page_node(g, BufferGetPage(buffer), position);
	bool		usable = node->generation == visit->generation &&
		(node->state == HNSW_NODE_LIVE || node->state == HNSW_NODE_LINKING) &&
		node->ntids < HNSW_NODE_TIDS;

	if (usable)
	{
		VsEdit		edit;

		vs_edit_begin(&edit, index->rel, insert->mode);
		node = vs_hnsw_page_node(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
								 position);
		node->tids[node->ntids++] = *tid;
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
	return usable;
}

/* Add the TID to a node of the same vector among the results, if there is. */
static bool
join_identical(Insert *insert, ItemPointer tid)
{
	const VsHnswSearch *search = insert->search;

	for (Size i = 0; i < search->results.n; i++)
	{
		VsHnswVisit *visit = vs_hnsw_pagestore_visit(insert->pages,
													 search->results.items[i].tag);

		if (visit->ntids < HNSW_NODE_TIDS &&
			is_identical(insert, &visit->vector) &&
			add_tid(insert, visit, tid))
			return true;
	}
	return false;
}

/* Choose neighbours from the search's results on its level. */
static void
choose_links(Insert *insert)
{
	VsHnswSearch *search = insert->search;
	int			level = search->level;
	const VsHnswGeometry *g = &insert->index->geometry;
	LevelLinks *chosen = &insert->chosen[level];
	int			capacity = level == 0 ? g->m0 : g->upper_m;
	int			n = 0;
	VsCandidate *candidates = palloc(sizeof(VsCandidate) *
									 Max(search->results.n, 1));
	uint8	   *kinds = palloc(Max(search->results.n, 1));

	for (Size i = 0; i < search->results.n; i++)
	{
		candidates[n] = search->results.items[i];
		if (level == 0 && candidates[n].id == insert->self.id)
			continue;
		if (level == 0 || vs_hnsw_pagestore_resolve(insert->pages, &candidates[n]))
			n++;
	}
	vs_candidates_sort(candidates, n);
	n = vs_hnsw_select_neighbors(vs_hnsw_pagestore_store(insert->pages), candidates,
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
		memcpy(code, vs_hnsw_pagestore_code(insert->pages, candidates[i].id,
											&candidates[i], &link->factors,
											&link->centroid), g->code_nbytes);
		link->code = code;
		chosen->visits[i] = palloc(sizeof(VsHnswVisit));
		*chosen->visits[i] = *vs_hnsw_pagestore_visit(insert->pages,
													  candidates[i].tag);
	}
	pfree(candidates);
	pfree(kinds);
}

/*
 * Search the graph for neighbours on all levels of the new node.  Returns
 * true if the row found a node of the same vector and was added there.
 */
static bool
search_neighbors(Insert *insert, ItemPointer tid)
{
	VsHnswSearch *search = insert->search;
	VsHnswMeta *meta = &insert->index->meta;
	int			top = Min(insert->level, meta->entry_level);

	vs_hnsw_search_descend(search, meta->entry, meta->entry_level, top);
	for (int level = top;; level--)
	{
		vs_hnsw_search_run(search, meta->ef_construction);
		if (level == 0)
			break;
		choose_links(insert);
		vs_hnsw_search_lower(search);
	}

	if (join_identical(insert, tid))
		return true;
	choose_links(insert);
	return false;
}

/*
 * An update left the vector as it was: its node is likely to be found by a
 * short search.  True if the row was added there.
 */
static bool
join_unchanged(Insert *insert, ItemPointer tid)
{
	VsHnswSearch *search = insert->search;
	VsHnswMeta *meta = &insert->index->meta;

	vs_hnsw_search_descend(search, meta->entry, meta->entry_level, 0);
	vs_hnsw_search_run(search, UNCHANGED_EF);
	return join_identical(insert, tid);
}

/* Encode the new node as its neighbours will see it. */
static void
form_self(Insert *insert)
{
	const VsHnswGeometry *g = &insert->index->geometry;
	float	   *scratch = palloc(sizeof(float) * g->dim);
	uint8	   *code = palloc(g->code_nbytes);

	vs_rabitq_encode(insert->index->codec, insert->x, scratch, code,
					 &insert->self.factors, &insert->self.centroid);
	insert->self.code = code;
	pfree(scratch);
}

/*
 * Change a slot block, of the page in an exclusively locked buffer, so that it
 * names the new node, if that is worth it.  Returns whether that became part
 * of the tree, as wanted.
 */
static bool
place_in_slots(Insert *insert, Buffer buffer, VsHnswSlots slots, int capacity,
			   const VsHnswLink *link, bool as_tree)
{
	const VsHnswGeometry *g = &insert->index->geometry;
	int			n = Min(slots.header->nlinks, capacity);
	float		dists[2 * HNSW_MAX_M];
	float		to_new[2 * HNSW_MAX_M];
	uint8		kinds[2 * HNSW_MAX_M];
	VsHnswLink	placed = *link;
	Size		slots_offset = (char *) slots.header -
		(char *) BufferGetPage(buffer);
	VsEdit		edit;
	int			slot;

	/* A node that was linked before a crash is linked again. */
	for (int i = 0; i < n; i++)
		if (slots.links[i] == link->id)
			return false;

	vs_hnsw_decode_dists(&slots, n, dists);
	vs_hnsw_pagestore_estimate(insert->pages, &slots, n, to_new);
	memcpy(kinds, slots.kinds, n);
	slot = vs_hnsw_place_link(n, capacity, dists, kinds, link->dist, to_new,
							  as_tree, &placed.kind);
	if (slot < 0)
		return false;

	vs_edit_begin(&edit, insert->index->rel, insert->mode);
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
 * The slot block of a node with pages of its own that takes a further
 * neighbour: the first with room, else one chosen by the neighbour's number.
 */
static int
choose_slot_block(VsHnswIndex *index, uint32 node, uint32 new_node)
{
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber block = vs_hnsw_node_block(g, node) + g->nvector_pages;

	for (int i = 0; i < g->nslot_blocks; i++)
	{
		Buffer		buffer = vs_page_read(index->rel, block + i,
										  BUFFER_LOCK_SHARE, HNSW_PAGE_SLOTS);
		VsHnswSlots slots = vs_hnsw_page_slots(g, BufferGetPage(buffer));
		bool		has_room = slots.header->nlinks < g->slots_per_block;

		UnlockReleaseBuffer(buffer);
		if (has_room)
			return i;
	}
	return new_node % g->nslot_blocks;
}

/* Tell a bottom-level neighbour about the new node; true if now in the tree. */
static bool
link_back_node(Insert *insert, const VsHnswVisit *visit, const VsHnswLink *link,
			   bool as_tree)
{
	VsHnswIndex *index = insert->index;
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
		in_tree = place_in_slots(insert, buffer, slots, g->slots_per_block, link,
								 as_tree);
	UnlockReleaseBuffer(buffer);
	return in_tree;
}

/* The same for an upper-level neighbour and the new node's upper record. */
static bool
link_back_upper(Insert *insert, uint32 upper, int level, const VsHnswVisit *visit,
				const VsHnswLink *link, bool as_tree)
{
	VsHnswIndex *index = insert->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_upper(index, upper, BUFFER_LOCK_EXCLUSIVE);
	Page		page = BufferGetPage(buffer);
	VsHnswUpper *record = vs_hnsw_page_upper(g, page, vs_hnsw_upper_position(g, upper));
	bool		in_tree = false;

	if (record->state == HNSW_NODE_LIVE && record->level == level &&
		record->node == visit->id)
		in_tree = place_in_slots(insert, buffer, vs_hnsw_upper_slots(g, record),
								 g->upper_m, link, as_tree);
	UnlockReleaseBuffer(buffer);
	return in_tree;
}

/*
 * Make the new node's link to the neighbour that has it in the tree one that is
 * never given up, if others have not displaced it meanwhile.
 */
static void
keep_parent(const Insert *insert, VsHnswSlots *slots, int capacity)
{
	int			n = Min(slots->header->nlinks, capacity);

	for (int i = 0; i < n; i++)
		if (slots->links[i] == insert->parent)
			slots->kinds[i] = HNSW_LINK_TREE;
}

/* Mark the node as linked. */
static void
finish_node(Insert *insert, uint32 id, uint32 generation)
{
	VsHnswIndex *index = insert->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_node(index, id, BUFFER_LOCK_EXCLUSIVE);
	int			position = vs_hnsw_node_position(g, id);
	VsHnswNode *node = vs_hnsw_page_node(g, BufferGetPage(buffer), position);
	VsEdit		edit;

	if (node->state == HNSW_NODE_LINKING && node->generation == generation)
	{
		vs_edit_begin(&edit, index->rel, insert->mode);
		node = vs_hnsw_page_node(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
								 position);
		node->state = HNSW_NODE_LIVE;
		node->level = insert->level;
		if (g->npages == 1)
		{
			VsHnswSlots slots = vs_hnsw_node_slots(g, node);

			keep_parent(insert, &slots, g->slots_per_block);
		}
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
}

/* Tell all chosen neighbours on a level about the new node. */
static void
link_back_level(Insert *insert, int level, uint32 id)
{
	const LevelLinks *chosen = &insert->chosen[level];
	bool		in_tree = !vs_hnsw_keeps_tree(insert->index);

	for (int i = 0; i < chosen->n; i++)
	{
		VsHnswLink	link = insert->self;
		bool		joined;

		CHECK_FOR_INTERRUPTS();
		link.id = id;
		link.dist = chosen->links[i].dist;
		if (level == 0)
			joined = link_back_node(insert, chosen->visits[i], &link, !in_tree);
		else
			joined = link_back_upper(insert, chosen->links[i].id, level,
									 chosen->visits[i], &link, !in_tree);

		/* The nearest that can makes the node part of the tree. */
		if (joined && level == 0)
			insert->parent = chosen->links[i].id;
		in_tree |= joined;
	}
}

/* Write the new node with all its levels and link it. */
static void
write_and_link(Insert *insert, ItemPointer tid)
{
	VsHnswIndex *index = insert->index;
	VsHnswNode	header = {0};
	uint32		id;
	uint32		top;

	header.state = HNSW_NODE_LINKING;
	header.level = insert->level;
	header.exponent = insert->vector.exponent;
	header.ntids = 1;
	header.tids[0] = *tid;
	id = vs_hnsw_write_new_node(index, &header, insert->vector.halves,
								insert->chosen[0].links, insert->chosen[0].n,
								insert->mode);
	link_back_level(insert, 0, id);

	top = id;
	for (int level = 1; level <= insert->level; level++)
	{
		VsHnswUpper upper = {0};

		upper.state = HNSW_NODE_LIVE;
		upper.level = level;
		upper.node = id;
		upper.down = level > 1 ? top : HNSW_INVALID_ID;
		top = vs_hnsw_write_new_upper(index, &upper, insert->chosen[level].links,
									  insert->chosen[level].n, insert->mode);
		link_back_level(insert, level, top);
	}
	if (insert->level > index->meta.entry_level)
		vs_hnsw_raise_entry(index, top, insert->level, insert->mode);
	else if (insert->chosen[0].n == 0)
		vs_hnsw_replace_entry(index, index->meta.entry, index->meta.entry_level,
							  top, insert->level, insert->mode);

	finish_node(insert, id, header.generation);
}

/* Begin to insert, or to link anew, a vector. */
static Insert *
begin_insert(VsHnswIndex *index, const VsHnswVector *vector, VsEditMode mode)
{
	Insert	   *insert = palloc0(sizeof(Insert));
	int			dim = index->geometry.dim;
	float	   *x = palloc(sizeof(float) * dim);

	/* Everything derives from the float16 elements that are stored. */
	vs_kernel->f16_to_f32(dim, vector->halves,
						  vs_f16vec_scale(vector->exponent), x);

	insert->index = index;
	insert->mode = mode;
	insert->vector = *vector;
	insert->parent = HNSW_INVALID_ID;
	insert->pages = vs_hnsw_pagestore_create(index, true);
	insert->search = vs_hnsw_search_create(vs_hnsw_pagestore_store(insert->pages));
	vs_hnsw_pagestore_bind(insert->pages, x);
	insert->x = x;
	insert->self.id = HNSW_INVALID_ID;
	return insert;
}

/*
 * Insert a vector into the graph.  Under the insert lock in share mode, false
 * and nothing is done if all nodes that searches find are deleted: then it
 * takes somebody alone to begin anew with this node as the entry point.
 */
static bool
insert_into_graph(VsHnswIndex *index, const VsHnswVector *vector, ItemPointer tid,
				  bool is_unchanged, bool alone, VsEditMode mode)
{
	Insert	   *insert = begin_insert(index, vector, mode);

	insert->level = vs_hnsw_random_level(index->geometry.m);
	if (index->meta.entry_level >= 0)
	{
		if ((is_unchanged && join_unchanged(insert, tid)) ||
			search_neighbors(insert, tid))
			return true;
		if (insert->chosen[0].n == 0 && !alone)
			return false;
	}
	form_self(insert);
	write_and_link(insert, tid);
	return true;
}

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
add_own_links(Insert *insert, uint32 id)
{
	VsHnswIndex *index = insert->index;
	const VsHnswGeometry *g = &index->geometry;
	const LevelLinks *chosen = &insert->chosen[0];
	BlockNumber block = vs_hnsw_node_block(g, id);
	int			next = 0;

	for (int i = 0; i < g->nslot_blocks; i++)
	{
		bool		shared = g->npages == 1;
		Buffer		buffer = vs_page_read(index->rel,
										  shared ? block :
										  block + g->nvector_pages + i,
										  BUFFER_LOCK_EXCLUSIVE,
										  shared ? HNSW_PAGE_NODE :
										  HNSW_PAGE_SLOTS);
		VsEdit		edit;
		Page		page;
		VsHnswSlots slots;

		vs_edit_begin(&edit, index->rel, insert->mode);
		page = vs_edit_page(&edit, buffer, VS_EDIT_CHANGE);
		slots = shared ?
			vs_hnsw_node_slots(g, vs_hnsw_page_node(g, page,
													vs_hnsw_node_position(g, id))) :
			vs_hnsw_page_slots(g, page);
		while (next < chosen->n && slots.header->nlinks < g->slots_per_block)
			vs_hnsw_set_slot(g, &slots, slots.header->nlinks++,
							 &chosen->links[next++]);
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
	}
}

/* Drop from the chosen neighbours those that a node has already. */
static void
drop_known_links(Insert *insert, const VsHnswNodeCopy *copy)
{
	LevelLinks *chosen = &insert->chosen[0];
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
link_back_anew(Insert *insert, uint32 id, VsHnswNodeCopy *copy)
{
	const LevelLinks *chosen = &insert->chosen[0];
	bool		in_tree = !vs_hnsw_keeps_tree(insert->index);

	for (int i = 0; i < chosen->n; i++)
	{
		VsHnswLink	link = insert->self;

		CHECK_FOR_INTERRUPTS();
		link.id = id;
		link.dist = chosen->links[i].dist;
		if (knows_node(insert->index, chosen->links[i].id, id, copy))
			continue;
		if (link_back_node(insert, chosen->visits[i], &link, !in_tree))
		{
			insert->parent = chosen->links[i].id;
			in_tree = true;
		}
	}
}

void
vs_hnsw_relink_node(VsHnswIndex *index, uint32 id, int level)
{
	VsHnswNodeCopy copy;
	VsHnswVector vector;
	Insert	   *insert;
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

	insert = begin_insert(index, &vector, VS_EDIT_LOGGED);
	insert->level = level;
	insert->self.id = id;
	vs_hnsw_refresh(index);
	if (meta->entry_level >= 0)
	{
		vs_hnsw_search_descend(insert->search, meta->entry, meta->entry_level, 0);
		vs_hnsw_search_run(insert->search, meta->ef_construction);
		choose_links(insert);
	}
	if (insert->chosen[0].n > 0)
	{
		drop_known_links(insert, &copy);
		add_own_links(insert, id);
		form_self(insert);
		link_back_anew(insert, id, &copy);
	}
	else if (meta->entry != id || meta->entry_level != 0)
		vs_hnsw_replace_entry(index, meta->entry, meta->entry_level, id, 0,
							  VS_EDIT_LOGGED);
	finish_node(insert, id, generation);
}

bool
vs_hnsw_insert_vector(VsHnswIndex *index, const float *x, ItemPointer tid,
					  bool is_unchanged, bool alone, VsEditMode mode)
{
	VsHnswVector vector;

	vector.halves = palloc(sizeof(uint16) * index->geometry.dim);
	vector.exponent = vs_f16vec_encode(index->geometry.dim, x, vector.halves);

	if (index->meta.state != HNSW_FLAT)
		return insert_into_graph(index, &vector, tid, is_unchanged, alone, mode);
	vs_hnsw_flat_insert(index, &vector, tid, mode);
	return true;
}

/*
 * Turn a flat index that has grown into a graph, with nobody else inserting.
 * If somebody is, the next insert may.  Not interruptible: it is short, and a
 * row whose insert is cancelled time and again would stop all others.
 */
static void
convert_if_grown(VsHnswIndex *index)
{
	if (!vs_hnsw_flat_is_full(index) ||
		!ConditionalLockPage(index->rel, HNSW_INSERT_LOCK, ExclusiveLock))
		return;

	HOLD_INTERRUPTS();
	vs_hnsw_refresh(index);
	if (index->meta.state == HNSW_FLAT && vs_hnsw_flat_is_full(index))
		vs_hnsw_flat_convert(index);
	RESUME_INTERRUPTS();
	UnlockPage(index->rel, HNSW_INSERT_LOCK, ExclusiveLock);
}

/*
 * Insert under the insert lock of a mode.  False if it takes the exclusive
 * mode: the first node of a graph is its entry point, and two inserts must not
 * both be first.
 */
static bool
insert_under_lock(VsHnswIndex *index, const float *x, ItemPointer tid,
				  bool is_unchanged, LOCKMODE lockmode)
{
	bool		alone = lockmode == ExclusiveLock;
	bool		done = false;

	LockPage(index->rel, HNSW_INSERT_LOCK, lockmode);

	/* Under the lock the index does not turn from flat to graph. */
	vs_hnsw_refresh(index);
	if (alone || index->meta.state == HNSW_FLAT || index->meta.entry_level >= 0)
		done = vs_hnsw_insert_vector(index, x, tid, is_unchanged, alone,
									 VS_EDIT_LOGGED);
	UnlockPage(index->rel, HNSW_INSERT_LOCK, lockmode);
	return done;
}

bool
vs_hnsw_insert(Relation rel, Datum *values, bool *isnull, ItemPointer tid,
			   Relation heap, IndexUniqueCheck checkUnique, bool indexUnchanged,
			   IndexInfo *indexInfo)
{
	MemoryContext context;
	MemoryContext old;
	VsHnswIndex *index;
	float	   *x;

	if (isnull[0])
		return false;

	context = AllocSetContextCreate(CurrentMemoryContext, "hnsw insert",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);

	/* Detoast before taking the lock that others wait for. */
	index = vs_hnsw_open(rel);
	x = palloc(sizeof(float) * index->geometry.dim);
	if (vs_opclass_read(index->opclass, values[0], index->geometry.dim, x))
	{
		if (!insert_under_lock(index, x, tid, indexUnchanged, ShareLock))
			insert_under_lock(index, x, tid, indexUnchanged, ExclusiveLock);
		if (index->meta.state == HNSW_FLAT)
			convert_if_grown(index);
	}

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
