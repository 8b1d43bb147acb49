/*
 * bm25_check.c
 *		Verification of a bm25 index, for vsearch_check: to whom pages belong, and
 *		the write buffer.
 *
 * First each page by itself, then segment by segment (bm25_check_segment.c), then
 * the buffer and what is retired.
 *
 * Locks keep all else away on a primary.  A standby goes on: what does not fit there
 * is reported if the metapage still says what it said first.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "bm25/bm25_buffer.h"
#include "bm25/bm25_check.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_space.h"
#include "miscadmin.h"
#include "storage/freespace.h"

/* One check under way. */
typedef struct Check
{
	VsCheck    *check;
	Relation	rel;
	BlockNumber nblocks;
	uint16	   *kinds;			/* of each block; 0: nothing usable */
	uint32	   *owners;			/* of each block; 0: none was found */
	uint32		owner;			/* whose pages are being visited */
	uint64		nvisited;		/* of them */
	const VsBm25SegmentEntry *entry;	/* of the segment they are of, or NULL */
	bool		is_replaced;	/* it was, meanwhile */
} Check;

/* VsCheckKinds.examine: the metapage ends where its directory does. */
static void
examine_page(void *arg, BlockNumber block, uint16 kind)
{
	Check	   *state = arg;
	Buffer		buffer;
	Page		page;
	int			nbytes;

	if (kind != BM25_PAGE_META)
		return;
	buffer = vs_bm25_lock_meta(state->rel, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	nbytes = BM25_META_NBYTES(vs_bm25_page_meta(page)->nsegments);
	if (vs_page_nbytes(page) != nbytes)
		vs_check_error(state->check, block, -1,
					   "metapage has %d bytes, not %d",
					   vs_page_nbytes(page), nbytes);
	UnlockReleaseBuffer(buffer);
}

static const VsCheckKinds page_kinds = {
	.first = BM25_PAGE_META,
	.last = BM25_PAGE_BUFFER,
	.meta = BM25_PAGE_META,
	.examine = examine_page,
};

/* The number that a page carries. */
static uint32
read_generation(Relation rel, BlockNumber block)
{
	Buffer		buffer = ReadBuffer(rel, block);
	uint32		generation;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	generation = vs_page_opaque(BufferGetPage(buffer))->generation;
	UnlockReleaseBuffer(buffer);
	return generation;
}

bool
vs_bm25_check_counts(Relation rel, const VsBm25SegmentEntry *entry)
{
	VsBm25Meta *meta;
	const VsBm25SegmentEntry *now;
	bool		counts;

	if (!RecoveryInProgress())
		return true;
	meta = vs_bm25_read_meta(rel);
	now = vs_bm25_find_segment(meta, entry->id);
	counts = now != NULL && memcmp(now, entry, sizeof(*entry)) == 0;
	pfree(meta);
	return counts;
}

/* Whether to report what was found of the owner; notes if it has been replaced. */
static bool
counts(Check *state)
{
	if (state->entry != NULL && !state->is_replaced)
		state->is_replaced = !vs_bm25_check_counts(state->rel, state->entry);
	return !state->is_replaced;
}

/* Note that a page is claimed by an owner, as a page of this kind. */
static void
claim_page(Check *state, BlockNumber block, uint16 kind)
{
	uint32		generation;

	if (block >= state->nblocks || state->kinds[block] != kind)
	{
		if (counts(state))
			vs_check_error(state->check, block, state->owner,
						   "page is not of kind %u, as its owner has it", kind);
		return;
	}
	if (state->owners[block] != 0)
		vs_check_error(state->check, block, state->owner,
					   "page belongs to %u, too", state->owners[block]);
	state->owners[block] = state->owner;
	if (kind == BM25_PAGE_BUFFER)
		return;
	generation = read_generation(state->rel, block);
	if (generation != state->owner && counts(state))
		vs_check_error(state->check, block, state->owner,
					   "page carries the number %u", generation);
}

/* VsBm25VisitPages */
static void
claim_pages(void *arg, VsBm25Section section, BlockNumber block, uint32 n)
{
	Check	   *state = arg;

	CHECK_FOR_INTERRUPTS();
	state->nvisited += n;
	for (uint32 i = 0; i < n; i++)
		claim_page(state, block + i,
				   section == BM25_NSECTIONS ? BM25_PAGE_HEADER :
				   BM25_PAGE_SEGMENT);
}

/* Whether a block can be a segment's header. */
static bool
is_header(const Check *state, BlockNumber block)
{
	return block < state->nblocks && state->kinds[block] == BM25_PAGE_HEADER;
}

/* Check the pages of a live segment; false if it cannot be read. */
static bool
check_pages(Check *state, const VsBm25SegmentEntry *entry)
{
	bool		readable = is_header(state, entry->header);

	state->owner = entry->id;
	state->entry = entry;
	state->is_replaced = false;
	state->nvisited = 0;
	if (readable)
		readable = vs_bm25_visit_segment(state->rel, entry, claim_pages, state);
	if (!readable && counts(state))
		vs_check_error(state->check, entry->header, entry->id,
					   "page is not the header of segment %u", entry->id);
	if (readable && state->nvisited != entry->npages)
		vs_check_error(state->check, BM25_META_BLOCK, entry->id,
					   "segment has %llu pages, not %u",
					   (unsigned long long) state->nvisited, entry->npages);
	if (state->is_replaced)
		vs_check_replaced(state->check, entry->header, entry->id, "segment");
	state->entry = NULL;
	return readable && !state->is_replaced;
}

/* Check the queue of retired segments. */
static void
check_retired(Check *state, const VsBm25Meta *meta)
{
	BlockNumber block = meta->retired_first;
	BlockNumber last = 0;
	uint32		nsteps = 0;

	while (block != 0)
	{
		if (!is_header(state, block) || state->owners[block] != 0)
		{
			vs_check_error(state->check, block, -1,
						   "page is not the header of a retired segment");
			return;
		}
		last = block;
		state->owner = read_generation(state->rel, block);
		vs_bm25_visit_pages(state->rel, block, claim_pages, state);
		if (vs_bm25_next_retired(state->rel, &block, &nsteps) == 0)
			break;
	}
	if (last != meta->retired_last)
		vs_check_error(state->check, BM25_META_BLOCK, -1,
					   "retired segments end at block %u, not at %u", last,
					   meta->retired_last);
}

/* Check the buffer's pages; false if it cannot be read. */
static bool
check_buffer_pages(Check *state, const VsBm25BufferMeta *buffer)
{
	bool		readable = true;

	state->owner = buffer->generation;
	for (uint32 i = 0; i < buffer->npages; i++)
	{
		BlockNumber block = buffer->blocks[i];

		readable &= block < state->nblocks && state->owners[block] == 0 &&
			state->kinds[block] == BM25_PAGE_BUFFER;
		claim_page(state, block, BM25_PAGE_BUFFER);
	}
	return readable;
}

/* Check the numbers that the metapage gives away, and each segment's entry. */
static void
check_meta(Check *state, const VsBm25Meta *meta)
{
	for (uint32 i = 0; i < meta->nsegments; i++)
	{
		const VsBm25SegmentEntry *entry = &meta->segments[i];

		if (entry->id == 0 || entry->id >= meta->next_id)
			vs_check_error(state->check, BM25_META_BLOCK, entry->id,
						   "segment %u was never begun", entry->id);
		if (entry->state != BM25_SEGMENT_LIVE &&
			entry->state != BM25_SEGMENT_BUSY)
			vs_check_error(state->check, BM25_META_BLOCK, entry->id,
						   "segment has state %u", entry->state);
		if (entry->ndeleted > (uint64) entry->ndocs + entry->nnulls)
			vs_check_error(state->check, BM25_META_BLOCK, entry->id,
						   "%u rows are deleted, of %u", entry->ndeleted,
						   entry->ndocs + entry->nnulls);
	}
}

/*
 * Pages that belong to nobody and are not known to be free: left by a crash or an
 * error, for vacuum to find.
 */
static void
check_unowned(Check *state)
{
	uint64		nunowned = 0;

	for (BlockNumber block = BM25_META_BLOCK + 1; block < state->nblocks; block++)
		if (state->owners[block] == 0 &&
			GetRecordedFreeSpace(state->rel, block) == 0)
			nunowned++;
	if (nunowned > 0)
		vs_check_warning(state->check, -1, -1,
						 "%llu pages are not in use, and not known to be free",
						 (unsigned long long) nunowned);
}

/* Check a record's lexemes; adds up the length and the digest. */
static void
check_record(Relation rel, VsCheck *check, const VsBm25RecordHeader *record,
			 uint64 *digest)
{
	const uint32 *hashes = vs_bm25_record_hashes(record);
	VsBm25Term	last = {0};
	VsBm25Term	term;
	uint32		position = 0;
	uint32		n = 0;
	uint64		len = 0;

	while (n < record->nlexemes &&
		   vs_bm25_record_next_term(record, &position, &term))
	{
		if (n > 0 && vs_bm25_compare_lexemes(last.lexeme, last.nbytes,
											 term.lexeme, term.nbytes) >= 0)
			vs_check_error(check, -1, -1,
						   "lexemes of the buffered row (%u,%u) are not in order",
						   ItemPointerGetBlockNumberNoCheck(&record->tid),
						   ItemPointerGetOffsetNumberNoCheck(&record->tid));
		if (hashes[n] != vs_bm25_lexeme_hash(term.lexeme, term.nbytes))
			vs_check_error(check, -1, -1,
						   "hash of a lexeme of the buffered row (%u,%u) is wrong",
						   ItemPointerGetBlockNumberNoCheck(&record->tid),
						   ItemPointerGetOffsetNumberNoCheck(&record->tid));
		len += vs_bm25_term_len(term.tfs);
		*digest += vs_bm25_term_digest(&term);
		last = term;
		n++;
	}
	if (n != record->nlexemes || len != record->len)
		vs_check_error(check, -1, -1,
					   "the buffered row (%u,%u) has %u lexemes and length %llu, not %u and %u",
					   ItemPointerGetBlockNumberNoCheck(&record->tid),
					   ItemPointerGetOffsetNumberNoCheck(&record->tid),
					   n, (unsigned long long) len, record->nlexemes,
					   record->len);
}

/* Whether a buffer has been sealed since the metapage was read, on a standby. */
static bool
is_sealed(Relation rel, const VsBm25BufferMeta *buffer)
{
	VsBm25Meta *now = vs_bm25_read_meta(rel);
	bool		is_sealed = now->buffer.generation != buffer->generation;

	pfree(now);
	return is_sealed;
}

/*
 * Check that a page of the buffer ends behind what is counted in; pages behind the
 * tail count nothing, unless a standby's tail has moved on.
 */
static void
check_buffer_page(Check *state, const VsBm25BufferMeta *buffer,
				  const VsBm25BufferTotals *totals, uint32 number)
{
	BlockNumber block = buffer->blocks[number];
	Buffer		locked = vs_page_read(state->rel, block, BUFFER_LOCK_SHARE,
									  BM25_PAGE_BUFFER);
	Page		page = BufferGetPage(locked);
	bool		is_ours = vs_page_opaque(page)->generation == buffer->generation;
	uint32		nbytes = vs_bm25_page_buffer(page)->totals.nbytes;
	int			found = vs_page_nbytes(page);
	int			wanted = offsetof(VsBm25BufferPage, bytes) +
		Min((int64) totals->nbytes - (int64) (number * BM25_BUFFER_PAGE_NBYTES),
			(int64) BM25_BUFFER_PAGE_NBYTES);

	UnlockReleaseBuffer(locked);
	if (is_ours && found < wanted)
		vs_check_error(state->check, block, -1,
					   "page of the write buffer has %d bytes, not %d",
					   found, wanted);
	if (is_ours && number > buffer->tail && nbytes > 0 && !RecoveryInProgress())
		vs_check_error(state->check, block, -1,
					   "page behind the write buffer's tail counts %u bytes",
					   nbytes);
}

/* Check a buffer's records against its totals. */
static void
check_records(Relation rel, VsCheck *check, const VsBm25BufferCopy *copy,
			  const VsBm25BufferTotals *totals)
{
	const VsBm25RecordHeader *record;
	uint32		offset = 0;
	uint32		ndocs = 0;
	uint32		nnulls = 0;
	uint64		total_len = 0;

	while ((record = vs_bm25_buffer_record(rel, copy, &offset)) != NULL)
	{
		bool		isnull = (record->flags & BM25_RECORD_NULL) != 0;
		uint64		digest = isnull ? BM25_NULL_DIGEST : 0;

		CHECK_FOR_INTERRUPTS();
		check_record(rel, check, record, &digest);
		ndocs += !isnull;
		nnulls += isnull;
		total_len += record->len;
		if (!(record->flags & BM25_RECORD_DEAD))
			vs_check_tid(check, &record->tid, digest, -1, -1);
	}
	if (ndocs != totals->ndocs || nnulls != totals->nnulls ||
		total_len != totals->total_len)
		vs_check_error(check, -1, -1,
					   "the write buffer has %u documents, %u NULLs and length %llu, not %u, %u and %llu",
					   ndocs, nnulls, (unsigned long long) total_len,
					   totals->ndocs, totals->nnulls,
					   (unsigned long long) totals->total_len);
}

/* Check the buffer as it was when the metapage was read. */
static void
check_buffer(Check *state, const VsBm25BufferMeta *buffer,
			 const VsBm25BufferTotals *totals)
{
	VsBm25BufferCopy copy;

	for (uint32 i = 0; i < buffer->npages; i++)
		check_buffer_page(state, buffer, totals, i);
	vs_bm25_buffer_copy(state->rel, buffer, totals, &copy);
	if (!copy.is_stale)
		check_records(state->rel, state->check, &copy, totals);
	else if (is_sealed(state->rel, buffer))
		vs_check_replaced(state->check, -1, -1, "the write buffer");
	else
		vs_check_error(state->check, -1, -1,
					   "the write buffer has pages of another one");
	pfree(copy.bytes);
}

bool
vs_bm25_digest_value(Relation index, Datum value, uint64 *digest)
{
	TSVector	tsv = vs_bm25_get_tsvector(value);
	VsBm25Term	term;

	*digest = 0;
	for (int i = 0; i < tsv->size; i++)
	{
		vs_bm25_get_term(tsv, i, &term);
		*digest += vs_bm25_term_digest(&term);
	}
	if ((Pointer) tsv != DatumGetPointer(value))
		pfree(tsv);
	return true;
}

void
vs_bm25_check(Relation index, VsCheck *check)
{
	VsBm25BufferTotals totals;
	bool		has_tail;
	VsBm25Meta *meta = vs_bm25_find_all_meta(index, &totals, &has_tail);
	Size		nblocks = RelationGetNumberOfBlocks(index);
	Check		state = {
		.check = check,
		.rel = index,
		.nblocks = nblocks,
		.kinds = MemoryContextAllocHuge(CurrentMemoryContext,
										sizeof(uint16) * nblocks),
		.owners = MemoryContextAllocExtended(CurrentMemoryContext,
											 sizeof(uint32) * nblocks,
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO),
	};

	vs_check_pages(check, index, nblocks, &page_kinds, &state, state.kinds);
	check_meta(&state, meta);
	for (uint32 i = 0; i < meta->nsegments; i++)
		if (check_pages(&state, &meta->segments[i]))
			vs_bm25_check_segment(index, check, &meta->segments[i]);
	if (!has_tail)
		vs_check_error(check, BM25_META_BLOCK, -1,
					   "the write buffer does not end on block %u",
					   meta->buffer.blocks[meta->buffer.tail]);
	if (check_buffer_pages(&state, &meta->buffer) && has_tail)
		check_buffer(&state, &meta->buffer, &totals);

	/* On a standby their pages are used anew meanwhile. */
	if (!RecoveryInProgress())
	{
		check_retired(&state, meta);
		check_unowned(&state);
	}
}
