/*
 * options.h
 *		What the command line and a recipe say.
 */
#ifndef VS_BENCH_OPTIONS_H
#define VS_BENCH_OPTIONS_H

#include "arguments.h"
#include "metric.h"

typedef struct VsOptions
{
	/* what is measured */
	VsVariantList variants;		/* extensions */

	/* data */
	const char *name;
	const char *data_dir;
	const char *base_path;
	const char *query_path;
	const char *truth_path;
	const char *label_path;
	const char *generate;
	const char *metric_name;
	const VsMetric *metric;
	const char *order;
	int			limit;
	int			nqueries;
	int			k;

	/* index */
	const char *method;
	int			m;
	int			ef_construction;
	int			lists;
	VsTextList	with;
	int			workers;
	const char *maintenance_work_mem;
	int			grow;

	/* phases */
	const char *phases;
	int			builds;
	int			repeats;
	VsIntList	knobs;
	int			warmup;
	double		pass_seconds;
	int			explains;
	VsTextList	set;
	const char *iterative_scan;
	VsIntList	clients;
	VsIntList	client_knobs;
	double		client_seconds;
	int			connections;
	int			insert_rows;
	int			insert_repeats;
	const char *synchronous_commit;
	double		delete_share;
	int			vacuum_repeats;

	/* results */
	const char *out;
	int			keep;
} VsOptions;

extern void vs_bench_parse_options(VsOptions *options, int argc, char **argv);
extern int	vs_bench_has_phase(const VsOptions *options, const char *phase);
extern const char *vs_bench_knob_name(const VsOptions *options);

#endif							/* VS_BENCH_OPTIONS_H */
