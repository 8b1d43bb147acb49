/*
 * bm25_cursor.c
 *		Going through the postings of a leaf in one segment.
 */
#include "postgres.h"

#include <float.h>

#include "bm25/bm25_cursor.h"
#include "bm25/bm25_prefix.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* ERROR unless the documents of a list's blocks ascend, and exist. */
static void
require_skips(const VsBm25Segment *segment, const VsBm25Skip *skips, uint32 n)
{
	bool		is_sound = skips[n - 1].last_doc < segment->header.ndocs;

	for (uint32 i = 1; i < n; i++)
		is_sound &= skips[i - 1].last_doc < skips[i].last_doc;
	if (!is_sound)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has a list of postings in segment %u that is out of order",
						RelationGetRelationName(segment->rel),
						segment->entry.id)));
}

void
vs_bm25_cursor_use(VsBm25Cursor *cursor, const VsBm25List *list)
{
	VsBm25Segment *segment = cursor->segment;

	if (list->df == 0 || list->nblocks == 0)
		return;

	cursor->skips = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(VsBm25Skip) * list->nblocks);
	if (list->nblocks == 1)
		cursor->skips[0] = list->only;
	else
		vs_bm25_segment_read_skips(segment, list, 0, list->nblocks,
								   cursor->skips);
	if (vs_bm25_segment_is_stale(segment))
		return;
	require_skips(segment, cursor->skips, list->nblocks);
	cursor->npostings = list->df;
	cursor->nblocks = list->nblocks;
}

VsBm25Cursor *
vs_bm25_cursor_open(VsBm25Segment *segment, const VsBm25Query *query,
					const VsBm25Leaf *leaf)
{
	VsBm25Cursor *cursor = palloc0(sizeof(VsBm25Cursor));

	cursor->segment = segment;
	cursor->query = query;
	cursor->leaf = leaf;
	if (leaf->is_prefix)
		vs_bm25_prefix_make(cursor);
	else
	{
		VsBm25List	list;

		vs_bm25_segment_find(segment, leaf->lexeme, leaf->nbytes, &list);
		vs_bm25_cursor_use(cursor, &list);
	}
	vs_bm25_cursor_rewind(cursor);
	return cursor;
}

void
vs_bm25_cursor_rewind(VsBm25Cursor *cursor)
{
	cursor->from = BM25_NO_DOC;
	cursor->doc = 0;
	cursor->number = 0;
	cursor->at = 0;
	cursor->block = NULL;
	cursor->has_rest = false;
	cursor->ahead = 0;
}

/* No posting within these bounds has a higher score. */
static double
score_bounds(const VsBm25Cursor *cursor, const VsBm25Bounds *bounds,
			 double weight)
{
	const VsBm25Params *params = &cursor->query->params;
	double		highest = 0.0;

	for (int i = 0; i < BM25_BOUNDS; i++)
	{
		double		score;

		if (i > 0 && bounds->tf[i] == bounds->tf[i - 1] &&
			bounds->min_len[i] == bounds->min_len[i - 1])
			break;
		score = vs_bm25_score(params, cursor->leaf->idf,
							  weight * bounds->tf[i],
							  vs_bm25_len_norm(params, bounds->min_len[i]));
		highest = Max(highest, score);
	}
	return highest;
}

/* The most that a position counts; without positions it is label D's. */
static double
highest_weight(const VsBm25Cursor *cursor)
{
	const double *weights = cursor->query->params.weights;
	double		highest = weights[0];

	for (int i = 1; i < BM25_LABELS; i++)
		if (cursor->leaf->labels & (1 << i))
			highest = Max(highest, weights[i]);
	return highest;
}

/* The highest score of a block's postings. */
static double
score_block(const VsBm25Cursor *cursor, const VsBm25Block *block)
{
	double		highest = 0.0;

	for (int i = 0; i < block->n; i++)
	{
		uint16		tfs[BM25_LABELS];
		double		score;

		vs_bm25_block_get_tfs(block, i, tfs);
		score = vs_bm25_leaf_score(cursor->query, cursor->leaf, tfs,
								   vs_bm25_len_norm(&cursor->query->params,
													block->lens[i]));
		highest = Max(highest, score);
	}
	return highest;
}

void
vs_bm25_cursor_bound(VsBm25Cursor *cursor)
{
	double		weight = highest_weight(cursor);

	if (cursor->bounds != NULL || cursor->nblocks == 0)
		return;

	cursor->bounds = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(float) * cursor->nblocks);
	cursor->bound = 0.0;
	for (uint32 i = 0; i < cursor->nblocks; i++)
	{
		double		bound = cursor->blocks != NULL ?
			score_block(cursor, &cursor->blocks[i]) :
			score_bounds(cursor, &cursor->skips[i].bounds, weight);

		cursor->bounds[i] = bound * (1.0 + BM25_BOUND_SLACK) + FLT_MIN;
		cursor->bound = Max(cursor->bound, cursor->bounds[i]);
	}
}

/* The document before a block, -1 if there is none. */
static int64
doc_before(const VsBm25Cursor *cursor, uint32 number)
{
	return number == 0 ? -1 : (int64) cursor->skips[number - 1].last_doc;
}

/* Report a block that is not what its skip says. */
static void
report_block(const VsBm25Cursor *cursor, uint32 number)
{
	const VsBm25Segment *segment = cursor->segment;
	BlockNumber block = vs_bm25_segment_block(segment, BM25_SECTION_POSTINGS,
											  cursor->skips[number].place.page);

	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" has postings in block %u that are not as announced",
					RelationGetRelationName(segment->rel), block)));
}

bool
vs_bm25_cursor_read_docs(VsBm25Cursor *cursor, uint32 number,
						 VsBm25Block *block)
{
	const VsBm25Skip *skip = &cursor->skips[number];

	CHECK_FOR_INTERRUPTS();
	vs_bm25_segment_read_docs(cursor->segment, &skip->place,
							  doc_before(cursor, number), block);
	if (vs_bm25_segment_is_stale(cursor->segment))
		return false;
	if (block->n <= 0 || block->docs[block->n - 1] != skip->last_doc)
		report_block(cursor, number);
	return true;
}

bool
vs_bm25_cursor_read_rest(VsBm25Cursor *cursor, uint32 number,
						 VsBm25Block *block)
{
	vs_bm25_segment_read_rest(cursor->segment, &cursor->skips[number].place,
							  block);
	return !vs_bm25_segment_is_stale(cursor->segment);
}

/*
 * Look at the next few, then in steps that double, then in the middle of what is
 * left: targets tend to be near.
 */
uint32
vs_bm25_cursor_find_block(const VsBm25Cursor *cursor, uint32 number, uint32 doc)
{
	const VsBm25Skip *skips = cursor->skips;
	uint32		n = cursor->nblocks;
	uint32		step = 1;
	uint32		low = number;	/* all before end before doc */
	uint32		high;

	while (low < n && skips[Min(low + step, n) - 1].last_doc < doc)
	{
		low = Min(low + step, n);
		step *= 2;
	}
	high = Min(low + step, n);
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (skips[middle].last_doc < doc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
vs_bm25_block_find(const VsBm25Block *block, int i, uint32 doc)
{
	const uint32 *docs = block->docs + i;
	int			n = block->n - i;

	/* Halve what is left, without a branch. */
	while (n > 1)
	{
		int			half = n / 2;

		docs += docs[half - 1] < doc ? half : 0;
		n -= half;
	}
	i = docs - block->docs;
	return i < block->n && *docs < doc ? i + 1 : i;
}

/* Stand in block "number", before its first posting; false at the end. */
static bool
enter_block(VsBm25Cursor *cursor, uint32 number)
{
	cursor->number = number;
	cursor->at = 0;
	if (number >= cursor->nblocks)
		return false;
	if (cursor->blocks != NULL)
	{
		cursor->block = &cursor->blocks[number];
		cursor->has_rest = true;
		return true;
	}
	if (cursor->room == NULL)
		cursor->room = palloc(sizeof(VsBm25Block));
	cursor->block = cursor->room;
	cursor->has_rest = false;
	return vs_bm25_cursor_read_docs(cursor, number, cursor->room);
}

/* Whether a document would be in the block that the cursor stands in. */
static bool
is_in_block(const VsBm25Cursor *cursor, uint32 target)
{
	return cursor->block != NULL &&
		target <= cursor->skips[cursor->number].last_doc &&
		(int64) target > doc_before(cursor, cursor->number);
}

uint32
vs_bm25_cursor_seek_slow(VsBm25Cursor *cursor, uint32 target)
{
	bool		is_back = target < cursor->from;
	const VsBm25Block *block = cursor->block;

	cursor->from = target;
	if (!is_back && block != NULL && cursor->at + 1 < block->n &&
		block->docs[cursor->at + 1] >= target)
	{
		cursor->doc = block->docs[++cursor->at];
		return cursor->doc;
	}
	if (!is_in_block(cursor, target))
	{
		uint32		number =
			vs_bm25_cursor_find_block(cursor, is_back ? 0 : cursor->number,
									  target);

		if (!enter_block(cursor, number))
		{
			cursor->block = NULL;
			cursor->doc = BM25_NO_DOC;
			return BM25_NO_DOC;
		}
	}
	else if (is_back)
		cursor->at = 0;
	cursor->at = vs_bm25_block_find(cursor->block, cursor->at, target);
	Assert(cursor->at < cursor->block->n);
	cursor->doc = cursor->block->docs[cursor->at];
	return cursor->doc;
}

bool
vs_bm25_cursor_load_rest(VsBm25Cursor *cursor)
{
	Assert(cursor->block != NULL && cursor->doc != BM25_NO_DOC);
	cursor->has_rest = vs_bm25_cursor_read_rest(cursor, cursor->number,
												cursor->room);
	return cursor->has_rest;
}
