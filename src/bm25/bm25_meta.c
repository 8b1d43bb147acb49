/*
 * bm25_meta.c
 *		The metapage.
 */
#include "postgres.h"

#include "bm25/bm25_meta.h"
#include "index/meta.h"
#include "storage/edit.h"

/* Whether all that a metapage says is within its range. */
static bool
is_meta_sane(const VsBm25Meta *meta)
{
	const VsBm25BufferMeta *buffer = &meta->buffer;

	return meta->next_id > 1 && buffer->generation < meta->next_id &&
		meta->nsegments <= BM25_MAX_SEGMENTS &&
		buffer->npages <= BM25_BUFFER_PAGES &&
		(buffer->tail == BM25_NO_TAIL || buffer->tail < buffer->npages) &&
		(meta->retired_first == 0) == (meta->retired_last == 0);
}

/* ERROR unless we can go by the metapage. */
static void
check_meta(Relation rel, const VsBm25Meta *meta)
{
	VsMetaFacts facts = {
		.am = "a bm25",
		.is_ours = meta->magic == BM25_MAGIC,
		.version = meta->version,
		.known_version = BM25_VERSION,
		.is_sane = is_meta_sane(meta),
	};

	vs_meta_require(rel, NULL, &facts);
}

Buffer
vs_bm25_lock_meta(Relation rel, int lockmode)
{
	Buffer		buffer = vs_page_read(rel, BM25_META_BLOCK, lockmode,
									  BM25_PAGE_META);

	check_meta(rel, vs_bm25_page_meta(BufferGetPage(buffer)));
	return buffer;
}

/* A copy of a metapage that is locked. */
static VsBm25Meta *
copy_meta(Buffer buffer)
{
	const VsBm25Meta *meta = vs_bm25_page_meta(BufferGetPage(buffer));
	VsBm25Meta *copy = palloc(BM25_META_MAX_NBYTES);

	memcpy(copy, meta, BM25_META_NBYTES(meta->nsegments));
	return copy;
}

VsBm25Meta *
vs_bm25_read_meta(Relation rel)
{
	Buffer		buffer = vs_bm25_lock_meta(rel, BUFFER_LOCK_SHARE);
	VsBm25Meta *meta = copy_meta(buffer);

	UnlockReleaseBuffer(buffer);
	return meta;
}

/* What the buffer holds by its tail; false if that cannot be. */
static bool
find_totals_there(const VsBm25BufferMeta *meta, Page page,
				  VsBm25BufferTotals *totals)
{
	uint32		begin = meta->tail * BM25_BUFFER_PAGE_NBYTES;

	if (vs_page_kind(page) != BM25_PAGE_BUFFER ||
		vs_page_opaque(page)->generation != meta->generation)
		return false;
	*totals = vs_bm25_page_buffer(page)->totals;
	return totals->nbytes > begin && totals->nbytes % sizeof(uint32) == 0 &&
		totals->nbytes - begin <= BM25_BUFFER_PAGE_NBYTES &&
		(int) (offsetof(VsBm25BufferPage, bytes) + totals->nbytes - begin) <=
		vs_page_nbytes(page);
}

/* The same where the tail is still to be found. */
static bool
find_totals(Relation rel, Buffer meta_buffer, VsBm25BufferTotals *totals)
{
	const VsBm25BufferMeta *meta =
		&vs_bm25_page_meta(BufferGetPage(meta_buffer))->buffer;
	BlockNumber block;
	Buffer		buffer;
	bool		found;

	memset(totals, 0, sizeof(*totals));
	if (meta->tail == BM25_NO_TAIL)
		return true;
	block = meta->blocks[meta->tail];
	if (block == BM25_META_BLOCK || !vs_page_exists(rel, block))
		return false;
	buffer = vs_page_pin(rel, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	found = find_totals_there(meta, BufferGetPage(buffer), totals);
	UnlockReleaseBuffer(buffer);
	return found;
}

/* ERROR for a buffer whose tail is none. */
static void
report_tail(Relation rel, const VsBm25BufferMeta *meta)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("write buffer of index \"%s\" does not end on block %u, as its metapage says",
					RelationGetRelationName(rel), meta->blocks[meta->tail]),
			 errhint("Please REINDEX it.")));
}

void
vs_bm25_read_totals(Relation rel, Buffer meta_buffer,
					VsBm25BufferTotals *totals)
{
	if (unlikely(!find_totals(rel, meta_buffer, totals)))
		report_tail(rel,
					&vs_bm25_page_meta(BufferGetPage(meta_buffer))->buffer);
}

void
vs_bm25_tail_totals(Relation rel, const VsBm25BufferMeta *meta, Page page,
					VsBm25BufferTotals *totals)
{
	if (unlikely(!find_totals_there(meta, page, totals)))
		report_tail(rel, meta);
}

VsBm25Meta *
vs_bm25_find_all_meta(Relation rel, VsBm25BufferTotals *totals, bool *has_tail)
{
	Buffer		buffer = vs_bm25_lock_meta(rel, BUFFER_LOCK_SHARE);
	VsBm25Meta *meta = copy_meta(buffer);

	*has_tail = find_totals(rel, buffer, totals);
	UnlockReleaseBuffer(buffer);
	return meta;
}

VsBm25Meta *
vs_bm25_read_all_meta(Relation rel, VsBm25BufferTotals *totals)
{
	bool		has_tail;
	VsBm25Meta *meta = vs_bm25_find_all_meta(rel, totals, &has_tail);

	if (unlikely(!has_tail))
		report_tail(rel, &meta->buffer);
	return meta;
}

void
vs_bm25_init_meta(Page page)
{
	VsBm25Meta *meta = vs_bm25_page_meta(page);

	vs_page_init(page, BM25_PAGE_META, BM25_META_NBYTES(0));
	meta->magic = BM25_MAGIC;
	meta->version = BM25_VERSION;
	meta->next_id = 2;
	meta->buffer.generation = 1;
	meta->buffer.tail = BM25_NO_TAIL;
}

void
vs_bm25_fit_meta(Page page)
{
	vs_page_set_nbytes(page,
					   BM25_META_NBYTES(vs_bm25_page_meta(page)->nsegments));
}

VsBm25Meta *
vs_bm25_begin_meta(Relation rel, VsBm25MetaEdit *change)
{
	change->rel = rel;
	change->nbuffers = 1;
	change->buffers[0] = vs_bm25_lock_meta(rel, BUFFER_LOCK_EXCLUSIVE);
	vs_edit_begin(&change->edit, rel, VS_EDIT_LOGGED);
	change->page = vs_edit_page(&change->edit, change->buffers[0],
								VS_EDIT_CHANGE);
	change->meta = vs_bm25_page_meta(change->page);
	return change->meta;
}

Buffer
vs_bm25_lock_another(Relation rel, BlockNumber block, uint16 kind,
					 const Buffer *locked, int n)
{
	for (int i = 0; i < n; i++)
		if (unlikely(BufferGetBlockNumber(locked[i]) == block))
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" refers to block %u for two purposes",
							RelationGetRelationName(rel), block),
					 errhint("Please REINDEX it.")));
	return vs_page_read(rel, block, BUFFER_LOCK_EXCLUSIVE, kind);
}

Page
vs_bm25_add_page(VsBm25MetaEdit *change, BlockNumber block, uint16 kind)
{
	Buffer		buffer = vs_bm25_lock_another(change->rel, block, kind,
											  change->buffers, change->nbuffers);

	Assert(change->nbuffers < VS_EDIT_MAX_PAGES);
	change->buffers[change->nbuffers++] = buffer;
	return vs_edit_page(&change->edit, buffer, VS_EDIT_CHANGE);
}

void
vs_bm25_commit_meta(VsBm25MetaEdit *change)
{
	vs_bm25_fit_meta(change->page);
	vs_edit_commit(&change->edit);
	while (change->nbuffers > 0)
		UnlockReleaseBuffer(change->buffers[--change->nbuffers]);
}

uint32
vs_bm25_give_id(VsBm25Meta *meta, VsBm25Writing writing)
{
	meta->writing[writing] = meta->next_id++;
	return meta->writing[writing];
}

void
vs_bm25_publish(VsBm25Meta *meta, VsBm25Writing writing,
				const VsBm25SegmentEntry *entry)
{
	meta->writing[writing] = 0;
	if (entry->ndocs == 0 && entry->nnulls == 0)
		return;
	if (meta->nsegments >= BM25_MAX_SEGMENTS)
		elog(ERROR, "directory of a bm25 index is full");
	meta->segments[meta->nsegments++] = *entry;
}

VsBm25SegmentEntry *
vs_bm25_find_segment(VsBm25Meta *meta, uint32 id)
{
	for (uint32 i = 0; i < meta->nsegments; i++)
		if (meta->segments[i].id == id)
			return &meta->segments[i];
	return NULL;
}
