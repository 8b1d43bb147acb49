/*
 * bm25_source.c
 *		A segment as a source of a merge.
 */
#include "postgres.h"

#include "bm25/bm25_merge.h"
#include "bm25/bm25_reader.h"
#include "storage/page.h"

/* Skip entries that are read at once. */
#define NSKIPS 64

typedef struct SegmentSource
{
	VsBm25Source base;
	VsBm25Segment *segment;
	VsBm25LexemeWalk walk;
	uint8	   *deletes;		/* a bit a row */

	/* Of the current list. */
	uint32		next_block;
	int64		previous_doc;
	VsBm25Skip	skips[NSKIPS];
} SegmentSource;

/* ERROR if the segment's pages have become another's: who merges keeps it alive. */
static void
require_ours(const SegmentSource *source)
{
	if (vs_bm25_segment_is_stale(source->segment))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("segment %u of index \"%s\" has pages of another one",
						source->segment->entry.id,
						RelationGetRelationName(source->segment->rel)),
				 errhint("Please REINDEX it.")));
}

static bool
next_lexeme(VsBm25Source *base)
{
	SegmentSource *source = (SegmentSource *) base;

	if (!vs_bm25_walk_next(&source->walk))
	{
		require_ours(source);
		vs_bm25_walk_end(&source->walk);
		return false;
	}
	base->lexeme = source->walk.lexeme;
	base->nbytes = source->walk.nbytes;
	source->next_block = 0;
	source->previous_doc = -1;
	return true;
}

static bool
next_block(VsBm25Source *base, VsBm25Block *block)
{
	SegmentSource *source = (SegmentSource *) base;
	VsBm25List *list = &source->walk.list;
	const VsBm25Skip *skip = &list->only;

	if (source->next_block == list->nblocks)
		return false;
	if (list->nblocks > 1)
	{
		uint32		i = source->next_block % NSKIPS;

		if (i == 0)
			vs_bm25_segment_read_skips(source->segment, list, source->next_block,
									   Min(list->nblocks - source->next_block,
										   NSKIPS),
									   source->skips);
		skip = &source->skips[i];
	}
	vs_bm25_segment_read_docs(source->segment, &skip->place,
							  source->previous_doc, block);
	vs_bm25_segment_read_rest(source->segment, &skip->place, block);

	/* A damaged entry must not put documents out of order in what is written. */
	if (block->n > 0 &&
		(block->docs[block->n - 1] != skip->last_doc ||
		 block->n != Min(list->df - source->next_block * BM25_BLOCK_POSTINGS,
						 BM25_BLOCK_POSTINGS)))
		vs_bm25_report_page(source->segment, BM25_SECTION_LEXEMES,
							source->walk.page);
	source->previous_doc = skip->last_doc;
	source->next_block++;
	return block->n > 0;
}

static void
read_tids(VsBm25Source *base, uint32 first, uint32 n, ItemPointerData *tids)
{
	SegmentSource *source = (SegmentSource *) base;

	vs_bm25_segment_read_tids(source->segment, first, n, tids);
	require_ours(source);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		row = first + i;

		if (source->deletes[row / 8] & (1 << row % 8))
			ItemPointerSetInvalid(&tids[i]);
		else
			vs_page_require_tid(source->segment->rel, &tids[i]);
	}
}

static const VsBm25SourceMethods methods = {next_lexeme, next_block, read_tids};

VsBm25Source *
vs_bm25_segment_source(VsBm25Segment *segment)
{
	SegmentSource *source = palloc0(sizeof(SegmentSource));
	uint64		nrows = (uint64) segment->header.ndocs + segment->header.nnulls;

	source->base.methods = &methods;
	source->base.ndocs = segment->header.ndocs;
	source->base.nnulls = segment->header.nnulls;
	source->segment = segment;
	source->deletes = palloc_extended(nrows / 8 + 1, MCXT_ALLOC_HUGE);
	vs_bm25_segment_read_deletes(segment, source->deletes);
	vs_bm25_walk_begin(&source->walk, segment, NULL, 0);
	return &source->base;
}
