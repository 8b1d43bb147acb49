/*
 * text_insert.c
 *		Documents inserted singly into the live index.
 *
 * The contestants take turns document by document: a stall of the machine or
 * of the disk may meet any of them.
 */
#include "text_run.h"

#include "../driver.h"
#include "../samples.h"

#include <stdio.h>
#include <stdlib.h>

#define STATEMENT "insert"

/* Insert a document; returns the milliseconds. */
static double
insert(VsTextRun *run, int variant, long spare)
{
	VsSession  *session = &run->session[variant];
	char		id[24];
	const char *values[] = {id, run->corpus.spare.line[spare]};
	double		start;
	PGresult   *result;

	snprintf(id, sizeof(id), "%ld", run->corpus.base.n + spare);
	start = vs_bench_now_s();
	result = PQexecPrepared(session->conn, STATEMENT, 2, values, NULL, NULL,
							0);
	vs_bench_check_result(session, result, PGRES_COMMAND_OK);
	PQclear(result);
	return (vs_bench_now_s() - start) * 1000;
}

/* Record what the inserts of a variant took. */
static void
record(VsTextRun *run, int variant, int is_one_transaction, double *ms, int n,
	   double cpu_ms)
{
	const struct
	{
		VsFigure	figure;
		double		value;
	}			found[] = {
		{VS_INSERT_ROWS_PER_S, 1000 / vs_bench_mean(ms, n)},
		{VS_INSERT_P50_MS, vs_bench_quantile(ms, n, 0.50)},
		{VS_INSERT_P99_MS, vs_bench_quantile(ms, n, 0.99)},
		{VS_INSERT_MAX_MS, vs_bench_quantile(ms, n, 1)},
		{VS_INSERT_CPU_MS, cpu_ms / n},
	};

	for (int i = 0; i < VS_BENCH_COUNT(found); i++)
	{
		VsMeasurement one = {
			found[i].figure, variant, is_one_transaction, 0, 0, found[i].value
		};

		vs_bench_record(&run->results, one);
	}
}

/*
 * Insert n documents, each in a transaction of its own or all in one, whose
 * COMMIT counts as part of the last insert.
 */
static void
insert_singly(VsTextRun *run, long first, int n, int is_one_transaction)
{
	int			nvariants = run->options->variants.n;
	double	   *ms[VS_BENCH_MAX_VARIANTS];
	double		cpu_ms[VS_BENCH_MAX_VARIANTS];

	for (int i = 0; i < nvariants; i++)
	{
		vs_bench_execute(&run->session[i], "CHECKPOINT");
		if (is_one_transaction)
			vs_bench_execute(&run->session[i], "BEGIN");
		ms[i] = vs_bench_alloc(sizeof(double) * n);
		cpu_ms[i] = vs_bench_backend_cpu_ms(&run->session[i]);
	}
	for (int row = 0; row < n; row++)
		for (int i = 0; i < nvariants; i++)
		{
			int			variant = vs_text_turn(run, row, i);

			ms[variant][row] = insert(run, variant, first + row);
		}
	for (int i = 0; i < nvariants; i++)
	{
		double		start = vs_bench_now_s();

		if (is_one_transaction)
		{
			vs_bench_execute(&run->session[i], "COMMIT");
			ms[i][n - 1] += (vs_bench_now_s() - start) * 1000;
		}
		cpu_ms[i] = vs_bench_backend_cpu_ms(&run->session[i]) - cpu_ms[i];
		record(run, i, is_one_transaction, ms[i], n, cpu_ms[i]);
		free(ms[i]);
	}
}

/* Insert the first half of the spare documents, then the other one. */
void
vs_text_insert(VsTextRun *run)
{
	int			n = run->options->insert_rows;

	for (int i = 0; i < run->options->variants.n; i++)
	{
		VsSession  *session = &run->session[i];
		PGresult   *result;

		vs_bench_execute(session, "DEALLOCATE ALL");
		result = PQprepare(session->conn, STATEMENT, "INSERT INTO docs "
						   "(id, body) VALUES ($1, $2)", 0, NULL);
		vs_bench_check_result(session, result, PGRES_COMMAND_OK);
		PQclear(result);
	}
	insert_singly(run, 0, n, 0);
	insert_singly(run, n, n, 1);
}
