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
	if (vs_page_kind(page) == BM25_PAGE_META)
		return false;
	for (uint32 i = 0; i < owners->nblocks; i++)
		if (owners->blocks[i] == BufferGetBlockNumber(buffer))
			return false;
	owner = vs_page_opaque(page)->generation;
	return owner < owners->next_id &&
		bsearch(&owner, owners->ids, owners->nids, sizeof(uint32),
				compare_ids) == NULL;
}

/* Copy a header page, which must be of this owner unless that is 0. */
static void
copy_header(Relation rel, BlockNumber block, uint32 owner, PGAlignedBlock *copy)
{
	Buffer		buffer = vs_page_read(rel, block, BUFFER_LOCK_SHARE,
									  BM25_PAGE_HEADER);

	memcpy(copy->data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	if (owner != 0 &&
		vs_page_opaque((Page) copy->data)->generation != owner)
		report_damage(rel, block);
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

void
vs_bm25_visit_pages(Relation rel, BlockNumber header, VsBm25VisitPages visit,
					void *state)
{
	Size		nbytes = sizeof(VsBm25SegmentHeader);
	BlockNumber block = header;
	uint32		owner = 0;
	uint32		nvisited = 0;
	PGAlignedBlock copy;

	do
	{
		const VsBm25HeaderLink *link;

		CHECK_FOR_INTERRUPTS();
		copy_header(rel, block, owner, &copy);
		owner = vs_page_opaque((Page) copy.data)->generation;
		if (++nvisited > RelationGetNumberOfBlocks(rel))
			report_damage(rel, header);
		visit(state, BM25_NSECTIONS, block, 1);
		visit_runs(rel, block, (Page) copy.data, nbytes, visit, state);
		link = (const VsBm25HeaderLink *) vs_page_records((Page) copy.data);
		block = link->next;
		nbytes = sizeof(VsBm25HeaderLink);
	} while (block != InvalidBlockNumber);
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
	memset(&meta->segments[meta->nsegments], 0, sizeof(VsBm25SegmentEntry));
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
	BlockNumber *blocks;
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
 * if there is none, or somebody may know it.
 */
static bool
dequeue(Relation rel, Relation heap, Blocks *blocks)
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

/* Only once nothing leads to pages are they free: a crash in between loses them. */
uint64
vs_bm25_reclaim(Relation rel, Relation heap)
{
	Blocks		blocks = {.capacity = 64};
	uint64		nfreed = 0;

	blocks.blocks = palloc(sizeof(BlockNumber) * blocks.capacity);
	while (dequeue(rel, heap, &blocks))
	{
		for (uint64 i = 0; i < blocks.n; i++)
			RecordFreeIndexPage(rel, blocks.blocks[i]);
		nfreed += blocks.n;
		if (nfreed > RelationGetNumberOfBlocks(rel))
			report_damage(rel, queue_begin(rel));
		CHECK_FOR_INTERRUPTS();
	}
	if (nfreed > 0)
		IndexFreeSpaceMapVacuum(rel);
	pfree(blocks.blocks);
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

/* Note the pages of all that the metapage leads to. */
static void
note_all(Relation rel, KnownPages *known)
{
	VsBm25Meta *meta = vs_bm25_read_meta(rel);
	BlockNumber block = meta->retired_first;
	uint32		nsteps = 0;

	note_pages(known, BM25_NSECTIONS, BM25_META_BLOCK, 1);
	for (uint32 i = 0; i < meta->buffer.npages; i++)
		note_pages(known, BM25_NSECTIONS, meta->buffer.blocks[i], 1);
	for (uint32 i = 0; i < meta->nsegments; i++)
		vs_bm25_visit_pages(rel, meta->segments[i].header, note_pages, known);
	while (block != 0)
	{
		vs_bm25_visit_pages(rel, block, note_pages, known);
		if (vs_bm25_next_retired(rel, &block, &nsteps) == 0)
			break;
	}
	pfree(meta);
}

/*
 * The first block from "from" on that nobody knows and the free space map does
 * not have; InvalidBlockNumber if there is none.
 */
static BlockNumber
next_leftover(Relation rel, const KnownPages *known, BlockNumber from)
{
	for (BlockNumber block = from; block < known->nblocks; block++)
	{
		if (block % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!is_known(known, block) && GetRecordedFreeSpace(rel, block) == 0)
			return block;
	}
	return InvalidBlockNumber;
}

/*
 * What looks like left over may be a segment that is just being written from the
 * buffer.  Sealing is kept out only if there is something to be freed.
 */
uint64
vs_bm25_free_leftovers(Relation rel)
{
	KnownPages	known = {.nblocks = RelationGetNumberOfBlocks(rel)};
	uint64		nfreed = 0;
	BlockNumber block;

	known.bits = MemoryContextAllocExtended(CurrentMemoryContext,
											known.nblocks / 8 + 1,
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	note_all(rel, &known);
	block = next_leftover(rel, &known, 0);
	if (block != InvalidBlockNumber)
	{
		LockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
		note_all(rel, &known);
		for (block = next_leftover(rel, &known, block);
			 block != InvalidBlockNumber;
			 block = next_leftover(rel, &known, block + 1))
		{
			RecordFreeIndexPage(rel, block);
			nfreed++;
		}
		UnlockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
	}
	pfree(known.bits);
	return nfreed;
}
