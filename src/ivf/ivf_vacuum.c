/*
 * ivf_vacuum.c
 *		Removing rows: their slots become free.
 *
 * Nothing is unlinked, and no page leaves its list: readers need not notice.
 * See README.md, "Vacuum".
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "compat.h"
#include "ivf/ivf_private.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"

/* One vacuum under way. */
typedef struct Vacuum
{
	VsIvfIndex *index;
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void	   *callback_state;
	bool	   *is_dead;		/* of the slots of a page */
	BlockNumber *free_blocks;	/* of each list, the first page with a free
								 * slot, or InvalidBlockNumber */
} Vacuum;

/*
 * Note which slots' rows are to go; returns how many.  REINDEX CONCURRENTLY
 * collects TIDs here: the callback sees them all.
 */
static int
find_dead(Vacuum *vacuum, const VsIvfSlots *slots)
{
	int			n = vs_ivf_nused(&vacuum->index->geometry, slots);
	int			ndead = 0;

	for (int i = 0; i < n; i++)
	{
		vacuum->is_dead[i] = false;
		if (!ItemPointerIsValid(&slots->tids[i]))
			continue;
		vs_page_require_tid(vacuum->index->rel, &slots->tids[i]);
		vacuum->is_dead[i] = vacuum->callback(&slots->tids[i],
											  vacuum->callback_state);
		ndead += vacuum->is_dead[i];
	}
	return ndead;
}

/* Free the slots that were found, on a page that is locked exclusively. */
static void
free_slots(Vacuum *vacuum, Buffer buffer)
{
	VsIvfIndex *index = vacuum->index;
	VsEdit		edit;
	VsIvfSlots	slots;

	vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
	slots = vs_ivf_page_slots(&index->geometry,
							  vs_edit_page(&edit, buffer, VS_EDIT_CHANGE));
	for (int i = 0; i < vs_ivf_nused(&index->geometry, &slots); i++)
		if (vacuum->is_dead[i])
		{
			memset(&slots.tids[i], 0, sizeof(ItemPointerData));
			slots.header->nlive--;
			vacuum->stats->tuples_removed++;
		}
	vs_edit_commit(&edit);
}

/* Vacuum a page of a list with rows, which is locked exclusively. */
static void
vacuum_page(Vacuum *vacuum, Buffer buffer)
{
	const VsIvfGeometry *g = &vacuum->index->geometry;
	VsIvfSlots	slots = vs_ivf_page_slots(g, BufferGetPage(buffer));
	BlockNumber *free_block = &vacuum->free_blocks[slots.header->list];

	if (find_dead(vacuum, &slots) > 0)
		free_slots(vacuum, buffer);
	slots = vs_ivf_page_slots(g, BufferGetPage(buffer));
	vacuum->stats->num_index_tuples += slots.header->nlive;
	if (slots.header->nlive < g->nslots && *free_block == InvalidBlockNumber)
		*free_block = BufferGetBlockNumber(buffer);
}

/*
 * Whether a page is one of zeroes that an insert may use.  A crash left it, or
 * somebody is about to write it: then whoever comes first has it.  Pages of a
 * vector that takes several must stay together.
 */
static bool
is_unused(const VsIvfIndex *index, Page page)
{
	return PageIsNew(page) && index->geometry.pages_per_vector <= 1;
}

/* Vacuum all pages, those added meanwhile too. */
static void
vacuum_pages(Vacuum *vacuum)
{
	Relation	rel = vacuum->index->rel;

	for (BlockNumber block = IVF_META_BLOCK + 1;
		 block < RelationGetNumberOfBlocks(rel); block++)
	{
		Buffer		buffer;
		Page		page;
		bool		unused;

		vs_compat_vacuum_delay_point();
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_NORMAL,
									vacuum->info->strategy);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		page = BufferGetPage(buffer);
		if (vs_page_kind(page) == IVF_PAGE_LIST &&
			vs_ivf_page_slots(&vacuum->index->geometry, page).header->list <
			vacuum->index->meta.nlists)
			vacuum_page(vacuum, buffer);
		unused = is_unused(vacuum->index, page);
		UnlockReleaseBuffer(buffer);
		if (unused)
			RecordFreeIndexPage(rel, block);
	}
}

/* Have inserts begin to look where the first free slots are. */
static void
move_inserts(Vacuum *vacuum)
{
	VsIvfIndex *index = vacuum->index;

	for (uint32 list = 0; list < index->meta.nlists; list++)
	{
		BlockNumber block = vacuum->free_blocks[list];
		VsIvfEntry	entry;

		if (block == InvalidBlockNumber)
			continue;
		vs_compat_vacuum_delay_point();
		entry = vs_ivf_read_entry(index, list);
		if (block < entry.insert)
			vs_ivf_move_insert(index, list, entry.insert, block);
	}
}

IndexBulkDeleteResult *
vs_ivf_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				  IndexBulkDeleteCallback callback, void *callback_state)
{
	MemoryContext context;
	MemoryContext old;
	Vacuum		vacuum = {0};

	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	stats->num_index_tuples = 0;

	context = AllocSetContextCreate(CurrentMemoryContext, "ivfflat vacuum",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	vacuum.index = vs_ivf_open(info->index);
	vacuum.info = info;
	vacuum.stats = stats;
	vacuum.callback = callback;
	vacuum.callback_state = callback_state;
	vacuum.is_dead = palloc(sizeof(bool) * vacuum.index->geometry.nslots);
	vacuum.free_blocks = palloc(sizeof(BlockNumber) * vacuum.index->meta.nlists);
	memset(vacuum.free_blocks, 0xFF,
		   sizeof(BlockNumber) * vacuum.index->meta.nlists);

	vacuum_pages(&vacuum);
	move_inserts(&vacuum);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return stats;
}

IndexBulkDeleteResult *
vs_ivf_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	/* Without dead rows nothing was counted, and nothing changed. */
	if (info->analyze_only || stats == NULL)
		return stats;

	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	IndexFreeSpaceMapVacuum(info->index);
	return stats;
}
