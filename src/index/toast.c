/*
 * toast.c
 *		Reading many values of a table that were moved out of line.
 *
 * PostgreSQL opens the TOAST table and its index, and descends the index, for
 * each value.  Here both stay open, and the scan that found a value goes on to the
 * next one.  Whatever is not as expected is left to PostgreSQL, which then also
 * reports what is wrong.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/toast_internals.h"
#include "catalog/pg_am_d.h"
#include "index/toast.h"
#include "utils/fmgroids.h"
#include "utils/snapshot.h"

/*
 * Values whose numbers are so close are read by one scan, which skips up to so
 * many chunks: of other columns, or of dead rows.
 */
#define CLOSE_VALUES	16
#define SKIPPED_CHUNKS	16

struct VsToastReader
{
	MemoryContext context;
	Relation	toast;
	Relation   *indexes;
	int			nindexes;
	int			valid_index;
	SnapshotData snapshot;
	SysScanDesc scan;			/* behind the value read last, or NULL */
	Oid			last;			/* that value */
	struct varlena *value;
	Size		room;			/* for it */
};

/* A chunk of a value. */
typedef struct Chunk
{
	Oid			value;
	int32		number;
	Size		nbytes;
	const char *data;
} Chunk;

VsToastReader *
vs_toast_begin(Relation heap)
{
	VsToastReader *reader;
	Relation	toast;

	if (!OidIsValid(heap->rd_rel->reltoastrelid))
		return NULL;
	toast = table_open(heap->rd_rel->reltoastrelid, AccessShareLock);
	if (toast->rd_rel->relam != HEAP_TABLE_AM_OID)
	{
		table_close(toast, AccessShareLock);
		return NULL;
	}
	reader = palloc0(sizeof(VsToastReader));
	reader->context = CurrentMemoryContext;
	reader->toast = toast;
	reader->valid_index = toast_open_indexes(toast, AccessShareLock,
											 &reader->indexes,
											 &reader->nindexes);
	reader->snapshot.snapshot_type = SNAPSHOT_TOAST;
	return reader;
}

static void
end_scan(VsToastReader *reader)
{
	if (reader->scan != NULL)
		systable_endscan_ordered(reader->scan);
	reader->scan = NULL;
}

void
vs_toast_end(VsToastReader *reader)
{
	if (reader == NULL)
		return;
	end_scan(reader);
	toast_close_indexes(reader->indexes, reader->nindexes, AccessShareLock);
	table_close(reader->toast, AccessShareLock);
	if (reader->value != NULL)
		pfree(reader->value);
	pfree(reader);
}

/* The next chunk of the scan; false if there is none. */
static bool
next_chunk(VsToastReader *reader, Chunk *chunk)
{
	HeapTuple	tuple = systable_getnext_ordered(reader->scan,
												 ForwardScanDirection);
	TupleDesc	desc = RelationGetDescr(reader->toast);
	struct varlena *data;
	bool		isnull;

	if (tuple == NULL)
		return false;
	chunk->value = DatumGetObjectId(fastgetattr(tuple, 1, desc, &isnull));
	chunk->number = DatumGetInt32(fastgetattr(tuple, 2, desc, &isnull));
	data = (struct varlena *) DatumGetPointer(fastgetattr(tuple, 3, desc,
														  &isnull));
	if (VARATT_IS_EXTERNAL(data) || VARATT_IS_COMPRESSED(data))
		return false;
	chunk->nbytes = VARSIZE_ANY_EXHDR(data);
	chunk->data = VARDATA_ANY(data);
	return true;
}

/* Begin a scan at a value: of its chunks alone, or of those behind it, too. */
static void
begin_scan(VsToastReader *reader, Oid value, bool goes_on)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1,
				goes_on ? BTGreaterEqualStrategyNumber : BTEqualStrategyNumber,
				goes_on ? F_OIDGE : F_OIDEQ, ObjectIdGetDatum(value));
	reader->scan = systable_beginscan_ordered(reader->toast,
											  reader->indexes[reader->valid_index],
											  &reader->snapshot,
											  1, &key);
}

/* Find the first chunk of a value, from where the scan is or anew. */
static bool
find_value(VsToastReader *reader, Oid value, Chunk *chunk)
{
	bool		is_close = value > reader->last &&
		value - reader->last <= CLOSE_VALUES;

	if (reader->scan != NULL && is_close)
		for (int i = 0; i <= SKIPPED_CHUNKS; i++)
		{
			if (!next_chunk(reader, chunk) || chunk->value > value)
				break;
			if (chunk->value == value)
				return chunk->number == 0;
		}
	end_scan(reader);
	begin_scan(reader, value, is_close);
	return next_chunk(reader, chunk) && chunk->value == value &&
		chunk->number == 0;
}

/* Have room for a value of nbytes. */
static void
make_room(VsToastReader *reader, Size nbytes)
{
	if (nbytes <= reader->room)
		return;
	if (reader->value != NULL)
		pfree(reader->value);
	reader->value = MemoryContextAlloc(reader->context, nbytes);
	reader->room = nbytes;
}

/* Read a value of nbytes, in chunks that are full but for the last. */
static bool
read_value(VsToastReader *reader, Oid value, Size nbytes)
{
	Size		done = 0;
	Chunk		chunk;

	make_room(reader, nbytes + VARHDRSZ);
	SET_VARSIZE(reader->value, nbytes + VARHDRSZ);
	if (!find_value(reader, value, &chunk))
		return false;
	for (int number = 0;; number++)
	{
		if (chunk.value != value || chunk.number != number ||
			chunk.nbytes != Min(nbytes - done, TOAST_MAX_CHUNK_SIZE))
			return false;
		memcpy(VARDATA(reader->value) + done, chunk.data, chunk.nbytes);
		done += chunk.nbytes;
		if (done == nbytes)
			return true;
		if (!next_chunk(reader, &chunk))
			return false;
	}
}

Datum
vs_toast_read(VsToastReader *reader, Datum value)
{
	struct varlena *toasted = (struct varlena *) DatumGetPointer(value);
	struct varatt_external pointer;
	MemoryContext old;
	bool		is_read;

	if (reader == NULL || !VARATT_IS_EXTERNAL_ONDISK(toasted))
		return value;
	VARATT_EXTERNAL_GET_POINTER(pointer, toasted);
	if (VARATT_EXTERNAL_IS_COMPRESSED(pointer) ||
		pointer.va_toastrelid != RelationGetRelid(reader->toast))
		return value;

	/* A scan outlives the row. */
	old = MemoryContextSwitchTo(reader->context);
	is_read = read_value(reader, pointer.va_valueid,
						 VARATT_EXTERNAL_GET_EXTSIZE(pointer));
	MemoryContextSwitchTo(old);
	reader->last = pointer.va_valueid;
	if (is_read)
		return PointerGetDatum(reader->value);
	end_scan(reader);
	return value;
}
