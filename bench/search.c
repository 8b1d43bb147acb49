/*
 * search.c
 *		Asking queries: prepared, parameters and results in binary, timed.
 */
#include "search.h"

#include "driver.h"

#include <stdlib.h>

#define STATEMENT "search"

/*
 * Prepare the query at a knob, ask it often enough that the server settles on
 * a plan and its caches are filled.
 */
void
vs_bench_prepare_search(const VsRun *run, VsSession *session, int knob)
{
	char	   *sql = vs_bench_search_sql(run);
	int32_t    *ids = vs_bench_alloc(sizeof(int32_t) * run->options->k);
	PGresult   *result;

	vs_bench_set_knob(run, session, knob);
	vs_bench_execute(session, "DEALLOCATE ALL");
	result = PQprepare(session->conn, STATEMENT, sql, 1,
					   &session->vector_type);
	vs_bench_check_result(session, result, PGRES_COMMAND_OK);
	PQclear(result);
	for (int i = 0; i < run->options->warmup; i++)
		vs_bench_ask(session, &run->queries[i % run->data.queries.n], ids,
					 run->options->k);
	free(ids);
	free(sql);
}

/* Ask one query; returns the number of rows, their ids in ids. */
int
vs_bench_ask(VsSession *session, const VsWireVector *query, int32_t *ids,
			 int width)
{
	const char *values[] = {query->bytes};
	int			lengths[] = {query->nbytes};
	int			formats[] = {1};
	PGresult   *result;
	int			nrows;

	result = PQexecPrepared(session->conn, STATEMENT, 1, values, lengths,
							formats, 1);
	vs_bench_check_result(session, result, PGRES_TUPLES_OK);
	nrows = PQntuples(result);
	if (nrows > width)
		vs_bench_fail("a query returned %d rows, wanted %d", nrows, width);
	for (int i = 0; i < nrows; i++)
		ids[i] = vs_bench_get_int(PQgetvalue(result, i, 0));
	PQclear(result);
	return nrows;
}

/*
 * Ask all queries once.  Returns the seconds that this took; latencies_ms may
 * be NULL.
 */
double
vs_bench_ask_all(const VsRun *run, VsSession *session, VsAnswers *answers,
				 double *latencies_ms)
{
	double		start = vs_bench_now_s();
	double		last = start;

	for (long q = 0; q < run->data.queries.n; q++)
	{
		double		now;

		answers->n[q] = vs_bench_ask(session, &run->queries[q],
									 answers->ids + q * answers->width,
									 answers->width);
		now = vs_bench_now_s();
		if (latencies_ms != NULL)
			latencies_ms[q] = (now - last) * 1000;
		last = now;
	}
	return last - start;
}

/* Room for the answers to all queries. */
VsAnswers
vs_bench_make_answers(const VsRun *run)
{
	VsAnswers	answers = {run->options->k};

	answers.ids = vs_bench_alloc(sizeof(int32_t) * run->data.queries.n *
								 answers.width);
	answers.n = vs_bench_alloc(sizeof(int) * run->data.queries.n);
	return answers;
}

/* Free that room. */
void
vs_bench_free_answers(VsAnswers *answers)
{
	free(answers->ids);
	free(answers->n);
}
