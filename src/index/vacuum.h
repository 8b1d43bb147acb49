/*
 * vacuum.h
 *		Removing rows from an index: what all access methods have in common.
 */
#ifndef VS_VACUUM_H
#define VS_VACUUM_H

#include "postgres.h"

#include "access/genam.h"
#include "storage/bufmgr.h"

/* One ambulkdelete. */
typedef struct VsVacuum
{
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;	/* rows are counted anew by each */
	IndexBulkDeleteCallback callback;
	void	   *callback_state;
} VsVacuum;

/* Does an access method's part, in a memory context of its own. */
typedef void (*VsVacuumWork) (const VsVacuum *vacuum);

/* ambulkdelete, which has "work" done. */
extern IndexBulkDeleteResult *vs_vacuum_run(IndexVacuumInfo *info,
											IndexBulkDeleteResult *stats,
											IndexBulkDeleteCallback callback,
											void *callback_state,
											VsVacuumWork work);

/* amvacuumcleanup */
extern IndexBulkDeleteResult *vs_vacuum_cleanup(IndexVacuumInfo *info,
												IndexBulkDeleteResult *stats);

/* Whether a row is to go. */
static inline bool
vs_vacuum_is_dead(const VsVacuum *vacuum, ItemPointer tid)
{
	return vacuum->callback(tid, vacuum->callback_state);
}

/* Read and lock any page, with vacuum's buffer strategy. */
extern Buffer vs_vacuum_lock(const VsVacuum *vacuum, BlockNumber block,
							 int lockmode);

/* Note a page that nobody uses in the free space map, and count it. */
extern void vs_vacuum_free_page(const VsVacuum *vacuum, BlockNumber block);

#endif							/* VS_VACUUM_H */
