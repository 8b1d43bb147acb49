/*
 * bm25_function.c
 *		Scores as SQL functions, for plans that do not take them from an index.
 */
#include "postgres.h"

#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(vs_bm25_without_index);
PG_FUNCTION_INFO_V1(vs_bm25_query_distance);
PG_FUNCTION_INFO_V1(vs_bm25_query_score);

/*
 * What the planner could not rewrite (bm25_support): there is no index to take
 * statistics from.
 */
Datum
vs_bm25_without_index(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no bm25 index to score by"),
			 errdetail("A score needs the statistics of an index on the column, which no index has or from which the tsvector does not visibly come."),
			 errhint("Create an index USING bm25 on the column, or name one: bm25_query('index', query) instead of the query.")));
	PG_RETURN_NULL();
}

Datum
vs_bm25_query_distance(PG_FUNCTION_ARGS)
{
	elog(ERROR, "not written yet");
	PG_RETURN_NULL();
}

Datum
vs_bm25_query_score(PG_FUNCTION_ARGS)
{
	elog(ERROR, "not written yet");
	PG_RETURN_NULL();
}
