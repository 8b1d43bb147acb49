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

/* Documents of a window. */
#define WINDOW_DOCS 4096

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
	float		sums[WINDOW_DOCS];
	int			ncandidates;
	uint16		candidates[WINDOW_DOCS + 1];	/* room for one more */
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

	this->lists = palloc(sizeof(VsBm25WindowList *) * query->nleaves);
	for (int i = 0; i < query->nleaves; i++)
	{
		if (cursors[i]->nblocks == 0)
			continue;
		vs_bm25_cursor_rewind(cursors[i]);
		vs_bm25_cursor_bound(cursors[i]);
		this->lists[this->nlists++] =
			vs_bm25_window_open(cursors[i], i, count_leaf(query, i));
	}
}

/* A score that is not above this, as computed here, is not wanted. */
static inline float
get_threshold(const MaxScore *this)
{
	return this->hits->threshold * this->slack;
}

/*
 * Enter the next window, and divide its lists.  False if no document of it can
 * be among the best.
 */
static bool
enter_window(MaxScore *this, uint32 begin, uint32 end)
{
	float		threshold = get_threshold(this);
	float		sum = 0.0f;
	int			n;

	this->begin = begin;
	for (int i = 0; i < this->nlists; i++)
	{
		VsBm25WindowList *list = this->lists[i];
		int			j = i;

		vs_bm25_window_enter(list, begin, end);
		for (; j > 0 && this->lists[j - 1]->bound < list->bound; j--)
			this->lists[j] = this->lists[j - 1];
		this->lists[j] = list;
	}
	for (n = this->nlists; n > 0; n--)
	{
		if (sum + this->lists[n - 1]->bound > threshold)
			break;
		sum += this->lists[n - 1]->bound;
	}
	this->nrequired = n;
	return n > 0;
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

/*
 * Add the scores of a block's postings in the window to the sums.  A document
 * becomes a candidate when its sum exceeds what is needed.
 */
static void
add_block(MaxScore *this, const VsBm25WindowList *list,
		  const VsBm25Block *block, float needed)
{
	float		scores[BM25_BLOCK_POSTINGS];
	int			i = 0;
	int			n = block->n;
	int			ncandidates = this->ncandidates;

	if (block->docs[0] < this->begin)
		i = vs_bm25_block_find(block, 0, this->begin);
	if (block->docs[n - 1] - this->begin >= WINDOW_DOCS)
		n = vs_bm25_block_find(block, i, this->begin + WINDOW_DOCS);
	if (i >= n)
		return;
	vs_bm25_window_score(list, &this->approximation, block, scores);
	for (; i < n; i++)
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

/* Add up the scores of the required lists; false if the segment is stale. */
static bool
add_required(MaxScore *this)
{
	float		needed = get_threshold(this) - sum_bounds(this, this->nrequired);

	memset(this->sums, 0, sizeof(this->sums));
	this->ncandidates = 0;
	for (int i = 0; i < this->nrequired; i++)
	{
		VsBm25WindowList *list = this->lists[i];

		if (list->bound == 0.0f)
			continue;
		for (uint32 slot = 0; slot < list->nslots; slot++)
		{
			const VsBm25Block *block = vs_bm25_window_block(list, slot, true);

			if (block == NULL)
				return false;
			add_block(this, list, block, Max(needed, 0.0f));
		}
	}
	return true;
}

/* Put candidates in order of documents. */
static void
sort_candidates(MaxScore *this)
{
	uint64		bits[WINDOW_DOCS / 64] = {0};
	int			n = 0;

	for (int i = 0; i < this->ncandidates; i++)
		bits[this->candidates[i] / 64] |=
			UINT64CONST(1) << (this->candidates[i] % 64);
	for (int i = 0; i < WINDOW_DOCS / 64; i++)
		for (uint64 word = bits[i]; word != 0; word &= word - 1)
			this->candidates[n++] = i * 64 + pg_rightmost_one_pos64(word);
}

/* Look for candidates in optional lists; drop those that cannot suffice. */
static void
add_optional(MaxScore *this)
{
	float		threshold = get_threshold(this);

	for (int i = this->nrequired; i < this->nlists; i++)
	{
		VsBm25WindowList *list = this->lists[i];
		float		rest = sum_bounds(this, i + 1);
		int			n = 0;

		if (list->bound == 0.0f)
			return;
		for (int j = 0; j < this->ncandidates; j++)
		{
			int			doc = this->candidates[j];
			float		needed = threshold - rest;
			const VsBm25Block *block =
				vs_bm25_window_find(list, this->begin + doc,
									needed - this->sums[doc]);

			if (block != NULL)
				this->sums[doc] +=
					vs_bm25_window_score_one(list, &this->approximation,
											 block, list->at);
			this->candidates[n] = doc;
			n += this->sums[doc] > needed;
		}
		this->ncandidates = n;
	}
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

void
vs_bm25_maxscore_search(VsBm25Search *search, const VsBm25Goal *goal,
						uint32 number, VsBm25Hits *hits)
{
	MaxScore   *this = palloc0(sizeof(MaxScore));
	uint32		ndocs = search->parts[number].ndocs;

	this->search = search;
	this->goal = goal;
	this->hits = hits;
	this->number = number;
	this->slack = 1.0 - BM25_BOUND_SLACK * (goal->query->nleaves + 2);
	this->states = palloc0(sizeof(VsBm25LeafState) * goal->query->nleaves);
	(void) vs_bm25_approximate(goal->query, &this->approximation);
	open_lists(this);

	for (uint64 begin = 0; begin < ndocs; begin += WINDOW_DOCS)
	{
		if (!enter_window(this, begin, Min(begin + WINDOW_DOCS, ndocs)))
			continue;
		if (!add_required(this))
			break;
		if (this->nrequired > 1)
			sort_candidates(this);
		add_optional(this);
		add_hits(this);
	}
}
