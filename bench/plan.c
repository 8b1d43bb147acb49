/*
 * plan.c
 *		Plans as EXPLAIN shows them: which index, how many buffers.
 */
#include "plan.h"

#include "driver.h"

#include <stdlib.h>
#include <string.h>

/*
 * The plan of a query with one parameter, planned for that value.  The query
 * is really run; the plan is JSON, with its buffers.  The caller may free it.
 */
static char *
explain(VsSession *session, const char *sql, Oid type, const char *value,
		int nbytes, int format)
{
	char	   *full = vs_bench_format("EXPLAIN (ANALYZE, BUFFERS, TIMING off, "
									   "FORMAT json) %s", sql);
	char	   *plan;
	PGresult   *result;

	result = PQexecParams(session->conn, full, 1, &type, &value, &nbytes,
						  &format, 0);
	vs_bench_check_result(session, result, PGRES_TUPLES_OK);
	plan = vs_bench_format("%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	free(full);
	return plan;
}

/* Such a plan where the parameter is text. */
char *
vs_bench_explain(VsSession *session, const char *sql, const char *value)
{
	return explain(session, sql, 0, value, 0, 0);
}

/* Such a plan where the parameter is a vector. */
char *
vs_bench_explain_vector(VsSession *session, const char *sql,
						const VsWireVector *vector)
{
	return explain(session, sql, session->vector_type, vector->bytes,
				   vector->nbytes, 1);
}

/* The first number of that name in a plan, which is its topmost node's. */
static double
plan_number(const char *plan, const char *name)
{
	char	   *key = vs_bench_format("\"%s\": ", name);
	const char *at = strstr(plan, key);
	double		value = at == NULL ? 0 : strtod(at + strlen(key), NULL);

	free(key);
	return value;
}

/* Shared buffers that a plan's execution touched, in memory or not. */
double
vs_bench_plan_buffers(const char *plan)
{
	return plan_number(plan, "Shared Hit Blocks") +
		plan_number(plan, "Shared Read Blocks");
}
