/*
 * bm25_maxscore.c
 *		The best documents of a segment, by the scores of the leaves.
 *
 * No document scores higher than its leaves together, whatever the tree.  This is
 * MaxScore over windows of documents.  In each window lists are divided by the
 * bounds of their blocks there: documents that have none but those of the lowest
 * bounds, the optional ones, cannot be among the best.  The other lists' scores
 * are added up for all of their documents, in float4; those whose sum could
 * suffice are candidates, which are looked for in the optional lists.  What is
 * left is judged exactly.  See README.md, "Scan".
 */
#include "postgres.h"

#include "bm25/bm25_maxscore.h"
#include "bm25/bm25_window.h"
#include "miscadmin.h"
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

/* To judge a candidate takes as long as to add up so many scores. */
#define POSTINGS_PER_JUDGE 20

/* Candidates that are judged for each of the best documents. */
#define JUDGED_PER_HIT 8

typedef struct MaxScore
{
	VsBm25Matcher *matcher;
	const VsBm25Part *part;
	VsBm25Hits *hits;
	float		slack;			/* what a threshold is multiplied by */

	VsBm25LeafState *states;	/* by leaf */
	int			nothers;
	int		   *others;			/* leaves that are used, but have no list */

	int			nlists;
	VsBm25WindowList **lists;	/* by bound in the window, the highest first */

	/* The window. */
	uint32		begin;
	int			nrequired;		/* lists that are not optional */
	float		sums[BM25_WINDOW_DOCS];
	int			ncandidates;
	uint16		candidates[BM25_WINDOW_DOCS + 1];	/* room for one more */
} MaxScore;

/*
 * Count how often each leaf can add its score: in the tree that ranks, but not
 * under "not".
 */
static int *
count_leaves(const VsBm25Goal *goal)
{
	const VsBm25Query *query = goal->query;
	int		   *times = palloc0(sizeof(int) * query->nleaves);
	bool	   *adds = palloc0(sizeof(bool) * query->nnodes);

	/* Children have lower numbers. */
	adds[goal->rank] = true;
	for (int i = goal->rank; i >= 0; i--)
	{
		const VsBm25Node *node = &query->nodes[i];

		if (!adds[i] || node->kind == BM25_NODE_NOT)
			continue;
		if (node->kind == BM25_NODE_LEAF)
			times[node->leaf]++;
		else
			adds[node->left] = adds[node->right] = true;
	}
	pfree(adds);
	return times;
}

/*
 * Whether what a tree ranks are the documents that have any of its leaves, but
 * for what "not" excludes.  Where several must be there together most documents
 * with high scores do not match, and it is better to look for those that do.
 */
static bool
ranks_any_leaf(const VsBm25Query *query, int number)
{
	const VsBm25Node *node = &query->nodes[number];
	bool		left_excludes;
	bool		right_excludes;

	check_stack_depth();
	switch (node->kind)
	{
		case BM25_NODE_LEAF:
			return true;
		case BM25_NODE_OR:
			return ranks_any_leaf(query, node->left) &&
				ranks_any_leaf(query, node->right);
		case BM25_NODE_AND:
			left_excludes = query->nodes[node->left].kind == BM25_NODE_NOT;
			right_excludes = query->nodes[node->right].kind == BM25_NODE_NOT;
			return (left_excludes || ranks_any_leaf(query, node->left)) &&
				(right_excludes || ranks_any_leaf(query, node->right)) &&
				left_excludes != right_excludes;
		case BM25_NODE_PHRASE:
		case BM25_NODE_NOT:
			return false;
	}
	pg_unreachable();
}

/* The share of documents that match the filters, if leaves are independent. */
static double
estimate_share(const VsBm25Matcher *matcher)
{
	const VsBm25Goal *goal = matcher->goal;
	const VsBm25Query *query = goal->query;
	double	   *shares = palloc(sizeof(double) * query->nnodes);
	double		share = 1.0;

	for (int i = 0; i < query->nnodes; i++)
	{
		const VsBm25Node *node = &query->nodes[i];

		if (node->kind == BM25_NODE_LEAF)
			shares[i] = matcher->npostings[i] / matcher->ndocs;
		else if (node->kind == BM25_NODE_NOT)
			shares[i] = 1.0 - shares[node->left];
		else if (node->kind == BM25_NODE_OR)
			shares[i] = Min(shares[node->left] + shares[node->right], 1.0);
		else
			shares[i] = shares[node->left] * shares[node->right];
	}
	for (int i = 0; i < goal->nfilters; i++)
		share *= shares[goal->filters[i]];
	pfree(shares);
	return share;
}

bool
vs_bm25_maxscore_is_better(const VsBm25Matcher *matcher, uint64 k)
{
	const VsBm25Goal *goal = matcher->goal;
	double		nranked;
	double		share;

	if (!vs_bm25_window_can(goal->query) ||
		!ranks_any_leaf(goal->query, goal->rank))
		return false;
	if (goal->nfilters == 0)
		return true;

	/* Candidates are judged until k of them match, and while bounds allow. */
	nranked = matcher->npostings[goal->rank];
	share = estimate_share(matcher);
	return nranked * share > k &&
		nranked + k / share * JUDGED_PER_HIT * POSTINGS_PER_JUDGE <
		vs_bm25_matcher_count(matcher) * POSTINGS_PER_JUDGE;
}

/* Open the lists that are not empty. */
static void
open_lists(MaxScore *this)
{
	const VsBm25Goal *goal = this->matcher->goal;
	int		   *times = count_leaves(goal);

	this->lists = palloc(sizeof(VsBm25WindowList *) * goal->query->nleaves);
	this->nlists = 0;
	for (int i = 0; i < goal->query->nleaves; i++)
	{
		VsBm25Cursor *cursor = this->matcher->cursors[i];

		if (times[i] == 0 || cursor->nblocks == 0)
			continue;
		this->lists[this->nlists++] = vs_bm25_window_open(cursor, i, times[i]);
	}
	pfree(times);
}

/* Find the leaves whose states the lists do not tell. */
static void
find_others(MaxScore *this)
{
	const VsBm25Goal *goal = this->matcher->goal;
	bool	   *has_list = palloc0(sizeof(bool) * goal->query->nleaves);

	this->states = palloc0(sizeof(VsBm25LeafState) * goal->query->nleaves);
	this->others = palloc(sizeof(int) * goal->query->nleaves);
	this->nothers = 0;
	for (int i = 0; i < this->nlists; i++)
		has_list[this->lists[i]->leaf] = true;
	for (int i = 0; i < goal->query->nleaves; i++)
		if (goal->is_used[i] && !has_list[i])
			this->others[this->nothers++] = i;
	pfree(has_list);
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
	vs_bm25_window_score(list, block, scores);
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
	vs_bm25_window_score(list, block, scores);
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
	vs_bm25_window_score(list, block, scores);
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
			vs_bm25_window_score_one(list, block, at);
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

/* Set the state of a list's leaf for a document. */
static void
set_state(MaxScore *this, VsBm25WindowList *list, uint32 doc)
{
	const VsBm25Block *block = vs_bm25_window_find(list, doc);
	uint16		tfs[BM25_LABELS];

	this->states[list->leaf] = (VsBm25LeafState) {0};
	if (block == NULL)
		return;
	vs_bm25_block_get_tfs(block, list->at, tfs);
	this->states[list->leaf] =
		vs_bm25_goal_score(this->matcher->goal, list->leaf, tfs,
						   block->lens[list->at]);
}

/*
 * Add the candidates that are left to the hits: judged by what the lists say, and
 * the cursors of leaves that have none.
 */
static void
add_hits(MaxScore *this)
{
	for (int i = 0; i < this->nlists; i++)
		vs_bm25_window_rewind(this->lists[i]);
	for (int i = 0; i < this->ncandidates; i++)
	{
		uint32		doc = this->begin + this->candidates[i];
		VsBm25Verdict verdict;

		if (this->sums[this->candidates[i]] <= get_threshold(this))
			continue;
		for (int j = 0; j < this->nlists; j++)
			set_state(this, this->lists[j], doc);
		for (int j = 0; j < this->nothers; j++)
			this->states[this->others[j]] =
				vs_bm25_matcher_state(this->matcher, this->others[j], doc);
		verdict = vs_bm25_goal_judge(this->matcher->goal, this->states);
		vs_bm25_part_add_hit(this->part, doc, &verdict, this->hits);
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
vs_bm25_maxscore_search(VsBm25Matcher *matcher, const VsBm25Part *part,
						VsBm25Hits *hits)
{
	MaxScore   *this = palloc(sizeof(MaxScore));
	uint32		nwindows = vs_bm25_count_windows(matcher->ndocs);
	Window	   *windows;

	this->matcher = matcher;
	this->part = part;
	this->hits = hits;
	open_lists(this);
	find_others(this);
	this->slack = 1.0 - BM25_BOUND_SLACK * (this->nlists + 2);

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
	pfree(windows);
	pfree(this);
}
