/*
 * bm25_header.c
 *		Header pages of segments, and what a backend remembers of them.
 *
 * A segment's header never changes, and its number is not used twice in the life
 * of an index's file, so nothing has to be invalidated: what is remembered of a
 * segment that is gone leads to pages that are not its own.  An index that is
 * truncated in the transaction that made it begins anew in the same file; but
 * only this backend knows that file, and forgets what it overwrites.
 */
#include "postgres.h"

#include "bm25/bm25_reader.h"
#include "compat.h"
#include "utils/memutils.h"

/* Segments that are remembered, and the most runs of one. */
#define NREMEMBERED 256
#define MAX_REMEMBERED_RUNS 4096

typedef struct Remembered
{
	VsRelFileKey file;
	uint32		id;				/* 0: none */
	VsBm25SegmentHeader header;
	VsBm25Run  *runs;
	int			nruns;
} Remembered;

static Remembered *remembered = NULL;	/* by hash */

static Remembered *
place_of(Relation rel, uint32 id)
{
	uint32		file = vs_compat_file_number(vs_compat_file_key(rel));

	return &remembered[(id + file * 0x9E3779B1u) % NREMEMBERED];
}

static bool
is_of(const Remembered *place, Relation rel, uint32 id)
{
	return place->id == id &&
		vs_compat_same_file(place->file, vs_compat_file_key(rel));
}

static void
forget(Remembered *place)
{
	if (place->id != 0)
		pfree(place->runs);
	place->id = 0;
}

void
vs_bm25_forget_header(Relation rel, uint32 id)
{
	if (remembered != NULL && is_of(place_of(rel, id), rel, id))
		forget(place_of(rel, id));
}

static void
remember(const VsBm25Segment *segment)
{
	int			nruns = segment->section_runs[BM25_NSECTIONS];
	Remembered *place;

	if (nruns > MAX_REMEMBERED_RUNS)
		return;
	if (remembered == NULL)
		remembered = MemoryContextAllocZero(TopMemoryContext,
											sizeof(Remembered) * NREMEMBERED);
	place = place_of(segment->rel, segment->entry.id);
	forget(place);
	place->runs = MemoryContextAlloc(TopMemoryContext,
									 sizeof(VsBm25Run) * Max(nruns, 1));
	memcpy(place->runs, segment->runs, sizeof(VsBm25Run) * nruns);
	place->nruns = nruns;
	place->header = segment->header;
	place->file = vs_compat_file_key(segment->rel);
	place->id = segment->entry.id;
}

pg_noreturn static void
report_header(const VsBm25Segment *segment, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("header of segment %u of index \"%s\" is damaged at block %u",
					segment->entry.id, RelationGetRelationName(segment->rel),
					block),
			 errhint("Please REINDEX it.")));
}

/* A copy of a header page's records; NULL if the segment is stale. */
static char *
copy_header_page(VsBm25Segment *segment, BlockNumber block, int *nbytes)
{
	Buffer		buffer = vs_page_pin(segment->rel, block);
	Page		page = BufferGetPage(buffer);
	char	   *copy = NULL;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (vs_page_kind(page) != 0 &&
		vs_page_opaque(page)->generation != segment->entry.id)
		segment->is_stale = true;
	else
	{
		vs_page_require(segment->rel, buffer, BM25_PAGE_HEADER);
		*nbytes = vs_page_nbytes(page);
		if (!vs_page_is_sound(page, *nbytes) || *nbytes > VS_PAGE_CAPACITY)
			report_header(segment, block);
		copy = palloc(VS_PAGE_CAPACITY);
		memcpy(copy, vs_page_records(page), *nbytes);
	}
	UnlockReleaseBuffer(buffer);
	return copy;
}

/* Append a header page's runs, which begin behind nbytes of it. */
static void
append_runs(VsBm25Segment *segment, BlockNumber block, const char *records,
			int begin, int nbytes)
{
	const VsBm25HeaderLink *link = (const VsBm25HeaderLink *) records;
	int			nruns = segment->section_runs[BM25_NSECTIONS];

	if (nbytes < begin || link->nruns != (nbytes - begin) / sizeof(VsBm25Run))
		report_header(segment, block);
	segment->runs = repalloc_huge(segment->runs,
								  sizeof(VsBm25Run) * (nruns + link->nruns + 1));
	memcpy(segment->runs + nruns, records + begin,
		   sizeof(VsBm25Run) * link->nruns);
	segment->section_runs[BM25_NSECTIONS] += link->nruns;
}

/* Runs are in order and make up the sections; note where each section's begin. */
static void
arrange_runs(VsBm25Segment *segment)
{
	int			nruns = segment->section_runs[BM25_NSECTIONS];
	int			i = 0;

	for (int section = 0; section < BM25_NSECTIONS; section++)
	{
		uint64		npages = 0;

		segment->section_runs[section] = i;
		for (; i < nruns && segment->runs[i].section == section; i++)
		{
			if (segment->runs[i].first != npages || segment->runs[i].npages == 0)
				report_header(segment, segment->entry.header);
			npages += segment->runs[i].npages;
		}
		if (npages != segment->header.npages[section])
			report_header(segment, segment->entry.header);
	}
	if (i != nruns)
		report_header(segment, segment->entry.header);
}

/* ERROR unless header and directory say the same, which is within limits. */
static void
check_header(const VsBm25Segment *segment)
{
	const VsBm25SegmentHeader *header = &segment->header;
	const VsBm25SegmentEntry *entry = &segment->entry;

	if (header->id != entry->id || header->ndocs != entry->ndocs ||
		header->nnulls != entry->nnulls ||
		(uint64) entry->ndocs + entry->nnulls > BM25_MAX_ROWS)
		report_header(segment, entry->header);
}

/* Read the header from its pages; false if the segment is stale. */
static bool
read_pages(VsBm25Segment *segment)
{
	BlockNumber block = segment->entry.header;
	int			nbytes;
	char	   *records = copy_header_page(segment, block, &nbytes);

	if (records == NULL)
		return false;
	if (nbytes < sizeof(VsBm25SegmentHeader))
		report_header(segment, block);
	memcpy(&segment->header, records, sizeof(VsBm25SegmentHeader));
	check_header(segment);
	append_runs(segment, block, records, sizeof(VsBm25SegmentHeader), nbytes);
	for (uint32 npages = 1;; npages++)
	{
		block = ((VsBm25HeaderLink *) records)->next;
		pfree(records);
		if (block == InvalidBlockNumber)
			break;
		/* A damaged link may lead back. */
		if (npages > segment->entry.npages)
			report_header(segment, block);
		records = copy_header_page(segment, block, &nbytes);
		if (records == NULL)
			return false;
		append_runs(segment, block, records, sizeof(VsBm25HeaderLink), nbytes);
	}
	arrange_runs(segment);
	return true;
}

void
vs_bm25_read_header(VsBm25Segment *segment)
{
	const Remembered *place = remembered == NULL ? NULL :
		place_of(segment->rel, segment->entry.id);

	segment->section_runs[BM25_NSECTIONS] = 0;
	if (place != NULL && is_of(place, segment->rel, segment->entry.id))
	{
		segment->runs = palloc(sizeof(VsBm25Run) * Max(place->nruns, 1));
		memcpy(segment->runs, place->runs, sizeof(VsBm25Run) * place->nruns);
		segment->section_runs[BM25_NSECTIONS] = place->nruns;
		segment->header = place->header;
		check_header(segment);
		arrange_runs(segment);
		return;
	}
	segment->runs = palloc(sizeof(VsBm25Run));
	if (read_pages(segment))
		remember(segment);
	else
	{
		memset(&segment->header, 0, sizeof(segment->header));
		memset(segment->section_runs, 0, sizeof(segment->section_runs));
	}
}
