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
#include "utils/memutils.h"

/* Pages of the buffer that a record may touch. */
#define MAX_RECORD_PAGES (BM25_RECORD_MAX_NBYTES / VS_PAGE_CAPACITY + 2)

/* A record on its way into the buffer. */
typedef struct Insertion
{
	Relation	rel;
	const VsBm25RecordHeader *record;
	uint32		generation;
	uint32		begin;			/* where in the stream it goes */
	uint32		first;			/* page of the stream that it begins on */
	int			npages;
	Buffer		locked[1 + MAX_RECORD_PAGES];	/* the metapage and these */
	Buffer	   *buffers;		/* of the pages */
	int			nold;			/* of them are the buffer's already */
} Insertion;

/* Lock the pages that the record goes to; those that are missing are new ones. */
static void
lock_pages(Insertion *insertion, const VsBm25BufferMeta *meta)
{
	uint32		last = (insertion->begin + insertion->record->nbytes - 1) /
		VS_PAGE_CAPACITY;

	insertion->first = insertion->begin / VS_PAGE_CAPACITY;
	insertion->npages = last - insertion->first + 1;
	insertion->nold = Min(insertion->npages, (int) (meta->npages - insertion->first));
	Assert(insertion->npages <= MAX_RECORD_PAGES);
	insertion->buffers = insertion->locked + 1;
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
 */
static void
edit_part(Insertion *insertion, VsEdit *edit, int part)
{
	bool		is_new = part >= insertion->nold;
	Page		page = vs_edit_page(edit, insertion->buffers[part],
									is_new ? VS_EDIT_NEW : VS_EDIT_CHANGE);
	uint32		page_begin = (insertion->first + part) * VS_PAGE_CAPACITY;
	uint32		begin = Max(page_begin, insertion->begin);
	uint32		end = Min(page_begin + VS_PAGE_CAPACITY,
						  insertion->begin + insertion->record->nbytes);

	if (is_new)
		vs_page_init(page, BM25_PAGE_BUFFER, 0);
	vs_page_opaque(page)->generation = insertion->generation;
	memcpy(vs_page_records(page) + (begin - page_begin),
		   (const char *) insertion->record + (begin - insertion->begin),
		   end - begin);
	vs_page_set_nbytes(page, end - page_begin);
}

/* Count the record in. */
static void
advance(const Insertion *insertion, VsBm25BufferMeta *meta)
{
	const VsBm25RecordHeader *record = insertion->record;

	for (int i = insertion->nold; i < insertion->npages; i++)
		meta->blocks[meta->npages++] =
			BufferGetBlockNumber(insertion->buffers[i]);
	meta->nbytes += record->nbytes;
	if (record->flags & BM25_RECORD_NULL)
		meta->nnulls++;
	else
		meta->ndocs++;
	meta->total_len += record->len;
}

/*
 * Write the record.  Parts for which the last WAL record has no room go first:
 * nobody sees them before the metapage counts them in.
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
		edit_part(insertion, &edit, part++);
		vs_edit_commit(&edit);
	}

	vs_edit_begin(&edit, insertion->rel, VS_EDIT_LOGGED);
	page = vs_edit_page(&edit, insertion->locked[0], VS_EDIT_CHANGE);
	advance(insertion, &vs_bm25_page_meta(page)->buffer);
	while (part < insertion->npages)
		edit_part(insertion, &edit, part++);
	vs_edit_commit(&edit);
}

/* Append a record to the buffer; false if that has no room for it. */
static bool
append_record(Relation rel, const VsBm25RecordHeader *record)
{
	Insertion	insertion = {.rel = rel, .record = record};
	Buffer		meta_buffer;
	const VsBm25BufferMeta *meta;
	bool		has_room;

	LockPage(rel, BM25_INSERT_LOCK, ShareLock);
	meta_buffer = vs_bm25_lock_meta(rel, BUFFER_LOCK_EXCLUSIVE);
	meta = &vs_bm25_page_meta(BufferGetPage(meta_buffer))->buffer;
	has_room = vs_bm25_buffer_has_room(meta, record->nbytes);
	if (has_room)
	{
		insertion.generation = meta->generation;
		insertion.begin = meta->nbytes;
		insertion.locked[0] = meta_buffer;
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
		while (!append_record(rel, record))
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
	TSVector	tsv = isnull[0] ? NULL : DatumGetTSVector(values[0]);

	insert_record(index, heap, vs_bm25_form_record(tid, tsv));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
