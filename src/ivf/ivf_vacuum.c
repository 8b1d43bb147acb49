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
#include "index/vacuum.h"
#include "ivf/ivf_private.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"

/* One vacuum under way. */
typedef struct Vacuum
{
	const VsVacuum *base;
	VsIvfIndex *index;
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
		vacuum->is_dead[i] = vs_vacuum_is_dead(vacuum->base,
											   &slots->tids[i]);
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
			vacuum->base->stats->tuples_removed++;
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
	vacuum->base->stats->num_index_tuples += slots.header->nlive;
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

/* Whether a page is of a list that holds rows. */
static bool
holds_rows(const VsIvfIndex *index, Page page)
{
	return vs_page_kind(page) == IVF_PAGE_LIST &&
		vs_ivf_page_slots(&index->geometry, page).header->list <
		index->meta.nlists;
}

/*
 * Vacuum all pages, those added meanwhile too.  Most are of vectors, which scans
 * read meanwhile: a page is locked for changes once it is known to hold rows,
 * and is then of the same kind still.
 */
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
		buffer = vs_vacuum_lock(vacuum->base, block, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		unused = is_unused(vacuum->index, page);
		if (holds_rows(vacuum->index, page))
		{
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			vacuum_page(vacuum, buffer);
		}
		UnlockReleaseBuffer(buffer);
		if (unused)
			vs_vacuum_free_page(vacuum->base, block);
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

/* VsVacuumWork */
static void
vacuum_index(const VsVacuum *base)
{
	VsIvfIndex *index = vs_ivf_open(base->info->index);
	Vacuum		vacuum = {
		.base = base,
		.index = index,
		.is_dead = palloc(sizeof(bool) * index->geometry.nslots),
		.free_blocks = palloc(sizeof(BlockNumber) * index->meta.nlists),
	};

	for (uint32 list = 0; list < index->meta.nlists; list++)
		vacuum.free_blocks[list] = InvalidBlockNumber;
	vacuum_pages(&vacuum);
	move_inserts(&vacuum);
}

IndexBulkDeleteResult *
vs_ivf_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				  IndexBulkDeleteCallback callback, void *callback_state)
{
	return vs_vacuum_run(info, stats, callback, callback_state, vacuum_index);
}
