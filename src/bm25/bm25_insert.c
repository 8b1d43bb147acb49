/*
 * bm25_insert.c
 *		Inserting one row: its record is appended to the write buffer.
 *
 * README.md, "Insert".
 */
#include "postgres.h"

#include "bm25/bm25_buffer.h"
#include "bm25/bm25_meta.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_seal.h"
#include "bm25/bm25_tier.h"
#include "storage/edit.h"
#include "storage/lmgr.h"
#include "storage/page.h"
#include "storage/patch.h"
#include "utils/memutils.h"

/* Pages of the buffer that a record may touch. */
#define MAX_RECORD_PAGES (BM25_RECORD_MAX_NBYTES / BM25_BUFFER_PAGE_NBYTES + 2)

/* A record on its way into the buffer, where the tail has no room for it. */
typedef struct Insertion
{
	Relation	rel;
	const VsBm25RecordHeader *record;
	uint32		generation;
	uint32		begin;			/* where in the stream it goes */
	VsBm25BufferTotals totals;	/* once it is there */
	uint32		first;			/* page of the stream that it begins on */
	int			npages;
	Buffer		locked[1 + MAX_RECORD_PAGES];	/* the metapage and these */
	Buffer	   *buffers;		/* of the pages */
	int			nold;			/* of them are the buffer's already */
} Insertion;

/* Count a record in. */
static void
count_record(VsBm25BufferTotals *totals, const VsBm25RecordHeader *record)
{
	totals->nbytes += record->nbytes;
	if (record->flags & BM25_RECORD_NULL)
		totals->nnulls++;
	else
		totals->ndocs++;
	totals->total_len += record->len;
}

/* An insertion behind what the buffer holds, whose metapage is locked. */
static void
begin_insertion(Insertion *insertion, const VsBm25BufferMeta *meta,
				const VsBm25BufferTotals *totals)
{
	uint32		last;

	insertion->generation = meta->generation;
	insertion->begin = totals->nbytes;
	insertion->totals = *totals;
	count_record(&insertion->totals, insertion->record);
	last = (insertion->totals.nbytes - 1) / BM25_BUFFER_PAGE_NBYTES;
	insertion->first = insertion->begin / BM25_BUFFER_PAGE_NBYTES;
	insertion->npages = last - insertion->first + 1;
	insertion->nold = Min(insertion->npages, (int) (meta->npages - insertion->first));
	insertion->buffers = insertion->locked + 1;
	Assert(insertion->npages <= MAX_RECORD_PAGES);
}

/* Lock the pages that the record goes to; those that are missing are new ones. */
static void
lock_pages(Insertion *insertion, const VsBm25BufferMeta *meta)
{
	for (int i = 0; i < insertion->npages; i++)
		insertion->buffers[i] = i < insertion->nold ?
			vs_bm25_lock_another(insertion->rel,
								 meta->blocks[insertion->first + i],
								 BM25_PAGE_BUFFER, insertion->locked, i + 1) :
			vs_page_extend_locked(insertion->rel);
}

/*
 * Write the part of the record that goes to a page, which ends there: what it held
 * behind that is of a buffer that was sealed, or of a record that was not counted in.
 * The last page is the tail once the tail moves; what was it counts no more.
 */
static void
edit_part(Insertion *insertion, VsEdit *edit, int part, bool moves_tail)
{
	bool		is_new = part >= insertion->nold;
	Page		page = vs_edit_page(edit, insertion->buffers[part],
									is_new ? VS_EDIT_NEW : VS_EDIT_CHANGE);
	uint32		page_begin = (insertion->first + part) * BM25_BUFFER_PAGE_NBYTES;
	uint32		begin = Max(page_begin, insertion->begin);
	uint32		end = Min(page_begin + BM25_BUFFER_PAGE_NBYTES,
						  insertion->totals.nbytes);
	VsBm25BufferPage *contents;

	if (is_new)
		vs_page_init(page, BM25_PAGE_BUFFER, 0);
	contents = vs_bm25_page_buffer(page);
	vs_page_opaque(page)->generation = insertion->generation;
	if (part == insertion->npages - 1)
		contents->totals = insertion->totals;
	else if (moves_tail || begin == page_begin)
		memset(&contents->totals, 0, sizeof(contents->totals));
	memcpy(contents->bytes + (begin - page_begin),
		   (const char *) insertion->record + (begin - insertion->begin),
		   end - begin);
	vs_page_set_nbytes(page, offsetof(VsBm25BufferPage, bytes) +
					   (end - page_begin));
}

/*
 * Let the metapage know the pages that are new, and the tail; and that nobody seals,
 * as the insert lock is ours: an error may have left that there.
 */
static void
move_tail(const Insertion *insertion, VsBm25Meta *meta)
{
	VsBm25BufferMeta *buffer = &meta->buffer;

	for (int i = insertion->nold; i < insertion->npages; i++)
		buffer->blocks[buffer->npages++] =
			BufferGetBlockNumber(insertion->buffers[i]);
	buffer->tail = insertion->first + insertion->npages - 1;
	meta->writing[BM25_SEALING] = 0;
}

/*
 * Write the record.  Parts for which the last WAL record has no room go first:
 * nobody sees them before the tail counts them in.
 */
static void
write_record(Insertion *insertion)
{
	int			part = 0;
	VsEdit		edit;
	Page		page;

	while (insertion->npages - part > VS_EDIT_MAX_PAGES - 1)
	{
		vs_edit_begin(&edit, insertion->rel, VS_EDIT_LOGGED);
		edit_part(insertion, &edit, part++, false);
		vs_edit_commit(&edit);
	}

	vs_edit_begin(&edit, insertion->rel, VS_EDIT_LOGGED);
	page = vs_edit_page(&edit, insertion->locked[0], VS_EDIT_CHANGE);
	move_tail(insertion, vs_bm25_page_meta(page));
	while (part < insertion->npages)
		edit_part(insertion, &edit, part++, true);
	vs_edit_commit(&edit);
}

/* Write a record that the tail alone takes. */
static void
patch_tail(Relation rel, Buffer tail, const VsBm25RecordHeader *record,
		   const VsBm25BufferTotals *before)
{
	VsBm25BufferTotals totals = *before;
	Size		place = offsetof(VsBm25BufferPage, bytes) +
		before->nbytes % BM25_BUFFER_PAGE_NBYTES;
	VsPatch		patch;

	count_record(&totals, record);
	vs_patch_begin(&patch, rel, tail, place + record->nbytes);
	vs_patch_write(&patch, offsetof(VsBm25BufferPage, totals), &totals,
				   sizeof(totals));
	vs_patch_write(&patch, place, record, record->nbytes);
	vs_patch_commit(&patch);
}

/*
 * Append a record to the tail, if that has room for it: then nothing else changes.
 * The lock on the metapage keeps sealing from beginning, which says there first that
 * it does.
 */
static bool
append_to_tail(Relation rel, const VsBm25RecordHeader *record)
{
	Buffer		meta_buffer = vs_bm25_lock_meta(rel, BUFFER_LOCK_SHARE);
	const VsBm25Meta *meta = vs_bm25_page_meta(BufferGetPage(meta_buffer));
	const VsBm25BufferMeta *buffer = &meta->buffer;
	Buffer		tail;
	VsBm25BufferTotals totals;
	bool		has_room;

	if (meta->writing[BM25_SEALING] != 0 || buffer->tail == BM25_NO_TAIL)
	{
		UnlockReleaseBuffer(meta_buffer);
		return false;
	}
	tail = vs_bm25_lock_another(rel, buffer->blocks[buffer->tail],
								BM25_PAGE_BUFFER, &meta_buffer, 1);
	vs_bm25_tail_totals(rel, buffer, BufferGetPage(tail), &totals);
	has_room = totals.nbytes + record->nbytes <=
		(buffer->tail + 1) * BM25_BUFFER_PAGE_NBYTES;
	if (has_room)
		patch_tail(rel, tail, record, &totals);
	UnlockReleaseBuffer(tail);
	UnlockReleaseBuffer(meta_buffer);
	return has_room;
}

/* Append a record to the buffer; false if that has no room for it. */
static bool
append_record(Relation rel, const VsBm25RecordHeader *record)
{
	Insertion	insertion = {.rel = rel, .record = record};
	Buffer		meta_buffer;
	const VsBm25BufferMeta *meta;
	VsBm25BufferTotals totals;
	bool		has_room;

	LockPage(rel, BM25_INSERT_LOCK, ShareLock);
	meta_buffer = vs_bm25_lock_meta(rel, BUFFER_LOCK_EXCLUSIVE);
	meta = &vs_bm25_page_meta(BufferGetPage(meta_buffer))->buffer;
	vs_bm25_read_totals(rel, meta_buffer, &totals);
	has_room = vs_bm25_buffer_has_room(&totals, record->nbytes);
	if (has_room)
	{
		insertion.locked[0] = meta_buffer;
		begin_insertion(&insertion, meta, &totals);
		lock_pages(&insertion, meta);
		write_record(&insertion);
		for (int i = 0; i < insertion.npages; i++)
			UnlockReleaseBuffer(insertion.buffers[i]);
	}
	UnlockReleaseBuffer(meta_buffer);
	UnlockPage(rel, BM25_INSERT_LOCK, ShareLock);
	return has_room;
}

/* Insert a record; whoever fills the buffer makes room in it. */
static void
insert_record(Relation rel, Relation heap, const VsBm25RecordHeader *record)
{
	bool		has_sealed = false;

	if (record->nbytes > BM25_RECORD_MAX_NBYTES)
	{
		while (!vs_bm25_seal_record(rel, record))
			vs_bm25_make_room(rel, heap);
		has_sealed = true;
	}
	else
		while (!append_to_tail(rel, record) && !append_record(rel, record))
		{
			if (vs_bm25_seal_buffer(rel, record->nbytes))
				has_sealed = true;
			else
				vs_bm25_make_room(rel, heap);
		}
	if (has_sealed)
		vs_bm25_merge_small(rel, heap);
}

bool
vs_bm25_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
			   Relation heap, IndexUniqueCheck checkUnique,
			   bool indexUnchanged, IndexInfo *indexInfo)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "bm25 insert",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TSVector	tsv = isnull[0] ? NULL : vs_bm25_get_tsvector(values[0]);

	insert_record(index, heap, vs_bm25_form_record(tid, tsv));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
