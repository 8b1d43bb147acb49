/*
 * bm25_maxscore.c
 *		The best documents of a segment for any of some lexemes.
 *
 * MaxScore over windows of documents.  In each window lists are divided by the
 * bounds of their blocks there: documents that have none but those of the lowest
 * bounds, the optional ones, cannot be among the best.  The other lists' scores
 * are added up for all of their documents, in float4; those whose sum could
 * suffice are candidates, which are looked for in the optional lists.  What is
 * left is scored exactly.  See README.md, "Scan".
 */
#include "postgres.h"

#include "bm25/bm25_maxscore.h"
#include "bm25/bm25_window.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* A window, and what no document in it scores above. */
typedef struct Window
{
	uint32		number;
	float		bound;
} Window;

/* To look for a candidate takes as long as to score so many postings. */
#define POSTINGS_PER_SEARCH 8

typedef struct MaxScore
{
	VsBm25Search *search;
	const VsBm25Goal *goal;
	VsBm25Hits *hits;
	uint32		number;			/* of the part */
	VsBm25Approximation approximation;
	float		slack;			/* what a threshold is multiplied by */
	VsBm25LeafState *states;

	int			nlists;
	VsBm25WindowList **lists;	/* by bound in the window, the highest first */

	/* The window. */
	uint32		begin;
	int			nrequired;		/* lists that are not optional */
	float		sums[BM25_WINDOW_DOCS];
	int			ncandidates;
	uint16		candidates[BM25_WINDOW_DOCS + 1];	/* room for one more */
} MaxScore;

bool
vs_bm25_maxscore_can(const VsBm25Goal *goal)
{
	const VsBm25Query *query = goal->query;
	VsBm25Approximation approximation;

	if (goal->rank < 0 || goal->nfilters > 0 ||
		!vs_bm25_approximate(query, &approximation))
		return false;
	for (int i = 0; i < query->nnodes; i++)
	{
		const VsBm25Node *node = &query->nodes[i];

		if (node->kind != BM25_NODE_OR && node->kind != BM25_NODE_LEAF)
			return false;
	}
	for (int i = 0; i < query->nleaves; i++)
		if (query->leaves[i].labels != BM25_ALL_LABELS)
			return false;
	return true;
}

/* How often the tree has a leaf. */
static int
count_leaf(const VsBm25Query *query, int leaf)
{
	int			n = 0;

	for (int i = 0; i < query->nnodes; i++)
		if (query->nodes[i].kind == BM25_NODE_LEAF &&
			query->nodes[i].leaf == leaf)
			n++;
	return n;
}

/* Open the lists that are not empty. */
static void
open_lists(MaxScore *this)
{
	const VsBm25Query *query = this->goal->query;
	VsBm25Cursor **cursors =
		vs_bm25_part_cursors(this->search, &this->search->parts[this->number],
							 this->goal);

	this->nlists = 0;
	this->lists = palloc(sizeof(VsBm25WindowList *) * query->nleaves);
	for (int i = 0; i < query->nleaves; i++)
	{
		if (cursors[i]->nblocks == 0)
			continue;
		vs_bm25_cursor_rewind(cursors[i]);
		vs_bm25_cursor_bound(cursors[i]);
		this->lists[this->nlists++] =
			vs_bm25_window_open(cursors[i], i, count_leaf(query, i),
								&this->approximation);
	}
}

/* A score that is not above this, as computed here, is not wanted. */
static inline float
get_threshold(const MaxScore *this)
{
	return this->hits->threshold * this->slack;
}

/* Enter a window, and divide its lists. */
static void
enter_window(MaxScore *this, uint32 window)
{
	float		threshold = get_threshold(this);
	float		sum = 0.0f;
	int			n;

	this->begin = window * BM25_WINDOW_DOCS;
	for (int i = 0; i < this->nlists; i++)
	{
		VsBm25WindowList *list = this->lists[i];
		int			j = i;

		vs_bm25_window_enter(list, window);
		for (; j > 0 && this->lists[j - 1]->bound < list->bound; j--)
			this->lists[j] = this->lists[j - 1];
		this->lists[j] = list;
	}
	for (n = this->nlists; n > 0; n--)
	{
		sum += this->lists[n - 1]->bound;
		if (sum > threshold)
			break;
	}
	this->nrequired = n;
}

/* The sum of the bounds of lists from "first" on. */
static float
sum_bounds(const MaxScore *this, int first)
{
	float		sum = 0.0f;

	for (int i = first; i < this->nlists; i++)
		sum += this->lists[i]->bound;
	return sum;
}

/* The postings of a block that are in the window: from *first to before *end. */
static void
clip_block(const MaxScore *this, const VsBm25Block *block, int *first, int *end)
{
	uint32		last = this->begin + (BM25_WINDOW_DOCS - 1);

	*first = block->docs[0] >= this->begin ? 0 :
		vs_bm25_block_find(block, 0, this->begin);
	*end = block->docs[block->n - 1] <= last ? block->n :
		vs_bm25_block_find(block, *first, last + 1);
}

/*
 * Add the scores of a block's postings in the window to the sums.  A document
 * becomes a candidate when its sum exceeds what is needed.
 */
static void
add_block(MaxScore *this, const VsBm25WindowList *list,
		  const VsBm25Block *block, float needed)
{
	float		scores[BM25_BLOCK_POSTINGS];
	int			ncandidates = this->ncandidates;
	int			i;
	int			end;

	clip_block(this, block, &i, &end);
	vs_bm25_window_score(list, &this->approximation, block, scores);
	for (; i < end; i++)
	{
		uint32		doc = block->docs[i] - this->begin;
		float		before = this->sums[doc];
		float		after = before + scores[i];

		this->sums[doc] = after;
		this->candidates[ncandidates] = doc;
		ncandidates += (before <= needed) & (after > needed);
	}
	this->ncandidates = ncandidates;
}

/* The same of the only list that is required: there are no sums yet. */
static void
set_block(MaxScore *this, const VsBm25WindowList *list,
		  const VsBm25Block *block, float needed)
{
	float		scores[BM25_BLOCK_POSTINGS];
	int			ncandidates = this->ncandidates;
	int			i;
	int			end;

	clip_block(this, block, &i, &end);
	vs_bm25_window_score(list, &this->approximation, block, scores);
	for (; i < end; i++)
	{
		uint32		doc = block->docs[i] - this->begin;

		this->sums[doc] = scores[i];
		this->candidates[ncandidates] = doc;
		ncandidates += scores[i] > needed;
	}
	this->ncandidates = ncandidates;
}

/* Add up the scores of the required lists; false if the segment is stale. */
static bool
add_required(MaxScore *this)
{
	float		needed = get_threshold(this) - sum_bounds(this, this->nrequired);
	bool		is_alone = this->nrequired == 1;

	needed = Max(needed, 0.0f);
	if (!is_alone)
		memset(this->sums, 0, sizeof(this->sums));
	this->ncandidates = 0;
	for (int i = 0; i < this->nrequired; i++)
	{
		VsBm25WindowList *list = this->lists[i];

		if (list->bound == 0.0f)
			break;
		for (uint32 number = list->first; number < list->end; number++)
		{
			const VsBm25Block *block = vs_bm25_window_block(list, number, true);

			if (block == NULL)
				return false;
			if (is_alone)
				set_block(this, list, block, needed);
			else
				add_block(this, list, block, needed);
		}
	}
	return true;
}

/* Put candidates in order of documents. */
static void
sort_candidates(MaxScore *this)
{
	uint64		bits[BM25_WINDOW_DOCS / 64] = {0};
	int			n = 0;

	for (int i = 0; i < this->ncandidates; i++)
		bits[this->candidates[i] / 64] |=
			UINT64CONST(1) << (this->candidates[i] % 64);
	for (int i = 0; i < BM25_WINDOW_DOCS / 64; i++)
		for (uint64 word = bits[i]; word != 0; word &= word - 1)
			this->candidates[n++] = i * 64 + pg_rightmost_one_pos64(word);
}

/* Add the scores of all postings of a block in the window to the sums. */
static void
add_all_of_block(MaxScore *this, const VsBm25WindowList *list,
				 const VsBm25Block *block)
{
	float		scores[BM25_BLOCK_POSTINGS];
	int			i;
	int			end;

	clip_block(this, block, &i, &end);
	vs_bm25_window_score(list, &this->approximation, block, scores);
	for (; i < end; i++)
		this->sums[block->docs[i] - this->begin] += scores[i];
}

/* Keep those of n candidates whose sums exceed what is needed; returns how many. */
static int
keep_candidates(const MaxScore *this, uint16 *candidates, int n, float needed)
{
	int			nkept = 0;

	for (int i = 0; i < n; i++)
	{
		uint16		doc = candidates[i];

		candidates[nkept] = doc;
		nkept += this->sums[doc] > needed;
	}
	return nkept;
}

/*
 * Add the scores of n candidates that a block may have.  If they are many, those
 * of all its postings: that takes less than to look for each.  False if the
 * segment is stale.
 */
static bool
add_candidates(MaxScore *this, VsBm25WindowList *list, uint32 number,
			   const uint16 *candidates, int n)
{
	bool		add_all = n * POSTINGS_PER_SEARCH >= BM25_BLOCK_POSTINGS;
	const VsBm25Block *block = vs_bm25_window_block(list, number, add_all);
	int			at = 0;

	if (block == NULL)
		return false;
	if (add_all)
	{
		add_all_of_block(this, list, block);
		return true;
	}
	for (int i = 0; i < n; i++)
	{
		uint32		doc = this->begin + candidates[i];

		at = vs_bm25_block_find(block, at, doc);
		if (at == block->n)
			break;
		if (block->docs[at] != doc)
			continue;
		block = vs_bm25_window_block(list, number, true);
		if (block == NULL)
			return false;
		this->sums[candidates[i]] +=
			vs_bm25_window_score_one(list, &this->approximation, block, at);
	}
	return true;
}

/*
 * Add an optional list's scores to the candidates' sums, and keep those whose sum
 * exceeds what is needed.  Blocks that no candidate needs are not read.  False if
 * the segment is stale.
 */
static bool
add_optional(MaxScore *this, VsBm25WindowList *list, float needed)
{
	const VsBm25Cursor *cursor = list->cursor;
	uint16	   *candidates = this->candidates;
	int			next = 0;
	int			nkept = 0;

	for (uint32 number = list->first; number < list->end; number++)
	{
		uint32		last = cursor->skips[number].last_doc;
		float		bound = cursor->bounds[number] * list->times;
		int			first = nkept;

		for (; next < this->ncandidates &&
			 this->begin + candidates[next] <= last; next++)
		{
			candidates[nkept] = candidates[next];
			nkept += this->sums[candidates[next]] + bound > needed;
		}
		if (nkept == first)
			continue;
		if (!add_candidates(this, list, number, candidates + first,
							nkept - first))
			return false;
		nkept = first + keep_candidates(this, candidates + first,
										nkept - first, needed);
	}
	for (; next < this->ncandidates; next++)
		candidates[nkept++] = candidates[next];
	this->ncandidates = nkept;
	return true;
}

/* Add the optional lists' scores; false if the segment is stale. */
static bool
add_optionals(MaxScore *this)
{
	float		threshold = get_threshold(this);

	for (int i = this->nrequired; i < this->nlists; i++)
	{
		VsBm25WindowList *list = this->lists[i];

		if (list->bound == 0.0f || this->ncandidates == 0)
			break;
		if (!add_optional(this, list, threshold - sum_bounds(this, i + 1)))
			return false;
	}
	return true;
}

/* Score a document exactly. */
static double
score_document(MaxScore *this, uint32 doc)
{
	const VsBm25Query *query = this->goal->query;
	double		score = 0.0;

	for (int i = 0; i < this->nlists; i++)
	{
		VsBm25WindowList *list = this->lists[i];
		const VsBm25Block *block = vs_bm25_window_find(list, doc, -1.0f);
		VsBm25LeafState *state = &this->states[list->leaf];
		uint16		tfs[BM25_LABELS];

		state->matches = block != NULL;
		state->score = 0.0;
		if (block == NULL)
			continue;
		for (int j = 0; j < BM25_LABELS; j++)
			tfs[j] = block->tfs[j][list->at];
		state->score = vs_bm25_leaf_score(query, &query->leaves[list->leaf], tfs,
										  vs_bm25_len_norm(&query->params,
														   block->lens[list->at]));
	}
	(void) vs_bm25_query_evaluate(query, this->goal->rank, this->states, &score);
	return score;
}

/* Add the candidates that are left to the hits. */
static void
add_hits(MaxScore *this)
{
	const VsBm25Part *part = &this->search->parts[this->number];

	for (int i = 0; i < this->nlists; i++)
		vs_bm25_window_rewind(this->lists[i]);
	for (int i = 0; i < this->ncandidates; i++)
	{
		int			doc = this->candidates[i];
		VsBm25Hit	hit = {
			.part = this->number,
			.doc = this->begin + doc,
		};

		if (this->sums[doc] <= get_threshold(this))
			continue;
		hit.score = score_document(this, hit.doc);
		if (vs_bm25_hits_want(this->hits, &hit) &&
			!vs_bm25_part_is_deleted(part, hit.doc))
			vs_bm25_hits_add(this->hits, &hit);
	}
}

static int
compare_windows(const void *a, const void *b)
{
	const Window *x = a;
	const Window *y = b;

	if (x->bound != y->bound)
		return x->bound < y->bound ? 1 : -1;
	return x->number < y->number ? -1 : 1;
}

/* Order windows by their bounds, the highest first. */
static Window *
order_windows(const MaxScore *this, uint32 n)
{
	Window	   *windows = MemoryContextAllocHuge(CurrentMemoryContext,
												 sizeof(Window) * n);

	for (uint32 i = 0; i < n; i++)
	{
		windows[i] = (Window) {.number = i};
		for (int j = 0; j < this->nlists; j++)
			windows[i].bound += this->lists[j]->windows[i].bound;
	}
	qsort(windows, n, sizeof(Window), compare_windows);
	return windows;
}

void
vs_bm25_maxscore_search(VsBm25Search *search, const VsBm25Goal *goal,
						uint32 number, VsBm25Hits *hits)
{
	MaxScore   *this = palloc(sizeof(MaxScore));
	uint32		nwindows = vs_bm25_count_windows(search->parts[number].ndocs);
	Window	   *windows;

	this->search = search;
	this->goal = goal;
	this->hits = hits;
	this->number = number;
	this->slack = 1.0 - BM25_BOUND_SLACK * (goal->query->nleaves + 2);
	this->states = palloc0(sizeof(VsBm25LeafState) * goal->query->nleaves);
	(void) vs_bm25_approximate(goal->query, &this->approximation);
	open_lists(this);

	windows = order_windows(this, nwindows);
	for (uint32 i = 0; i < nwindows; i++)
	{
		if (windows[i].bound <= get_threshold(this))
			break;
		enter_window(this, windows[i].number);
		if (!add_required(this))
			break;
		if (this->nrequired > 1)
			sort_candidates(this);
		if (!add_optionals(this))
			break;
		add_hits(this);
	}
}
