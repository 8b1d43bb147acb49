/*
 * vacuum.c
 *		Removing rows from an index: what all access methods have in common.
 */
#include "postgres.h"

#include "index/vacuum.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"
#include "utils/relcache.h"

IndexBulkDeleteResult *
vs_vacuum_run(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
			  IndexBulkDeleteCallback callback, void *callback_state,
			  VsVacuumWork work)
{
	MemoryContext context;
	MemoryContext old;
	VsVacuum	vacuum = {
		.info = info,
		.callback = callback,
		.callback_state = callback_state,
	};

	/* It outlives this call. */
	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	stats->num_index_tuples = 0;
	stats->pages_free = 0;
	vacuum.stats = stats;

	context = AllocSetContextCreate(CurrentMemoryContext,
									"vsearch index vacuum",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	work(&vacuum);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return stats;
}

/*
 * What is known of an index where no row was to be removed: there are as many as
 * in the table, or, if it takes some of them only, nobody counted.
 */
static IndexBulkDeleteResult *
stats_of_unchanged(const IndexVacuumInfo *info)
{
	IndexBulkDeleteResult *stats = palloc0(sizeof(IndexBulkDeleteResult));

	stats->num_index_tuples = Max(info->num_heap_tuples, 0);
	stats->estimated_count = info->estimated_count ||
		RelationGetIndexPredicate(info->index) != NIL;
	return stats;
}

IndexBulkDeleteResult *
vs_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only)
		return stats;

	if (stats == NULL)
		stats = stats_of_unchanged(info);
	else
		IndexFreeSpaceMapVacuum(info->index);
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	return stats;
}

Buffer
vs_vacuum_lock(const VsVacuum *vacuum, BlockNumber block, int lockmode)
{
	Buffer		buffer = ReadBufferExtended(vacuum->info->index, MAIN_FORKNUM,
											block, RBM_NORMAL,
											vacuum->info->strategy);

	LockBuffer(buffer, lockmode);
	return buffer;
}

void
vs_vacuum_free_page(const VsVacuum *vacuum, BlockNumber block)
{
	RecordFreeIndexPage(vacuum->info->index, block);
	vacuum->stats->pages_free++;
}
