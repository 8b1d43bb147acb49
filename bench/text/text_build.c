/*
 * text_build.c
 *		Databases, tables, documents, indexes.
 */
#include "text_run.h"

#include "../driver.h"
#include "../storage.h"

#include <stdlib.h>

/* Make the variant's database anew. */
static void
create_database(const VsTextRun *run, int variant)
{
	const VsContestant *contestant = run->contestant[variant];
	char	   *database = vs_text_database(run, variant);
	VsSession	session = vs_bench_open_session("postgres");

	vs_bench_execute(&session, "SET client_min_messages = warning");
	vs_bench_execute(&session, "DROP DATABASE IF EXISTS \"%s\"", database);
	vs_bench_execute(&session, "CREATE DATABASE \"%s\"", database);
	vs_bench_close_session(&session);
	if (contestant->extension != NULL)
	{
		session = vs_bench_open_session(database);
		vs_bench_execute(&session, "CREATE EXTENSION %s",
						 contestant->extension);
		vs_bench_close_session(&session);
	}
	free(database);
}

/* Record a figure of a variant. */
static void
record(VsTextRun *run, int variant, VsFigure figure, int knob, int repeat,
	   double value)
{
	VsMeasurement one = {figure, variant, knob, 0, repeat, value};

	vs_bench_record(&run->results, one);
}

/*
 * Create the databases and load the documents.  There is no index but the one
 * that is measured, later, and a contestant that parses the text itself is
 * spared the column for parsed text.
 */
void
vs_text_load(VsTextRun *run)
{
	for (int i = 0; i < run->options->variants.n; i++)
	{
		VsSession  *session = &run->session[i];
		double		start;

		vs_bench_say("%s: loading %ld documents",
					 run->options->variants.item[i].label, run->corpus.base.n);
		create_database(run, i);
		*session = vs_text_open_variant(run, i);
		vs_bench_execute(session, "CREATE TABLE docs (id int NOT NULL, "
						 "body text NOT NULL%s)",
						 run->contestant[i]->has_tsvector ?
						 ", tsv tsvector NOT NULL GENERATED ALWAYS AS "
						 "(to_tsvector('" VS_TEXT_CONFIG "', body)) STORED" :
						 "");
		start = vs_bench_now_s();
		vs_text_copy(session, &run->corpus.base);
		record(run, i, VS_LOAD_ROWS_PER_S, 0, 0, run->corpus.base.n /
			   (vs_bench_now_s() - start));
		vs_bench_execute(session, "VACUUM (FREEZE, ANALYZE) docs");
	}
}

/* Build a variant's index with so many workers. */
static void
build(VsTextRun *run, int variant, int nworkers, int repeat)
{
	VsSession	session = vs_text_open_variant(run, variant);
	char	   *position;
	double		cpu_ms;
	double		start;

	vs_bench_say("%s: building with %d workers",
				 run->options->variants.item[variant].label, nworkers);
	vs_bench_execute(&session, "SET max_parallel_maintenance_workers = %d",
					 nworkers);
	vs_bench_execute(&session, "DROP INDEX IF EXISTS docs_idx");
	vs_bench_prewarm(&session, "docs");
	vs_bench_execute(&session, "SET client_min_messages = warning");
	vs_bench_execute(&session, "CHECKPOINT");
	position = vs_bench_wal_position(&session);
	cpu_ms = vs_bench_backend_cpu_ms(&session);
	start = vs_bench_now_s();
	vs_bench_execute(&session, "CREATE INDEX docs_idx ON docs %s",
					 run->contestant[variant]->index);
	record(run, variant, VS_BUILD_S, nworkers, repeat,
		   vs_bench_now_s() - start);
	if (nworkers == 0 && cpu_ms >= 0)
		record(run, variant, VS_BUILD_CPU_S, nworkers, repeat,
			   (vs_bench_backend_cpu_ms(&session) - cpu_ms) / 1000);
	record(run, variant, VS_BUILD_WAL_MB, nworkers, repeat,
		   vs_bench_wal_since(&session, position) / 1048576);
	record(run, variant, VS_INDEX_MB, nworkers, repeat,
		   vs_bench_relation_mb(&session, "docs_idx"));
	free(position);
	vs_bench_close_session(&session);
}

/* Build the indexes, with each number of workers; the last ones stay. */
void
vs_text_build(VsTextRun *run)
{
	const VsTextOptions *options = run->options;

	for (int i = 0; i < options->workers.n; i++)
		for (int repeat = 0; repeat < options->builds; repeat++)
			for (int j = 0; j < options->variants.n; j++)
				build(run, vs_text_turn(run, repeat, j),
					  options->workers.item[i], repeat);
}
