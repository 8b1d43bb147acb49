/*
 * bm25_query.c
 *		Making a query of tsqueries.
 */
#include "postgres.h"

#include "bm25/bm25_buffer.h"
#include "bm25/bm25_query.h"
#include "compat.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* A query being made. */
typedef struct Maker
{
	VsBm25Query *query;
	TSQuery		tsquery;		/* the one whose tree is being added */
	int		   *slots;			/* hash table of leaves: numbers, or -1 */
	uint32		slot_mask;
} Maker;

static bool
is_leaf_of(const VsBm25Leaf *a, const VsBm25Leaf *b)
{
	return a->hash == b->hash && a->nbytes == b->nbytes &&
		a->is_prefix == b->is_prefix && a->labels == b->labels &&
		memcmp(a->lexeme, b->lexeme, a->nbytes) == 0;
}

/* The number of an operand's leaf, which is added unless there is an equal one. */
static int
add_leaf(Maker *maker, const QueryOperand *operand)
{
	VsBm25Query *query = maker->query;
	VsBm25Leaf	leaf = {
		.lexeme = GETOPERAND(maker->tsquery) + operand->distance,
		.nbytes = operand->length,
		.is_prefix = operand->prefix,
		.labels = operand->weight == 0 ? BM25_ALL_LABELS : operand->weight,
	};
	uint32		slot;

	leaf.hash = vs_bm25_lexeme_hash(leaf.lexeme, leaf.nbytes);
	slot = leaf.hash & maker->slot_mask;
	while (maker->slots[slot] >= 0)
	{
		if (is_leaf_of(&query->leaves[maker->slots[slot]], &leaf))
			return maker->slots[slot];
		slot = (slot + 1) & maker->slot_mask;
	}
	query->leaves[query->nleaves] = leaf;
	maker->slots[slot] = query->nleaves;
	return query->nleaves++;
}

/* How many items a subtree has: they are adjacent, the left operand's last. */
static int
count_items(const QueryItem *item)
{
	int			n = 0;

	for (;;)
	{
		if (item->type == QI_VAL)
			return n + 1;
		if (item->qoperator.oper == OP_NOT)
		{
			item++;
			n++;
		}
		else
		{
			n += item->qoperator.left;
			item += item->qoperator.left;
		}
	}
}

/* A subtree as a tsquery of its own, with all operands of the whole. */
static TSQuery
copy_subtree(TSQuery whole, const QueryItem *item)
{
	int			nitems = count_items(item);
	Size		operands_nbytes = VARSIZE(whole) - COMPUTESIZE(whole->size, 0);
	Size		nbytes = COMPUTESIZE(nitems, operands_nbytes);
	TSQuery		result = palloc(nbytes);

	SET_VARSIZE(result, nbytes);
	result->size = nitems;
	memcpy(GETQUERY(result), item, nitems * sizeof(QueryItem));
	memcpy(GETOPERAND(result), GETOPERAND(whole), operands_nbytes);
	return result;
}

static VsBm25NodeKind
node_kind(const QueryItem *item)
{
	if (item->type == QI_VAL)
		return BM25_NODE_LEAF;
	switch (item->qoperator.oper)
	{
		case OP_NOT:
			return BM25_NODE_NOT;
		case OP_AND:
			return BM25_NODE_AND;
		case OP_OR:
			return BM25_NODE_OR;
		case OP_PHRASE:
			return BM25_NODE_PHRASE;
		default:
			elog(ERROR, "unrecognized operator: %d", item->qoperator.oper);
	}
}

/* Add a subtree; returns the number of its root. */
static int
add_tree(Maker *maker, const QueryItem *item, bool in_phrase)
{
	VsBm25Query *query = maker->query;
	VsBm25Node	node = {
		.kind = node_kind(item),
		.leaf = -1,
		.left = -1,
		.right = -1,
		.in_phrase = in_phrase,
	};
	bool		is_phrase = node.kind == BM25_NODE_PHRASE;

	check_stack_depth();

	node.first = query->nnodes;
	if (node.kind == BM25_NODE_LEAF)
		node.leaf = add_leaf(maker, &item->qoperand);
	else if (node.kind == BM25_NODE_NOT)
		node.left = add_tree(maker, item + 1, in_phrase);
	else
	{
		node.left = add_tree(maker, item + item->qoperator.left,
							 in_phrase || is_phrase);
		node.right = add_tree(maker, item + 1, in_phrase || is_phrase);
	}
	if (is_phrase && !in_phrase)
		node.phrase = copy_subtree(maker->tsquery, item);

	query->nodes[query->nnodes] = node;
	return query->nnodes++;
}

/* Add a tsquery, which is copied; -1 if it is empty. */
static int
add_tsquery(Maker *maker, TSQuery tsquery)
{
	if (tsquery->size == 0)
		return -1;
	maker->tsquery = palloc(VARSIZE(tsquery));
	memcpy(maker->tsquery, tsquery, VARSIZE(tsquery));
	return add_tree(maker, GETQUERY(maker->tsquery), false);
}

static bool
is_same_tsquery(TSQuery a, TSQuery b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

/* Begin a query that has room for so many items. */
static void
begin_query(Maker *maker, int nitems, int nfilters)
{
	VsBm25Query *query = palloc0(sizeof(VsBm25Query));
	uint32		nslots = pg_nextpower2_32(2 * (uint32) nitems + 2);

	query->leaves = palloc0(sizeof(VsBm25Leaf) * nitems);
	query->nodes = palloc0(sizeof(VsBm25Node) * nitems);
	query->leaf_states = palloc0(sizeof(VsBm25LeafState) * nitems);
	query->node_states = palloc0(sizeof(VsBm25NodeState) * nitems);
	query->filters = palloc(sizeof(int) * nfilters);
	query->rank = -1;
	query->params.average_len = 1.0;

	maker->query = query;
	maker->slots = palloc(sizeof(int) * nslots);
	memset(maker->slots, -1, sizeof(int) * nslots);
	maker->slot_mask = nslots - 1;
}

VsBm25Query *
vs_bm25_query_make(TSQuery rank, int nfilters, TSQuery *filters)
{
	Maker		maker;
	VsBm25Query *query;
	int			nitems = rank != NULL ? rank->size : 0;

	for (int i = 0; i < nfilters; i++)
		nitems += filters[i]->size;
	begin_query(&maker, nitems, nfilters);
	query = maker.query;

	if (rank != NULL)
		query->rank = add_tsquery(&maker, rank);
	query->rank_nleaves = query->nleaves;
	for (int i = 0; i < nfilters; i++)
	{
		if (filters[i]->size == 0)
			query->matches_none = true;
		else if (query->rank >= 0 && is_same_tsquery(filters[i], rank))
			query->rank_is_filter = true;
		else
			query->filters[query->nfilters++] = add_tsquery(&maker, filters[i]);
	}
	pfree(maker.slots);
	return query;
}
