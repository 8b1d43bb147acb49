/*
 * vacuum.c
 *		Removing rows from an index: what all access methods have in common.
 */
#include "postgres.h"

#include "index/vacuum.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"

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

IndexBulkDeleteResult *
vs_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	/* Without dead rows nothing was counted, and nothing changed. */
	if (info->analyze_only || stats == NULL)
		return stats;

	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	IndexFreeSpaceMapVacuum(info->index);
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
