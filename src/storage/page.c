/*
 * page.c
 *		What every page of every vsearch index has in common.
 */
#include "postgres.h"

#include "compat.h"
#include "storage/lmgr.h"
#include "storage/page.h"
#include "storage/recent.h"
#include "storage/smgr.h"

void
vs_page_init(Page page, uint16 kind, Size nbytes)
{
	Assert(kind != 0);

	PageInit(page, BLCKSZ, sizeof(VsPageOpaque));
	vs_page_opaque(page)->generation = 0;
	vs_page_opaque(page)->kind = kind;
	vs_page_opaque(page)->page_id = VS_PAGE_ID;
	vs_page_set_nbytes(page, nbytes);
}

uint16
vs_page_kind(Page page)
{
	const PageHeaderData *header = (PageHeader) page;

	/*
	 * Damaged bounds must not lead beyond the page.  The server has seen that
	 * pd_lower is not above pd_upper; it zeroes what is between them.
	 */
	if (PageIsNew(page) ||
		PageGetPageSize(page) != BLCKSZ ||
		header->pd_special != BLCKSZ - MAXALIGN(sizeof(VsPageOpaque)) ||
		header->pd_upper != header->pd_special ||
		vs_page_opaque(page)->page_id != VS_PAGE_ID)
		return 0;
	return vs_page_opaque(page)->kind;
}

void
vs_page_require(Relation index, Buffer buffer, uint16 kind)
{
	uint16		found = vs_page_kind(BufferGetPage(buffer));

	if (likely(found == kind))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("unexpected page in index \"%s\" at block %u",
					RelationGetRelationName(index),
					BufferGetBlockNumber(buffer)),
			 errdetail("Page kind is %u, expected %u.", found, kind),
			 errhint("Please REINDEX it.")));
}

void
vs_page_require_tid(Relation index, const ItemPointerData *tid)
{
	/* Reading the block of that number would extend the table. */
	if (likely(ItemPointerIsValid(tid) &&
			   ItemPointerGetBlockNumberNoCheck(tid) != InvalidBlockNumber))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" holds the invalid heap TID (%u,%u)",
					RelationGetRelationName(index),
					ItemPointerGetBlockNumberNoCheck(tid),
					ItemPointerGetOffsetNumberNoCheck(tid)),
			 errhint("Please REINDEX it.")));
}

bool
vs_page_is_sound(Page page, Size nbytes)
{
	return vs_page_kind(page) != 0 &&
		((PageHeader) page)->pd_lower == MAXALIGN(SizeOfPageHeaderData) + nbytes;
}

bool
vs_page_exists(Relation index, BlockNumber block)
{
	BlockNumber nblocks =
		RelationGetSmgr(index)->smgr_cached_nblocks[MAIN_FORKNUM];

	/* An index never shrinks: what was its size once is enough. */
	if (likely(nblocks != InvalidBlockNumber && block < nblocks))
		return true;
	return block < RelationGetNumberOfBlocks(index);
}

/* ReadBuffer, but a damaged number must not extend the index as P_NEW does. */
Buffer
vs_page_pin(Relation index, BlockNumber block)
{
	if (unlikely(!vs_page_exists(index, block)))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" refers to block %u, which does not exist",
						RelationGetRelationName(index), block),
				 errhint("Please REINDEX it.")));
	return vs_recent_read(index, block);
}

void
vs_page_prefetch(Relation index, BlockNumber block, Size offset, Size nbytes)
{
	vs_recent_prefetch(index, block, MAXALIGN(SizeOfPageHeaderData) + offset,
					   nbytes);
}

Buffer
vs_page_read(Relation index, BlockNumber block, int lockmode, uint16 kind)
{
	Buffer		buffer = vs_page_pin(index, block);

	LockBuffer(buffer, lockmode);
	vs_page_require(index, buffer, kind);
	return buffer;
}

void
vs_page_extend(Relation index, int npages, Buffer *buffers)
{
	bool		need_lock = !RELATION_IS_LOCAL(index);

	/* The lock keeps the pages adjacent. */
	if (need_lock)
		LockRelationForExtension(index, ExclusiveLock);
	for (int i = 0; i < npages; i++)
		buffers[i] = ReadBufferExtended(index, MAIN_FORKNUM, P_NEW, RBM_NORMAL,
										NULL);
	if (need_lock)
		UnlockRelationForExtension(index, ExclusiveLock);
}

BlockNumber
vs_page_extend_file(Relation index, BlockNumber npages)
{
	BlockNumber first;

	/* Even of a file that nobody else sees yet: a build may have workers. */
	LockRelationForExtension(index, ExclusiveLock);
	first = RelationGetNumberOfBlocks(index);
	if (npages > Min(MaxBlockNumber - first, INT_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot grow any further",
						RelationGetRelationName(index)),
				 errhint("Partition the table.")));
	if (npages > 0)
		vs_compat_zero_extend(index, first, npages);
	UnlockRelationForExtension(index, ExclusiveLock);
	return first;
}

Buffer
vs_page_zero(Relation index, BlockNumber block)
{
	return ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_ZERO_AND_LOCK,
							  NULL);
}

Buffer
vs_page_extend_locked(Relation index)
{
	for (;;)
	{
		Buffer		buffer;

		vs_page_extend(index, 1, &buffer);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		if (PageIsNew(BufferGetPage(buffer)))
			return buffer;
		UnlockReleaseBuffer(buffer);
	}
}
