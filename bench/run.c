/*
 * run.c
 *		What the phases of a run share: sessions, names, sizes, WAL.
 */
#include "run.h"

#include "driver.h"
#include "storage.h"

#include <stdlib.h>
#include <string.h>

/*
 * The database of a variant.  Extensions that define the same access method
 * cannot share one; databases of one server share all the rest.
 */
char *
vs_bench_database(const VsOptions *options, int variant)
{
	return vs_bench_format("vsbench_%s", options->variants.item[variant].label);
}

/* A session in a variant's database, with the settings of the run. */
VsSession
vs_bench_open_variant(const VsRun *run, int variant)
{
	const VsOptions *options = run->options;
	char	   *database = vs_bench_database(options, variant);
	VsSession	session = vs_bench_open_session(database);

	vs_bench_execute(&session, "SET maintenance_work_mem = '%s'",
					 options->maintenance_work_mem);
	vs_bench_execute(&session, "SET max_parallel_maintenance_workers = %d",
					 options->workers);
	if (options->iterative_scan != NULL)
		vs_bench_execute(&session, "SET %s.iterative_scan = '%s'",
						 options->method, options->iterative_scan);
	for (int i = 0; i < options->set.n; i++)
	{
		const char *setting = vs_bench_text_for(&options->variants.item[variant],
												options->set.item[i]);

		if (setting != NULL)
			vs_bench_apply_setting(&session, setting);
	}
	free(database);
	return session;
}

/* Set ef_search or probes. */
void
vs_bench_set_knob(const VsRun *run, VsSession *session, int knob)
{
	vs_bench_execute(session, "SET %s = %d",
					 vs_bench_knob_name(run->options), knob);
}

/* The query that is measured. */
char *
vs_bench_search_sql(const VsRun *run)
{
	return vs_bench_format("SELECT id FROM items "
						   "ORDER BY embedding %s $1 LIMIT %d",
						   run->data.metric->op, run->options->k);
}

/* Size of the vector index, all forks. */
double
vs_bench_index_mb(VsSession *session)
{
	return vs_bench_relation_mb(session, "items_embedding_idx");
}

/*
 * Record the processor time that a backend has had since it had before_ms,
 * divided; nothing where it is not known.
 */
void
vs_bench_record_cpu(VsRun *run, VsTurn turn, const VsSession *session,
					VsFigure figure, double before_ms, double divisor)
{
	if (before_ms >= 0)
		vs_bench_record_figure(run, turn, figure,
							   (vs_bench_backend_cpu_ms(session) - before_ms) /
							   divisor);
}
