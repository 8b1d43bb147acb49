/*
 * hnsw_vacuum.c
 *		Removing rows, and repairing the graph around them.
 *
 * Four steps, so that nobody ever follows a link into the void (README.md,
 * "Vacuum"):
 *
 *	1. Walk all pages, drop dead TIDs, mark nodes without TIDs as deleted.
 *	2. Wait for the inserts that may not have seen the marks.
 *	3. Give every node that links to a deleted one other neighbours, taken from
 *	   the deleted one's.  Wait for inserts again.
 *	4. Free the deleted nodes.
 *
 * A crash in between leaves deleted nodes for the next vacuum.
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "compat.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_nodewrite.h"
#include "hnsw/hnsw_repair.h"
#include "index/vacuum.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

/* One vacuum under way. */
typedef struct Vacuum
{
	const VsVacuum *base;
	VsHnswIndex *index;

	VsHnswNumbers deleted;		/* nodes without rows, ascending */
	VsHnswNumbers deleted_uppers;	/* their upper records, ascending */
	VsHnswNumbers linking;		/* nodes seen in the middle of an insert */
	VsHnswNumbers upper_blocks; /* upper pages, ascending */
	BlockNumber nwalked;		/* blocks where these were looked for */
} Vacuum;

/* Between pages: sleep if vacuum is told to, allow cancelling. */
static void
between_pages(void)
{
	vs_compat_vacuum_delay_point();
}

/* Drop a node's dead TIDs; returns how many were dropped. */
static int
drop_dead_tids(const Vacuum *vacuum, VsHnswNode *node)
{
	int			nlive = 0;
	int			ndead;

	for (int i = 0; i < node->ntids; i++)
		if (!vs_vacuum_is_dead(vacuum->base, &node->tids[i]))
			node->tids[nlive++] = node->tids[i];
	ndead = node->ntids - nlive;

	/* No stale bytes behind them. */
	memset(&node->tids[nlive], 0, sizeof(ItemPointerData) * ndead);
	node->ntids = nlive;
	return ndead;
}

/* Whether a node holds a TID that is to go. */
static bool
has_dead_tid(const Vacuum *vacuum, VsHnswNode *node, uint32 number)
{
	Relation	rel = vacuum->index->rel;
	bool		has_dead = false;

	if (node->ntids > HNSW_NODE_TIDS)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("node %u of index \"%s\" has %u heap TIDs", number,
						RelationGetRelationName(rel), node->ntids),
				 errhint("Please REINDEX it.")));

	/* REINDEX CONCURRENTLY collects TIDs here: the callback sees them all. */
	for (int i = 0; i < node->ntids; i++)
	{
		vs_page_require_tid(rel, &node->tids[i]);
		has_dead |= vs_vacuum_is_dead(vacuum->base, &node->tids[i]);
	}
	return has_dead;
}

/*
 * Whether a page is one of zeroes that can become a page of nodes.  A crash
 * left it, or somebody is about to write it: then whoever comes first has it
 * (vs_hnsw_extend).
 */
static bool
is_unused(const VsHnswIndex *index, Page page)
{
	return PageIsNew(page) && index->geometry.npages == 1;
}

/*
 * Step 1 for a page of nodes, which is locked exclusively; true if there is a
 * free one.
 */
static bool
mark_nodes(Vacuum *vacuum, Buffer buffer)
{
	VsHnswIndex *index = vacuum->index;
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber block = BufferGetBlockNumber(buffer);
	Page		page = BufferGetPage(buffer);
	VsEdit		edit;
	bool		editing = false;
	bool		has_free = false;

	for (int i = 0; i < g->nodes_per_page; i++)
	{
		VsHnswNode *node = vs_hnsw_page_node(g, page, i);
		uint32		number = vs_hnsw_node_number(g, block, i);

		if (node->state != HNSW_NODE_FREE &&
			node->state != HNSW_NODE_DELETED && has_dead_tid(vacuum, node, number))
		{
			if (!editing)
			{
				vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
				page = vs_edit_page(&edit, buffer, VS_EDIT_CHANGE);
				node = vs_hnsw_page_node(g, page, i);
				editing = true;
			}
			vacuum->base->stats->tuples_removed += drop_dead_tids(vacuum, node);
			if (node->ntids == 0)
				node->state = index->meta.state == HNSW_FLAT ?
					HNSW_NODE_FREE : HNSW_NODE_DELETED;
		}

		vacuum->base->stats->num_index_tuples += node->ntids;
		if (node->state == HNSW_NODE_DELETED)
			vs_hnsw_numbers_add(&vacuum->deleted, number);
		else if (node->state == HNSW_NODE_LINKING)
			vs_hnsw_numbers_add(&vacuum->linking, number);
		else if (node->state == HNSW_NODE_FREE)
			has_free = true;
	}
	if (editing)
		vs_edit_commit(&edit);
	return has_free;
}

/* Step 1: walk all pages, those added meanwhile too. */
static void
mark_all(Vacuum *vacuum)
{
	vacuum->nwalked = HNSW_META_BLOCK + 1;
	while (vacuum->nwalked < RelationGetNumberOfBlocks(vacuum->index->rel))
	{
		BlockNumber block = vacuum->nwalked++;
		Buffer		buffer;
		uint16		kind;
		bool		has_free;

		between_pages();
		buffer = vs_vacuum_lock(vacuum->base, block, BUFFER_LOCK_EXCLUSIVE);
		kind = vs_page_kind(BufferGetPage(buffer));
		has_free = kind == HNSW_PAGE_NODE ? mark_nodes(vacuum, buffer) :
			is_unused(vacuum->index, BufferGetPage(buffer));
		if (kind == HNSW_PAGE_UPPER)
			vs_hnsw_numbers_add(&vacuum->upper_blocks, block);
		UnlockReleaseBuffer(buffer);
		if (has_free)
			RecordFreeIndexPage(vacuum->index->rel, block);
	}
}

/*
 * Find the upper pages that inserts have added since the last walk; without
 * delay, since others may be waiting.
 */
static void
find_newer_uppers(Vacuum *vacuum)
{
	while (vacuum->nwalked < RelationGetNumberOfBlocks(vacuum->index->rel))
	{
		BlockNumber block = vacuum->nwalked++;
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		buffer = vs_vacuum_lock(vacuum->base, block, BUFFER_LOCK_SHARE);
		if (vs_page_kind(BufferGetPage(buffer)) == HNSW_PAGE_UPPER)
			vs_hnsw_numbers_add(&vacuum->upper_blocks, block);
		UnlockReleaseBuffer(buffer);
	}
}

/* Wait for all inserts that are under way. */
static void
wait_for_inserts(const Vacuum *vacuum)
{
	LockPage(vacuum->index->rel, HNSW_INSERT_LOCK, ExclusiveLock);
	UnlockPage(vacuum->index->rel, HNSW_INSERT_LOCK, ExclusiveLock);
}

/* Find the upper records of deleted nodes. */
static void
find_deleted_uppers(Vacuum *vacuum)
{
	const VsHnswGeometry *g = &vacuum->index->geometry;

	for (uint32 i = 0; i < vacuum->upper_blocks.n; i++)
	{
		BlockNumber block = vacuum->upper_blocks.items[i];
		Buffer		buffer;

		between_pages();
		buffer = vs_vacuum_lock(vacuum->base, block, BUFFER_LOCK_SHARE);
		for (int j = 0; j < g->upper_per_page; j++)
		{
			VsHnswUpper *upper = vs_hnsw_page_upper(g, BufferGetPage(buffer), j);

			if (upper->state == HNSW_NODE_LIVE &&
				vs_hnsw_numbers_contain(&vacuum->deleted, upper->node))
				vs_hnsw_numbers_add(&vacuum->deleted_uppers,
									vs_hnsw_upper_number(g, block, j));
		}
		UnlockReleaseBuffer(buffer);
	}
}

/* Step 3. */
static void
repair_all(Vacuum *vacuum, VsHnswRepair *repair)
{
	VsHnswIndex *index = vacuum->index;
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber nblocks = RelationGetNumberOfBlocks(index->rel);

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < nblocks; block++)
	{
		Buffer		buffer;
		uint16		kind;

		between_pages();
		buffer = vs_vacuum_lock(vacuum->base, block, BUFFER_LOCK_SHARE);
		kind = vs_page_kind(BufferGetPage(buffer));
		UnlockReleaseBuffer(buffer);

		if (kind == HNSW_PAGE_NODE)
			for (int i = 0; i < g->nodes_per_page; i++)
				vs_hnsw_repair_node(repair, vs_hnsw_node_number(g, block, i));
		else if (kind == HNSW_PAGE_UPPER)
			for (int i = 0; i < g->upper_per_page; i++)
				vs_hnsw_repair_upper(repair, vs_hnsw_upper_number(g, block, i));
	}
}

/* Step 4 for the nodes. */
static void
free_nodes(Vacuum *vacuum)
{
	VsHnswIndex *index = vacuum->index;
	const VsHnswGeometry *g = &index->geometry;

	for (uint32 i = 0; i < vacuum->deleted.n; i++)
	{
		uint32		number = vacuum->deleted.items[i];
		BlockNumber block = vs_hnsw_node_block(g, number);
		Buffer		buffer;
		VsEdit		edit;
		VsHnswNode *node;

		between_pages();
		buffer = vs_vacuum_lock(vacuum->base, block, BUFFER_LOCK_EXCLUSIVE);
		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		node = vs_hnsw_page_node(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
								 vs_hnsw_node_position(g, number));
		Assert(node->state == HNSW_NODE_DELETED);
		node->state = HNSW_NODE_FREE;
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
		RecordFreeIndexPage(index->rel, block);
	}
}

/* Step 4 for the upper records. */
static void
free_uppers(Vacuum *vacuum)
{
	VsHnswIndex *index = vacuum->index;
	const VsHnswGeometry *g = &index->geometry;

	for (uint32 i = 0; i < vacuum->deleted_uppers.n; i++)
	{
		uint32		number = vacuum->deleted_uppers.items[i];
		Buffer		buffer;
		VsEdit		edit;

		between_pages();
		buffer = vs_vacuum_lock(vacuum->base, vs_hnsw_upper_block(g, number),
								BUFFER_LOCK_EXCLUSIVE);
		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		vs_hnsw_page_upper(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
						   vs_hnsw_upper_position(g, number))->state = HNSW_NODE_FREE;
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
		vs_hnsw_chain_upper_page(index, vs_hnsw_upper_block(g, number),
								 VS_EDIT_LOGGED);
	}
}

/* The level of a node's highest upper record, or 0. */
static int
highest_level(const Vacuum *vacuum, uint32 node)
{
	const VsHnswGeometry *g = &vacuum->index->geometry;
	int			level = 0;

	for (uint32 i = 0; i < vacuum->upper_blocks.n; i++)
	{
		Buffer		buffer;

		between_pages();
		buffer = vs_vacuum_lock(vacuum->base, vacuum->upper_blocks.items[i],
								BUFFER_LOCK_SHARE);
		for (int j = 0; j < g->upper_per_page; j++)
		{
			VsHnswUpper *upper = vs_hnsw_page_upper(g, BufferGetPage(buffer), j);

			if (upper->state == HNSW_NODE_LIVE && upper->node == node)
				level = Max(level, upper->level);
		}
		UnlockReleaseBuffer(buffer);
	}
	return level;
}

/* Finish the insert of a node, if nobody did since it was seen. */
static void
finish_interrupted(Vacuum *vacuum, uint32 node)
{
	VsHnswIndex *index = vacuum->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_node(index, node, BUFFER_LOCK_SHARE);
	uint8		state = vs_hnsw_page_node(g, BufferGetPage(buffer),
										  vs_hnsw_node_position(g, node))->state;
	MemoryContext context;
	MemoryContext old;

	UnlockReleaseBuffer(buffer);
	if (state != HNSW_NODE_LINKING)
		return;

	context = AllocSetContextCreate(CurrentMemoryContext, "hnsw relink",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	vs_hnsw_relink_node(index, node, highest_level(vacuum, node));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* Steps 2 to 4, for an index with a graph. */
static void
repair_graph(Vacuum *vacuum)
{
	VsHnswRepair *repair;

	if (vacuum->deleted.n == 0 && vacuum->linking.n == 0)
		return;

	wait_for_inserts(vacuum);
	vs_hnsw_refresh(vacuum->index);
	find_newer_uppers(vacuum);

	/* What is still in the middle of an insert now was left by a crash. */
	for (uint32 i = 0; i < vacuum->linking.n; i++)
		finish_interrupted(vacuum, vacuum->linking.items[i]);
	if (vacuum->deleted.n == 0)
		return;

	find_deleted_uppers(vacuum);
	repair = vs_hnsw_repair_create(vacuum->index, &vacuum->deleted,
								   &vacuum->deleted_uppers);
	repair_all(vacuum, repair);

	/* Most of what was added meanwhile, before others have to wait. */
	find_newer_uppers(vacuum);

	/* Alone: whether there is a node left must not change meanwhile. */
	LockPage(vacuum->index->rel, HNSW_INSERT_LOCK, ExclusiveLock);
	find_newer_uppers(vacuum);
	vs_hnsw_repair_entry(repair, &vacuum->upper_blocks);
	UnlockPage(vacuum->index->rel, HNSW_INSERT_LOCK, ExclusiveLock);

	free_uppers(vacuum);
	free_nodes(vacuum);
}

/*
 * All of vacuum for a flat index: nothing links to its nodes.  Holds the
 * insert lock so that it stays flat; false if it is not.
 */
static bool
mark_flat(Vacuum *vacuum)
{
	bool		is_flat;

	LockPage(vacuum->index->rel, HNSW_INSERT_LOCK, ShareLock);
	vs_hnsw_refresh(vacuum->index);
	is_flat = vacuum->index->meta.state == HNSW_FLAT;
	if (is_flat)
		mark_all(vacuum);
	UnlockPage(vacuum->index->rel, HNSW_INSERT_LOCK, ShareLock);
	return is_flat;
}

/* VsVacuumWork */
static void
vacuum_index(const VsVacuum *base)
{
	Vacuum		vacuum = {
		.base = base,
		.index = vs_hnsw_open(base->info->index),
	};

	if (mark_flat(&vacuum))
		return;
	mark_all(&vacuum);
	repair_graph(&vacuum);
}

IndexBulkDeleteResult *
vs_hnsw_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				   IndexBulkDeleteCallback callback, void *callback_state)
{
	return vs_vacuum_run(info, stats, callback, callback_state, vacuum_index);
}
