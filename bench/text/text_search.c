/*
 * text_search.c
 *		Latency of the top k by number of terms; agreement with exact BM25.
 *
 * The contestants take turns query by query, each over a connection of its
 * own, so that whatever changes on the machine meets all of them.
 */
#include "text_run.h"

#include "../driver.h"
#include "../plan.h"
#include "../samples.h"
#include "../storage.h"
#include "scores.h"

#include <stdlib.h>
#include <string.h>

#define STATEMENT "search"

/* What is known of a query that was asked. */
typedef struct Answer
{
	double		ms;
	int			n;
	int32_t    *ids;
} Answer;

/* A pass over the queries of one number of terms. */
typedef struct Pass
{
	VsTextRun  *run;
	int			is_after_inserts;
	int			repeat;
	int			first;			/* query */
	int			n;				/* queries */
	Answer	   *answers[VS_BENCH_MAX_VARIANTS]; /* of all queries */
	uint8_t		is_asked[VS_BENCH_MAX_VARIANTS];
} Pass;

/* The contestant's query, in terms of $1. */
static char *
search_sql(const VsTextRun *run, int variant)
{
	return vs_bench_format("%s LIMIT %d", run->contestant[variant]->query,
						   run->options->k);
}

/* Its parameter. */
static const char *
parameter(const VsTextRun *run, int variant, const VsTextQuery *query)
{
	return run->contestant[variant]->parameter == VS_TEXT_TSQUERY ?
		query->tsquery : query->words;
}

/* Ask a query, and time it. */
static void
ask(const Pass *pass, int variant, int q)
{
	VsTextRun  *run = pass->run;
	const VsTextQuery *query = &run->queries.query[q];
	Answer	   *answer = &pass->answers[variant][q];
	VsSession  *session = &run->session[variant];
	const char *value = parameter(run, variant, query);
	double		start = vs_bench_now_s();
	PGresult   *result = PQexecPrepared(session->conn, STATEMENT, 1, &value,
										NULL, NULL, 1);

	answer->ms = (vs_bench_now_s() - start) * 1000;
	vs_bench_check_result(session, result, PGRES_TUPLES_OK);
	answer->n = PQntuples(result);
	if (answer->n > run->options->k)
		vs_bench_fail("a query returned %d rows, wanted %d", answer->n,
					  run->options->k);
	for (int i = 0; i < answer->n; i++)
		answer->ids[i] = vs_bench_get_int(PQgetvalue(result, i, 0));
	PQclear(result);
}

/* Record a figure of the pass, for a number of terms or, with 0, for all. */
static void
record(const Pass *pass, int variant, int nterms, VsFigure figure,
	   double value)
{
	VsMeasurement one = {
		figure, variant, nterms, pass->is_after_inserts, pass->repeat, value
	};

	vs_bench_record(&pass->run->results, one);
}

/* Record the latencies of queries. */
static void
record_latencies(const Pass *pass, int variant, int nterms, int first, int n)
{
	double	   *ms = vs_bench_alloc(sizeof(double) * n);

	for (int i = 0; i < n; i++)
		ms[i] = pass->answers[variant][first + i].ms;
	record(pass, variant, nterms, VS_MEAN_MS, vs_bench_mean(ms, n));
	record(pass, variant, nterms, VS_P50_MS, vs_bench_quantile(ms, n, 0.50));
	record(pass, variant, nterms, VS_P95_MS, vs_bench_quantile(ms, n, 0.95));
	record(pass, variant, nterms, VS_P99_MS, vs_bench_quantile(ms, n, 0.99));
	free(ms);
}

/*
 * Ask the queries of one number of terms; adds each backend's processor time
 * to cpu_ms.
 */
static void
ask_in_turn(Pass *pass, double *cpu_ms)
{
	VsTextRun  *run = pass->run;
	int			nvariants = run->options->variants.n;
	int			nterms = run->queries.query[pass->first].nterms;
	double		before[VS_BENCH_MAX_VARIANTS];

	for (int i = 0; i < nvariants; i++)
		before[i] = vs_bench_backend_cpu_ms(&run->session[i]);
	for (int q = pass->first; q < pass->first + pass->n; q++)
		for (int i = 0; i < nvariants; i++)
		{
			int			variant = vs_text_turn(run, q, i);

			if (pass->is_asked[variant])
				ask(pass, variant, q);
		}
	for (int i = 0; i < nvariants; i++)
	{
		double		ms = vs_bench_backend_cpu_ms(&run->session[i]) - before[i];

		if (!pass->is_asked[i])
			continue;
		record_latencies(pass, i, nterms, pass->first, pass->n);
		if (before[i] < 0)
			continue;
		record(pass, i, nterms, VS_CPU_MS, ms / pass->n);
		cpu_ms[i] += ms;
	}
}

/* One pass over all queries, by ascending number of terms. */
static void
ask_all(Pass *pass)
{
	VsTextRun  *run = pass->run;
	const VsTextOptions *options = run->options;
	double		cpu_ms[VS_BENCH_MAX_VARIANTS] = {0};

	pass->n = options->nqueries;
	for (int i = 0; i < options->variants.n; i++)
		pass->is_asked[i] = pass->repeat == 0 ||
			!vs_bench_is_listed(options->slow,
								options->variants.item[i].label);
	for (pass->first = 0; pass->first < run->queries.n;
		 pass->first += pass->n)
		ask_in_turn(pass, cpu_ms);
	for (int i = 0; i < options->variants.n; i++)
	{
		if (!pass->is_asked[i])
			continue;
		record_latencies(pass, i, 0, 0, run->queries.n);
		if (cpu_ms[i] > 0)
			record(pass, i, 0, VS_CPU_MS, cpu_ms[i] / run->queries.n);
	}
}

/* Record the mean agreement of a number of terms, or with 0 of all. */
static void
record_agreement(const Pass *pass, int variant, const double *agreement,
				 int nterms)
{
	const VsTextQueries *queries = &pass->run->queries;
	double		sum = 0;
	int			n = 0;

	for (int q = 0; q < queries->n; q++)
		if (nterms == 0 || queries->query[q].nterms == nterms)
		{
			sum += agreement[q];
			n++;
		}
	record(pass, variant, nterms, VS_AGREEMENT, sum / n);
}

/*
 * Hold the answers of the first pass against exact scores, which a variant
 * with tsvectors must be there for.
 */
static void
check_answers(const Pass *pass)
{
	VsTextRun  *run = pass->run;
	int			nvariants = run->options->variants.n;
	double	   *agreement[VS_BENCH_MAX_VARIANTS];
	VsScores   *scores = NULL;

	for (int i = 0; i < nvariants && scores == NULL; i++)
		if (run->contestant[i]->has_tsvector)
			scores = vs_text_read_scores(&run->session[i], &run->queries);
	if (scores == NULL)
		return;
	for (int i = 0; i < nvariants; i++)
		agreement[i] = vs_bench_alloc(sizeof(double) * run->queries.n);
	for (int q = 0; q < run->queries.n; q++)
	{
		vs_text_score(scores, &run->queries.query[q], run->options->k);
		for (int i = 0; i < nvariants; i++)
			agreement[i][q] = vs_text_agreement(scores,
												pass->answers[i][q].ids,
												pass->answers[i][q].n);
	}
	for (int i = 0; i < nvariants; i++)
	{
		for (int n = VS_TEXT_MIN_TERMS; n <= VS_TEXT_MAX_TERMS; n++)
			record_agreement(pass, i, agreement[i], n);
		record_agreement(pass, i, agreement[i], 0);
		free(agreement[i]);
	}
	vs_text_free_scores(scores);
}

/*
 * Record the buffers that queries touch, and end the run where the planner
 * does not choose the index.  After inserts it may have reasons not to: GIN's
 * list of pending entries makes the index look expensive.
 */
static void
count_buffers(const Pass *pass, int variant)
{
	VsTextRun  *run = pass->run;
	int			neach = run->options->nqueries;
	int			n = run->options->explains;
	int			ngroups = run->queries.n / neach;
	double		total = 0;
	char	   *sql = search_sql(run, variant);

	n = n < 1 ? 1 : n > neach ? neach : n;
	for (int first = 0; first < run->queries.n; first += neach)
	{
		double		sum = 0;

		for (int q = first; q < first + n; q++)
		{
			const char *value = parameter(run, variant,
										  &run->queries.query[q]);
			char	   *plan = vs_bench_explain(&run->session[variant], sql,
												value);

			if (strstr(plan, "\"docs_idx\"") == NULL &&
				!pass->is_after_inserts)
				vs_bench_fail("%s: the planner does not choose the index",
							  PQdb(run->session[variant].conn));
			sum += vs_bench_plan_buffers(plan);
			free(plan);
		}
		record(pass, variant, run->queries.query[first].nterms, VS_BUFFERS,
			   sum / n);
		total += sum / n;
	}
	record(pass, variant, 0, VS_BUFFERS, total / ngroups);
	free(sql);
}

/* Make a variant ready: everything in memory, statement prepared and warm. */
static void
prepare(Pass *pass, int variant)
{
	VsTextRun  *run = pass->run;
	VsSession  *session = &run->session[variant];
	char	   *sql = search_sql(run, variant);
	PGresult   *result;

	pass->answers[variant] = vs_bench_alloc(sizeof(Answer) * run->queries.n);
	for (int q = 0; q < run->queries.n; q++)
		pass->answers[variant][q].ids =
			vs_bench_alloc(sizeof(int32_t) * run->options->k);
	vs_bench_prewarm(session, "docs");
	vs_bench_execute(session, "DEALLOCATE ALL");
	result = PQprepare(session->conn, STATEMENT, sql, 0, NULL);
	vs_bench_check_result(session, result, PGRES_COMMAND_OK);
	PQclear(result);
	free(sql);
	count_buffers(pass, variant);
	for (int i = 0; i < run->options->warmup; i++)
		ask(pass, variant, (long) i * run->queries.n / run->options->warmup);
}

/* Measure all contestants' queries. */
void
vs_text_search(VsTextRun *run, int is_after_inserts)
{
	Pass		pass = {run, is_after_inserts};
	int			nvariants = run->options->variants.n;

	for (int i = 0; i < nvariants; i++)
		prepare(&pass, i);
	for (pass.repeat = 0; pass.repeat < run->options->repeats; pass.repeat++)
	{
		vs_bench_say("pass %d", pass.repeat + 1);
		ask_all(&pass);
		if (pass.repeat == 0)
			check_answers(&pass);
	}
	for (int i = 0; i < nvariants; i++)
	{
		pass.repeat = 0;
		record(&pass, i, 0, VS_INDEX_MB,
			   vs_bench_relation_mb(&run->session[i], "docs_idx"));
		for (int q = 0; q < run->queries.n; q++)
			free(pass.answers[i][q].ids);
		free(pass.answers[i]);
	}
}
