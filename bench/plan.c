/*
 * plan.c
 *		Plans as EXPLAIN shows them: which index, how many buffers.
 */
#include "plan.h"

#include "driver.h"

#include <stdlib.h>
#include <string.h>

/*
 * The plan of a query with one parameter, in that format of the protocol.  The
 * query is really run; the plan is JSON, with its buffers.  The caller may free
 * it.
 */
char *
vs_bench_explain(VsSession *session, const char *sql, Oid type,
				 const VsWireVector *parameter, int format)
{
	char	   *full = vs_bench_format("EXPLAIN (ANALYZE, BUFFERS, TIMING off, "
									   "FORMAT json) %s", sql);
	const char *values[] = {parameter->bytes};
	int			lengths[] = {parameter->nbytes};
	char	   *plan;
	PGresult   *result;

	result = PQexecParams(session->conn, full, 1, &type, values, lengths,
						  &format, 0);
	vs_bench_check_result(session, result, PGRES_TUPLES_OK);
	plan = vs_bench_format("%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	free(full);
	return plan;
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
