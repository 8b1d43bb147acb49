/*
 * report_files.c
 *		What a run measured and how; its curve as SVG.
 */
#include "report.h"

#include "driver.h"
#include "report_common.h"

#include <stdlib.h>
#include <string.h>

/* What was measured, where and how. */
void
vs_bench_write_surroundings(FILE *to, VsRun *run, int argc, char **argv)
{
	const VsOptions *options = run->options;

	vs_bench_write_machine(to, &run->session[0], run->load_average, argc,
						   argv);
	for (int i = 0; i < options->variants.n; i++)
		vs_bench_write_version(to, &run->session[i],
							   &options->variants.item[i],
							   options->variants.item[i].name);
	fprintf(to, "data: %s, %ld rows of %d dimensions in %s order, %s; "
			"%ld queries for %d rows, exact answers %s\n", options->name,
			run->data.base.n, run->data.base.dim, options->order,
			options->metric->name, run->data.queries.n, options->k,
			run->data.truth_origin);
	if (strcmp(options->method, "hnsw") == 0)
		fprintf(to, "index: hnsw, m %d, ef_construction %d", options->m,
				options->ef_construction);
	else
		fprintf(to, "index: ivfflat, lists %d", options->lists);
	fprintf(to, ", maintenance_work_mem %s, %d workers, iterative_scan %s%s\n",
			options->maintenance_work_mem, options->workers,
			options->iterative_scan ? options->iterative_scan : "default",
			options->grow ? ", grown from an empty table" : "");
}

/* The data of one curve, as gnuplot reads them between two lines EOD. */
static void
write_curve(FILE *to, const VsRun *run, int variant)
{
	VsCurvePoint points[VS_BENCH_MAX_LIST];
	int			n = vs_bench_curve(run, variant, VS_QPS, points);

	fprintf(to, "$curve%d << EOD\n", variant);
	for (int i = 0; i < n; i++)
		fprintf(to, "%g %g %d\n", points[i].recall, points[i].speed,
				points[i].knob);
	fputs("EOD\n", to);
}

/* Draw queries per second over recall, a curve for each variant. */
void
vs_bench_draw_curve(const char *path, const VsRun *run)
{
	FILE	   *gnuplot = popen("gnuplot", "w");
	int			nvariants = run->options->variants.n;

	if (gnuplot == NULL)
		vs_bench_fail("cannot start gnuplot");
	fprintf(gnuplot, "set terminal svg size 720,480 background 'white'\n"
			"set output '%s'\nset title '%s' noenhanced\n"
			"set xlabel 'recall@%d' noenhanced\n"
			"set ylabel 'queries per second'\n"
			"set logscale y\nset autoscale noextend\n"
			"set offsets graph 0.02, graph 0.03, graph 0.08, graph 0.05\n"
			"set grid\nset key bottom left noenhanced\nset ytics (",
			path, run->options->name, run->options->k);
	for (long decade = 1; decade <= 1000000; decade *= 10)
		fprintf(gnuplot, "%s%ld, %ld, %ld", decade == 1 ? "" : ", ",
				decade, 2 * decade, 5 * decade);
	fputs(")\n", gnuplot);
	for (int i = 0; i < nvariants; i++)
		write_curve(gnuplot, run, i);
	fputs("plot ", gnuplot);
	for (int i = 0; i < nvariants; i++)
		fprintf(gnuplot, "%s$curve%d using 1:2 with linespoints lt %d "
				"title '%s', $curve%d using 1:2:3 with labels "
				"offset 0,0.8 font ',9' notitle",
				i == 0 ? "" : ", ", i, i + 1,
				run->options->variants.item[i].label, i);
	fputc('\n', gnuplot);
	if (pclose(gnuplot) != 0)
		vs_bench_say("gnuplot failed: no %s", path);
}
