/*
 * bm25_evaluate.c
 *		Whether a document matches a query, and its score.
 */
#include "postgres.h"

#include "bm25/bm25_query.h"
#include "bm25/bm25_tsvector.h"
#include "utils/fmgrprotos.h"

static const VsBm25NodeState no_match = {BM25_MATCH_NO, true, 0.0};

/* Both must match. */
static VsBm25NodeState
evaluate_and(const VsBm25NodeState *left, const VsBm25NodeState *right)
{
	VsBm25NodeState state = {
		.match = Min(left->match, right->match),
		.is_exact = left->is_exact && right->is_exact,
		.score = left->score + right->score,
	};

	return state.match == BM25_MATCH_NO ? no_match : state;
}

/* One that may match makes the score uncertain, if it would add to it. */
static VsBm25NodeState
evaluate_or(const VsBm25NodeState *left, const VsBm25NodeState *right)
{
	VsBm25NodeState state = {
		.match = Max(left->match, right->match),
		.is_exact = left->is_exact && right->is_exact,
		.score = left->score + right->score,
	};

	if ((left->match == BM25_MATCH_MAYBE && left->score > 0.0) ||
		(right->match == BM25_MATCH_MAYBE && right->score > 0.0))
		state.is_exact = false;
	return state;
}

/* What is elsewhere in a document does not keep it from matching in a phrase. */
static VsBm25NodeState
evaluate_not(const VsBm25Node *node, const VsBm25NodeState *operand)
{
	VsBm25NodeState state = {
		.match = node->in_phrase ? BM25_MATCH_MAYBE :
		BM25_MATCH_YES - operand->match,
		.is_exact = true,
	};

	return state;
}

/* A phrase's operands are in the document; without that only "maybe". */
static VsBm25NodeState
evaluate_phrase(const VsBm25Node *node, const VsBm25NodeState *left,
				const VsBm25NodeState *right, TSVector tsv)
{
	VsBm25NodeState state = evaluate_and(left, right);

	if (state.match == BM25_MATCH_NO)
		return no_match;
	state.match = BM25_MATCH_MAYBE;
	if (tsv == NULL || node->phrase == NULL)
		return state;
	if (!DatumGetBool(DirectFunctionCall2(ts_match_vq, TSVectorGetDatum(tsv),
										  TSQueryGetDatum(node->phrase))))
		return no_match;
	state.match = BM25_MATCH_YES;
	state.is_exact = true;
	return state;
}

/* Evaluate a tree; phrases are verified if the tsvector is given. */
static const VsBm25NodeState *
evaluate(const VsBm25Query *query, int root, const VsBm25LeafState *leaves,
		 TSVector tsv)
{
	VsBm25NodeState *states = query->node_states;

	for (int i = query->nodes[root].first; i <= root; i++)
	{
		const VsBm25Node *node = &query->nodes[i];
		const VsBm25NodeState *left = &states[Max(node->left, 0)];
		const VsBm25NodeState *right = &states[Max(node->right, 0)];

		switch (node->kind)
		{
			case BM25_NODE_LEAF:
				states[i].match = leaves[node->leaf].matches ?
					BM25_MATCH_YES : BM25_MATCH_NO;
				states[i].is_exact = true;
				states[i].score = leaves[node->leaf].score;
				break;
			case BM25_NODE_AND:
				states[i] = evaluate_and(left, right);
				break;
			case BM25_NODE_OR:
				states[i] = evaluate_or(left, right);
				break;
			case BM25_NODE_NOT:
				states[i] = evaluate_not(node, left);
				break;
			case BM25_NODE_PHRASE:
				states[i] = evaluate_phrase(node, left, right, tsv);
				break;
		}
	}
	return &states[root];
}

VsBm25Match
vs_bm25_query_evaluate(const VsBm25Query *query, int root,
					   const VsBm25LeafState *leaves, double *score)
{
	const VsBm25NodeState *state = evaluate(query, root, leaves, NULL);

	*score = state->score;
	return state->match == BM25_MATCH_YES && !state->is_exact ?
		BM25_MATCH_MAYBE : state->match;
}

/*
 * The number of the first lexeme of a tsvector that is not less than a leaf's; as
 * many as there are if there is none.
 */
static int
find_lexeme(TSVector tsv, const VsBm25Leaf *leaf)
{
	int			low = 0;
	int			high = tsv->size;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		const WordEntry *entry = &ARRPTR(tsv)[middle];

		if (vs_bm25_compare_lexemes(STRPTR(tsv) + entry->pos, entry->len,
									leaf->lexeme, leaf->nbytes) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Get the term frequencies of a leaf's lexeme; false if it is not there. */
static bool
get_lexeme_tfs(TSVector tsv, const VsBm25Leaf *leaf, uint16 tfs[BM25_LABELS])
{
	int			i = find_lexeme(tsv, leaf);
	VsBm25Term	term;

	if (i >= tsv->size || ARRPTR(tsv)[i].len != leaf->nbytes ||
		memcmp(STRPTR(tsv) + ARRPTR(tsv)[i].pos, leaf->lexeme, leaf->nbytes) != 0)
		return false;
	vs_bm25_get_term(tsv, i, &term);
	memcpy(tfs, term.tfs, sizeof(term.tfs));
	return true;
}

/* Sum up those of all lexemes with a prefix, which are adjacent. */
static void
get_prefix_tfs(TSVector tsv, const VsBm25Leaf *leaf, uint16 sum[BM25_LABELS])
{
	VsBm25Term	term;

	memset(sum, 0, sizeof(uint16) * BM25_LABELS);
	for (int i = find_lexeme(tsv, leaf); i < tsv->size; i++)
	{
		vs_bm25_get_term(tsv, i, &term);
		if (!vs_bm25_leaf_begins(leaf, term.lexeme, term.nbytes))
			break;
		vs_bm25_leaf_add(leaf, term.tfs, sum);
	}
}

/* Whether a leaf matches a tsvector, and its term frequencies. */
static bool
get_leaf_tfs(TSVector tsv, const VsBm25Leaf *leaf, uint16 tfs[BM25_LABELS])
{
	if (leaf->is_prefix)
		get_prefix_tfs(tsv, leaf, tfs);
	else if (!get_lexeme_tfs(tsv, leaf, tfs))
		return false;
	return vs_bm25_leaf_matches(leaf, tfs);
}

double
vs_bm25_query_score_tsvector(const VsBm25Query *query, TSVector tsv)
{
	double		len_norm = -1.0;	/* not known yet */

	if (query->rank < 0)
		return 0.0;
	for (int i = 0; i < query->rank_nleaves; i++)
	{
		const VsBm25Leaf *leaf = &query->leaves[i];
		VsBm25LeafState *state = &query->leaf_states[i];
		uint16		tfs[BM25_LABELS];

		state->matches = get_leaf_tfs(tsv, leaf, tfs);
		state->score = 0.0;
		if (!state->matches)
			continue;
		if (len_norm < 0.0)
			len_norm = vs_bm25_len_norm(&query->params,
										vs_bm25_tsvector_len(tsv));
		state->score = vs_bm25_leaf_score(query, leaf, tfs, len_norm);
	}
	return evaluate(query, query->rank, query->leaf_states, tsv)->score;
}
