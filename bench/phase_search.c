/*
 * phase_search.c
 *		The sweep over the knob: recall, latency, buffers; then several clients.
 */
#include "phases.h"

#include "driver.h"
#include "plan.h"
#include "samples.h"
#include "search.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Record a figure of a knob. */
static void
record_at(VsRun *run, VsTurn turn, int knob, int clients, VsFigure figure,
		  double value)
{
	VsMeasurement one = {
		figure, turn.variant, knob, clients, turn.repeat, value
	};

	vs_bench_record(&run->results, one);
}

/*
 * Whether the session's queries must use the index: not where a setting
 * forbids it, to measure what reading all rows costs.
 */
static int
must_use_index(VsSession *session)
{
	char	   *setting = vs_bench_fetch_text(session, "SHOW enable_indexscan");
	int			must = strcmp(setting, "on") == 0;

	free(setting);
	return must;
}

/*
 * Buffers that a query touches, on average over a sample; makes sure that the
 * plan uses the index.
 */
static double
count_buffers(VsRun *run, VsSession *session)
{
	long		n = run->options->explains;
	int			must_use = must_use_index(session);
	double		sum = 0;
	char	   *sql = vs_bench_search_sql(run);

	if (n < 1)
		n = 1;
	if (n > run->data.queries.n)
		n = run->data.queries.n;
	for (long q = 0; q < n; q++)
	{
		char	   *plan = vs_bench_explain_vector(session, sql,
												   &run->queries[q]);

		if (must_use &&
			strstr(plan, "\"items_embedding_idx\"") == NULL)
			vs_bench_fail("%s: the planner does not choose the index; "
						  "--set enable_seqscan=off forces it",
						  PQdb(session->conn));
		sum += vs_bench_plan_buffers(plan);
		free(plan);
	}
	free(sql);
	return sum / n;
}

/* Mean number of rows that came back. */
static double
mean_rows(const VsAnswers *answers, long n)
{
	double		sum = 0;

	for (long q = 0; q < n; q++)
		sum += answers->n[q];
	return sum / n;
}

/*
 * Go over the queries at one knob, as often as --pass-seconds wants: a short
 * pass would show the machine's moods.
 */
void
vs_bench_search(VsRun *run, VsTurn turn)
{
	VsSession  *session = &run->session[turn.variant];
	int			knob = run->options->knobs.item[turn.step];
	int			nqueries = run->data.queries.n;
	int			n = 0;
	double	   *latencies = NULL;
	VsAnswers	answers = vs_bench_make_answers(run);
	double		seconds = 0;
	double		cpu_ms;

	if (turn.repeat == 0 && turn.step == 0)
		vs_bench_warm(run, turn.variant);
	vs_bench_prepare_search(run, session, knob);
	if (turn.repeat == 0)
		record_at(run, turn, knob, 0, VS_BUFFERS,
				  count_buffers(run, session));
	cpu_ms = vs_bench_backend_cpu_ms(session);
	do
	{
		latencies = vs_bench_realloc(latencies,
									 sizeof(double) * (n + nqueries));
		seconds += vs_bench_ask_all(run, session, &answers, latencies + n);
		n += nqueries;
	} while (seconds < run->options->pass_seconds);
	if (cpu_ms >= 0)
		record_at(run, turn, knob, 0, VS_CPU_MS,
				  (vs_bench_backend_cpu_ms(session) - cpu_ms) / n);
	record_at(run, turn, knob, 0, VS_QPS, n / seconds);
	record_at(run, turn, knob, 0, VS_MEAN_MS, vs_bench_mean(latencies, n));
	record_at(run, turn, knob, 0, VS_P50_MS,
			  vs_bench_quantile(latencies, n, 0.50));
	record_at(run, turn, knob, 0, VS_P95_MS,
			  vs_bench_quantile(latencies, n, 0.95));
	record_at(run, turn, knob, 0, VS_P99_MS,
			  vs_bench_quantile(latencies, n, 0.99));
	record_at(run, turn, knob, 0, VS_RECALL,
			  vs_bench_recall(&run->data, &run->data.truth, &answers));
	record_at(run, turn, knob, 0, VS_ROWS, mean_rows(&answers, nqueries));
	vs_bench_free_answers(&answers);
	free(latencies);
}

/* One of several clients. */
typedef struct Client
{
	const VsRun *run;
	VsSession	session;
	pthread_t	thread;
	pthread_barrier_t *start;
	long		first_query;
	double		seconds;		/* that the client took */
	double	   *latencies_ms;
	int			n;
	int			room;
} Client;

/* The thread of a client: ask until the time is over. */
static void *
ask_for_a_while(void *arg)
{
	Client	   *client = arg;
	const VsRun *run = client->run;
	int32_t    *ids = vs_bench_alloc(sizeof(int32_t) * run->options->k);
	long		q = client->first_query;
	double		start;
	double		last;

	pthread_barrier_wait(client->start);
	start = last = vs_bench_now_s();
	while (last - start < run->options->client_seconds)
	{
		double		now;

		vs_bench_ask(&client->session, &run->queries[q], ids,
					 run->options->k);
		now = vs_bench_now_s();
		if (client->n == client->room)
		{
			client->room = client->room == 0 ? 4096 : client->room * 2;
			client->latencies_ms =
				vs_bench_realloc(client->latencies_ms,
								 client->room * sizeof(double));
		}
		client->latencies_ms[client->n++] = (now - last) * 1000;
		last = now;
		q = (q + 1) % run->data.queries.n;
	}
	client->seconds = last - start;
	free(ids);
	return NULL;
}

/* Record what the clients did together. */
static void
record_clients(VsRun *run, VsTurn turn, int knob, const Client *clients,
			   int nclients)
{
	double		qps = 0;
	int			n = 0;
	int			at = 0;
	double	   *latencies;

	for (int i = 0; i < nclients; i++)
	{
		qps += clients[i].n / clients[i].seconds;
		n += clients[i].n;
	}
	latencies = vs_bench_alloc(sizeof(double) * n);
	for (int i = 0; i < nclients; i++)
	{
		memcpy(latencies + at, clients[i].latencies_ms,
			   sizeof(double) * clients[i].n);
		at += clients[i].n;
	}
	record_at(run, turn, knob, nclients, VS_CLIENTS_QPS, qps);
	record_at(run, turn, knob, nclients, VS_CLIENTS_P50_MS,
			  vs_bench_quantile(latencies, n, 0.50));
	record_at(run, turn, knob, nclients, VS_CLIENTS_P99_MS,
			  vs_bench_quantile(latencies, n, 0.99));
	free(latencies);
}

/*
 * Several clients at once for a while, each with a connection and a thread of
 * its own, each beginning at another query.  A step is a number of clients at
 * a knob.
 */
void
vs_bench_search_by_clients(VsRun *run, VsTurn turn)
{
	const VsOptions *options = run->options;
	int			nclients = options->clients.item[turn.step %
												 options->clients.n];
	int			knob = options->client_knobs.item[turn.step /
												  options->clients.n];
	Client	   *clients = vs_bench_alloc(sizeof(Client) * nclients);
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, nclients);
	for (int i = 0; i < nclients; i++)
	{
		clients[i].run = run;
		clients[i].start = &start;
		clients[i].first_query = run->data.queries.n * i / nclients;
		clients[i].session = vs_bench_open_variant(run, turn.variant);
		vs_bench_prepare_search(run, &clients[i].session, knob);
	}
	for (int i = 0; i < nclients; i++)
		if (pthread_create(&clients[i].thread, NULL, ask_for_a_while,
						   &clients[i]) != 0)
			vs_bench_fail("cannot start a thread");
	for (int i = 0; i < nclients; i++)
		pthread_join(clients[i].thread, NULL);
	record_clients(run, turn, knob, clients, nclients);
	for (int i = 0; i < nclients; i++)
	{
		vs_bench_close_session(&clients[i].session);
		free(clients[i].latencies_ms);
	}
	pthread_barrier_destroy(&start);
	free(clients);
}
