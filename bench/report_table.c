/*
 * report_table.c
 *		The variants of a run side by side: the recall-speed curve and the rest.
 */
#include "report.h"

#include "driver.h"
#include "samples.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A variant's recall-speed curve; returns the number of points.  The speed is
 * queries per second, or queries per second of the backend's processor time.
 */
int
vs_bench_curve(const VsRun *run, int variant, VsFigure speed,
			   VsCurvePoint *points)
{
	int			n = 0;

	for (int i = 0; i < run->options->knobs.n; i++)
	{
		VsCurvePoint *point = &points[n];

		point->knob = run->options->knobs.item[i];
		if (!vs_bench_median(&run->results, VS_RECALL, variant, point->knob, 0,
							 &point->recall) ||
			!vs_bench_median(&run->results, speed, variant, point->knob, 0,
							 &point->speed))
			continue;
		if (speed == VS_CPU_MS)
			point->speed = 1000 / point->speed;
		n++;
	}
	return n;
}

/* What the curves say of a recall, a value for each variant. */
typedef struct Target
{
	VsTableLine between;		/* speed, interpolated */
	VsTableLine best;			/* speed at the fastest knob that reaches it */
	VsTableLine knob;			/* that knob */
	VsTableLine found;			/* recall there */
	int			is_bound;		/* does a curve begin above the recall? */
} Target;

/* Read the curves of a kind of speed at a recall. */
static void
read_target(const VsRun *run, VsFigure speed, double recall, Target *target)
{
	target->is_bound = 0;
	for (int i = 0; i < run->options->variants.n; i++)
	{
		VsCurvePoint points[VS_BENCH_MAX_LIST];
		int			n = vs_bench_curve(run, i, speed, points);
		int			at;
		VsCurveReading reading;

		n = vs_bench_keep_best_points(points, n);
		at = vs_bench_fastest_knob(points, n, recall);
		reading = vs_bench_read_curve(points, n, recall,
									  &target->between.value[i]);
		if (reading == VS_CURVE_NOT_REACHED)
			target->between.value[i] = NAN;
		if (reading == VS_CURVE_AT_LOWEST)
			target->is_bound = 1;
		target->best.value[i] = at < 0 ? NAN : points[at].speed;
		target->knob.value[i] = at < 0 ? NAN : points[at].knob;
		target->found.value[i] = at < 0 ? NAN : points[at].recall;
	}
}

/* Write the speeds at a recall, read from the curves in two ways. */
static void
write_target(VsTable *table, const VsRun *run, double recall)
{
	Target		target = {
		{"queries/s, interpolated", VS_HIGHER, 0},
		{"queries/s, fastest knob", VS_HIGHER, 0},
		{"  that knob", VS_NEITHER, 0},
		{"  recall there", VS_DIFFERENCE, 4}
	};
	char	   *heading;

	read_target(run, VS_QPS, recall, &target);
	heading = vs_bench_format("at recall %.2f%s", recall, target.is_bound ?
							  " (a lowest knob has more: a lower bound there)"
							  : "");
	table->heading = heading;
	vs_bench_write_line(table, &target.between);
	vs_bench_write_line(table, &target.best);
	vs_bench_write_line(table, &target.knob);
	vs_bench_write_line(table, &target.found);
	read_target(run, VS_CPU_MS, recall, &target);
	target.between.label = "queries/processor s, interpolated";
	vs_bench_write_line(table, &target.between);
	free(heading);
}

/* The speed at each knob, and at recall .95 and .99. */
static void
write_search(VsTable *table, const VsRun *run)
{
	const VsOptions *options = run->options;

	for (int i = 0; i < options->knobs.n; i++)
	{
		int			knob = options->knobs.item[i];
		char	   *heading = vs_bench_format("%s %d",
											  vs_bench_knob_name(options),
											  knob);

		table->heading = heading;
		vs_bench_write_figures(table, VS_RECALL, VS_BUFFERS, knob, 0);
		free(heading);
	}
	write_target(table, run, 0.95);
	write_target(table, run, 0.99);
}

/* What several clients reach. */
static void
write_clients(VsTable *table, const VsRun *run)
{
	const VsOptions *options = run->options;

	for (int i = 0; i < options->client_knobs.n; i++)
		for (int j = 0; j < options->clients.n; j++)
		{
			int			knob = options->client_knobs.item[i];
			int			nclients = options->clients.item[j];
			char	   *heading = vs_bench_format("%d clients at %s %d",
												  nclients,
												  vs_bench_knob_name(options),
												  knob);

			table->heading = heading;
			vs_bench_write_figures(table, VS_CLIENTS_QPS, VS_CLIENTS_P99_MS, knob,
								   nclients);
			free(heading);
		}
}

/* Write by how much the medians of one figure exceed those of another. */
static void
write_excess(VsTable *table, const char *label, VsFigure more, VsFigure less)
{
	const VsResults *results = table->results;
	VsTableLine line = {label, VS_NEITHER, 3};

	for (int i = 0; i < table->variants->n; i++)
	{
		double		a;
		double		b;

		line.value[i] = NAN;
		if (vs_bench_median(results, more, i, 0, 0, &a) &&
			vs_bench_median(results, less, i, 0, 0, &b))
			line.value[i] = a - b;
	}
	vs_bench_write_line(table, &line);
}

/* What the first vector query of a connection costs beyond a btree's. */
static void
write_connect(VsTable *table, const VsRun *run)
{
	table->heading = "a new connection";
	vs_bench_write_figures(table, VS_FIRST_VECTOR_MS, VS_SECOND_BTREE_MS, 0, 0);
	write_excess(table, "first vector less first btree, ms",
				 VS_FIRST_VECTOR_MS, VS_FIRST_BTREE_MS);
	write_excess(table, "  in processor time, ms",
				 VS_FIRST_VECTOR_CPU_MS, VS_FIRST_BTREE_CPU_MS);
}

/* The whole table: medians over the runs. */
void
vs_bench_write_table(FILE *to, const VsRun *run)
{
	VsTable		table = {to, &run->options->variants, &run->results};

	vs_bench_begin_table(&table);
	table.heading = "load and build";
	vs_bench_write_figures(&table, VS_LOAD_ROWS_PER_S, VS_INDEX_MB,
						   0, 0);
	write_search(&table, run);
	write_clients(&table, run);
	write_connect(&table, run);
	table.heading = "writing";
	vs_bench_write_figures(&table, VS_INSERT_ROWS_PER_S,
						   VS_VACUUM_RECALL, 0, 0);
}
