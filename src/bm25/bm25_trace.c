/*
 * bm25_trace.c
 *		From an expression of a query to the index on what it stands for.
 *
 * The planner simplifies an expression before it plans: tables are in the range
 * tables of the query and of those around it, subqueries that it has not pulled
 * up are as they were written, and a Var may stand for one of their columns.
 */
#include "postgres.h"

#include "access/table.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_trace.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"

/* A query, and the one around it. */
typedef struct Scope
{
	const Query *query;
	const struct Scope *outer;
} Scope;

typedef struct Trace
{
	const Scope *scope;			/* of the expression at hand */
	const RangeTblEntry *table; /* what Vars have led to; NULL: nothing yet */
	bool		failed;
} Trace;

static Node *trace_expr(Node *node, Trace *trace);

static Node *
fail(Trace *trace)
{
	trace->failed = true;
	return NULL;
}

/* Go on with an expression of another scope. */
static Node *
trace_in_scope(Node *expr, const Scope *scope, Trace *trace)
{
	const Scope *here = trace->scope;
	Node	   *result;

	if (expr == NULL)
		return fail(trace);
	trace->scope = scope;
	result = trace_expr(expr, trace);
	trace->scope = here;
	return result;
}

/* Go on with a column of a subquery, or of what it returns; scope is around it. */
static Node *
trace_subquery(const Query *query, AttrNumber column, const Scope *scope,
			   Trace *trace)
{
	Scope		inner = {query, scope};
	TargetEntry *entry;

	if (query == NULL)
		return fail(trace);
	entry = get_tle_by_resno(query->commandType == CMD_SELECT ?
							 query->targetList : query->returningList, column);
	return trace_in_scope(entry != NULL ? (Node *) entry->expr : NULL, &inner,
						  trace);
}

/* Go on with a column of a query in WITH. */
static Node *
trace_cte(const RangeTblEntry *rte, AttrNumber column, const Scope *scope,
		  Trace *trace)
{
	ListCell   *cell;

	for (Index i = 0; i < rte->ctelevelsup && scope != NULL; i++)
		scope = scope->outer;
	if (scope == NULL)
		return fail(trace);
	foreach(cell, scope->query->cteList)
	{
		const CommonTableExpr *cte = lfirst_node(CommonTableExpr, cell);

		if (strcmp(cte->ctename, rte->ctename) == 0)
			return trace_subquery(castNode(Query, cte->ctequery), column,
								  scope, trace);
	}
	return fail(trace);
}

/*
 * A column of a table, or of a transition table, which has the same columns: all
 * that an expression has are of one.
 */
static Node *
trace_column(const RangeTblEntry *rte, const Var *var, Trace *trace)
{
	if (!OidIsValid(rte->relid) ||
		(trace->table != NULL && trace->table != rte))
		return fail(trace);
	trace->table = rte;
	return (Node *) makeVar(1, var->varattno, var->vartype, var->vartypmod,
							var->varcollid, 0);
}

/* The entry of a list for a column of a join or of GROUP BY; NULL if none. */
static Node *
get_column(List *exprs, AttrNumber column)
{
	return column <= list_length(exprs) ? list_nth(exprs, column - 1) : NULL;
}

static Node *
trace_var(const Var *var, Trace *trace)
{
	const Scope *scope = trace->scope;
	const RangeTblEntry *rte;

	for (Index i = 0; i < var->varlevelsup && scope != NULL; i++)
		scope = scope->outer;
	if (scope == NULL || var->varattno <= 0 || IS_SPECIAL_VARNO(var->varno) ||
		var->varno > list_length(scope->query->rtable))
		return fail(trace);

	rte = rt_fetch(var->varno, scope->query->rtable);
	switch (rte->rtekind)
	{
		case RTE_RELATION:
		case RTE_NAMEDTUPLESTORE:
			return trace_column(rte, var, trace);
		case RTE_JOIN:
			return trace_in_scope(get_column(rte->joinaliasvars, var->varattno),
								  scope, trace);
		case RTE_SUBQUERY:
			return trace_subquery(rte->subquery, var->varattno, scope, trace);
		case RTE_CTE:
			return trace_cte(rte, var->varattno, scope, trace);
		default:
			return trace_in_scope(get_column(vs_compat_group_exprs(rte),
											 var->varattno),
								  scope, trace);
	}
}

/* The expression over columns of the table, which becomes relation 1. */
static Node *
trace_expr(Node *node, Trace *trace)
{
	check_stack_depth();

	if (node == NULL || trace->failed)
		return node;
	if (IsA(node, Var))
		return trace_var((const Var *) node, trace);
	if (IsA(node, PlaceHolderVar))
		return trace_expr((Node *) ((PlaceHolderVar *) node)->phexpr, trace);
	if (IsA(node, Query) || IsA(node, SubLink))
		return fail(trace);
	return expression_tree_mutator(node, trace_expr, trace);
}

/* The column that an expression is, maybe of a domain; 0 if it is more. */
static AttrNumber
get_plain_column(const Node *expr)
{
	while (IsA(expr, RelabelType))
		expr = (const Node *) ((const RelabelType *) expr)->arg;
	return IsA(expr, Var) ? ((const Var *) expr)->varattno : InvalidAttrNumber;
}

/* The index of a table on a traced expression. */
static Oid
find_index(const RangeTblEntry *rte, Node *expr)
{
	AttrNumber	column = get_plain_column(expr);
	Relation	table;
	Oid			index;

	if (column == InvalidAttrNumber)
		expr = eval_const_expressions(NULL, expr);
	table = table_open(rte->relid, AccessShareLock);
	index = vs_bm25_find_index(table, column, expr);
	table_close(table, AccessShareLock);
	return index;
}

/* The scopes of a query that is being planned, and trace in them. */
static Node *
trace_from_root(const PlannerInfo *root, Node *expr, Trace *trace)
{
	int			nscopes = 0;
	Scope	   *scopes;

	for (const PlannerInfo *info = root; info != NULL; info = info->parent_root)
		nscopes++;
	scopes = palloc(sizeof(Scope) * nscopes);
	for (int i = 0; i < nscopes; i++, root = root->parent_root)
	{
		scopes[i].query = root->parse;
		scopes[i].outer = i + 1 < nscopes ? &scopes[i + 1] : NULL;
	}
	trace->scope = &scopes[0];
	return trace_expr(expr, trace);
}

Oid
vs_bm25_trace_index(PlannerInfo *root, Node *expr, bool *is_checked)
{
	Trace		trace = {0};
	Node	   *traced;

	if (root == NULL)
		return InvalidOid;
	traced = trace_from_root(root, expr, &trace);
	if (trace.failed || trace.table == NULL)
		return InvalidOid;
	*is_checked = trace.table->rtekind == RTE_RELATION;
	return find_index(trace.table, traced);
}
