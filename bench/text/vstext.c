/*
 * vstext.c
 *		The text driver: measures ranked text search through SQL.
 *
 * README.md, one folder up, says what the figures mean.
 */
#include "text_run.h"

#include "../driver.h"
#include "../report_common.h"

#include <signal.h>
#include <stdlib.h>

/* Is the phase one of those asked for? */
static int
has_phase(const VsTextRun *run, const char *phase)
{
	int			has = vs_bench_is_listed(run->options->phases, phase);

	if (has)
		vs_bench_say("phase %s", phase);
	return has;
}

/* Read the corpus, and let the server choose the queries. */
static void
read_data(VsTextRun *run)
{
	const VsTextOptions *options = run->options;
	VsSession	session = vs_bench_open_session("postgres");
	VsLines		headings = vs_text_read_lines(options->headings_path,
											  options->data_dir);

	run->corpus = vs_text_divide(vs_text_read_lines(options->paragraphs_path,
													options->data_dir),
								 options->limit, 2L * options->insert_rows);
	run->queries = vs_text_choose_queries(&session, &headings,
										  VS_TEXT_MIN_TERMS,
										  VS_TEXT_MAX_TERMS,
										  options->nqueries);
	vs_bench_close_session(&session);
}

/* Write everything there is to write about a run. */
static void
report(VsTextRun *run, int argc, char **argv)
{
	const char *out = run->options->out;
	FILE	   *file;

	vs_text_write_surroundings(stdout, run, argc, argv);
	vs_text_write_table(stdout, run);
	if (out == NULL)
		return;
	file = vs_bench_create_report(out);
	vs_text_write_surroundings(file, run, argc, argv);
	vs_text_write_table(file, run);
	fclose(file);
	vs_bench_write_csv(vs_bench_format("%s.csv", out), run->options->name,
					   &run->options->variants, &run->results, "knob",
					   "after_inserts");
}

/* Drop the databases of the run. */
static void
drop_databases(VsTextRun *run)
{
	VsSession	session = vs_bench_open_session("postgres");

	for (int i = 0; i < run->options->variants.n; i++)
	{
		vs_bench_close_session(&run->session[i]);
		vs_bench_execute(&session, "DROP DATABASE \"%s\"",
						 vs_text_database(run, i));
	}
	vs_bench_close_session(&session);
}

int
main(int argc, char **argv)
{
	VsTextOptions options;
	VsTextRun	run = {&options};

	signal(SIGPIPE, SIG_IGN);
	vs_text_parse_options(&options, argc, argv);
	if (getloadavg(&run.load_average, 1) != 1)
		run.load_average = -1;
	for (int i = 0; i < options.variants.n; i++)
		run.contestant[i] =
			vs_text_find_contestant(options.variants.item[i].name);

	vs_bench_say("connecting (bench/serve start makes a throwaway server)");
	read_data(&run);
	if (has_phase(&run, "load"))
		vs_text_load(&run);
	else
		for (int i = 0; i < options.variants.n; i++)
			run.session[i] = vs_text_open_variant(&run, i);
	if (has_phase(&run, "build"))
		vs_text_build(&run);
	if (has_phase(&run, "search"))
		vs_text_search(&run, 0);
	if (has_phase(&run, "insert"))
		vs_text_insert(&run);
	if (has_phase(&run, "again"))
		vs_text_search(&run, 1);
	report(&run, argc, argv);
	if (!options.keep)
		drop_databases(&run);
	return 0;
}
