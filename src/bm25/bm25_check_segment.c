/*
 * bm25_check_segment.c
 *		Verification of one segment, for vsearch_check.
 *
 * The dictionary is walked, and all postings are read.  What they say of a
 * document must agree, and is added up to what a row's tsvector is compared with.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "bm25/bm25_check.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_tsvector.h"
#include "miscadmin.h"

/* Rows and skips that are read at once. */
#define CHUNK_NROWS 1024
#define CHUNK_NSKIPS 128

/* What postings say of a document. */
typedef struct Document
{
	uint64		digest;
	uint32		len;			/* as postings have it; 0: none has */
	uint32		sum;			/* of its lexemes' lengths */
} Document;

/* The check of a segment. */
typedef struct Check
{
	VsCheck    *check;
	VsBm25Segment *segment;
	Document   *documents;
	uint64		nlexemes;
	uint64		npostings;
	VsBm25Block *block;

	/* Of the lexeme whose postings are being read. */
	VsBm25Term	term;
	int64		last_doc;
	uint64		df;
} Check;

#define report(state, ...) \
	vs_check_error((state)->check, (state)->segment->entry.header, \
				   (state)->segment->entry.id, __VA_ARGS__)

/* Whether a posting is within the bounds of its block. */
static bool
is_within(const VsBm25Bounds *bounds, uint32 tf, uint32 len)
{
	for (int i = 0; i < BM25_BOUNDS; i++)
		if (tf <= bounds->tf[i])
			return Min(len, PG_UINT16_MAX) >= bounds->min_len[i];
	return false;
}

/* Check one posting, and add it up. */
static void
check_posting(Check *state, const VsBm25Skip *skip, int i)
{
	const VsBm25Block *block = state->block;
	uint32		doc = block->docs[i];
	uint32		tf = 0;
	Document   *document;

	if (doc <= state->last_doc || doc >= state->segment->entry.ndocs)
	{
		report(state, "posting of \"%.*s\" is for document %u, of %u, after %lld",
			   state->term.nbytes, state->term.lexeme, doc,
			   state->segment->entry.ndocs, (long long) state->last_doc);
		return;
	}
	state->last_doc = doc;
	for (int label = 0; label < BM25_LABELS; label++)
	{
		state->term.tfs[label] = block->tfs[label][i];
		tf += block->tfs[label][i];
	}
	if (!is_within(&skip->bounds, Max(tf, 1), block->lens[i]))
		report(state, "posting of \"%.*s\" for document %u exceeds the bounds of its block",
			   state->term.nbytes, state->term.lexeme, doc);

	document = &state->documents[doc];
	if (document->sum > 0 && document->len != block->lens[i])
		report(state, "document %u has length %u, and %u by \"%.*s\"", doc,
			   document->len, block->lens[i], state->term.nbytes,
			   state->term.lexeme);
	document->len = block->lens[i];
	document->sum += vs_bm25_term_len(state->term.tfs);
	document->digest += vs_bm25_term_digest(&state->term);
}

/* Check one block of postings. */
static void
check_block(Check *state, const VsBm25Skip *skip)
{
	VsBm25Block *block = state->block;
	int64		previous = state->last_doc;

	vs_bm25_segment_read_docs(state->segment, &skip->place, previous, block);
	vs_bm25_segment_read_rest(state->segment, &skip->place, block);
	if (vs_bm25_segment_is_stale(state->segment))
		return;
	if (block->n < 1 || block->n > BM25_BLOCK_POSTINGS)
	{
		report(state, "block of \"%.*s\" has %d postings", state->term.nbytes,
			   state->term.lexeme, block->n);
		return;
	}
	for (int i = 0; i < block->n; i++)
		check_posting(state, skip, i);
	if (block->docs[block->n - 1] != skip->last_doc)
		report(state, "block of \"%.*s\" ends with document %u, not with %u",
			   state->term.nbytes, state->term.lexeme,
			   block->docs[block->n - 1], skip->last_doc);
	state->df += block->n;
}

/* Check the postings of a lexeme. */
static void
check_list(Check *state, const VsBm25List *list)
{
	VsBm25Skip	skips[CHUNK_NSKIPS];

	state->last_doc = -1;
	state->df = 0;
	if (list->nblocks == 1)
		check_block(state, &list->only);
	else
		for (uint32 first = 0; first < list->nblocks; first += CHUNK_NSKIPS)
		{
			uint32		n = Min(list->nblocks - first, CHUNK_NSKIPS);

			CHECK_FOR_INTERRUPTS();
			vs_bm25_segment_read_skips(state->segment, list, first, n, skips);
			for (uint32 i = 0; i < n; i++)
			{
				if (vs_bm25_segment_is_stale(state->segment))
					return;
				check_block(state, &skips[i]);
			}
		}
	if (vs_bm25_segment_is_stale(state->segment))
		return;
	if (list->df == 0 || state->df != list->df)
		report(state, "\"%.*s\" has %llu postings, not %u", state->term.nbytes,
			   state->term.lexeme, (unsigned long long) state->df, list->df);
	state->npostings += state->df;
}

/* Walk the dictionary. */
static void
check_dictionary(Check *state)
{
	VsBm25LexemeWalk *walk = palloc(sizeof(VsBm25LexemeWalk));
	char	   *last = palloc(sizeof(walk->lexeme));
	int			last_nbytes = -1;

	vs_bm25_walk_begin(walk, state->segment, "", 0);
	while (vs_bm25_walk_next(walk) &&
		   !vs_bm25_segment_is_stale(state->segment))
	{
		CHECK_FOR_INTERRUPTS();
		if (last_nbytes >= 0 &&
			vs_bm25_compare_lexemes(last, last_nbytes,
									walk->lexeme, walk->nbytes) >= 0)
			report(state, "lexeme \"%.*s\" is not above \"%.*s\"", walk->nbytes,
				   walk->lexeme, last_nbytes, last);
		memcpy(last, walk->lexeme, walk->nbytes);
		last_nbytes = walk->nbytes;
		state->term.lexeme = walk->lexeme;
		state->term.nbytes = walk->nbytes;
		state->nlexemes++;
		check_list(state, &walk->list);
	}
	vs_bm25_walk_end(walk);
	pfree(walk);
	pfree(last);
}

/* Check the rows, and hand them over. */
static void
check_rows(Check *state)
{
	VsBm25Segment *segment = state->segment;
	const VsBm25SegmentEntry *entry = &segment->entry;
	uint32		nrows = entry->ndocs + entry->nnulls;
	uint8	   *deleted = palloc0((nrows + 7) / 8);
	ItemPointerData *tids = palloc(sizeof(ItemPointerData) * CHUNK_NROWS);
	uint32		ndeleted = 0;

	vs_bm25_segment_read_deletes(segment, deleted);
	for (uint32 row = 0; row < nrows; row++)
	{
		if (row % CHUNK_NROWS == 0)
		{
			CHECK_FOR_INTERRUPTS();
			vs_bm25_segment_read_tids(segment, row,
									  Min(nrows - row, CHUNK_NROWS), tids);
			if (vs_bm25_segment_is_stale(segment))
				return;
		}
		if (deleted[row / 8] & (1 << (row % 8)))
			ndeleted++;
		else
			vs_check_tid(state->check, &tids[row % CHUNK_NROWS],
						 row < entry->ndocs ? state->documents[row].digest :
						 BM25_NULL_DIGEST, entry->header, entry->id);
	}
	if (ndeleted != entry->ndeleted)
		report(state, "%u rows are deleted, not %u", ndeleted, entry->ndeleted);
	pfree(deleted);
	pfree(tids);
}

/* Check what documents' postings add up to. */
static void
check_sums(Check *state)
{
	const VsBm25SegmentEntry *entry = &state->segment->entry;
	const VsBm25SegmentHeader *header = &state->segment->header;
	uint64		total_len = 0;

	for (uint32 doc = 0; doc < entry->ndocs; doc++)
	{
		const Document *document = &state->documents[doc];

		if (document->sum != document->len)
			report(state, "document %u has length %u, and %u by its lexemes",
				   doc, document->len, document->sum);
		total_len += document->len;
	}
	if (total_len != entry->total_len)
		report(state, "documents have length %llu, not %llu",
			   (unsigned long long) total_len,
			   (unsigned long long) entry->total_len);
	if (state->nlexemes != header->nlexemes ||
		state->npostings != header->npostings)
		report(state, "%llu lexemes have %llu postings, not %u and %llu",
			   (unsigned long long) state->nlexemes,
			   (unsigned long long) state->npostings, header->nlexemes,
			   (unsigned long long) header->npostings);
}

/* Check that header and directory say the same. */
static void
check_header(Check *state)
{
	const VsBm25SegmentEntry *entry = &state->segment->entry;
	const VsBm25SegmentHeader *header = &state->segment->header;

	if (header->id != entry->id || header->ndocs != entry->ndocs ||
		header->nnulls != entry->nnulls ||
		header->total_len != entry->total_len)
		report(state, "header and directory do not agree: %u documents and %u NULLs of segment %u, or %u and %u of %u",
			   header->ndocs, header->nnulls, header->id, entry->ndocs,
			   entry->nnulls, entry->id);
}

void
vs_bm25_check_segment(Relation rel, VsCheck *check,
					  const VsBm25SegmentEntry *entry)
{
	Check		state = {
		.check = check,
		.segment = vs_bm25_segment_open(rel, entry),
		.block = palloc(sizeof(VsBm25Block)),
	};

	/* As many as the header says: none if it is stale. */
	state.documents =
		palloc_extended(sizeof(Document) * (Size) state.segment->header.ndocs + 1,
						MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (!vs_bm25_segment_is_stale(state.segment))
	{
		check_header(&state);
		check_dictionary(&state);
		check_rows(&state);
	}
	if (!vs_bm25_segment_is_stale(state.segment))
		check_sums(&state);
	else if (RecoveryInProgress())
		vs_check_warning(check, entry->header, entry->id,
						 "segment was replaced while it was checked");
	else
		report(&state, "segment has pages of another one");
	vs_bm25_segment_close(state.segment);
	pfree(state.documents);
	pfree(state.block);
}
