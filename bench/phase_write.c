/*
 * phase_write.c
 *		Inserts into the live index, updates, deletion and vacuum.
 *
 * One client, a transaction a row, prepared, parameters in binary.  Every
 * phase begins with a checkpoint, so that WAL holds page images to the same
 * extent for every variant.
 */
#include "phases.h"

#include "driver.h"
#include "exact.h"
#include "samples.h"
#include "search.h"
#include "storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT "write"
#define UPDATE_SEED 7
#define DELETE_SEED 11

/* Prepare a writing statement and make ready for measuring it. */
static void
prepare_write(VsRun *run, VsSession *session, const char *sql)
{
	PGresult   *result;

	vs_bench_execute(session, "DEALLOCATE ALL");
	result = PQprepare(session->conn, STATEMENT, sql, 0, NULL);
	vs_bench_check_result(session, result, PGRES_COMMAND_OK);
	PQclear(result);
	vs_bench_execute(session, "SET synchronous_commit = %s",
					 run->options->synchronous_commit);
	vs_bench_execute(session, "CHECKPOINT");
}

/* Execute it with an id and, where there is one, a vector. */
static void
execute_write(VsSession *session, int32_t id, const VsWireVector *vector)
{
	char		wire_id[4];
	const char *values[] = {wire_id, vector ? vector->bytes : NULL};
	int			lengths[] = {4, vector ? vector->nbytes : 0};
	int			formats[] = {1, 1};
	PGresult   *result;

	vs_bench_put_int(wire_id, 4, id);
	result = PQexecPrepared(session->conn, STATEMENT, vector ? 2 : 1, values,
							lengths, formats, 1);
	vs_bench_check_result(session, result, PGRES_COMMAND_OK);
	PQclear(result);
}

/*
 * Record what WAL since the position holds besides page images, by the
 * extension pg_walinspect; nothing where the server lacks it.  Generic WAL is
 * that of access methods that come with extensions: here, the vector index.
 */
static void
record_wal_without_images(VsRun *run, VsTurn turn, const char *position,
						  int nrows)
{
	VsSession  *session = &run->session[turn.variant];
	char	   *end;
	const char *sums = "SELECT coalesce(sum(record_size), 0) "
		"FROM pg_get_wal_stats('%s', '%s') "
		"WHERE \"resource_manager/record_type\" LIKE '%s'";

	if (vs_bench_fetch_number(session, "SELECT count(*) FROM "
							  "pg_available_extensions "
							  "WHERE name = 'pg_walinspect'") == 0)
		return;
	end = vs_bench_wal_position(session);

	/* A commit that waits brings all of it to disk, where it can be read. */
	vs_bench_execute(session, "SET synchronous_commit = on");
	vs_bench_execute(session, "SELECT pg_logical_emit_message(true, '', '')");
	vs_bench_execute(session, "SET client_min_messages = warning");
	vs_bench_execute(session, "CREATE EXTENSION IF NOT EXISTS pg_walinspect");
	vs_bench_execute(session, "RESET client_min_messages");
	vs_bench_record_figure(run, turn, VS_INSERT_WAL_DELTA_BYTES,
						   vs_bench_fetch_number(session, sums, position, end,
												 "%") / nrows);
	vs_bench_record_figure(run, turn, VS_INSERT_WAL_INDEX_BYTES,
						   vs_bench_fetch_number(session, sums, position, end,
												 "Generic") / nrows);
	free(end);
}

/* Insert a run's rows, one by one. */
void
vs_bench_insert(VsRun *run, VsTurn turn)
{
	VsSession  *session = &run->session[turn.variant];
	int			n = run->options->insert_rows;
	long		first = (long) turn.repeat * n;
	double	   *latencies = vs_bench_alloc(sizeof(double) * n);
	char	   *position;
	double		cpu_ms;
	double		start;
	double		last;

	prepare_write(run, session, "INSERT INTO items (id, embedding) "
				  "VALUES ($1, $2)");
	position = vs_bench_wal_position(session);
	cpu_ms = vs_bench_backend_cpu_ms(session);
	start = last = vs_bench_now_s();
	for (int i = 0; i < n; i++)
	{
		double		now;

		execute_write(session, run->data.base.n + first + i,
					  &run->spare[first + i]);
		now = vs_bench_now_s();
		latencies[i] = (now - last) * 1000;
		last = now;
	}
	vs_bench_record_figure(run, turn, VS_INSERT_ROWS_PER_S,
						   n / (last - start));
	vs_bench_record_cpu(run, turn, session, VS_INSERT_CPU_MS, cpu_ms, n);
	vs_bench_record_figure(run, turn, VS_INSERT_P50_MS,
						   vs_bench_quantile(latencies, n, 0.50));
	vs_bench_record_figure(run, turn, VS_INSERT_P99_MS,
						   vs_bench_quantile(latencies, n, 0.99));
	vs_bench_record_figure(run, turn, VS_INSERT_WAL_BYTES,
						   vs_bench_wal_since(session, position) / n);
	record_wal_without_images(run, turn, position, n);
	run->ninserted = first + n;
	free(position);
	free(latencies);
}

/*
 * Update another column of rows all over the table.  That column has an index
 * while this lasts: the new row version cannot be a heap-only tuple, so that
 * every index gets an entry for it.
 */
void
vs_bench_update(VsRun *run, VsTurn turn)
{
	VsSession  *session = &run->session[turn.variant];
	int			n = run->options->insert_rows;
	int32_t    *ids = vs_bench_alloc(sizeof(int32_t) * run->data.base.n);
	char	   *position;
	double		cpu_ms;
	double		start;

	if (n > run->data.base.n)
		n = run->data.base.n;
	for (long i = 0; i < run->data.base.n; i++)
		ids[i] = i;
	vs_bench_shuffle(ids, run->data.base.n, UPDATE_SEED + turn.repeat);
	vs_bench_execute(session, "CREATE INDEX items_touched_idx "
					 "ON items (touched)");
	prepare_write(run, session, "UPDATE items SET touched = touched + 1 "
				  "WHERE id = $1");
	position = vs_bench_wal_position(session);
	cpu_ms = vs_bench_backend_cpu_ms(session);
	start = vs_bench_now_s();
	for (int i = 0; i < n; i++)
		execute_write(session, ids[i], NULL);
	vs_bench_record_figure(run, turn, VS_UPDATE_ROWS_PER_S,
						   n / (vs_bench_now_s() - start));
	vs_bench_record_cpu(run, turn, session, VS_UPDATE_CPU_MS, cpu_ms, n);
	vs_bench_record_figure(run, turn, VS_UPDATE_WAL_BYTES,
						   vs_bench_wal_since(session, position) / n);
	vs_bench_execute(session, "DROP INDEX items_touched_idx");
	free(position);
	free(ids);
}

/* Choose the base rows that a repeat deletes; no row twice. */
static void
choose_deletions(const VsRun *run, int repeat, int32_t *ids, long n)
{
	int32_t    *all = vs_bench_alloc(sizeof(int32_t) * run->data.base.n);

	for (long i = 0; i < run->data.base.n; i++)
		all[i] = i;
	vs_bench_shuffle(all, run->data.base.n, DELETE_SEED);
	memcpy(ids, all + repeat * n, sizeof(int32_t) * n);
	free(all);
}

/*
 * Find the exact answers among what a deletion leaves: base rows that stay,
 * and rows that were inserted.
 */
static void
find_truth_after(VsRun *run, const int32_t *ids, long n)
{
	VsVectors	rows = run->data.base;

	if (run->is_gone == NULL)
		run->is_gone = vs_bench_alloc(run->data.base.n + run->data.spare.n);
	for (long i = 0; i < n; i++)
		run->is_gone[ids[i]] = 1;
	rows.n += run->ninserted;
	free(run->truth_now.ids);
	run->truth_now = vs_bench_find_exact(run->data.metric, &rows,
										 run->is_gone, &run->data.queries,
										 run->data.queries.n, run->data.k);
}

/* The ids as an array of SQL. */
static char *
array_literal(const int32_t *ids, long n)
{
	char	   *text = vs_bench_alloc(n * 12 + 3);
	char	   *at = text;

	*at++ = '{';
	for (long i = 0; i < n; i++)
		at += sprintf(at, i == 0 ? "%d" : ",%d", ids[i]);
	*at++ = '}';
	return text;
}

/* Delete a share of the rows, vacuum, and look at what is left. */
void
vs_bench_vacuum(VsRun *run, VsTurn turn)
{
	VsSession  *session = &run->session[turn.variant];
	int			knob = run->options->client_knobs.item[0];
	long		n = run->data.base.n * run->options->delete_share;
	int32_t    *ids = vs_bench_alloc(sizeof(int32_t) * n);
	VsAnswers	answers = vs_bench_make_answers(run);
	char	   *literal;
	char	   *position;
	double		cpu_ms;
	double		start;

	choose_deletions(run, turn.repeat, ids, n);
	if (turn.variant == 0)
		find_truth_after(run, ids, n);
	literal = array_literal(ids, n);
	start = vs_bench_now_s();
	vs_bench_execute(session, "DELETE FROM items WHERE id = ANY ('%s'::int[])",
					 literal);
	vs_bench_record_figure(run, turn, VS_DELETE_S, vs_bench_now_s() - start);
	vs_bench_execute(session, "CHECKPOINT");
	position = vs_bench_wal_position(session);
	cpu_ms = vs_bench_backend_cpu_ms(session);
	start = vs_bench_now_s();
	vs_bench_execute(session, "VACUUM (INDEX_CLEANUP on) items");
	vs_bench_record_figure(run, turn, VS_VACUUM_S, vs_bench_now_s() - start);
	vs_bench_record_cpu(run, turn, session, VS_VACUUM_CPU_S, cpu_ms, 1000);
	vs_bench_record_figure(run, turn, VS_VACUUM_WAL_MB,
						   vs_bench_wal_since(session, position) / 1048576);
	vs_bench_record_figure(run, turn, VS_VACUUM_INDEX_MB,
						   vs_bench_index_mb(session));
	vs_bench_prepare_search(run, session, knob);
	vs_bench_ask_all(run, session, &answers, NULL);
	vs_bench_record_figure(run, turn, VS_VACUUM_RECALL,
						   vs_bench_recall(&run->data, &run->truth_now,
										   &answers));
	vs_bench_free_answers(&answers);
	free(position);
	free(literal);
	free(ids);
}
