/*
 * text_options.c
 *		What there is to say on the command line of vstext or in a recipe.
 */
#include "text_run.h"

#include "../driver.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(VsTextOptions, field)

static const VsOption option_table[] = {
	{"contestant", VS_OPTION_VARIANTS, AT(variants),
	"[LABEL=]NAME  bm25, gin or pg_textsearch; measured in turn"},
	{"recipe", VS_OPTION_RECIPE, 0, "FILE  read options from a file"},
	{"help", VS_OPTION_HELP, 0, " print this"},
	{"set", VS_OPTION_TEXT_LIST, AT(set),
	"[LABEL:]NAME=VALUE  a setting of every session"},
	{"slow", VS_OPTION_TEXT, AT(slow),
	"LABELS  ask these in the first pass only"},

	{"name", VS_OPTION_TEXT, AT(name), "TEXT  what the results call the corpus"},
	{"data", VS_OPTION_TEXT, AT(data_dir),
	"DIR  where relative paths of data begin (or $BENCH_DATA)"},
	{"paragraphs", VS_OPTION_TEXT, AT(paragraphs_path),
	"FILE  documents, a line each"},
	{"headings", VS_OPTION_TEXT, AT(headings_path),
	"FILE  what queries are made of, a line each, in random order"},
	{"limit", VS_OPTION_INT, AT(limit), "N  load only so many (0: all)"},
	{"nqueries", VS_OPTION_INT, AT(nqueries),
	"N  queries of each number of terms, 2 to 6"},
	{"k", VS_OPTION_INT, AT(k), "N  rows that a query wants"},

	{"phases", VS_OPTION_TEXT, AT(phases),
	"LIST  of load,build,search,insert,again"},
	{"workers", VS_OPTION_INT_LIST, AT(workers),
	"LIST  max_parallel_maintenance_workers of builds"},
	{"maintenance-work-mem", VS_OPTION_TEXT, AT(maintenance_work_mem), "SIZE"},
	{"builds", VS_OPTION_INT, AT(builds), "N  builds with each"},
	{"repeats", VS_OPTION_INT, AT(repeats), "N  passes over the queries"},
	{"warmup", VS_OPTION_INT, AT(warmup),
	"N  queries before the first pass, not measured"},
	{"explains", VS_OPTION_INT, AT(explains),
	"N  queries whose buffers are counted, of each number of terms"},
	{"insert-rows", VS_OPTION_INT, AT(insert_rows),
	"N  documents inserted singly, twice"},
	{"synchronous-commit", VS_OPTION_TEXT, AT(synchronous_commit), "VALUE"},

	{"out", VS_OPTION_TEXT, AT(out), "PREFIX  write PREFIX.csv, PREFIX.txt"},
	{"keep", VS_OPTION_FLAG, AT(keep), " leave the databases in place"},
};

/* What holds where nothing is said. */
static void
set_defaults(VsTextOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->slow = "";
	options->name = "unnamed";
	options->data_dir = getenv("BENCH_DATA");
	options->nqueries = 200;
	options->k = 10;
	options->phases = "load,build,search,insert,again";
	vs_bench_parse_int_list(&options->workers, "workers", "0,2");
	options->maintenance_work_mem = "1GB";
	options->builds = 1;
	options->repeats = 3;
	options->warmup = 50;
	options->explains = 20;
	options->insert_rows = 10000;
	options->synchronous_commit = "off";
}

/* Read the command line. */
void
vs_text_parse_options(VsTextOptions *options, int argc, char **argv)
{
	static const VsOptionTable table = {
		"vstext measures ranked text search, several ways to do it in turn.\n"
		"It needs a server (PGHOST, PGPORT, PGUSER as usual) and the right to\n"
		"create databases there and extensions in them; see README.md.\n",
		VS_BENCH_COUNT(option_table), option_table
	};

	set_defaults(options);
	vs_bench_read_arguments(&table, options, argc, argv);
	if (options->variants.n == 0)
		vs_bench_fail("no --contestant given (try --help)");
	if (options->paragraphs_path == NULL || options->headings_path == NULL)
		vs_bench_fail("no data: give --recipe, or --paragraphs and "
					  "--headings");
	if (options->k < 1 || options->nqueries < 1 || options->repeats < 1)
		vs_bench_fail("k, nqueries and repeats must be at least 1");
}
