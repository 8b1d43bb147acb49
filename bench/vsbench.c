/*
 * vsbench.c
 *		The benchmark driver: measures vector indexes through SQL.
 *
 * Every phase is run for one variant, then for the next, so that whatever
 * changes on the machine meets all of them; README.md says what the figures
 * mean.
 */
#include "driver.h"
#include "phases.h"
#include "report.h"
#include "report_common.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct Phase
{
	const char *name;
	int			(*nrepeats) (const VsOptions *options);
	int			(*nsteps) (const VsOptions *options);
	void		(*take_turn) (VsRun *run, VsTurn turn);
} Phase;

static int
once(const VsOptions *options)
{
	return 1;
}

static int
builds(const VsOptions *options)
{
	return options->builds;
}

static int
repeats(const VsOptions *options)
{
	return options->repeats;
}

static int
knobs(const VsOptions *options)
{
	return options->knobs.n;
}

static int
client_steps(const VsOptions *options)
{
	return options->clients.n * options->client_knobs.n;
}

static int
connections(const VsOptions *options)
{
	return options->connections;
}

static int
insert_repeats(const VsOptions *options)
{
	return options->insert_repeats;
}

static int
vacuum_repeats(const VsOptions *options)
{
	return options->vacuum_repeats;
}

/* In this order: the later ones change what the earlier ones measure. */
static const Phase phases[] = {
	{"load", once, once, vs_bench_load},
	{"build", builds, once, vs_bench_build},
	{"search", repeats, knobs, vs_bench_search},
	{"clients", once, client_steps, vs_bench_search_by_clients},
	{"connect", connections, once, vs_bench_connect},
	{"insert", insert_repeats, once, vs_bench_insert},
	{"update", insert_repeats, once, vs_bench_update},
	{"vacuum", vacuum_repeats, once, vs_bench_vacuum},
};

/* Run a phase: repeats of steps, in each of which the variants alternate. */
static void
run_phase(VsRun *run, const Phase *phase)
{
	VsTurn		turn;
	int			nrepeats = phase->nrepeats(run->options);
	int			nsteps = phase->nsteps(run->options);
	int			nvariants = run->options->variants.n;

	vs_bench_say("phase %s", phase->name);
	for (turn.repeat = 0; turn.repeat < nrepeats; turn.repeat++)
		for (turn.step = 0; turn.step < nsteps; turn.step++)
			for (turn.variant = 0; turn.variant < nvariants; turn.variant++)
				phase->take_turn(run, turn);
}

/* Refuse phases that do not exist rather than ignore them. */
static void
check_phases(const VsOptions *options)
{
	size_t		known = 0;

	for (int i = 0; i < VS_BENCH_COUNT(phases); i++)
		if (vs_bench_has_phase(options, phases[i].name))
			known += strlen(phases[i].name) + 1;
	if (known != strlen(options->phases) + 1)
		vs_bench_fail("--phases: there is something unknown in \"%s\"",
					  options->phases);
}

/* Write everything there is to write about a run. */
static void
report(VsRun *run, int argc, char **argv)
{
	const char *out = run->options->out;
	FILE	   *file;

	vs_bench_write_surroundings(stdout, run, argc, argv);
	vs_bench_write_table(stdout, run);
	if (out == NULL)
		return;
	file = vs_bench_create_report(out);
	vs_bench_write_surroundings(file, run, argc, argv);
	vs_bench_write_table(file, run);
	fclose(file);
	vs_bench_write_csv(vs_bench_format("%s.csv", out), run->options->name,
					   &run->options->variants, &run->results, "knob",
					   "clients");
	if (vs_bench_has_phase(run->options, "search"))
		vs_bench_draw_curve(vs_bench_format("%s.svg", out), run);
}

/* Drop the databases of the run. */
static void
drop_databases(VsRun *run)
{
	VsSession	session = vs_bench_open_session("postgres");

	for (int i = 0; i < run->options->variants.n; i++)
	{
		vs_bench_close_session(&run->session[i]);
		vs_bench_execute(&session, "DROP DATABASE \"%s\"",
						 vs_bench_database(run->options, i));
	}
	vs_bench_close_session(&session);
}

int
main(int argc, char **argv)
{
	VsOptions	options;
	VsRun		run = {&options};
	VsSession	session;

	signal(SIGPIPE, SIG_IGN);
	vs_bench_parse_options(&options, argc, argv);
	if (getloadavg(&run.load_average, 1) != 1)
		run.load_average = -1;
	check_phases(&options);

	/* Without a server there is no need to read anything. */
	vs_bench_say("connecting (bench/serve start makes a throwaway server)");
	session = vs_bench_open_session("postgres");
	vs_bench_close_session(&session);

	run.data = vs_bench_read_dataset(&options);
	run.queries = vs_bench_encode_vectors(&run.data.queries);
	run.spare = vs_bench_encode_vectors(&run.data.spare);
	if (!vs_bench_has_phase(&options, "load"))
		for (int i = 0; i < options.variants.n; i++)
			run.session[i] = vs_bench_open_variant(&run, i);
	for (int i = 0; i < VS_BENCH_COUNT(phases); i++)
		if (vs_bench_has_phase(&options, phases[i].name))
			run_phase(&run, &phases[i]);
	report(&run, argc, argv);
	if (!options.keep)
		drop_databases(&run);
	return 0;
}
