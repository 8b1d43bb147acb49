/*
 * ivf_scan.c
 *		Scans: the nearest rows of the nearest lists.
 *
 * A scan probes some lists and returns their rows in order of distance; then, if
 * more are wanted and the settings allow, the rows of the next nearest lists.
 * See README.md, "Scan".
 */
#include "postgres.h"

#include <math.h>

#include "access/relscan.h"
#include "compat.h"
#include "ivf/ivf_lists.h"
#include "ivf/ivf_search.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef enum ScanStage
{
	STAGE_START,
	STAGE_BATCH,				/* the rows of the lists probed */
	STAGE_LATE,					/* those that came too late for their place */
	STAGE_END
} ScanStage;

/* A row that was found after others that are farther off. */
typedef struct LateRow
{
	float		dist;
	ItemPointerData tid;
} LateRow;

typedef struct VsIvfScan
{
	MemoryContext context;		/* of the scan, and of one rescan */
	MemoryContext rescan_context;
	ScanStage	stage;
	VsIvfIndex *index;
	VsIvfProbe *probe;			/* NULL if the query has no direction */
	VsIvfLists *lists;
	VsIvfSearch *rows;
	uint32		nprobed;		/* lists so far */
	float		last_dist;		/* of the last row returned */

	LateRow    *late;
	Size		nlate;
	Size		late_capacity;
	Size		next_late;
} VsIvfScan;

IndexScanDesc
vs_ivf_beginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	VsIvfScan  *state = palloc0(sizeof(VsIvfScan));

	state->context = AllocSetContextCreate(CurrentMemoryContext, "ivfflat scan",
										   ALLOCSET_SMALL_SIZES);
	state->rescan_context = AllocSetContextCreate(state->context,
												  "ivfflat rescan",
												  ALLOCSET_DEFAULT_SIZES);
	scan->opaque = state;
	return scan;
}

void
vs_ivf_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys,
			  int norderbys)
{
	VsIvfScan  *state = scan->opaque;

	MemoryContextReset(state->rescan_context);
	state->stage = STAGE_START;

	if (keys && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys,
				scan->numberOfOrderBys * sizeof(ScanKeyData));
}

void
vs_ivf_endscan(IndexScanDesc scan)
{
	VsIvfScan  *state = scan->opaque;

	MemoryContextDelete(state->context);
	pfree(state);
	scan->opaque = NULL;
}

/* The next nearest list; false if there is none. */
static bool
next_list(VsIvfScan *state, uint32 *list)
{
	if (state->probe != NULL)
		return vs_ivf_lists_next(state->lists, list);

	/* Without a direction they come by number. */
	*list = state->nprobed;
	return state->nprobed < state->index->meta.nlists;
}

/* Probe up to n further lists; false if there are none. */
static bool
probe_lists(VsIvfScan *state, uint32 n)
{
	uint32	   *lists;
	uint32		nlists = 0;

	n = Min(n, state->index->meta.nlists);
	lists = palloc(sizeof(uint32) * n);
	while (nlists < n && next_list(state, &lists[nlists]))
	{
		nlists++;
		state->nprobed++;
	}
	vs_ivf_search_clear(state->rows);
	vs_ivf_search_add_lists(state->rows, lists, nlists);
	pfree(lists);
	return nlists > 0;
}

/* Open the index, bind the query, and probe the first lists. */
static void
start_scan(IndexScanDesc scan)
{
	VsIvfScan  *state = scan->opaque;
	ScanKey		orderby = scan->orderByData;
	VsIvfIndex *index;
	float	   *x;

	if (orderby == NULL)
		elog(ERROR, "cannot scan ivfflat index without order");
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		elog(ERROR, "non-MVCC snapshots are not supported with ivfflat");

	pgstat_count_index_scan(scan->indexRelation);
	vs_compat_count_index_search(scan);

	index = vs_ivf_open(scan->indexRelation);
	state->index = index;
	state->probe = NULL;
	state->lists = NULL;
	state->nprobed = 0;
	state->last_dist = -INFINITY;
	state->late = NULL;
	state->nlate = state->late_capacity = state->next_late = 0;

	x = palloc(sizeof(float) * index->geometry.dim);
	if (!(orderby->sk_flags & SK_ISNULL) &&
		vs_opclass_read(index->opclass, orderby->sk_argument,
						index->geometry.dim, x))
	{
		state->probe = vs_ivf_probe_create(index, x);
		state->lists = vs_ivf_lists_create(index, state->probe);
	}
	state->rows = vs_ivf_search_create(index, state->probe, false);
	probe_lists(state, vs_ivf_effective_probes(index->rel));
	state->stage = STAGE_BATCH;
}

/* Probe the next lists, if the settings allow. */
static bool
next_batch(VsIvfScan *state)
{
	uint32		probes = vs_ivf_effective_probes(state->index->rel);
	uint32		max_probes = Max(vs_ivf_max_probes, probes);

	if (vs_ivf_iterative_scan == VS_ITERATIVE_OFF ||
		state->nprobed >= max_probes)
		return false;
	return probe_lists(state, Min(probes, max_probes - state->nprobed));
}

/* Keep a row for the end of the scan. */
static void
keep_late(VsIvfScan *state, float dist, const ItemPointerData *tid)
{
	if (state->nlate == state->late_capacity)
	{
		state->late_capacity = Max(state->late_capacity * 2, 64);
		if (state->late == NULL)
			state->late = palloc(sizeof(LateRow) * state->late_capacity);
		else
			state->late = repalloc_huge(state->late,
										sizeof(LateRow) * state->late_capacity);
	}
	state->late[state->nlate].dist = dist;
	state->late[state->nlate++].tid = *tid;
}

/* Sorts late rows; ties by TID, so that their order is always the same. */
static int
compare_late(const void *a, const void *b)
{
	const LateRow *left = a;
	const LateRow *right = b;

	if (left->dist != right->dist)
		return left->dist < right->dist ? -1 : 1;
	return ItemPointerCompare(unconstify(ItemPointerData *, &left->tid),
							  unconstify(ItemPointerData *, &right->tid));
}

/* Find the next row in the stage that the scan is in; false ends the scan. */
static bool
next_tid(VsIvfScan *state, ItemPointer tid)
{
	while (state->stage == STAGE_BATCH)
	{
		float		dist;

		if (!vs_ivf_search_next(state->rows, tid, &dist))
		{
			if (next_batch(state))
				continue;
			qsort(state->late, state->nlate, sizeof(LateRow), compare_late);
			state->stage = STAGE_LATE;
			break;
		}
		if (dist < state->last_dist &&
			vs_ivf_iterative_scan == VS_ITERATIVE_STRICT)
		{
			keep_late(state, dist, tid);
			continue;
		}
		state->last_dist = dist;
		return true;
	}

	if (state->next_late == state->nlate)
		return false;
	*tid = state->late[state->next_late++].tid;
	return true;
}

bool
vs_ivf_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	VsIvfScan  *state = scan->opaque;
	MemoryContext old = MemoryContextSwitchTo(state->rescan_context);
	bool		found = false;

	Assert(ScanDirectionIsForward(direction));

	if (state->stage == STAGE_START)
		start_scan(scan);
	if (state->stage != STAGE_END)
		found = next_tid(state, &scan->xs_heaptid);
	if (found)
		vs_page_require_tid(scan->indexRelation, &scan->xs_heaptid);
	else
		state->stage = STAGE_END;

	MemoryContextSwitchTo(old);
	scan->xs_recheck = false;
	scan->xs_recheckorderby = false;
	return found;
}
