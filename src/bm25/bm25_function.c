/*
 * bm25_function.c
 *		Scores as SQL functions, for plans that do not take them from an index.
 */
#include "postgres.h"

#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "bm25/bm25_statistics.h"
#include "fmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(vs_bm25_without_index);
PG_FUNCTION_INFO_V1(vs_bm25_query_distance);
PG_FUNCTION_INFO_V1(vs_bm25_query_score);

/* The query of the last call, bound: in fn_extra. */
typedef struct BoundQuery
{
	MemoryContext context;		/* of what follows */
	VsBm25Moment moment;
	VsBm25QueryDatum *datum;
	VsBm25Query *query;
} BoundQuery;

/*
 * What the planner has not rewritten (bm25_rewrite.c): there is no index to take
 * statistics from.
 */
Datum
vs_bm25_without_index(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no bm25 index to score by"),
			 errdetail("The tsvector is not a column, or an expression over columns, that has a bm25 index."),
			 errhint("Create an index USING bm25 on it, or name an index: bm25_query('index', query) instead of the query.")));
	PG_RETURN_NULL();
}

/* Bind a query for calls to come. */
static void
bind(BoundQuery *bound, const VsBm25QueryDatum *datum, Snapshot snapshot)
{
	MemoryContext caller = MemoryContextSwitchTo(bound->context);
	VsBm25QueryDatum *copy;
	VsBm25Query *query;

	bound->query = NULL;		/* if there is an error, too */
	MemoryContextReset(bound->context);
	copy = palloc(VARSIZE(datum));
	memcpy(copy, datum, VARSIZE(datum));
	bound->datum = copy;

	vs_bm25_get_moment(snapshot, &bound->moment);
	query = vs_bm25_query_make(&copy->query, 0, NULL);
	MemoryContextSwitchTo(caller);
	vs_bm25_query_bind(query, copy->index, snapshot, NULL);
	bound->query = query;
}

/* The query of this call, bound to statistics. */
static const VsBm25Query *
get_bound_query(FmgrInfo *flinfo, const VsBm25QueryDatum *datum)
{
	BoundQuery *bound = flinfo->fn_extra;
	Snapshot	snapshot = GetActiveSnapshot();
	VsBm25Moment moment;

	if (bound == NULL)
	{
		bound = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(BoundQuery));
		bound->context = AllocSetContextCreate(flinfo->fn_mcxt, "bm25 query",
											   ALLOCSET_SMALL_SIZES);
		flinfo->fn_extra = bound;
	}
	vs_bm25_get_moment(snapshot, &moment);
	if (bound->query == NULL || VARSIZE(bound->datum) != VARSIZE(datum) ||
		memcmp(bound->datum, datum, VARSIZE(datum)) != 0 ||
		!vs_bm25_is_same_moment(&bound->moment, &moment))
		bind(bound, datum, snapshot);
	return bound->query;
}

/* The score of a call's tsvector. */
static double
score(FunctionCallInfo fcinfo)
{
	TSVector	tsv = vs_bm25_get_tsvector(PG_GETARG_DATUM(0));
	const VsBm25QueryDatum *datum = (VsBm25QueryDatum *) PG_GETARG_POINTER(1);
	double		result = vs_bm25_query_score_tsvector(get_bound_query(fcinfo->flinfo,
																	  datum),
													  tsv);

	PG_FREE_IF_COPY(tsv, 0);
	return result;
}

/* As ORDER BY has it: the best row has the least; a row without a score has 0. */
Datum
vs_bm25_query_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(0.0 - score(fcinfo));
}

Datum
vs_bm25_query_score(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(score(fcinfo));
}
