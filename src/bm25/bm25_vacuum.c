/*
 * bm25_vacuum.c
 *		Removing rows: bits in delete bitmaps, marks on records; and merging what
 *		has come together.
 *
 * README.md, "Vacuum".
 */
#include "postgres.h"

#include "access/table.h"
#include "bm25/bm25_buffer.h"
#include "bm25/bm25_meta.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_segment.h"
#include "bm25/bm25_space.h"
#include "bm25/bm25_tier.h"
#include "catalog/index.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "index/vacuum.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "storage/page.h"
#include "storage/patch.h"

/* Rows whose TIDs are read at once. */
#define CHUNK_NROWS 1024

/* Rows whose bits are on one page of the delete bitmap. */
#define PAGE_NROWS (VS_PAGE_CAPACITY * 8)

/* One vacuum under way. */
typedef struct Vacuum
{
	const VsVacuum *base;
	Relation	rel;
	uint32		number;			/* what has a higher one came later */
	uint32		generation;		/* of the buffer when it was vacuumed */
	uint32		ndead;			/* dead rows in it */
} Vacuum;

static inline bool
has_bit(const uint8 *bitmap, uint32 i)
{
	return (bitmap[i / 8] & (1 << (i % 8))) != 0;
}

/*
 * Find the rows of a segment that are to go: adds their bits to "dead".  REINDEX
 * CONCURRENTLY collects TIDs here: the callback sees all that are not deleted.
 */
static void
find_dead(Vacuum *vacuum, VsBm25Segment *segment, const uint8 *deleted,
		  uint8 *dead, uint32 nrows)
{
	ItemPointerData tids[CHUNK_NROWS];

	for (uint32 first = 0; first < nrows; first += CHUNK_NROWS)
	{
		uint32		n = Min(nrows - first, CHUNK_NROWS);

		vs_compat_vacuum_delay_point();
		vs_bm25_segment_read_tids(segment, first, n, tids);
		if (vs_bm25_segment_is_stale(segment))
			return;
		for (uint32 i = 0; i < n; i++)
		{
			uint32		row = first + i;

			if (has_bit(deleted, row))
				continue;
			vs_page_require_tid(vacuum->rel, &tids[i]);
			if (vs_vacuum_is_dead(vacuum->base, &tids[i]))
				dead[row / 8] |= 1 << (row % 8);
		}
	}
}

/*
 * Set the bits of a page of the delete bitmap, and count them in the directory.
 * The segment is busy: it is there, and nobody reads its bits to merge it.
 */
static void
set_bits(Vacuum *vacuum, const VsBm25Segment *segment, uint32 page_number,
		 const uint8 *dead, uint32 nbytes)
{
	BlockNumber block = vs_bm25_segment_block(segment, BM25_SECTION_DELETES,
											  page_number);
	uint32		ndead = pg_popcount((const char *) dead, nbytes);
	VsBm25SegmentEntry *entry;
	VsBm25MetaEdit change;
	uint8	   *bytes;

	if (ndead == 0)
		return;
	entry = vs_bm25_find_segment(vs_bm25_begin_meta(vacuum->rel, &change),
								 segment->entry.id);
	bytes = (uint8 *) vs_page_records(vs_bm25_add_page(&change, block,
													   BM25_PAGE_SEGMENT));
	for (uint32 i = 0; i < nbytes; i++)
		bytes[i] |= dead[i];
	entry->ndeleted += ndead;
	vs_bm25_commit_meta(&change);
	vacuum->base->stats->tuples_removed += ndead;
}

/* Vacuum a segment. */
static void
vacuum_segment(Vacuum *vacuum, const VsBm25SegmentEntry *entry)
{
	VsBm25Segment *segment = vs_bm25_segment_open(vacuum->rel, entry);
	uint32		nrows = entry->ndocs + entry->nnulls;
	uint32		nbytes = (nrows + 7) / 8;
	uint8	   *deleted = palloc0(nbytes);
	uint8	   *dead = palloc0(nbytes);

	segment->strategy = vacuum->base->info->strategy;
	vs_bm25_segment_read_deletes(segment, deleted);
	find_dead(vacuum, segment, deleted, dead, nrows);
	if (vs_bm25_segment_is_stale(segment))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has pages that belong to something else",
						RelationGetRelationName(vacuum->rel)),
				 errhint("Please REINDEX it.")));
	for (uint32 first = 0; first < nrows; first += PAGE_NROWS)
	{
		vs_compat_vacuum_delay_point();
		set_bits(vacuum, segment, first / PAGE_NROWS, dead + first / 8,
				 Min(nbytes - first / 8, PAGE_NROWS / 8));
	}
	vs_bm25_segment_close(segment);
	pfree(deleted);
	pfree(dead);
}

/*
 * Note that segment "done" (0: none) was vacuumed, and mark another one busy that
 * was not: fills in its entry; false if there is none.  Marks that others left go.
 */
static bool
step(Vacuum *vacuum, uint32 done, VsBm25SegmentEntry *next)
{
	VsBm25MetaEdit change;
	VsBm25Meta *meta;
	VsBm25SegmentEntry *found = NULL;

	LockPage(vacuum->rel, BM25_MERGE_LOCK, ExclusiveLock);
	meta = vs_bm25_begin_meta(vacuum->rel, &change);
	for (uint32 i = 0; i < meta->nsegments; i++)
	{
		VsBm25SegmentEntry *entry = &meta->segments[i];

		entry->state = BM25_SEGMENT_LIVE;
		if (entry->id == done)
			entry->vacuumed = vacuum->number;
		if (found == NULL && entry->vacuumed < vacuum->number)
			found = entry;
	}
	if (found != NULL)
	{
		found->state = BM25_SEGMENT_BUSY;
		*next = *found;
	}
	vs_bm25_commit_meta(&change);
	UnlockPage(vacuum->rel, BM25_MERGE_LOCK, ExclusiveLock);
	return found != NULL;
}

/*
 * Vacuum all segments that have rows from before: none that is sealed meanwhile,
 * but what others make of some that were not vacuumed yet.  There are fewer of
 * them with each step.
 */
static void
vacuum_segments(Vacuum *vacuum)
{
	VsBm25SegmentEntry entry;
	uint32		done = 0;

	while (step(vacuum, done, &entry))
	{
		vacuum_segment(vacuum, &entry);
		done = entry.id;
	}
}

/* Mark the record whose flags are at this byte of the stream as dead. */
static void
mark_record(Vacuum *vacuum, const VsBm25Meta *meta, uint32 offset)
{
	BlockNumber block = meta->buffer.blocks[offset / BM25_BUFFER_PAGE_NBYTES];
	Size		place = offsetof(VsBm25BufferPage, bytes) +
		offset % BM25_BUFFER_PAGE_NBYTES;
	Buffer		buffer = vs_page_read(vacuum->rel, block,
									  BUFFER_LOCK_EXCLUSIVE,
									  BM25_PAGE_BUFFER);
	Page		page = BufferGetPage(buffer);
	int			nbytes = vs_page_nbytes(page);
	VsPatch		patch;
	uint16		flags;

	if (unlikely(nbytes < (int) (place + sizeof(flags))))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("write buffer of index \"%s\" has %d bytes on block %u, too few",
						RelationGetRelationName(vacuum->rel), nbytes, block),
				 errhint("Please REINDEX it.")));
	memcpy(&flags, vs_page_records(page) + place, sizeof(flags));
	flags |= BM25_RECORD_DEAD;
	vs_patch_begin(&patch, vacuum->rel, buffer, nbytes);
	vs_patch_write(&patch, place, &flags, sizeof(flags));
	vs_patch_commit(&patch);
	UnlockReleaseBuffer(buffer);
	vacuum->base->stats->tuples_removed++;
}

/* Mark the records of a buffer that are to go, and count the dead ones. */
static void
mark_records(Vacuum *vacuum, const VsBm25Meta *meta,
			 const VsBm25BufferTotals *totals)
{
	VsBm25BufferCopy copy;
	const VsBm25RecordHeader *record;
	uint32		offset = 0;

	vs_bm25_buffer_copy(vacuum->rel, &meta->buffer, totals, &copy);
	while ((record = vs_bm25_buffer_record(vacuum->rel, &copy, &offset)) != NULL)
	{
		ItemPointerData tid = record->tid;

		CHECK_FOR_INTERRUPTS();
		if ((record->flags & BM25_RECORD_DEAD) == 0)
		{
			vs_page_require_tid(vacuum->rel, &tid);
			if (!vs_vacuum_is_dead(vacuum->base, &tid))
				continue;
			mark_record(vacuum, meta,
						offset - record->nbytes +
						offsetof(VsBm25RecordHeader, flags));
		}
		vacuum->ndead++;
	}
	pfree(copy.bytes);
}

/*
 * Vacuum the buffer, and take a number: rows that are sealed later were seen here,
 * or are newer than anything that is to go.  Nobody can seal while we are at it, so
 * there is no break before the lock is released.
 */
static void
vacuum_buffer(Vacuum *vacuum)
{
	VsBm25MetaEdit change;
	VsBm25Meta *meta;
	VsBm25BufferTotals totals;

	LockPage(vacuum->rel, BM25_INSERT_LOCK, ShareLock);
	vacuum->number = vs_bm25_begin_meta(vacuum->rel, &change)->next_id++;
	vs_bm25_commit_meta(&change);
	meta = vs_bm25_read_all_meta(vacuum->rel, &totals);
	vacuum->generation = meta->buffer.generation;
	mark_records(vacuum, meta, &totals);
	UnlockPage(vacuum->rel, BM25_INSERT_LOCK, ShareLock);
	pfree(meta);
	vs_compat_vacuum_delay_point();
}

/*
 * Count the rows that there are, now: those that were visited may have been
 * visited twice.
 */
static void
count_rows(const Vacuum *vacuum)
{
	VsBm25BufferTotals totals;
	VsBm25Meta *meta = vs_bm25_read_all_meta(vacuum->rel, &totals);
	double		nrows = (double) totals.ndocs + totals.nnulls;

	if (meta->buffer.generation == vacuum->generation)
		nrows -= vacuum->ndead;
	for (uint32 i = 0; i < meta->nsegments; i++)
		nrows += (double) meta->segments[i].ndocs + meta->segments[i].nnulls -
			meta->segments[i].ndeleted;
	vacuum->base->stats->num_index_tuples = nrows;
	pfree(meta);
}

/* VsVacuumWork */
static void
vacuum_index(const VsVacuum *base)
{
	Vacuum		vacuum = {.base = base, .rel = base->info->index};

	LockPage(vacuum.rel, BM25_REWRITE_LOCK, ExclusiveLock);
	vacuum_buffer(&vacuum);
	vacuum_segments(&vacuum);
	UnlockPage(vacuum.rel, BM25_REWRITE_LOCK, ExclusiveLock);
	count_rows(&vacuum);
}

IndexBulkDeleteResult *
vs_bm25_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				   IndexBulkDeleteCallback callback, void *callback_state)
{
	return vs_vacuum_run(info, stats, callback, callback_state, vacuum_index);
}

/* Free what retired segments and failed merges have left. */
static uint64
free_pages(Relation rel, Relation heap)
{
	uint64		nfreed;

	LockPage(rel, BM25_REWRITE_LOCK, ExclusiveLock);
	nfreed = vs_bm25_reclaim_all(rel, heap);
	LockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
	nfreed += vs_bm25_free_leftovers(rel);
	UnlockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
	UnlockPage(rel, BM25_REWRITE_LOCK, ExclusiveLock);
	return nfreed;
}

IndexBulkDeleteResult *
vs_bm25_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	Relation	rel = info->index;
	Relation	heap;
	uint64		nfreed;

	if (info->analyze_only)
		return stats;

	/* Vacuum has locked the table. */
	heap = table_open(IndexGetRelation(RelationGetRelid(rel), false), NoLock);
	vs_bm25_merge_large(rel, heap);
	nfreed = free_pages(rel, heap);
	table_close(heap, NoLock);

	stats = vs_vacuum_cleanup(info, stats);
	stats->pages_free += nfreed;
	IndexFreeSpaceMapVacuum(rel);
	return stats;
}
