/*
 * bm25_rewrite.c
 *		Planner support of <@> and bm25_score: they take the index of the column.
 *
 *		tsv <@> query		  becomes  tsv <@@> bm25_query(index, query)
 *		bm25_score(tsv, query) becomes bm25_query_score(tsv, bm25_query(index, query))
 *
 * Where the query is a bm25query, which the parser has cast to tsquery, it names
 * the index, and the cast is undone.
 */
#include "postgres.h"

#include "access/table.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "bm25/bm25_trace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "index/extension.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(vs_bm25_distance_support);
PG_FUNCTION_INFO_V1(vs_bm25_score_support);

/*
 * A function of the extension by its name and one or two (not 0) arguments;
 * InvalidOid if it does not exist.
 */
static Oid
find_function(Oid schema, const char *name, Oid first, Oid second)
{
	Oid			types[2] = {first, second};
	int			ntypes = OidIsValid(second) ? 2 : 1;

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, ntypes)),
						   ObjectIdGetDatum(schema));
}

/* The bm25query that a node casts to tsquery; NULL if it does not. */
static Expr *
get_cast_query(const Node *node, Oid schema, Oid query_type)
{
	const FuncExpr *call = (const FuncExpr *) node;

	if (!IsA(node, FuncExpr) ||
		call->funcid != find_function(schema, "bm25query_to_tsquery",
									  query_type, InvalidOid))
		return NULL;
	return linitial(call->args);
}

/*
 * bm25_query(index, query); NULL if there is no such function.  The collation says
 * whether it must check who asks.
 */
static Expr *
make_query_call(Oid schema, Oid query_type, Oid index, Expr *query,
				Oid collation)
{
	Oid			function = find_function(schema, "bm25_query", REGCLASSOID,
										 TSQUERYOID);
	Const	   *name = makeConst(REGCLASSOID, -1, InvalidOid, sizeof(Oid),
								 ObjectIdGetDatum(index), false, true);

	if (!OidIsValid(function))
		return NULL;
	return (Expr *) makeFuncExpr(function, query_type, list_make2(name, query),
								 InvalidOid, collation, COERCE_EXPLICIT_CALL);
}

/*
 * The query of a call as a bm25query: the one that it was cast from, or one that
 * carries the index on the tsvector.  NULL if there is no such index.
 */
static Expr *
make_query(PlannerInfo *root, Oid schema, Oid query_type, List *args)
{
	Expr	   *query = get_cast_query(lsecond(args), schema, query_type);
	Oid			index;
	bool		is_checked;

	if (query != NULL)
		return query;
	index = vs_bm25_trace_index(root, linitial(args), &is_checked);
	if (!OidIsValid(index))
		return NULL;
	return make_query_call(schema, query_type, index, lsecond(args),
						   is_checked ? BM25_PLANNED_COLLATION : InvalidOid);
}

/* tsv <@@> query; NULL if there is no such operator. */
static Expr *
make_distance(Oid schema, Oid query_type, Expr *tsv, Expr *query)
{
	Oid			operator = vs_extension_operator(schema, "<@@>", TSVECTOROID,
												 query_type);
	Expr	   *result;

	if (!OidIsValid(operator))
		return NULL;
	result = make_opclause(operator, FLOAT8OID, false, tsv, query,
						   InvalidOid, InvalidOid);
	set_opfuncid((OpExpr *) result);
	return result;
}

/* bm25_query_score(tsv, query); NULL if there is no such function. */
static Expr *
make_score(Oid schema, Oid query_type, Expr *tsv, Expr *query)
{
	Oid			function = find_function(schema, "bm25_query_score", TSVECTOROID,
										 query_type);

	if (!OidIsValid(function))
		return NULL;
	return (Expr *) makeFuncExpr(function, FLOAT8OID, list_make2(tsv, query),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

/* Rewrite a call, if that is what a request asks for; else NULL. */
static Expr *
simplify(Node *request, Expr *(*make) (Oid, Oid, Expr *, Expr *))
{
	SupportRequestSimplify *simplification = (SupportRequestSimplify *) request;
	FuncExpr   *call;
	Oid			schema;
	Oid			query_type;
	Expr	   *query;

	if (!IsA(request, SupportRequestSimplify))
		return NULL;
	call = simplification->fcall;
	schema = get_func_namespace(call->funcid);
	query_type = vs_extension_type(schema, "bm25query");
	if (!OidIsValid(query_type) || list_length(call->args) != 2)
		return NULL;
	query = make_query(simplification->root, schema, query_type, call->args);
	if (query == NULL)
		return NULL;
	return make(schema, query_type, linitial(call->args), query);
}

Datum
vs_bm25_distance_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(simplify((Node *) PG_GETARG_POINTER(0), make_distance));
}

Datum
vs_bm25_score_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(simplify((Node *) PG_GETARG_POINTER(0), make_score));
}
