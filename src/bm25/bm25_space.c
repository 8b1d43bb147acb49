/*
 * bm25_space.c
 *		To whom pages belong, and how they become free.
 *
 * A page belongs to the segment whose id it carries, as long as that is live,
 * retired or being written, or to the write buffer.  See README.md, "Vacuum".
 */
#include "postgres.h"

#include "access/transam.h"
#include "bm25/bm25_space.h"
#include "miscadmin.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "storage/page.h"
#include "utils/snapmgr.h"

/* Pages that an insert frees at most. */
#define FEW_NPAGES 1024

/* Runs that a header page has room for, behind so many bytes. */
#define MAX_RUNS(nbytes) ((VS_PAGE_CAPACITY - (nbytes)) / sizeof(VsBm25Run))

static inline VsBm25SegmentHeader *
page_header(Page page)
{
	return (VsBm25SegmentHeader *) vs_page_records(page);
}

static int
compare_ids(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right;
}

static void
add_id(VsBm25Owners *owners, uint32 *capacity, uint32 id)
{
	if (owners->nids == *capacity)
	{
		*capacity *= 2;
		owners->ids = repalloc(owners->ids, sizeof(uint32) * *capacity);
	}
	owners->ids[owners->nids++] = id;
}

/* ERROR for a header page that cannot be one. */
static void
report_damage(Relation rel, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("header of a segment of index \"%s\" is corrupted at block %u",
					RelationGetRelationName(rel), block),
			 errhint("Please REINDEX it.")));
}

uint32
vs_bm25_next_retired(Relation rel, BlockNumber *block, uint32 *nsteps)
{
	Buffer		buffer;
	Page		page;
	uint32		id = 0;

	/* A damaged link may lead back. */
	if (++*nsteps % 1024 == 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (*nsteps > RelationGetNumberOfBlocks(rel))
			report_damage(rel, *block);
	}
	if (!vs_page_exists(rel, *block))
		return 0;
	buffer = ReadBuffer(rel, *block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (vs_page_kind(page) == BM25_PAGE_HEADER)
	{
		id = page_header(page)->id;
		*block = page_header(page)->retired_next;
	}
	UnlockReleaseBuffer(buffer);
	return id;
}

/* Where the queue of retired segments begins now. */
static BlockNumber
queue_begin(Relation rel)
{
	Buffer		buffer = vs_bm25_lock_meta(rel, BUFFER_LOCK_SHARE);
	BlockNumber block = vs_bm25_page_meta(BufferGetPage(buffer))->retired_first;

	UnlockReleaseBuffer(buffer);
	return block;
}

VsBm25Owners *
vs_bm25_read_owners(Relation rel)
{
	VsBm25Owners *owners = palloc(sizeof(VsBm25Owners));
	uint32		capacity = BM25_MAX_SEGMENTS;
	VsBm25Meta *meta;

	owners->ids = palloc(sizeof(uint32) * capacity);

	/* Segments that are freed meanwhile cut the queue at its beginning. */
	do
	{
		BlockNumber block;
		uint32		nsteps = 0;
		uint32		id;

		CHECK_FOR_INTERRUPTS();
		meta = vs_bm25_read_meta(rel);
		owners->next_id = meta->next_id;
		owners->nblocks = meta->buffer.npages;
		memcpy(owners->blocks, meta->buffer.blocks, sizeof(owners->blocks));
		owners->nids = 0;
		for (int i = 0; i < BM25_NWRITING; i++)
			add_id(owners, &capacity, meta->writing[i]);
		add_id(owners, &capacity, meta->buffer.generation);
		for (uint32 i = 0; i < meta->nsegments; i++)
			add_id(owners, &capacity, meta->segments[i].id);
		block = meta->retired_first;
		while (block != 0 &&
			   (id = vs_bm25_next_retired(rel, &block, &nsteps)) != 0)
			add_id(owners, &capacity, id);
	} while (queue_begin(rel) != meta->retired_first);

	pfree(meta);
	qsort(owners->ids, owners->nids, sizeof(uint32), compare_ids);
	return owners;
}

bool
vs_bm25_page_is_free(const VsBm25Owners *owners, Buffer buffer)
{
	Page		page = BufferGetPage(buffer);
	uint32		owner;

	if (PageIsNew(page))
		return true;
	if (owners == NULL || vs_page_kind(page) == BM25_PAGE_META)
		return false;
	for (uint32 i = 0; i < owners->nblocks; i++)
		if (owners->blocks[i] == BufferGetBlockNumber(buffer))
			return false;
	owner = vs_page_opaque(page)->generation;
	return owner < owners->next_id &&
		bsearch(&owner, owners->ids, owners->nids, sizeof(uint32),
				compare_ids) == NULL;
}

/*
 * Copy a header page; false if it carries another number than this owner's, unless
 * that is 0.
 */
static bool
copy_header(Relation rel, BlockNumber block, uint32 owner, PGAlignedBlock *copy)
{
	Buffer		buffer = vs_page_pin(rel, block);
	Page		page = BufferGetPage(buffer);
	bool		is_own;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	is_own = owner == 0 || vs_page_kind(page) == 0 ||
		vs_page_opaque(page)->generation == owner;
	if (is_own)
		vs_page_require(rel, buffer, BM25_PAGE_HEADER);
	memcpy(copy->data, page, BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return is_own;
}

/* Visit the pages of a header page's runs, which are behind so many bytes. */
static void
visit_runs(Relation rel, BlockNumber block, Page page, Size nbytes,
		   VsBm25VisitPages visit, void *state)
{
	const VsBm25HeaderLink *link =
		(const VsBm25HeaderLink *) vs_page_records(page);
	const VsBm25Run *runs =
		(const VsBm25Run *) (vs_page_records(page) + nbytes);

	if (link->nruns > MAX_RUNS(nbytes))
		report_damage(rel, block);
	for (uint32 i = 0; i < link->nruns; i++)
	{
		if (runs[i].section >= BM25_NSECTIONS || runs[i].npages == 0 ||
			runs[i].block > MaxBlockNumber ||
			runs[i].npages > MaxBlockNumber - runs[i].block ||
			!vs_page_exists(rel, runs[i].block + runs[i].npages - 1))
			report_damage(rel, block);
		visit(state, runs[i].section, runs[i].block, runs[i].npages);
	}
}

/*
 * Visit the pages of a segment; false as soon as a header page carries another
 * number than its owner's, which is the first one's if it is 0.
 */
static bool
visit_headers(Relation rel, BlockNumber header, uint32 owner,
			  VsBm25VisitPages visit, void *state)
{
	Size		nbytes = sizeof(VsBm25SegmentHeader);
	BlockNumber block = header;
	uint32		nvisited = 0;
	PGAlignedBlock copy;

	do
	{
		const VsBm25HeaderLink *link;

		CHECK_FOR_INTERRUPTS();
		if (!copy_header(rel, block, owner, &copy))
			return false;
		owner = vs_page_opaque((Page) copy.data)->generation;
		if (++nvisited > RelationGetNumberOfBlocks(rel))
			report_damage(rel, header);
		visit(state, BM25_NSECTIONS, block, 1);
		visit_runs(rel, block, (Page) copy.data, nbytes, visit, state);
		link = (const VsBm25HeaderLink *) vs_page_records((Page) copy.data);
		block = link->next;
		nbytes = sizeof(VsBm25HeaderLink);
	} while (block != InvalidBlockNumber);
	return true;
}

void
vs_bm25_visit_pages(Relation rel, BlockNumber header, VsBm25VisitPages visit,
					void *state)
{
	if (!visit_headers(rel, header, 0, visit, state))
		report_damage(rel, header);
}

bool
vs_bm25_visit_segment(Relation rel, const VsBm25SegmentEntry *entry,
					  VsBm25VisitPages visit, void *state)
{
	return visit_headers(rel, entry->header, entry->id, visit, state);
}

void
vs_bm25_link_retired(Relation rel, const VsBm25SegmentEntry *entries, int n)
{
	for (int i = 0; i < n; i++)
	{
		Buffer		buffer = vs_page_read(rel, entries[i].header,
										  BUFFER_LOCK_EXCLUSIVE,
										  BM25_PAGE_HEADER);
		VsEdit		edit;
		VsBm25SegmentHeader *header;

		vs_edit_begin(&edit, rel, VS_EDIT_LOGGED);
		header = page_header(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE));
		header->retired_next = i + 1 < n ? entries[i + 1].header : 0;
		header->retired_xid = 0;
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
	}
}

/* Take a segment out of the directory. */
static void
remove_entry(VsBm25Meta *meta, uint32 id)
{
	VsBm25SegmentEntry *entry = vs_bm25_find_segment(meta, id);

	if (entry == NULL)
		elog(ERROR, "segment %u of a bm25 index is gone", id);
	meta->nsegments--;
	memmove(entry, entry + 1,
			(char *) &meta->segments[meta->nsegments] - (char *) entry);
}

/*
 * The first of those retired together has their transaction id, by which the
 * others may go as well.  It is read while the metapage is locked: who has read
 * the old directory has a snapshot that is older.
 */
void
vs_bm25_retire(VsBm25MetaEdit *change, const VsBm25SegmentEntry *entries, int n)
{
	VsBm25Meta *meta = change->meta;
	FullTransactionId next_xid = ReadNextFullTransactionId();

	for (int i = 0; i < n; i++)
		remove_entry(meta, entries[i].id);
	page_header(vs_bm25_add_page(change, entries[0].header,
								 BM25_PAGE_HEADER))->retired_xid =
		U64FromFullTransactionId(next_xid);
	if (meta->retired_first == 0)
		meta->retired_first = entries[0].header;
	else
		page_header(vs_bm25_add_page(change, meta->retired_last,
									 BM25_PAGE_HEADER))->retired_next =
			entries[0].header;
	meta->retired_last = entries[n - 1].header;
}

/* Blocks that are going to be free. */
typedef struct Blocks
{
	uint64		n;
	uint64		capacity;
	BlockNumber *blocks;		/* of a segment: its header page comes first */
} Blocks;

/* VsBm25VisitPages: collect them. */
static void
collect_pages(void *state, VsBm25Section section, BlockNumber block, uint32 n)
{
	Blocks	   *blocks = state;

	if (blocks->n + n > blocks->capacity)
	{
		blocks->capacity = Max(blocks->capacity * 2, blocks->n + n);
		blocks->blocks = repalloc_huge(blocks->blocks,
									   sizeof(BlockNumber) * blocks->capacity);
	}
	for (uint32 i = 0; i < n; i++)
		blocks->blocks[blocks->n++] = block + i;
}

/* Pages of a segment's sections. */
static uint64
section_npages(const VsBm25SegmentHeader *header)
{
	uint64		npages = 0;

	for (int section = 0; section < BM25_NSECTIONS; section++)
		npages += header->npages[section];
	return npages;
}

/*
 * Whether no reader can know what was retired before this transaction id.  Of a
 * temporary table nobody else reads, and the server looks at no snapshot; but a
 * cursor of our own may be older.
 */
static bool
is_past(Relation rel, Relation heap, FullTransactionId xid)
{
	if (U64FromFullTransactionId(xid) == 0)
		return true;
	if (RelationUsesLocalBuffers(rel) &&
		!TransactionIdPrecedes(XidFromFullTransactionId(xid), TransactionXmin))
		return false;
	return GlobalVisCheckRemovableFullXid(heap, xid);
}

/*
 * Take the first retired segment out of the queue, and collect its pages; false
 * if there is none, or somebody may know it, or it has too many pages.
 */
static bool
dequeue(Relation rel, Relation heap, uint64 max_npages, Blocks *blocks)
{
	BlockNumber first = queue_begin(rel);
	BlockNumber next;
	FullTransactionId xid;
	PGAlignedBlock copy;
	VsBm25MetaEdit change;
	VsBm25Meta *meta;

	if (first == 0)
		return false;
	copy_header(rel, first, 0, &copy);
	xid = FullTransactionIdFromU64(page_header((Page) copy.data)->retired_xid);
	if (!is_past(rel, heap, xid))
		return false;
	if (section_npages(page_header((Page) copy.data)) > max_npages)
		return false;

	next = page_header((Page) copy.data)->retired_next;
	blocks->n = 0;
	vs_bm25_visit_pages(rel, first, collect_pages, blocks);
	meta = vs_bm25_begin_meta(rel, &change);
	meta->retired_first = next;
	if (next == 0)
		meta->retired_last = 0;
	vs_bm25_commit_meta(&change);
	return true;
}

static void
begin_blocks(Blocks *blocks)
{
	blocks->n = 0;
	blocks->capacity = 64;
	blocks->blocks = palloc(sizeof(BlockNumber) * blocks->capacity);
}

/*
 * Only once nothing leads to pages are they free: a crash or an error in between
 * loses them.
 */
static void
record_free(Relation rel, const Blocks *blocks)
{
	for (uint64 i = 0; i < blocks->n; i++)
	{
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		RecordFreeIndexPage(rel, blocks->blocks[i]);
	}
}

/* The map's upper levels know of freed pages once it is vacuumed. */
static void
end_reclaim(Relation rel, Blocks *blocks, uint64 nfreed)
{
	if (nfreed > 0)
		IndexFreeSpaceMapVacuum(rel);
	pfree(blocks->blocks);
}

void
vs_bm25_reclaim_few(Relation rel, Relation heap)
{
	Blocks		blocks;
	uint64		nfreed = 0;

	begin_blocks(&blocks);
	while (nfreed < FEW_NPAGES &&
		   dequeue(rel, heap, FEW_NPAGES - nfreed, &blocks))
	{
		record_free(rel, &blocks);
		nfreed += blocks.n;
	}
	end_reclaim(rel, &blocks, nfreed);
}

/* What is retired meanwhile is left, so that this ends. */
uint64
vs_bm25_reclaim_all(Relation rel, Relation heap)
{
	VsBm25Meta *meta = vs_bm25_read_meta(rel);
	Blocks		blocks;
	uint64		nfreed = 0;

	begin_blocks(&blocks);
	do
	{
		bool		found;

		LockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
		found = dequeue(rel, heap, PG_UINT64_MAX, &blocks);
		UnlockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
		if (!found)
			break;
		record_free(rel, &blocks);
		nfreed += blocks.n;

		/* A damaged queue may lead back. */
		if (nfreed > RelationGetNumberOfBlocks(rel))
			report_damage(rel, blocks.blocks[0]);
	} while (blocks.blocks[0] != meta->retired_last);
	end_reclaim(rel, &blocks, nfreed);
	pfree(meta);
	return nfreed;
}

/* Which of the first nblocks blocks belong to somebody: a bit each. */
typedef struct KnownPages
{
	BlockNumber nblocks;
	uint8	   *bits;
} KnownPages;

/* VsBm25VisitPages: note them. */
static void
note_pages(void *state, VsBm25Section section, BlockNumber block, uint32 n)
{
	KnownPages *known = state;

	for (BlockNumber i = block; i < block + n && i < known->nblocks; i++)
		known->bits[i / 8] |= 1 << (i % 8);
}

static inline bool
is_known(const KnownPages *known, BlockNumber block)
{
	return (known->bits[block / 8] & (1 << (block % 8))) != 0;
}

/* Note the pages of the buffer, and of the segments that are not in "before". */
static void
note_new(Relation rel, const VsBm25Meta *meta, VsBm25Meta *before,
		 KnownPages *known)
{
	for (uint32 i = 0; i < meta->buffer.npages; i++)
		note_pages(known, BM25_NSECTIONS, meta->buffer.blocks[i], 1);
	for (uint32 i = 0; i < meta->nsegments; i++)
		if (before == NULL ||
			vs_bm25_find_segment(before, meta->segments[i].id) == NULL)
			vs_bm25_visit_pages(rel, meta->segments[i].header, note_pages, known);
}

/* Note the pages of all that a metapage leads to. */
static void
note_all(Relation rel, const VsBm25Meta *meta, KnownPages *known)
{
	BlockNumber block = meta->retired_first;
	uint32		nsteps = 0;

	note_pages(known, BM25_NSECTIONS, BM25_META_BLOCK, 1);
	note_new(rel, meta, NULL, known);
	while (block != 0)
	{
		vs_bm25_visit_pages(rel, block, note_pages, known);
		if (vs_bm25_next_retired(rel, &block, &nsteps) == 0)
			break;
	}
}

/* Collect the blocks that nobody knows and the free space map does not have. */
static void
find_leftovers(Relation rel, const KnownPages *known, Blocks *leftovers)
{
	for (BlockNumber block = 0; block < known->nblocks; block++)
	{
		if (block % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!is_known(known, block) && GetRecordedFreeSpace(rel, block) == 0)
			collect_pages(leftovers, BM25_NSECTIONS, block, 1);
	}
}

/*
 * What looks like left over may be of a segment that was being sealed, or of the
 * buffer.  Only to look what has come is sealing kept out: what is written after
 * that takes pages that the map has, or that are new.
 */
static void
leave_new_out(Relation rel, VsBm25Meta *before, KnownPages *known,
			  Blocks *leftovers)
{
	VsBm25Meta *meta;
	uint64		n = 0;

	LockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
	meta = vs_bm25_read_meta(rel);
	note_new(rel, meta, before, known);
	UnlockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
	pfree(meta);
	for (uint64 i = 0; i < leftovers->n; i++)
		if (!is_known(known, leftovers->blocks[i]))
			leftovers->blocks[n++] = leftovers->blocks[i];
	leftovers->n = n;
}

uint64
vs_bm25_free_leftovers(Relation rel)
{
	KnownPages	known = {.nblocks = RelationGetNumberOfBlocks(rel)};
	VsBm25Meta *meta = vs_bm25_read_meta(rel);
	Blocks		leftovers;

	known.bits = MemoryContextAllocExtended(CurrentMemoryContext,
											known.nblocks / 8 + 1,
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	begin_blocks(&leftovers);
	note_all(rel, meta, &known);
	find_leftovers(rel, &known, &leftovers);
	if (leftovers.n > 0)
		leave_new_out(rel, meta, &known, &leftovers);
	record_free(rel, &leftovers);
	pfree(leftovers.blocks);
	pfree(known.bits);
	pfree(meta);
	return leftovers.n;
}
