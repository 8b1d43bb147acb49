/*
 * text_report.c
 *		What a run of the text driver found.
 */
#include "text_run.h"

#include "../driver.h"
#include "../report_common.h"
#include "../table.h"

#include <stdlib.h>
#include <string.h>

/* What was measured, where and how. */
void
vs_text_write_surroundings(FILE *to, VsTextRun *run, int argc, char **argv)
{
	const VsTextOptions *options = run->options;
	double		nbytes = 0;

	vs_bench_write_machine(to, &run->session[0], run->load_average, argc,
						   argv);
	for (int i = 0; i < options->variants.n; i++)
	{
		const VsVariant *variant = &options->variants.item[i];

		if (run->contestant[i]->extension != NULL)
			vs_bench_write_version(to, &run->session[i], variant,
								   run->contestant[i]->extension);
		fprintf(to, "%s: CREATE INDEX ON docs %s; %s\n", variant->label,
				run->contestant[i]->index, run->contestant[i]->query);
	}
	for (int i = 0; i < options->set.n; i++)
		fprintf(to, "SET %s\n", options->set.item[i]);
	for (long i = 0; i < run->corpus.base.n; i++)
		nbytes += strlen(run->corpus.base.line[i]);
	fprintf(to, "data: %s, %ld documents of %.0f bytes; %d headings as queries "
			"for %d rows; maintenance_work_mem %s\n", options->name,
			run->corpus.base.n, nbytes / run->corpus.base.n, run->queries.n,
			options->k, options->maintenance_work_mem);
}

/* Latencies before or after the inserts. */
static void
write_search(VsTable *table, const char *when, int is_after_inserts)
{
	for (int n = VS_TEXT_MIN_TERMS; n <= VS_TEXT_MAX_TERMS; n++)
	{
		char	   *heading = vs_bench_format("queries of %d terms%s", n, when);

		table->heading = heading;
		vs_bench_write_figures(table, VS_RECALL, VS_AGREEMENT, n,
							   is_after_inserts);
		free(heading);
	}
	table->heading = vs_bench_format("all queries%s", when);
	vs_bench_write_figures(table, VS_INDEX_MB, VS_AGREEMENT, 0,
						   is_after_inserts);
}

/* The whole table: medians over the runs. */
void
vs_text_write_table(FILE *to, const VsTextRun *run)
{
	VsTable		table = {to, &run->options->variants, &run->results};

	vs_bench_begin_table(&table);
	table.heading = "load";
	vs_bench_write_figures(&table, VS_LOAD_ROWS_PER_S, VS_LOAD_ROWS_PER_S, 0,
						   0);
	for (int i = 0; i < run->options->workers.n; i++)
	{
		int			nworkers = run->options->workers.item[i];
		char	   *heading = vs_bench_format("build with up to %d workers",
											  nworkers);

		table.heading = heading;
		vs_bench_write_figures(&table, VS_BUILD_S, VS_BUILD_WAL_MB, nworkers,
							   0);
		free(heading);
	}
	write_search(&table, "", 0);
	table.heading = "inserts, a transaction each";
	vs_bench_write_figures(&table, VS_INSERT_ROWS_PER_S, VS_INSERT_MAX_MS, 0,
						   0);
	table.heading = "inserts, all in one transaction";
	vs_bench_write_figures(&table, VS_INSERT_ROWS_PER_S, VS_INSERT_MAX_MS, 1,
						   0);
	write_search(&table, " after the inserts", 1);
}
