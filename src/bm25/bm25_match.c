/*
 * bm25_match.c
 *		Which documents of a segment, or record of the buffer, match a query.
 *
 * Trees are asked for candidates, node by node; the leaves' cursors then stand
 * on the candidate or behind it, and the query evaluates what they say.
 */
#include "postgres.h"

#include "bm25/bm25_match.h"
#include "miscadmin.h"

/* Mark the leaves of a tree. */
static void
use_leaves(VsBm25Goal *goal, int root)
{
	const VsBm25Node *node = &goal->query->nodes[root];

	check_stack_depth();
	if (node->kind == BM25_NODE_LEAF)
	{
		goal->is_used[node->leaf] = true;
		return;
	}
	use_leaves(goal, node->left);
	if (node->kind != BM25_NODE_NOT)
		use_leaves(goal, node->right);
}

/* Mark the hashes of the leaves; a prefix has none. */
static void
mark_hashes(VsBm25Goal *goal)
{
	goal->can_pass = goal->rank >= 0;
	for (int i = 0; i < goal->query->nleaves; i++)
	{
		const VsBm25Leaf *leaf = &goal->query->leaves[i];
		uint32		bit = leaf->hash % BM25_HASH_BITS;

		if (!goal->is_used[i])
			continue;
		if (leaf->is_prefix)
			goal->can_pass = false;
		goal->hash_bits[bit / 64] |= UINT64CONST(1) << (bit % 64);
	}
}

VsBm25Goal *
vs_bm25_goal_make(const VsBm25Query *query, int nfilters, const int *filters,
				  int rank)
{
	VsBm25Goal *goal = palloc0(sizeof(VsBm25Goal));

	goal->query = query;
	goal->nfilters = nfilters;
	goal->filters = palloc(sizeof(int) * Max(nfilters, 1));
	memcpy(goal->filters, filters, sizeof(int) * nfilters);
	goal->rank = rank;
	goal->is_used = palloc0(sizeof(bool) * Max(query->nleaves, 1));
	for (int i = 0; i < nfilters; i++)
		use_leaves(goal, filters[i]);
	if (rank >= 0)
		use_leaves(goal, rank);
	mark_hashes(goal);
	return goal;
}

VsBm25LeafState
vs_bm25_goal_score(const VsBm25Goal *goal, int leaf,
				   const uint16 tfs[BM25_LABELS], uint32 len)
{
	const VsBm25Query *query = goal->query;
	VsBm25LeafState state = {0};

	state.matches = vs_bm25_leaf_matches(&query->leaves[leaf], tfs);
	if (state.matches && goal->rank >= 0)
		state.score = vs_bm25_leaf_score(query, &query->leaves[leaf], tfs,
										 vs_bm25_len_norm(&query->params, len));
	return state;
}

VsBm25Verdict
vs_bm25_goal_judge(const VsBm25Goal *goal, const VsBm25LeafState *states)
{
	VsBm25Verdict verdict = {.match = BM25_MATCH_YES};

	for (int i = 0; i < goal->nfilters; i++)
	{
		double		score;
		VsBm25Match match = vs_bm25_query_evaluate(goal->query,
												   goal->filters[i],
												   states, &score);

		verdict.match = Min(verdict.match, match);
		if (match == BM25_MATCH_NO)
			return verdict;
	}
	if (goal->rank >= 0)
	{
		double		score;
		VsBm25Match match = vs_bm25_query_evaluate(goal->query, goal->rank,
												   states, &score);

		verdict.score = match == BM25_MATCH_NO ? 0.0 : score;
		verdict.is_bound = match == BM25_MATCH_MAYBE && score > 0.0;
		if (goal->query->rank_is_filter)
			verdict.match = Min(verdict.match, match);
	}
	return verdict;
}

/*
 * How many documents a node may offer, as far as its postings tell.  Nodes come
 * after their children.
 */
static double
count_postings(const VsBm25Matcher *matcher, int number)
{
	const VsBm25Node *node = &matcher->goal->query->nodes[number];
	const double *n = matcher->npostings;

	switch (node->kind)
	{
		case BM25_NODE_LEAF:
			return matcher->goal->is_used[node->leaf] ?
				matcher->cursors[node->leaf]->npostings : 0.0;
		case BM25_NODE_AND:
		case BM25_NODE_PHRASE:
			return Min(n[node->left], n[node->right]);
		case BM25_NODE_OR:
			return n[node->left] + n[node->right];
		case BM25_NODE_NOT:
			return matcher->ndocs;
	}
	pg_unreachable();
}

VsBm25Matcher *
vs_bm25_matcher_make(const VsBm25Goal *goal, VsBm25Segment *segment,
					 VsBm25Cursor **cursors)
{
	VsBm25Matcher *matcher = palloc0(sizeof(VsBm25Matcher));
	const VsBm25Query *query = goal->query;

	matcher->goal = goal;
	matcher->ndocs = segment->header.ndocs;
	matcher->cursors = cursors;
	matcher->states = palloc0(sizeof(VsBm25LeafState) * Max(query->nleaves, 1));
	matcher->npostings = palloc(sizeof(double) * Max(query->nnodes, 1));
	matcher->offers = palloc(sizeof(VsBm25Offer) * Max(query->nnodes, 1));
	for (int i = 0; i < query->nnodes; i++)
	{
		matcher->npostings[i] = count_postings(matcher, i);
		matcher->offers[i] = (VsBm25Offer) {BM25_NO_DOC, 0};
	}
	for (int i = 0; i < query->nleaves; i++)
	{
		if (!goal->is_used[i])
			continue;
		vs_bm25_cursor_rewind(cursors[i]);
		if (goal->rank >= 0)
			vs_bm25_cursor_bound(cursors[i]);
	}
	return matcher;
}

static uint32 next_of_node(VsBm25Matcher *matcher, int number, uint32 target);

/* The next document that both children offer; the shorter list leads. */
static uint32
next_of_and(VsBm25Matcher *matcher, const VsBm25Node *node, uint32 target)
{
	bool		left_leads =
		matcher->npostings[node->left] <= matcher->npostings[node->right];
	int			leader = left_leads ? node->left : node->right;
	int			other = left_leads ? node->right : node->left;

	for (;;)
	{
		uint32		doc = next_of_node(matcher, leader, target);

		if (doc == BM25_NO_DOC)
			return BM25_NO_DOC;
		target = next_of_node(matcher, other, doc);
		if (target == doc || target == BM25_NO_DOC)
			return target;
	}
}

/* The next document that either child offers. */
static uint32
next_of_or(VsBm25Matcher *matcher, const VsBm25Node *node, uint32 target)
{
	uint32		left = next_of_node(matcher, node->left, target);
	uint32		right = next_of_node(matcher, node->right, target);

	return Min(left, right);
}

/*
 * The first document from "target" on that a node's postings do not exclude.
 * Nodes that have leaves in common send cursors back and forth; to remember what
 * a node has offered keeps that rare.
 */
static uint32
next_of_node(VsBm25Matcher *matcher, int number, uint32 target)
{
	const VsBm25Node *node = &matcher->goal->query->nodes[number];
	VsBm25Offer *offer = &matcher->offers[number];

	if (node->kind == BM25_NODE_LEAF)
		return vs_bm25_cursor_seek(matcher->cursors[node->leaf], target);
	if (node->kind == BM25_NODE_NOT)
		return target < matcher->ndocs ? target : BM25_NO_DOC;

	if (offer->from <= target && target <= offer->next)
		return offer->next;
	check_stack_depth();
	offer->next = node->kind == BM25_NODE_OR ?
		next_of_or(matcher, node, target) : next_of_and(matcher, node, target);
	offer->from = target;
	return offer->next;
}

uint32
vs_bm25_matcher_next(VsBm25Matcher *matcher, uint32 target)
{
	const VsBm25Goal *goal = matcher->goal;
	uint32		doc = target;
	bool		is_agreed;

	if (doc >= matcher->ndocs)
		return BM25_NO_DOC;
	if (goal->rank >= 0 && goal->nfilters == 0)
		return next_of_node(matcher, goal->rank, doc);
	do
	{
		uint32		asked = doc;

		if (goal->rank >= 0)
			doc = next_of_node(matcher, goal->rank, doc);
		for (int i = 0; i < goal->nfilters && doc != BM25_NO_DOC; i++)
			doc = next_of_node(matcher, goal->filters[i], doc);
		is_agreed = doc == asked;
	} while (!is_agreed && doc != BM25_NO_DOC);
	return doc;
}

VsBm25LeafState
vs_bm25_matcher_state(VsBm25Matcher *matcher, int leaf, uint32 doc)
{
	VsBm25Cursor *cursor = matcher->cursors[leaf];
	uint16		tfs[BM25_LABELS];
	uint32		len;

	if (vs_bm25_cursor_seek(cursor, doc) != doc)
		return (VsBm25LeafState) {0};
	vs_bm25_cursor_get(cursor, tfs, &len);
	return vs_bm25_goal_score(matcher->goal, leaf, tfs, len);
}

VsBm25Verdict
vs_bm25_matcher_judge(VsBm25Matcher *matcher, uint32 doc)
{
	const VsBm25Goal *goal = matcher->goal;

	for (int i = 0; i < goal->query->nleaves; i++)
		if (goal->is_used[i])
			matcher->states[i] = vs_bm25_matcher_state(matcher, i, doc);
	return vs_bm25_goal_judge(goal, matcher->states);
}

/* Term frequencies of a leaf in a record; false if it has none. */
static bool
find_in_record(const VsBm25Leaf *leaf, const VsBm25RecordHeader *record,
			   uint16 tfs[BM25_LABELS])
{
	VsBm25Term	term;
	uint32		position = 0;

	memset(tfs, 0, sizeof(uint16) * BM25_LABELS);
	if (!leaf->is_prefix)
	{
		if (!vs_bm25_record_find(record, leaf->hash, leaf->lexeme,
								 leaf->nbytes, &term))
			return false;
		memcpy(tfs, term.tfs, sizeof(term.tfs));
		return true;
	}
	while (vs_bm25_record_next_term(record, &position, &term))
	{
		if (vs_bm25_leaf_begins(leaf, term.lexeme, term.nbytes))
			vs_bm25_leaf_add(leaf, term.tfs, tfs);
	}
	return vs_bm25_leaf_matches(leaf, tfs);
}

/* Whether a record may have a leaf. */
static bool
may_have_leaf(const VsBm25Goal *goal, const VsBm25RecordHeader *record)
{
	const uint32 *hashes = vs_bm25_record_hashes(record);

	for (uint32 i = 0; i < record->nlexemes; i++)
	{
		uint32		bit = hashes[i] % BM25_HASH_BITS;

		if (goal->hash_bits[bit / 64] & (UINT64CONST(1) << (bit % 64)))
			return true;
	}
	return false;
}

VsBm25Verdict
vs_bm25_judge_record(const VsBm25Goal *goal, const VsBm25RecordHeader *record,
					 VsBm25LeafState *states)
{
	const VsBm25Query *query = goal->query;

	if (goal->can_pass && !may_have_leaf(goal, record))
		return (VsBm25Verdict) {.match = BM25_MATCH_NO};
	for (int i = 0; i < query->nleaves; i++)
	{
		uint16		tfs[BM25_LABELS];

		states[i] = (VsBm25LeafState) {0};
		if (goal->is_used[i] &&
			find_in_record(&query->leaves[i], record, tfs))
			states[i] = vs_bm25_goal_score(goal, i, tfs, record->len);
	}
	return vs_bm25_goal_judge(goal, states);
}

double
vs_bm25_matcher_count(const VsBm25Matcher *matcher)
{
	const VsBm25Goal *goal = matcher->goal;
	double		n = matcher->ndocs;

	if (goal->rank >= 0)
		n = Min(n, matcher->npostings[goal->rank]);
	for (int i = 0; i < goal->nfilters; i++)
		n = Min(n, matcher->npostings[goal->filters[i]]);
	return n;
}

/* What vs_bm25_matcher_bound says, of one node; narrows *last down. */
static double
bound_node(VsBm25Matcher *matcher, int number, uint32 doc, uint32 *last)
{
	const VsBm25Node *node = &matcher->goal->query->nodes[number];
	double		left;
	double		right;

	check_stack_depth();
	if (node->kind == BM25_NODE_LEAF)
	{
		VsBm25Cursor *cursor = matcher->cursors[node->leaf];
		uint32		block = vs_bm25_cursor_peek(cursor, doc);

		if (block >= cursor->nblocks)
			return -1.0;
		*last = Min(*last, cursor->skips[block].last_doc);
		return cursor->bounds[block];
	}
	if (node->kind == BM25_NODE_NOT)
		return 0.0;

	left = bound_node(matcher, node->left, doc, last);
	right = bound_node(matcher, node->right, doc, last);
	if (node->kind == BM25_NODE_OR)
		return left < 0.0 ? right : right < 0.0 ? left : left + right;
	return left < 0.0 || right < 0.0 ? -1.0 : left + right;
}

double
vs_bm25_matcher_bound(VsBm25Matcher *matcher, uint32 doc, uint32 *last)
{
	*last = BM25_NO_DOC - 1;
	return bound_node(matcher, matcher->goal->rank, doc, last);
}
