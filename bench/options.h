/*
 * options.h
 *		What the command line and a recipe say.
 */
#ifndef VS_BENCH_OPTIONS_H
#define VS_BENCH_OPTIONS_H

#include "metric.h"

#define VS_BENCH_MAX_LIST 32
#define VS_BENCH_MAX_VARIANTS 8

typedef struct VsIntList
{
	int			n;
	int			item[VS_BENCH_MAX_LIST];
} VsIntList;

typedef struct VsTextList
{
	int			n;
	const char *item[VS_BENCH_MAX_LIST];
} VsTextList;

/* One thing that is measured: an extension, under a label of its own. */
typedef struct VsVariant
{
	const char *label;
	const char *extension;
} VsVariant;

typedef struct VsOptions
{
	/* what is measured */
	VsVariant	variant[VS_BENCH_MAX_VARIANTS];
	int			nvariants;

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
extern const char *vs_bench_text_for(const VsVariant *variant,
									 const char *text);
extern const char *vs_bench_knob_name(const VsOptions *options);

#endif							/* VS_BENCH_OPTIONS_H */
