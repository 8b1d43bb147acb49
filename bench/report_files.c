/*
 * report_files.c
 *		Where a run took place; its figures as CSV; its curve as SVG.
 */
#include "report.h"

#include "driver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The processor's name as the kernel gives it. */
static char *
processor_name(void)
{
	char		line[512];
	FILE	   *file = fopen("/proc/cpuinfo", "r");
	char	   *name = NULL;

	while (file != NULL && name == NULL &&
		   fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL)
		{
			line[strcspn(line, "\n")] = '\0';
			name = vs_bench_format("%s", strchr(line, ':') + 2);
		}
	if (file != NULL)
		fclose(file);
	return name != NULL ? name : vs_bench_format("unknown processor");
}

/* Machine, server and settings that matter. */
static void
write_machine(FILE *to, VsSession *session, double load_average)
{
	char	   *processor = processor_name();
	char	   *version = vs_bench_fetch_text(session, "SELECT version()");
	char	   *settings = vs_bench_fetch_text(session,
											   "SELECT string_agg(name || ' ' || current_setting(name), ', ' "
											   "ORDER BY name) FROM pg_settings WHERE name IN "
											   "('shared_buffers', 'fsync', 'wal_level', 'full_page_writes', "
											   "'max_wal_size', 'jit', 'work_mem', 'random_page_cost', "
											   "'wal_compression', 'huge_pages_status')");
	struct utsname kernel;

	uname(&kernel);
	fprintf(to, "machine: %s, %ld processors, %.0f GB, %s %s, "
			"load average before the run %.2f\n", processor,
			sysconf(_SC_NPROCESSORS_ONLN),
			sysconf(_SC_PHYS_PAGES) / 1e9 * sysconf(_SC_PAGESIZE),
			kernel.sysname, kernel.release, load_average);
	fprintf(to, "server: %s\nsettings: %s\n", version, settings);
	free(processor);
	free(version);
	free(settings);
}

/* What was measured, where and how. */
void
vs_bench_write_surroundings(FILE *to, VsRun *run, int argc, char **argv)
{
	const VsOptions *options = run->options;

	fputs("command: vsbench", to);
	for (int i = 1; i < argc; i++)
		fprintf(to, " %s", argv[i]);
	fputc('\n', to);
	write_machine(to, &run->session[0], run->load_average);
	for (int i = 0; i < options->nvariants; i++)
	{
		char	   *version = vs_bench_fetch_text(&run->session[i],
												  "SELECT extversion FROM pg_extension "
												  "WHERE extname = '%s'",
												  options->variant[i].extension);

		fprintf(to, "%s: extension %s %s\n", options->variant[i].label,
				options->variant[i].extension, version);
		free(version);
	}
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

/* Every measured number, a line each. */
void
vs_bench_write_csv(const char *path, const VsRun *run)
{
	FILE	   *file = fopen(path, "w");

	if (file == NULL)
		vs_bench_fail("cannot write %s", path);
	fputs("dataset,variant,extension,phase,figure,knob,clients,run,value\n",
		  file);
	for (long i = 0; i < run->results.n; i++)
	{
		const VsMeasurement *one = &run->results.measurements[i];
		const VsFigureInfo *info = vs_bench_figure_info(one->figure);
		const VsVariant *variant = &run->options->variant[one->variant];

		fprintf(file, "%s,%s,%s,%s,%s,%d,%d,%d,%.6g\n", run->options->name,
				variant->label, variant->extension, info->phase, info->name,
				one->knob, one->clients, one->run, one->value);
	}
	if (fclose(file) != 0)
		vs_bench_fail("cannot write %s", path);
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
	int			nvariants = run->options->nvariants;

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
				run->options->variant[i].label, i);
	fputc('\n', gnuplot);
	if (pclose(gnuplot) != 0)
		vs_bench_say("gnuplot failed: no %s", path);
}
