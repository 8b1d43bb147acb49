/*
 * report_common.c
 *		Where a run took place; its figures as CSV.
 */
#include "report_common.h"

#include "driver.h"

#include <errno.h>
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

/* Begin PREFIX.txt, for people to read. */
FILE *
vs_bench_create_report(const char *prefix)
{
	char	   *path = vs_bench_format("%s.txt", prefix);
	FILE	   *file = fopen(path, "w");

	if (file == NULL)
		vs_bench_fail("cannot write %s", path);
	free(path);
	return file;
}

/* Command, machine, server and settings that matter. */
void
vs_bench_write_machine(FILE *to, VsSession *session, double load_average,
					   int argc, char **argv)
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

	fprintf(to, "command: %s", program_invocation_short_name);
	for (int i = 1; i < argc; i++)
		fprintf(to, " %s", argv[i]);
	fputc('\n', to);
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

/* Write which version of an extension a variant has. */
void
vs_bench_write_version(FILE *to, VsSession *session, const VsVariant *variant,
					   const char *extension)
{
	char	   *version = vs_bench_fetch_text(session,
											  "SELECT extversion FROM pg_extension "
											  "WHERE extname = '%s'", extension);

	fprintf(to, "%s: extension %s %s\n", variant->label, extension, version);
	free(version);
}

/*
 * Every measured number, a line each.  The driver says what its columns "knob"
 * and "clients" are called.
 */
void
vs_bench_write_csv(const char *path, const char *dataset,
				   const VsVariantList *variants, const VsResults *results,
				   const char *knob, const char *clients)
{
	FILE	   *file = fopen(path, "w");

	if (file == NULL)
		vs_bench_fail("cannot write %s", path);
	fprintf(file, "dataset,variant,extension,phase,figure,%s,%s,run,value\n",
			knob, clients);
	for (long i = 0; i < results->n; i++)
	{
		const VsMeasurement *one = &results->measurements[i];
		const VsFigureInfo *info = vs_bench_figure_info(one->figure);
		const VsVariant *variant = &variants->item[one->variant];

		fprintf(file, "%s,%s,%s,%s,%s,%d,%d,%d,%.6g\n", dataset,
				variant->label, variant->name, info->phase, info->name,
				one->knob, one->clients, one->run, one->value);
	}
	if (fclose(file) != 0)
		vs_bench_fail("cannot write %s", path);
}
