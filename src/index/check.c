/*
 * check.c
 *		vsearch_check: verification of an index, whatever its access method.
 *
 * The access method verifies its pages; here is what all have in common: the
 * rows of the answer, and the comparison with the heap.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "compat.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "index/inspect.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

/* A heap TID that the index holds, and what it holds for it. */
typedef struct TidEntry
{
	uint64		tid;
	uint64		digest;
	char		status;			/* simplehash's */
} TidEntry;

#define SH_PREFIX tidset
#define SH_ELEMENT_TYPE TidEntry
#define SH_KEY_TYPE uint64
#define SH_KEY tid
#define SH_HASH_KEY(table, key) \
	hash_bytes((const unsigned char *) &(key), sizeof(key))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct VsCheck
{
	VsInspection inspection;
	tidset_hash *tids;
	bool		is_incomplete;	/* tids lacks some */
};

PG_FUNCTION_INFO_V1(vs_check);

/* Add a row to the answer. */
static void
			add_row(VsCheck *check, const char *severity, int64 block, int64 node,
					const char *format, va_list args) pg_attribute_printf(5, 0);

static void
add_row(VsCheck *check, const char *severity, int64 block, int64 node,
		const char *format, va_list args)
{
	char		message[512];
	Datum		values[4] = {0};
	bool		nulls[4] = {false};

	vsnprintf(message, sizeof(message), format, args);
	values[0] = CStringGetTextDatum(severity);
	values[1] = Int64GetDatum(block);
	nulls[1] = block < 0;
	values[2] = Int64GetDatum(node);
	nulls[2] = node < 0;
	values[3] = CStringGetTextDatum(message);
	vs_inspect_add_row(&check->inspection, values, nulls);
}

void
vs_check_error(VsCheck *check, int64 block, int64 node, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	add_row(check, "error", block, node, format, args);
	va_end(args);
}

void
vs_check_warning(VsCheck *check, int64 block, int64 node, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	add_row(check, "warning", block, node, format, args);
	va_end(args);
}

void
vs_check_replaced(VsCheck *check, int64 block, int64 node, const char *what)
{
	vs_check_warning(check, block, node, "%s was replaced while it was checked",
					 what);
	check->is_incomplete = true;
}

/* A TID as one number. */
static uint64
tid_number(const ItemPointerData *tid)
{
	return ((uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16) |
		ItemPointerGetOffsetNumberNoCheck(tid);
}

void
vs_check_tid(VsCheck *check, const ItemPointerData *tid, uint64 digest,
			 int64 block, int64 node)
{
	TidEntry   *entry;
	bool		found;

	if (!ItemPointerIsValid(tid) ||
		ItemPointerGetBlockNumberNoCheck(tid) == InvalidBlockNumber)
	{
		vs_check_error(check, block, node, "invalid heap TID (%u,%u)",
					   ItemPointerGetBlockNumberNoCheck(tid),
					   ItemPointerGetOffsetNumberNoCheck(tid));
		return;
	}
	entry = tidset_insert(check->tids, tid_number(tid), &found);
	entry->digest = digest;
	if (found)
		vs_check_error(check, block, node, "heap TID (%u,%u) is indexed twice",
					   ItemPointerGetBlockNumberNoCheck(tid),
					   ItemPointerGetOffsetNumberNoCheck(tid));
}

/* The digest of what the index should hold for a row, if for it anything. */
static bool
digest_row(const VsCheck *check, Datum value, bool isnull, uint64 *digest)
{
	const VsAccessMethod *am = check->inspection.am;

	if (!isnull)
		return am->digest_value(check->inspection.index, value, digest);
	*digest = am->null_digest;
	return am->null_digest != 0;
}

/* table_index_build_scan callback: look a row up. */
static void
look_up_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
			bool tupleIsAlive, void *state)
{
	VsCheck    *check = state;
	TidEntry   *entry;
	uint64		digest;

	CHECK_FOR_INTERRUPTS();
	if (!digest_row(check, values[0], isnull[0], &digest))
		return;
	entry = tidset_lookup(check->tids, tid_number(tid));
	if (entry == NULL)
		vs_check_error(check, -1, -1, "heap row (%u,%u) is not indexed",
					   ItemPointerGetBlockNumberNoCheck(tid),
					   ItemPointerGetOffsetNumberNoCheck(tid));
	else if (entry->digest != digest)
		vs_check_error(check, -1, -1,
					   "heap row (%u,%u) has another value than the index holds for it",
					   ItemPointerGetBlockNumberNoCheck(tid),
					   ItemPointerGetOffsetNumberNoCheck(tid));
}

/* Check that every row that a snapshot sees is indexed, by its value. */
static void
check_heap(VsCheck *check, Snapshot snapshot)
{
	Relation	heap = check->inspection.heap;
	Relation	index = check->inspection.index;
	IndexInfo  *info = BuildIndexInfo(index);
	TableScanDesc scan = table_beginscan_strat(heap, snapshot, 0, NULL, true,
											   true);

	/* A scan like that of a concurrent build, which sees a snapshot's rows. */
	info->ii_Concurrent = true;
	info->ii_Unique = false;
	info->ii_ExclusionOps = NULL;
	info->ii_ExclusionProcs = NULL;
	info->ii_ExclusionStrats = NULL;
	table_index_build_scan(heap, index, info, true, false, look_up_row, check,
						   scan);
}

/*
 * vsearch_check(index regclass, heapallindexed boolean): a row for each
 * problem.  Locks the table against writes and vacuum, where that is possible.
 */
Datum
vs_check(PG_FUNCTION_ARGS)
{
	bool		heapallindexed = PG_GETARG_BOOL(1);
	VsCheck		check = {0};
	VsInspection *inspection = &check.inspection;
	Snapshot	snapshot;
	Oid			saved_userid;
	int			saved_context;
	int			saved_nestlevel;

	vs_inspect_begin(inspection, fcinfo,
					 RecoveryInProgress() ? AccessShareLock : ShareLock);

	/* The functions of the index's expressions run as the table's owner. */
	GetUserIdAndSecContext(&saved_userid, &saved_context);
	SetUserIdAndSecContext(inspection->heap->rd_rel->relowner,
						   saved_context | SECURITY_RESTRICTED_OPERATION);
	saved_nestlevel = NewGUCNestLevel();
	vs_compat_restrict_search_path();

	check.tids = tidset_create(CurrentMemoryContext, 1024, NULL);

	/* First, as on a standby rows come while the index is checked. */
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	inspection->am->check(inspection->index, &check);
	if (heapallindexed && !check.is_incomplete)
		check_heap(&check, snapshot);
	UnregisterSnapshot(snapshot);

	AtEOXact_GUC(false, saved_nestlevel);
	SetUserIdAndSecContext(saved_userid, saved_context);
	vs_inspect_end(inspection);
	return (Datum) 0;
}
