/*
 * rowsort.c
 *		Rows of an index in order of distance, within work_mem.
 *
 * tuplesort does it.
 */
#include "postgres.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "executor/tuptable.h"
#include "index/rowsort.h"
#include "miscadmin.h"
#include "utils/tuplesort.h"

/* Columns, all of which are sorted by. */
enum
{
	COLUMN_DIST = 1,
	COLUMN_KEY,
	COLUMN_TID,
	NCOLUMNS = COLUMN_TID
};

struct VsRowSort
{
	Tuplesortstate *sort;
	TupleTableSlot *in;
	TupleTableSlot *out;
};

/* TIDs as numbers that sort alike. */
static int64
tid_to_int64(const ItemPointerData *tid)
{
	return ((int64) ItemPointerGetBlockNumberNoCheck(tid) << 16) |
		ItemPointerGetOffsetNumberNoCheck(tid);
}

static void
int64_to_tid(int64 number, ItemPointer tid)
{
	ItemPointerSet(tid, (BlockNumber) (number >> 16), (OffsetNumber) (number & 0xFFFF));
}

VsRowSort *
vs_rowsort_begin(void)
{
	VsRowSort  *this = palloc(sizeof(VsRowSort));
	TupleDesc	desc = CreateTemplateTupleDesc(NCOLUMNS);
	AttrNumber	keys[] = {COLUMN_DIST, COLUMN_KEY, COLUMN_TID};
	Oid			operators[] = {Float8LessOperator, Int8LessOperator, Int8LessOperator};
	Oid			collations[] = {InvalidOid, InvalidOid, InvalidOid};
	bool		nulls_first[] = {false, false, false};

	TupleDescInitEntry(desc, COLUMN_DIST, "dist", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, COLUMN_KEY, "key", INT8OID, -1, 0);
	TupleDescInitEntry(desc, COLUMN_TID, "tid", INT8OID, -1, 0);
	this->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	this->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	this->sort = tuplesort_begin_heap(desc, NCOLUMNS, keys, operators,
									  collations, nulls_first, work_mem, NULL,
									  TUPLESORT_NONE);
	return this;
}

void
vs_rowsort_add(VsRowSort *this, double dist, uint32 key,
			   const ItemPointerData *tid)
{
	TupleTableSlot *slot = this->in;

	ExecClearTuple(slot);
	slot->tts_values[COLUMN_DIST - 1] = Float8GetDatum(dist);
	slot->tts_values[COLUMN_KEY - 1] = Int64GetDatum(key);
	slot->tts_values[COLUMN_TID - 1] = Int64GetDatum(tid_to_int64(tid));
	memset(slot->tts_isnull, 0, NCOLUMNS * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(this->sort, slot);
}

void
vs_rowsort_perform(VsRowSort *this)
{
	tuplesort_performsort(this->sort);
}

bool
vs_rowsort_next(VsRowSort *this, uint32 *key, ItemPointer tid)
{
	bool		isnull;

	if (!tuplesort_gettupleslot(this->sort, true, false, this->out, NULL))
		return false;
	*key = (uint32) DatumGetInt64(slot_getattr(this->out, COLUMN_KEY, &isnull));
	int64_to_tid(DatumGetInt64(slot_getattr(this->out, COLUMN_TID, &isnull)), tid);
	return true;
}

void
vs_rowsort_end(VsRowSort *this)
{
	tuplesort_end(this->sort);
	ExecDropSingleTupleTableSlot(this->in);
	ExecDropSingleTupleTableSlot(this->out);
	pfree(this);
}
