/*
 * bm25_segment.c
 *		Reading a segment: its pages, rows and postings.
 *
 * The dictionary is in bm25_dict.c, the header in bm25_header.c.
 */
#include "postgres.h"

#include "bm25/bm25_reader.h"
#include "storage/page.h"

#define SKIPS_PER_PAGE (VS_PAGE_CAPACITY / sizeof(VsBm25Skip))
#define TIDS_PER_PAGE (VS_PAGE_CAPACITY / sizeof(ItemPointerData))

VsBm25Segment *
vs_bm25_segment_open(Relation rel, const VsBm25SegmentEntry *entry)
{
	VsBm25Segment *segment = palloc0(sizeof(VsBm25Segment));

	segment->rel = rel;
	segment->entry = *entry;
	for (int section = 0; section < BM25_NSECTIONS; section++)
		segment->pinned[section] = InvalidBuffer;
	vs_bm25_read_header(segment);
	return segment;
}

/* Unpin the page of a section. */
static void
unpin_page(VsBm25Segment *segment, VsBm25Section section)
{
	if (BufferIsValid(segment->pinned[section]))
		ReleaseBuffer(segment->pinned[section]);
	segment->pinned[section] = InvalidBuffer;
}

void
vs_bm25_segment_close(VsBm25Segment *segment)
{
	for (int section = 0; section < BM25_NSECTIONS; section++)
		unpin_page(segment, section);
	pfree(segment->runs);
	pfree(segment);
}

BlockNumber
vs_bm25_segment_block(const VsBm25Segment *segment, VsBm25Section section,
					  uint32 page)
{
	int			low = segment->section_runs[section];
	int			high = segment->section_runs[section + 1];

	if (page >= segment->header.npages[section])
		return InvalidBlockNumber;
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (segment->runs[middle].first <= page)
			low = middle;
		else
			high = middle;
	}
	return segment->runs[low].block + (page - segment->runs[low].first);
}

void
vs_bm25_report_page(const VsBm25Segment *segment, VsBm25Section section,
					uint32 page)
{
	BlockNumber block = vs_bm25_segment_block(segment, section, page);

	if (block == InvalidBlockNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("segment %u of index \"%s\" refers to page %u of section %d, which does not exist",
						segment->entry.id, RelationGetRelationName(segment->rel),
						page, section),
				 errhint("Please REINDEX it.")));
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("page of segment %u of index \"%s\" is damaged at block %u",
					segment->entry.id, RelationGetRelationName(segment->rel),
					block),
			 errhint("Please REINDEX it.")));
}

/* Pin a page, in place of the one that is. */
static void
pin_page(VsBm25Segment *segment, VsBm25Section section, BlockNumber block)
{
	Buffer	   *pinned = &segment->pinned[section];

	if (BufferIsValid(*pinned))
	{
		if (BufferGetBlockNumber(*pinned) == block)
			return;
		ReleaseBuffer(*pinned);
		*pinned = InvalidBuffer;
	}
	if (segment->strategy == NULL || !vs_page_exists(segment->rel, block))
		*pinned = vs_page_pin(segment->rel, block);
	else
		*pinned = ReadBufferExtended(segment->rel, MAIN_FORKNUM, block,
									 RBM_NORMAL, segment->strategy);
}

const char *
vs_bm25_lock_page(VsBm25Segment *segment, VsBm25Section section, uint32 page_no,
				  int *nbytes)
{
	BlockNumber block;
	Page		page;

	if (segment->is_stale)
		return NULL;
	block = vs_bm25_segment_block(segment, section, page_no);
	if (block == InvalidBlockNumber)
		vs_bm25_report_page(segment, section, page_no);
	pin_page(segment, section, block);
	LockBuffer(segment->pinned[section], BUFFER_LOCK_SHARE);
	page = BufferGetPage(segment->pinned[section]);
	if (vs_page_kind(page) != 0 &&
		vs_page_opaque(page)->generation != segment->entry.id)
	{
		vs_bm25_unlock_page(segment, section);
		segment->is_stale = true;
		return NULL;
	}
	vs_page_require(segment->rel, segment->pinned[section], BM25_PAGE_SEGMENT);
	*nbytes = vs_page_nbytes(page);
	if (*nbytes < 0 || *nbytes > VS_PAGE_CAPACITY)
		vs_bm25_report_page(segment, section, page_no);
	return vs_page_records(page);
}

void
vs_bm25_unlock_page(VsBm25Segment *segment, VsBm25Section section)
{
	LockBuffer(segment->pinned[section], BUFFER_LOCK_UNLOCK);
	if (RelationUsesLocalBuffers(segment->rel))
		unpin_page(segment, section);
}

/*
 * Copy n records of a size from number "first" on of a section whose pages are
 * full of them; false if the segment is stale.  None stays pinned.
 */
static bool
read_records(VsBm25Segment *segment, VsBm25Section section, Size size,
			 uint64 first, uint64 n, void *target)
{
	uint64		per_page = VS_PAGE_CAPACITY / size;

	while (n > 0)
	{
		uint32		page = first / per_page;
		uint64		position = first % per_page;
		uint64		here = Min(n, per_page - position);
		int			nbytes;
		const char *records = vs_bm25_lock_page(segment, section, page, &nbytes);

		if (records == NULL)
			return false;
		if ((position + here) * size > nbytes)
			vs_bm25_report_page(segment, section, page);
		memcpy(target, records + position * size, here * size);
		vs_bm25_unlock_page(segment, section);
		target = (char *) target + here * size;
		first += here;
		n -= here;
	}
	unpin_page(segment, section);
	return true;
}

void
vs_bm25_segment_read_skips(VsBm25Segment *segment, const VsBm25List *list,
						   uint32 first, uint32 n, VsBm25Skip *skips)
{
	if (list->nblocks == 1)
		*skips = list->only;
	else if (!read_records(segment, BM25_SECTION_SKIPS, sizeof(VsBm25Skip),
						   (uint64) list->first_skip + first, n, skips))
		memset(skips, 0, sizeof(VsBm25Skip) * n);
}

/* Lock the page of a block of postings; NULL if the segment is stale. */
static const uint8 *
lock_block(VsBm25Segment *segment, const VsBm25Place *place,
		   VsBm25Section *section, uint32 *page)
{
	const char *records;
	int			nbytes;

	*section = place->page & BM25_PLACE_LEXEMES ? BM25_SECTION_LEXEMES :
		BM25_SECTION_POSTINGS;
	*page = place->page & ~BM25_PLACE_LEXEMES;
	records = vs_bm25_lock_page(segment, *section, *page, &nbytes);
	if (records != NULL && place->offset + place->nbytes > nbytes)
		vs_bm25_report_page(segment, *section, *page);
	return records == NULL ? NULL : (const uint8 *) records + place->offset;
}

void
vs_bm25_segment_read_docs(VsBm25Segment *segment, const VsBm25Place *place,
						  int64 previous_doc, VsBm25Block *block)
{
	VsBm25Section section;
	uint32		page;
	const uint8 *bytes = lock_block(segment, place, &section, &page);

	block->n = 0;
	if (bytes == NULL)
		return;
	if (!vs_bm25_block_decode_docs(bytes, place->nbytes, previous_doc, block) ||
		block->docs[block->n - 1] >= segment->header.ndocs)
		vs_bm25_report_page(segment, section, page);
	vs_bm25_unlock_page(segment, section);
}

void
vs_bm25_segment_read_rest(VsBm25Segment *segment, const VsBm25Place *place,
						  VsBm25Block *block)
{
	VsBm25Section section;
	uint32		page;
	const uint8 *bytes = lock_block(segment, place, &section, &page);

	if (bytes == NULL)
		return;
	if (!vs_bm25_block_decode_rest(bytes, place->nbytes, block))
		vs_bm25_report_page(segment, section, page);
	vs_bm25_unlock_page(segment, section);
}

void
vs_bm25_segment_read_tids(VsBm25Segment *segment, uint32 first, uint32 n,
						  ItemPointerData *tids)
{
	if (read_records(segment, BM25_SECTION_ROWS, sizeof(ItemPointerData), first,
					 n, tids))
		return;
	for (uint32 i = 0; i < n; i++)
		ItemPointerSetInvalid(&tids[i]);
}

void
vs_bm25_segment_read_deletes(VsBm25Segment *segment, uint8 *bitmap)
{
	uint64		nrows = (uint64) segment->header.ndocs + segment->header.nnulls;
	uint64		nbytes = (nrows + 7) / 8;

	if (!read_records(segment, BM25_SECTION_DELETES, 1, 0, nbytes, bitmap))
		memset(bitmap, 0, nbytes);
}
