/*
 * bm25_type.c
 *		The type bm25query: a tsquery that carries an index.
 */
#include "postgres.h"

#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "bm25/bm25_statistics.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(vs_bm25query_in);
PG_FUNCTION_INFO_V1(vs_bm25query_out);
PG_FUNCTION_INFO_V1(vs_bm25_query);
PG_FUNCTION_INFO_V1(vs_bm25query_to_tsquery);

/* The index that an expression's last call has checked, and for whom: in fn_extra. */
typedef struct CheckedIndex
{
	Oid			index;
	Oid			user;
	VsBm25Moment moment;
} CheckedIndex;

/* A query that carries an index, palloc'd. */
static VsBm25QueryDatum *
form_query(Oid index, TSQuery query)
{
	Size		nbytes = offsetof(VsBm25QueryDatum, query) + VARSIZE(query);
	VsBm25QueryDatum *result = palloc(nbytes);

	SET_VARSIZE(result, nbytes);
	result->index = index;
	memcpy(&result->query, query, VARSIZE(query));
	return result;
}

/*
 * A value that is stored, dumped or replicated as text may outlive its index, whose
 * OID does not: there is no way in but bm25_query.
 */
Datum
vs_bm25query_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type %s", "bm25query"),
			 errhint("Use bm25_query('index', query).")));
	PG_RETURN_NULL();
}

/* index: query, for those who look at one. */
Datum
vs_bm25query_out(PG_FUNCTION_ARGS)
{
	VsBm25QueryDatum *query = (VsBm25QueryDatum *) PG_GETARG_POINTER(0);
	Datum		index = DirectFunctionCall1(regclassout,
											ObjectIdGetDatum(query->index));
	Datum		query_text = DirectFunctionCall1(tsqueryout,
												 TSQueryGetDatum(&query->query));

	PG_RETURN_CSTRING(psprintf("%s: %s", DatumGetCString(index),
							   DatumGetCString(query_text)));
}

/*
 * Whether the planner has written a call (bm25_rewrite.c): the collation is there,
 * and the index is a constant.  The collation alone would not do, as an aggregate
 * gives its own to its final function; what that is called with are no constants.
 */
static bool
is_planned_call(FunctionCallInfo fcinfo)
{
	const FuncExpr *call = (const FuncExpr *) fcinfo->flinfo->fn_expr;
	const Const *index;

	if (fcinfo->context != NULL || call == NULL || !IsA(call, FuncExpr) ||
		call->funcid != fcinfo->flinfo->fn_oid ||
		call->inputcollid != BM25_PLANNED_COLLATION)
		return false;
	index = linitial(call->args);
	return IsA(index, Const) && index->consttype == REGCLASSOID &&
		!index->constisnull;
}

/*
 * Check the index of a call: once for all calls of an expression, as long as neither
 * the user nor the snapshot is another.
 */
static void
check_index(FmgrInfo *flinfo, Oid index)
{
	CheckedIndex *checked = flinfo->fn_extra;
	CheckedIndex now = {.index = index, .user = GetUserId()};

	vs_bm25_get_moment(GetActiveSnapshot(), &now.moment);
	if (checked != NULL && checked->index == now.index &&
		checked->user == now.user &&
		vs_bm25_is_same_moment(&checked->moment, &now.moment))
		return;
	vs_bm25_check_index(index);
	if (checked == NULL)
		flinfo->fn_extra = checked = MemoryContextAlloc(flinfo->fn_mcxt,
														sizeof(CheckedIndex));
	*checked = now;
}

/* bm25_query(index, query) */
Datum
vs_bm25_query(PG_FUNCTION_ARGS)
{
	Oid			index = PG_GETARG_OID(0);

	if (!is_planned_call(fcinfo))
		check_index(fcinfo->flinfo, index);
	PG_RETURN_POINTER(form_query(index, PG_GETARG_TSQUERY(1)));
}

Datum
vs_bm25query_to_tsquery(PG_FUNCTION_ARGS)
{
	VsBm25QueryDatum *query = (VsBm25QueryDatum *) PG_GETARG_POINTER(0);
	TSQuery		copy = palloc(VARSIZE(&query->query));

	memcpy(copy, &query->query, VARSIZE(&query->query));
	PG_RETURN_TSQUERY(copy);
}
