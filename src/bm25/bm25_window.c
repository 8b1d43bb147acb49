/*
 * bm25_window.c
 *		A list of postings as a search sees it that takes documents window by
 *		window.
 */
#include "postgres.h"

#include "bm25/bm25_window.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/*
 * Parameters beyond this are left to exact arithmetic: products of them could
 * leave the range of float4.
 */
#define LARGEST_PARAMETER 1e6

/* Slots that a list has at least, if it has as many blocks. */
#define SLOTS_KEPT 8

/* Blocks over so many windows are read for the windows' bounds. */
#define WINDOWS_PER_BLOCK 4

static bool
is_moderate(double x)
{
	return x >= 1.0 / LARGEST_PARAMETER && x <= LARGEST_PARAMETER;
}

bool
vs_bm25_window_can(const VsBm25Query *query)
{
	const VsBm25Params *params = &query->params;

	for (int i = 0; i < BM25_LABELS; i++)
		if (!is_moderate(params->weights[i]))
			return false;
	return params->k1 <= LARGEST_PARAMETER && is_moderate(params->average_len);
}

/*
 * Set the numbers by which scores are approximated.  Where no label that counts
 * occurs, it may be that there are no positions: that counts once, as label D.
 */
static void
set_numbers(VsBm25WindowList *list)
{
	const VsBm25Leaf *leaf = list->cursor->leaf;
	const VsBm25Params *params = &list->cursor->query->params;

	list->factor = leaf->idf * (params->k1 + 1.0) * list->times;
	list->norm = params->k1 * (1.0 - params->b);
	list->norm_per_len = params->k1 * params->b / params->average_len;
	list->is_plain = true;
	for (int i = 0; i < BM25_LABELS; i++)
	{
		bool		counts = leaf->is_prefix || (leaf->labels & (1 << i)) != 0;

		list->weights[i] = counts ? params->weights[i] : 0.0;
		list->is_plain = list->is_plain && list->weights[i] == 1.0f;
	}
	list->stripped_tf = params->weights[0];
}

/* Have at least n slots: a power of 2. */
static void
make_slots(VsBm25WindowList *list, uint32 n)
{
	if (n <= list->nslots)
		return;
	if (list->slots != NULL)
		pfree(list->slots);
	list->nslots = pg_nextpower2_32(n);
	list->slots = palloc0(sizeof(VsBm25WindowSlot) * list->nslots);
}

void
vs_bm25_window_enter(VsBm25WindowList *list, uint32 window)
{
	const VsBm25Cursor *cursor = list->cursor;
	uint32		last = window * BM25_WINDOW_DOCS + (BM25_WINDOW_DOCS - 1);

	list->bound = list->windows[window].bound;
	list->first = list->windows[window].first;
	list->end = list->first;
	while (list->end < cursor->nblocks)
		if (cursor->skips[list->end++].last_doc >= last)
			break;
	make_slots(list, list->end - list->first);
	vs_bm25_window_rewind(list);
}

const VsBm25Block *
vs_bm25_window_block(VsBm25WindowList *list, uint32 number, bool with_rest)
{
	VsBm25Cursor *cursor = list->cursor;
	VsBm25WindowSlot *slot = &list->slots[number & (list->nslots - 1)];

	if (cursor->blocks != NULL)
		return &cursor->blocks[number];
	if (!slot->has_docs || slot->number != number)
	{
		if (slot->block == NULL)
			slot->block = palloc0(sizeof(VsBm25Block));
		slot->has_docs = vs_bm25_cursor_read_docs(cursor, number, slot->block);
		slot->has_rest = false;
		slot->number = number;
		if (!slot->has_docs)
			return NULL;
	}
	if (with_rest && !slot->has_rest)
	{
		if (!vs_bm25_cursor_read_rest(cursor, number, slot->block))
			return NULL;
		slot->has_rest = true;
	}
	return slot->block;
}

const VsBm25Block *
vs_bm25_window_find(VsBm25WindowList *list, uint32 doc)
{
	const VsBm25Cursor *cursor = list->cursor;
	const VsBm25Skip *skips = cursor->skips;
	const VsBm25Block *block;

	while (list->number < list->end && skips[list->number].last_doc < doc)
	{
		list->number++;
		list->at = 0;
	}
	if (list->number == list->end)
		return NULL;
	block = vs_bm25_window_block(list, list->number, false);
	if (block == NULL)
		return NULL;
	list->at = vs_bm25_block_find(block, list->at, doc);
	if (list->at == block->n || block->docs[list->at] != doc)
		return NULL;
	return vs_bm25_window_block(list, list->number, true);
}

/*
 * Loops over all 128 postings, be there fewer, are what compilers can make use of
 * vector instructions for; what comes out behind the last is not looked at.
 */
static void
weigh_plain(const VsBm25Block *block, float *restrict tfs)
{
	for (int i = 0; i < BM25_BLOCK_POSTINGS; i++)
	{
		int			tf = block->tfs[0][i] + block->tfs[1][i] +
			block->tfs[2][i] + block->tfs[3][i];

		tfs[i] = Max(tf, 1);
	}
}

static void
weigh(const VsBm25WindowList *list, const VsBm25Block *block,
	  float *restrict tfs)
{
	const float *w = list->weights;

	for (int i = 0; i < BM25_BLOCK_POSTINGS; i++)
	{
		float		tf = w[0] * (int) block->tfs[0][i] +
			w[1] * (int) block->tfs[1][i] + w[2] * (int) block->tfs[2][i] +
			w[3] * (int) block->tfs[3][i];

		tfs[i] = tf > 0.0f ? tf : list->stripped_tf;
	}
}

void
vs_bm25_window_score(const VsBm25WindowList *list, const VsBm25Block *block,
					 float *restrict scores)
{
	float		factor = list->factor;
	float		norm = list->norm;
	float		norm_per_len = list->norm_per_len;
	float		tfs[BM25_BLOCK_POSTINGS];

	if (list->is_plain)
		weigh_plain(block, tfs);
	else
		weigh(list, block, tfs);
	for (int i = 0; i < BM25_BLOCK_POSTINGS; i++)
		scores[i] = factor * tfs[i] /
			(tfs[i] + (norm + norm_per_len * (int32) block->lens[i]));
}

float
vs_bm25_window_score_one(const VsBm25WindowList *list, const VsBm25Block *block,
						 int i)
{
	const float *w = list->weights;
	float		tf = w[0] * block->tfs[0][i] + w[1] * block->tfs[1][i] +
		w[2] * block->tfs[2][i] + w[3] * block->tfs[3][i];

	tf = tf > 0.0f ? tf : list->stripped_tf;
	return list->factor * tf /
		(tf + (list->norm + list->norm_per_len * (int32) block->lens[i]));
}

/*
 * Find where windows begin, and bound them by the blocks that they have a share
 * in: block i has documents of windows first to last.
 */
static void
share_blocks(VsBm25WindowList *list, uint32 nwindows)
{
	const VsBm25Cursor *cursor = list->cursor;
	VsBm25ListWindow *windows = list->windows;
	uint32		first = 0;
	uint32		nbegun = 0;		/* windows whose first block is known */

	for (uint32 i = 0; i < cursor->nblocks; i++)
	{
		uint32		last = cursor->skips[i].last_doc / BM25_WINDOW_DOCS;
		float		bound = cursor->bounds[i] * list->times;

		for (; nbegun <= last; nbegun++)
			windows[nbegun].first = i;
		for (uint32 window = first; window <= last; window++)
			windows[window].bound = Max(windows[window].bound, bound);
		first = last;
	}
	for (; nbegun < nwindows; nbegun++)
		windows[nbegun].first = cursor->nblocks;
}

/*
 * Bound windows by the postings themselves, where blocks reach over many windows.
 * If the segment is stale, so is what comes out.
 */
static void
bound_by_postings(VsBm25WindowList *list, uint32 nwindows)
{
	float		scores[BM25_BLOCK_POSTINGS];

	for (uint32 i = 0; i < nwindows; i++)
		list->windows[i].bound = 0.0f;
	for (uint32 number = 0; number < list->cursor->nblocks; number++)
	{
		const VsBm25Block *block = vs_bm25_window_block(list, number, true);

		if (block == NULL)
			return;
		vs_bm25_window_score(list, block, scores);
		for (int i = 0; i < block->n; i++)
		{
			VsBm25ListWindow *window =
				&list->windows[block->docs[i] / BM25_WINDOW_DOCS];
			float		score = scores[i] * (float) (1.0 + BM25_BOUND_SLACK);

			window->bound = Max(window->bound, score);
		}
	}
}

VsBm25WindowList *
vs_bm25_window_open(VsBm25Cursor *cursor, int leaf, int times)
{
	VsBm25WindowList *list = palloc0(sizeof(VsBm25WindowList));
	uint32		nwindows = vs_bm25_count_windows(cursor->segment->header.ndocs);

	list->cursor = cursor;
	list->leaf = leaf;
	list->times = times;
	set_numbers(list);
	list->windows = MemoryContextAllocExtended(CurrentMemoryContext,
											   sizeof(VsBm25ListWindow) * nwindows,
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	make_slots(list, Min(cursor->nblocks, SLOTS_KEPT));
	share_blocks(list, nwindows);
	if (cursor->nblocks <= SLOTS_KEPT &&
		cursor->nblocks * WINDOWS_PER_BLOCK <= nwindows)
		bound_by_postings(list, nwindows);
	return list;
}
