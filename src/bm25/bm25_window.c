/*
 * bm25_window.c
 *		A list of postings as a search sees it that takes documents window by
 *		window.
 */
#include "postgres.h"

#include "bm25/bm25_window.h"

/*
 * Parameters beyond this are left to exact arithmetic: products of them could
 * leave the range of float4.
 */
#define LARGEST_PARAMETER 1e6

static bool
is_moderate(double x)
{
	return x >= 1.0 / LARGEST_PARAMETER && x <= LARGEST_PARAMETER;
}

bool
vs_bm25_approximate(const VsBm25Query *query,
					VsBm25Approximation *approximation)
{
	const VsBm25Params *params = &query->params;

	if (params->k1 > LARGEST_PARAMETER || !is_moderate(params->average_len))
		return false;
	approximation->norm = params->k1 * (1.0 - params->b);
	approximation->norm_per_len = params->k1 * params->b / params->average_len;
	approximation->is_plain = true;
	for (int i = 0; i < BM25_LABELS; i++)
	{
		if (!is_moderate(params->weights[i]))
			return false;
		approximation->weights[i] = params->weights[i];
		if (params->weights[i] != 1.0)
			approximation->is_plain = false;
	}
	return true;
}

VsBm25WindowList *
vs_bm25_window_open(VsBm25Cursor *cursor, int leaf, int times)
{
	VsBm25WindowList *list = palloc0(sizeof(VsBm25WindowList));

	list->cursor = cursor;
	list->leaf = leaf;
	list->times = times;
	return list;
}

/* Have slots for n blocks. */
static void
make_slots(VsBm25WindowList *list, uint32 n)
{
	uint32		nallocated = Max(n, 8);

	if (n <= list->nallocated)
		return;
	nallocated = Max(nallocated, list->nallocated * 2);
	if (list->slots == NULL)
		list->slots = palloc(sizeof(VsBm25WindowSlot) * nallocated);
	else
		list->slots = repalloc(list->slots,
							   sizeof(VsBm25WindowSlot) * nallocated);
	memset(list->slots + list->nallocated, 0,
		   sizeof(VsBm25WindowSlot) * (nallocated - list->nallocated));
	list->nallocated = nallocated;
}

/* Keep the block that this window shares with the one before. */
static void
keep_last(VsBm25WindowList *list, uint32 first)
{
	uint32		last = list->nslots - 1;
	bool		is_kept = list->nslots > 0 && list->first + last == first;

	if (is_kept && last > 0)
	{
		VsBm25WindowSlot slot = list->slots[0];

		list->slots[0] = list->slots[last];
		list->slots[last] = slot;
	}
	for (uint32 i = is_kept ? 1 : 0; i < list->nslots; i++)
	{
		list->slots[i].has_docs = false;
		list->slots[i].has_rest = false;
	}
}

/* Whether the only block in the window, if it was read, has none of its docs. */
static bool
is_empty(const VsBm25WindowList *list, uint32 begin, uint32 end)
{
	const VsBm25WindowSlot *slot = list->slots;
	int			i;

	if (list->nslots != 1 || !slot->has_docs)
		return false;
	i = vs_bm25_block_find(slot->block, 0, begin);
	return i == slot->block->n || slot->block->docs[i] >= end;
}

void
vs_bm25_window_enter(VsBm25WindowList *list, uint32 begin, uint32 end)
{
	VsBm25Cursor *cursor = list->cursor;
	uint32		first = vs_bm25_cursor_peek(cursor, begin);
	uint32		last = vs_bm25_cursor_find_block(cursor, first, end - 1);
	float		bound = 0.0f;

	/* Up to the block that ends in or behind the window's end. */
	last = Min(last + 1, cursor->nblocks);
	keep_last(list, first);
	list->first = first;
	list->nslots = last - first;
	make_slots(list, list->nslots);
	vs_bm25_window_rewind(list);

	if (!is_empty(list, begin, end))
		for (uint32 i = first; i < last; i++)
			bound = Max(bound, cursor->bounds[i]);
	list->bound = bound * list->times;
}

const VsBm25Block *
vs_bm25_window_block(VsBm25WindowList *list, uint32 slot_number, bool with_rest)
{
	VsBm25Cursor *cursor = list->cursor;
	VsBm25WindowSlot *slot = &list->slots[slot_number];
	uint32		number = list->first + slot_number;

	if (cursor->blocks != NULL)
		return &cursor->blocks[number];
	if (!slot->has_docs)
	{
		if (slot->block == NULL)
			slot->block = palloc0(sizeof(VsBm25Block));
		if (!vs_bm25_cursor_read_docs(cursor, number, slot->block))
			return NULL;
		slot->has_docs = true;
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
vs_bm25_window_find(VsBm25WindowList *list, uint32 doc, float wanted)
{
	const VsBm25Cursor *cursor = list->cursor;
	const VsBm25Skip *skips = cursor->skips + list->first;
	const VsBm25Block *block;

	while (list->slot < list->nslots && skips[list->slot].last_doc < doc)
	{
		list->slot++;
		list->at = 0;
	}
	if (list->slot == list->nslots ||
		cursor->bounds[list->first + list->slot] * list->times <= wanted)
		return NULL;
	block = vs_bm25_window_block(list, list->slot, false);
	if (block == NULL)
		return NULL;
	list->at = vs_bm25_block_find(block, list->at, doc);
	if (list->at == block->n || block->docs[list->at] != doc)
		return NULL;
	return vs_bm25_window_block(list, list->slot, true);
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
weigh(const VsBm25Approximation *approximation, const VsBm25Block *block,
	  float *restrict tfs)
{
	const float *w = approximation->weights;

	for (int i = 0; i < BM25_BLOCK_POSTINGS; i++)
	{
		float		tf = w[0] * (int) block->tfs[0][i] +
			w[1] * (int) block->tfs[1][i] + w[2] * (int) block->tfs[2][i] +
			w[3] * (int) block->tfs[3][i];

		tfs[i] = tf > 0.0f ? tf : w[0];
	}
}

/* What a list's scores are multiplied by. */
static inline float
get_factor(const VsBm25WindowList *list)
{
	const VsBm25Cursor *cursor = list->cursor;

	return cursor->leaf->idf * (cursor->query->params.k1 + 1.0) * list->times;
}

void
vs_bm25_window_score(const VsBm25WindowList *list,
					 const VsBm25Approximation *approximation,
					 const VsBm25Block *block, float *restrict scores)
{
	float		factor = get_factor(list);
	float		norm = approximation->norm;
	float		norm_per_len = approximation->norm_per_len;
	float		tfs[BM25_BLOCK_POSTINGS];

	if (approximation->is_plain)
		weigh_plain(block, tfs);
	else
		weigh(approximation, block, tfs);
	for (int i = 0; i < BM25_BLOCK_POSTINGS; i++)
		scores[i] = factor * tfs[i] /
			(tfs[i] + (norm + norm_per_len * (int32) block->lens[i]));
}

float
vs_bm25_window_score_one(const VsBm25WindowList *list,
						 const VsBm25Approximation *approximation,
						 const VsBm25Block *block, int i)
{
	const float *w = approximation->weights;
	float		tf = w[0] * block->tfs[0][i] + w[1] * block->tfs[1][i] +
		w[2] * block->tfs[2][i] + w[3] * block->tfs[3][i];

	tf = tf > 0.0f ? tf : w[0];
	return get_factor(list) * tf /
		(tf + (approximation->norm +
			   approximation->norm_per_len * (int32) block->lens[i]));
}
