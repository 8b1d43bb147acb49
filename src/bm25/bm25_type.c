/*
 * bm25_type.c
 *		The type bm25query: a tsquery that carries an index.
 */
#include "postgres.h"

#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(vs_bm25query_in);
PG_FUNCTION_INFO_V1(vs_bm25query_out);
PG_FUNCTION_INFO_V1(vs_bm25_query);
PG_FUNCTION_INFO_V1(vs_bm25query_to_tsquery);

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
 * The end of the name that begins a text, quoted as in SQL or not: the colon that
 * follows.  NULL if there is none.
 */
static char *
find_colon(char *text)
{
	bool		quoted = false;

	for (char *c = text; *c != '\0'; c++)
	{
		if (*c == '"')
			quoted = !quoted;
		else if (*c == ':' && !quoted)
			return c;
	}
	return NULL;
}

/* As vs_bm25query_out writes it: index: query. */
Datum
vs_bm25query_in(PG_FUNCTION_ARGS)
{
	char	   *text = pstrdup(PG_GETARG_CSTRING(0));
	char	   *colon = find_colon(text);
	Oid			index;
	Datum		query;

	if (colon == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"bm25query", text),
				 errdetail("The name of an index, a colon and a tsquery are expected."),
				 errhint("Use bm25_query('index', query).")));
	*colon = '\0';
	index = DatumGetObjectId(DirectFunctionCall1(regclassin,
												 CStringGetDatum(text)));
	vs_bm25_check_index(index);
	query = DirectFunctionCall1(tsqueryin, CStringGetDatum(colon + 1));
	PG_RETURN_POINTER(form_query(index, DatumGetTSQuery(query)));
}

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

/* bm25_query(index, query) */
Datum
vs_bm25_query(PG_FUNCTION_ARGS)
{
	Oid			index = PG_GETARG_OID(0);

	if (!is_planned_call(fcinfo))
		vs_bm25_check_index(index);
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
