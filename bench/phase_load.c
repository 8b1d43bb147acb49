/*
 * phase_load.c
 *		Databases, tables, rows, indexes; and everything into memory.
 */
#include "phases.h"

#include "driver.h"
#include "memory.h"
#include "storage.h"

#include <stdlib.h>
#include <string.h>

/* Make the variant's database anew. */
static void
create_database(VsRun *run, int variant)
{
	char	   *database = vs_bench_database(run->options, variant);
	VsSession	session = vs_bench_open_session("postgres");

	if (vs_bench_fetch_number(&session, "SELECT count(*) FROM pg_database "
							  "WHERE datname = '%s'", database) > 0)
		vs_bench_execute(&session, "DROP DATABASE \"%s\"", database);
	vs_bench_execute(&session, "CREATE DATABASE \"%s\"", database);
	vs_bench_close_session(&session);

	session = vs_bench_open_session(database);
	vs_bench_execute(&session, "CREATE EXTENSION %s",
					 run->options->variants.item[variant].name);
	vs_bench_close_session(&session);
	free(database);
}

/*
 * The table.  The column "touched" is there for updates that leave the vector
 * as it is.  No autovacuum: it would come at some moment of its own choice.
 * The number of workers is set because a table of TOASTed vectors looks too
 * small to the planner for any.
 */
static void
create_table(VsRun *run, VsSession *session)
{
	vs_bench_execute(session,
					 "CREATE TABLE items (id int NOT NULL, "
					 "touched int NOT NULL DEFAULT 0, "
					 "embedding vector(%d) NOT NULL) "
					 "WITH (autovacuum_enabled = off, "
					 "toast.autovacuum_enabled = off, parallel_workers = %d)",
					 run->data.base.dim, run->options->workers);
}

/* Append to a list of storage parameters. */
static void
append_parameter(char **list, const char *parameter)
{
	char	   *longer = vs_bench_format("%s%s%s", *list,
										 **list == '\0' ? "" : ", ",
										 parameter);

	free(*list);
	*list = longer;
}

/* Append "name=value" unless --with gives the variant another value. */
static void
append_default(char **list, const VsOptions *options, int variant,
			   const char *name, int value)
{
	size_t		len = strlen(name);
	char	   *parameter;

	for (int i = 0; i < options->with.n; i++)
	{
		const char *given = vs_bench_text_for(&options->variants.item[variant],
											  options->with.item[i]);

		if (given != NULL && strncmp(given, name, len) == 0 &&
			given[len] == '=')
			return;
	}
	parameter = vs_bench_format("%s=%d", name, value);
	append_parameter(list, parameter);
	free(parameter);
}

/* CREATE INDEX with the storage parameters of the command line. */
static void
create_index(VsRun *run, VsSession *session, int variant)
{
	const VsOptions *options = run->options;
	char	   *list = vs_bench_format("%s", "");

	if (strcmp(options->method, "hnsw") == 0)
	{
		append_default(&list, options, variant, "m", options->m);
		append_default(&list, options, variant, "ef_construction",
					   options->ef_construction);
	}
	else
		append_default(&list, options, variant, "lists", options->lists);
	for (int i = 0; i < options->with.n; i++)
	{
		const char *given = vs_bench_text_for(&options->variants.item[variant],
											  options->with.item[i]);

		if (given != NULL)
			append_parameter(&list, given);
	}
	vs_bench_execute(session, "CREATE INDEX items_embedding_idx ON items "
					 "USING %s (embedding %s) WITH (%s)", options->method,
					 run->data.metric->opclass, list);
	free(list);
}

/*
 * Create a variant's database and load the rows.  With --grow the index comes
 * first, and loading means inserting into it.
 */
void
vs_bench_load(VsRun *run, VsTurn turn)
{
	VsSession  *session = &run->session[turn.variant];
	double		start;

	vs_bench_say("%s: loading %ld rows",
				 run->options->variants.item[turn.variant].label, run->data.base.n);
	create_database(run, turn.variant);
	*session = vs_bench_open_variant(run, turn.variant);
	create_table(run, session);
	if (run->options->grow)
		create_index(run, session, turn.variant);
	start = vs_bench_now_s();
	vs_bench_copy_rows(session, &run->data.base, run->data.load_order);
	vs_bench_record_figure(run, turn, VS_LOAD_ROWS_PER_S, run->data.base.n /
						   (vs_bench_now_s() - start));
	vs_bench_execute(session, "ALTER TABLE items ADD PRIMARY KEY (id)");
	vs_bench_execute(session, "VACUUM (ANALYZE) items");
	if (run->options->grow)
		vs_bench_record_figure(run, turn, VS_INDEX_MB,
							   vs_bench_index_mb(session));
}

/* Bytes of temporary files that the database has written so far. */
static double
temp_bytes(VsSession *session)
{
	vs_bench_execute(session, "SELECT pg_stat_force_next_flush()");
	return vs_bench_fetch_number(session,
								 "SELECT temp_bytes FROM pg_stat_database "
								 "WHERE datname = current_database()");
}

/* Record what a watch saw. */
static void
record_memory(VsRun *run, VsTurn turn, VsMemoryPeak peak)
{
	if (!peak.is_known)
	{
		vs_bench_say("peak memory not measured: run the driver as the "
					 "server's user or as root");
		return;
	}
	vs_bench_record_figure(run, turn, VS_BUILD_WORKERS, peak.nworkers);
	vs_bench_record_figure(run, turn, VS_BUILD_PEAK_MB, peak.total_mb);
	vs_bench_record_figure(run, turn, VS_BUILD_PRIVATE_MB, peak.private_mb);
	vs_bench_record_figure(run, turn, VS_BUILD_SHARED_MB, peak.shared_mb);
	vs_bench_record_figure(run, turn, VS_BUILD_TOUCHED_MB, peak.touched_mb);
}

/*
 * Build the index in a session of its own, so that nothing of an earlier
 * build counts as memory that the backend already had.
 */
void
vs_bench_build(VsRun *run, VsTurn turn)
{
	VsSession	session;
	VsMemoryWatch *watch = NULL;
	char	   *position;
	double		temp;
	double		cpu_ms;
	double		start;

	if (run->options->grow)
		return;
	vs_bench_say("%s: building", run->options->variants.item[turn.variant].label);
	session = vs_bench_open_variant(run, turn.variant);
	if (vs_bench_fetch_number(&session, "SELECT count(to_regclass("
							  "'items_embedding_idx'))") > 0)
		vs_bench_execute(&session, "DROP INDEX items_embedding_idx");
	vs_bench_warm(run, turn.variant);
	vs_bench_execute(&session, "CHECKPOINT");
	temp = temp_bytes(&session);
	position = vs_bench_wal_position(&session);
	if (vs_bench_is_local(&session))
		watch = vs_bench_begin_memory_watch(PQbackendPID(session.conn));

	cpu_ms = vs_bench_backend_cpu_ms(&session);
	start = vs_bench_now_s();
	create_index(run, &session, turn.variant);
	vs_bench_record_figure(run, turn, VS_BUILD_S, vs_bench_now_s() - start);

	/* With workers the backend's own time would say little. */
	if (run->options->workers == 0)
		vs_bench_record_cpu(run, turn, &session, VS_BUILD_CPU_S, cpu_ms, 1000);
	if (watch != NULL)
		record_memory(run, turn, vs_bench_end_memory_watch(watch));
	vs_bench_record_figure(run, turn, VS_BUILD_WAL_MB,
						   vs_bench_wal_since(&session, position) / 1048576);
	vs_bench_record_figure(run, turn, VS_BUILD_TEMP_MB,
						   (temp_bytes(&session) - temp) / 1048576);
	vs_bench_record_figure(run, turn, VS_INDEX_MB,
						   vs_bench_index_mb(&session));
	free(position);
	vs_bench_close_session(&session);
}

/*
 * Read the variant's table and indexes into shared buffers, and say so where
 * those of all variants do not fit.
 */
void
vs_bench_warm(VsRun *run, int variant)
{
	double		share = vs_bench_prewarm(&run->session[variant], "items") *
		run->options->variants.n;

	if (share > 1)
		vs_bench_say("warning: shared_buffers cannot hold the relations of "
					 "all databases (%.1f times its size)", share);
}
