/*
 * scan.c
 *		Scans that return rows in order of distance: what all have in common.
 */
#include "postgres.h"

#include "compat.h"
#include "index/scan.h"
#include "pgstat.h"
#include "storage/page.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef enum ScanStage
{
	STAGE_BEFORE,				/* no row was asked for */
	STAGE_ROWS,
	STAGE_AFTER					/* there are no more */
} ScanStage;

typedef struct VsScan
{
	const VsScanMethod *method;
	MemoryContext context;		/* of what is between two rescans */
	ScanStage	stage;
	void	   *state;			/* the access method's */
} VsScan;

IndexScanDesc
vs_scan_begin(Relation index, int nkeys, int norderbys,
			  const VsScanMethod *method)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	VsScan	   *this = palloc0(sizeof(VsScan));

	this->method = method;
	this->context = AllocSetContextCreate(CurrentMemoryContext,
										  "vsearch index scan",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSetIdentifier(this->context, method->name);
	scan->opaque = this;
	return scan;
}

/* End what is under way; memory goes with the context. */
static void
end_rows(VsScan *this)
{
	if (this->stage != STAGE_BEFORE && this->method->end != NULL)
		this->method->end(this->state);
	this->stage = STAGE_BEFORE;
}

void
vs_scan_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys,
			   int norderbys)
{
	VsScan	   *this = scan->opaque;

	end_rows(this);
	MemoryContextReset(this->context);

	if (keys && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys,
				scan->numberOfOrderBys * sizeof(ScanKeyData));
}

void
vs_scan_end(IndexScanDesc scan)
{
	VsScan	   *this = scan->opaque;

	end_rows(this);
	MemoryContextDelete(this->context);
	pfree(this);
	scan->opaque = NULL;
}

float *
vs_scan_read_query(IndexScanDesc scan, const VsOpclass *opclass, int dim)
{
	ScanKey		orderby = scan->orderByData;
	float	   *x;

	if (orderby->sk_flags & SK_ISNULL)
		return NULL;
	x = palloc(sizeof(float) * dim);
	if (vs_opclass_read(opclass, orderby->sk_argument, dim, x))
		return x;
	pfree(x);
	return NULL;
}

/* Begin the access method's search. */
static void
start_rows(IndexScanDesc scan)
{
	VsScan	   *this = scan->opaque;

	if (scan->numberOfOrderBys == 0 && !this->method->does_unordered)
		elog(ERROR, "cannot scan %s index without order", this->method->name);
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		elog(ERROR, "non-MVCC snapshots are not supported with %s",
			 this->method->name);

	pgstat_count_index_scan(scan->indexRelation);
	vs_compat_count_index_search(scan);

	this->state = palloc0(this->method->state_nbytes);
	this->stage = STAGE_ROWS;
	this->method->start(scan, this->state);
}

bool
vs_scan_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	VsScan	   *this = scan->opaque;
	MemoryContext old = MemoryContextSwitchTo(this->context);
	bool		found = false;

	Assert(ScanDirectionIsForward(direction));

	scan->xs_recheck = false;
	scan->xs_recheckorderby = false;
	if (this->stage == STAGE_BEFORE)
		start_rows(scan);
	if (this->stage == STAGE_ROWS)
		found = this->method->next(this->state, &scan->xs_heaptid);
	if (found)
		vs_page_require_tid(scan->indexRelation, &scan->xs_heaptid);
	else
		this->stage = STAGE_AFTER;

	MemoryContextSwitchTo(old);
	return found;
}
