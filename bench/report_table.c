/*
 * report_table.c
 *		The variants side by side, with ratios to the last one.
 *
 * A ratio says how many times better a variant is than the last one named:
 * above 1 is better, whether more or less of the figure is wanted.  Recall is
 * compared by difference.
 */
#include "report.h"

#include "driver.h"
#include "samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LABEL_WIDTH 34
#define VALUE_WIDTH 14

/* The table as it is written. */
typedef struct Table
{
	FILE	   *to;
	const VsRun *run;
	const char *heading;		/* of lines to come; none written yet */
} Table;

/* A line of the table: NAN where a variant has no such figure. */
typedef struct Line
{
	const char *label;
	VsBetter	better;
	int			decimals;
	double		value[VS_BENCH_MAX_VARIANTS];
} Line;

/* How a value compares to that of the last variant. */
static void
write_comparison(FILE *to, VsBetter better, double value, double reference)
{
	if (better == VS_NEITHER || isnan(value) || isnan(reference))
		fprintf(to, "%*s", VALUE_WIDTH, "");
	else if (better == VS_DIFFERENCE)
		fprintf(to, "%+*.4f", VALUE_WIDTH, value - reference);
	else if (value <= 0 || reference <= 0)
		fprintf(to, "%*s", VALUE_WIDTH, "-");
	else
		fprintf(to, "%*.2fx", VALUE_WIDTH - 1, better == VS_HIGHER ?
				value / reference : reference / value);
}

/* Write a line, under its heading, unless no variant has a value. */
static void
write_line(Table *table, const Line *line)
{
	FILE	   *to = table->to;
	int			n = table->run->options->nvariants;
	int			nvalues = 0;

	for (int i = 0; i < n; i++)
		nvalues += !isnan(line->value[i]);
	if (nvalues == 0)
		return;
	if (table->heading != NULL)
		fprintf(to, "\n%s\n", table->heading);
	table->heading = NULL;
	fprintf(to, "  %-*s", LABEL_WIDTH, line->label);
	for (int i = 0; i < n; i++)
		if (isnan(line->value[i]))
			fprintf(to, "%*s", VALUE_WIDTH, "-");
		else
			fprintf(to, "%*.*f", VALUE_WIDTH, line->decimals, line->value[i]);
	for (int i = 0; i < n - 1; i++)
		write_comparison(to, line->better, line->value[i],
						 line->value[n - 1]);
	fputc('\n', to);
}

/* Write the medians of figures first to last. */
static void
write_figures(Table *table, VsFigure first, VsFigure last, int knob,
			  int clients)
{
	for (int figure = first; figure <= (int) last; figure++)
	{
		const VsFigureInfo *info = vs_bench_figure_info(figure);
		Line		line = {info->label, info->better, info->decimals};

		for (int i = 0; i < table->run->options->nvariants; i++)
			if (!vs_bench_median(&table->run->results, figure, i, knob,
								 clients, &line.value[i]))
				line.value[i] = NAN;
		write_line(table, &line);
	}
}

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
	Line		between;		/* speed, interpolated */
	Line		best;			/* speed at the fastest knob that reaches it */
	Line		knob;			/* that knob */
	Line		found;			/* recall there */
	int			is_bound;		/* does a curve begin above the recall? */
} Target;

/* Read the curves of a kind of speed at a recall. */
static void
read_target(const VsRun *run, VsFigure speed, double recall, Target *target)
{
	target->is_bound = 0;
	for (int i = 0; i < run->options->nvariants; i++)
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
write_target(Table *table, double recall)
{
	Target		target = {
		{"queries/s, interpolated", VS_HIGHER, 0},
		{"queries/s, fastest knob", VS_HIGHER, 0},
		{"  that knob", VS_NEITHER, 0},
		{"  recall there", VS_DIFFERENCE, 4}
	};
	char	   *heading;

	read_target(table->run, VS_QPS, recall, &target);
	heading = vs_bench_format("at recall %.2f%s", recall, target.is_bound ?
							  " (a lowest knob has more: a lower bound there)"
							  : "");
	table->heading = heading;
	write_line(table, &target.between);
	write_line(table, &target.best);
	write_line(table, &target.knob);
	write_line(table, &target.found);
	read_target(table->run, VS_CPU_MS, recall, &target);
	target.between.label = "queries/processor s, interpolated";
	write_line(table, &target.between);
	free(heading);
}

/* The speed at each knob, and at recall .95 and .99. */
static void
write_search(Table *table)
{
	const VsOptions *options = table->run->options;

	for (int i = 0; i < options->knobs.n; i++)
	{
		int			knob = options->knobs.item[i];
		char	   *heading = vs_bench_format("%s %d",
											  vs_bench_knob_name(options),
											  knob);

		table->heading = heading;
		write_figures(table, VS_RECALL, VS_BUFFERS, knob, 0);
		free(heading);
	}
	write_target(table, 0.95);
	write_target(table, 0.99);
}

/* What several clients reach. */
static void
write_clients(Table *table)
{
	const VsOptions *options = table->run->options;

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
			write_figures(table, VS_CLIENTS_QPS, VS_CLIENTS_P99_MS, knob,
						  nclients);
			free(heading);
		}
}

/* Write by how much the medians of one figure exceed those of another. */
static void
write_excess(Table *table, const char *label, VsFigure more, VsFigure less)
{
	const VsResults *results = &table->run->results;
	Line		line = {label, VS_NEITHER, 3};

	for (int i = 0; i < table->run->options->nvariants; i++)
	{
		double		a;
		double		b;

		line.value[i] = NAN;
		if (vs_bench_median(results, more, i, 0, 0, &a) &&
			vs_bench_median(results, less, i, 0, 0, &b))
			line.value[i] = a - b;
	}
	write_line(table, &line);
}

/* What the first vector query of a connection costs beyond a btree's. */
static void
write_connect(Table *table)
{
	table->heading = "a new connection";
	write_figures(table, VS_FIRST_VECTOR_MS, VS_SECOND_BTREE_MS, 0, 0);
	write_excess(table, "first vector less first btree, ms",
				 VS_FIRST_VECTOR_MS, VS_FIRST_BTREE_MS);
	write_excess(table, "  in processor time, ms",
				 VS_FIRST_VECTOR_CPU_MS, VS_FIRST_BTREE_CPU_MS);
}

/* The whole table: medians over the runs. */
void
vs_bench_write_table(FILE *to, const VsRun *run)
{
	const VsOptions *options = run->options;
	Table		table = {to, run};
	int			last = options->nvariants - 1;

	fprintf(to, "\n  %-*s", LABEL_WIDTH, "medians");
	for (int i = 0; i <= last; i++)
		fprintf(to, "%*s", VALUE_WIDTH, options->variant[i].label);
	for (int i = 0; i < last; i++)
		fprintf(to, "%*s", VALUE_WIDTH, "times better");
	fputc('\n', to);

	table.heading = "load and build";
	write_figures(&table, VS_LOAD_ROWS_PER_S, VS_INDEX_MB, 0, 0);
	write_search(&table);
	write_clients(&table);
	write_connect(&table);
	table.heading = "writing";
	write_figures(&table, VS_INSERT_ROWS_PER_S, VS_VACUUM_RECALL, 0, 0);
}
