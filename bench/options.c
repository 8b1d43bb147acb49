/*
 * options.c
 *		What there is to say on the command line of vsbench or in a recipe.
 */
#include "options.h"

#include "driver.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(VsOptions, field)

static const VsOption option_table[] = {
	{"extension", VS_OPTION_VARIANTS, AT(variants),
	"[LABEL=]NAME  extension to measure; several are measured in turn"},
	{"recipe", VS_OPTION_RECIPE, 0, "FILE  read options from a file"},
	{"help", VS_OPTION_HELP, 0, " print this"},

	{"name", VS_OPTION_TEXT, AT(name), "TEXT  what the results call the data set"},
	{"data", VS_OPTION_TEXT, AT(data_dir),
	"DIR  where relative paths of data begin (or $BENCH_DATA)"},
	{"base", VS_OPTION_TEXT, AT(base_path), "FILE  rows: .fvecs or .bvecs, also .gz"},
	{"queries", VS_OPTION_TEXT, AT(query_path), "FILE  queries, likewise"},
	{"truth", VS_OPTION_TEXT, AT(truth_path),
	"FILE  exact answers, .ivecs; %m stands for the metric; computed if absent"},
	{"labels", VS_OPTION_TEXT, AT(label_path),
	"FILE  a byte for each row, for --order label"},
	{"generate", VS_OPTION_TEXT, AT(generate),
	"DIM:ROWS:QUERIES:SEED  make up data instead of reading them"},
	{"metric", VS_OPTION_TEXT, AT(metric_name), "NAME  l2, ip, cosine or l1"},
	{"order", VS_OPTION_TEXT, AT(order), "NAME  order of loading: file, random or label"},
	{"limit", VS_OPTION_INT, AT(limit), "N  load only the first N rows (0: all)"},
	{"nqueries", VS_OPTION_INT, AT(nqueries), "N  queries to ask (0: all)"},
	{"k", VS_OPTION_INT, AT(k), "N  rows that a query wants"},

	{"method", VS_OPTION_TEXT, AT(method), "NAME  hnsw or ivfflat"},
	{"m", VS_OPTION_INT, AT(m), "N  of hnsw"},
	{"ef-construction", VS_OPTION_INT, AT(ef_construction), "N  of hnsw"},
	{"lists", VS_OPTION_INT, AT(lists), "N  of ivfflat"},
	{"with", VS_OPTION_TEXT_LIST, AT(with),
	"[LABEL:]NAME=VALUE  a further storage parameter of the index"},
	{"workers", VS_OPTION_INT, AT(workers), "N  parallel workers of a build"},
	{"maintenance-work-mem", VS_OPTION_TEXT, AT(maintenance_work_mem), "SIZE"},
	{"grow", VS_OPTION_FLAG, AT(grow),
	" create the index on the empty table and load through it"},

	{"phases", VS_OPTION_TEXT, AT(phases),
	"LIST  of load,build,search,clients,connect,insert,update,vacuum"},
	{"builds", VS_OPTION_INT, AT(builds), "N  builds of each"},
	{"repeats", VS_OPTION_INT, AT(repeats), "N  passes over the queries at each knob"},
	{"knobs", VS_OPTION_INT_LIST, AT(knobs), "LIST  of ef_search or probes"},
	{"warmup", VS_OPTION_INT, AT(warmup), "N  queries before each pass, not measured"},
	{"pass-seconds", VS_OPTION_REAL, AT(pass_seconds),
	"S  go over the queries again until a pass has taken this long"},
	{"explains", VS_OPTION_INT, AT(explains), "N  queries whose buffers are counted"},
	{"set", VS_OPTION_TEXT_LIST, AT(set), "[LABEL:]NAME=VALUE  a setting of every session"},
	{"iterative-scan", VS_OPTION_TEXT, AT(iterative_scan),
	"VALUE  the setting of that name (unset: the extension's default)"},
	{"clients", VS_OPTION_INT_LIST, AT(clients), "LIST  of numbers of concurrent clients"},
	{"client-knobs", VS_OPTION_INT_LIST, AT(client_knobs), "LIST  of knobs for --clients"},
	{"client-seconds", VS_OPTION_REAL, AT(client_seconds), "S  length of such a run"},
	{"connections", VS_OPTION_INT, AT(connections),
	"N  new connections whose first query is timed"},
	{"insert-rows", VS_OPTION_INT, AT(insert_rows),
	"N  rows of a run of inserts or updates"},
	{"insert-repeats", VS_OPTION_INT, AT(insert_repeats), "N  such runs"},
	{"synchronous-commit", VS_OPTION_TEXT, AT(synchronous_commit),
	"VALUE  while inserting and updating"},
	{"delete-share", VS_OPTION_REAL, AT(delete_share),
	"SHARE  of the rows deleted before each vacuum"},
	{"vacuum-repeats", VS_OPTION_INT, AT(vacuum_repeats), "N  such deletions"},

	{"out", VS_OPTION_TEXT, AT(out), "PREFIX  write PREFIX.csv, PREFIX.txt, PREFIX.svg"},
	{"keep", VS_OPTION_FLAG, AT(keep), " leave the databases in place"},
};

/* What holds where nothing is said. */
static void
set_defaults(VsOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->data_dir = getenv("BENCH_DATA");
	options->metric_name = "l2";
	options->order = "file";
	options->k = 10;
	options->method = "hnsw";
	options->m = 16;
	options->ef_construction = 64;
	options->lists = 100;
	options->workers = 0;
	options->maintenance_work_mem = "1GB";
	options->phases = "load,build,search,clients,connect,insert,update,vacuum";
	options->builds = 1;
	options->repeats = 3;
	options->warmup = 100;
	options->pass_seconds = 1;
	options->explains = 100;
	vs_bench_parse_int_list(&options->clients, "clients", "2,4");
	options->client_seconds = 5;
	options->connections = 200;
	options->insert_rows = 1000;
	options->insert_repeats = 3;
	options->synchronous_commit = "off";
	options->delete_share = 0.1;
	options->vacuum_repeats = 1;
}

/* Complete what depends on other options, and refuse what cannot be. */
static void
complete_options(VsOptions *options)
{
	int			is_hnsw = strcmp(options->method, "hnsw") == 0;

	if (options->variants.n == 0)
		vs_bench_fail("no --extension given (try --help)");
	if (!is_hnsw && strcmp(options->method, "ivfflat") != 0)
		vs_bench_fail("unknown method \"%s\": hnsw or ivfflat",
					  options->method);
	if ((options->base_path == NULL || options->query_path == NULL) &&
		options->generate == NULL)
		vs_bench_fail("no data: give --recipe, --base and --queries, or "
					  "--generate");
	if (options->k < 1)
		vs_bench_fail("k must be at least 1");
	if (options->repeats < 1 || options->builds < 1)
		vs_bench_fail("there must be at least one repeat and one build");
	if (options->delete_share * options->vacuum_repeats >= 1)
		vs_bench_fail("the vacuums would leave no rows");
	options->metric = vs_bench_find_metric(options->metric_name);
	if (options->name == NULL)
		options->name = options->generate ? options->generate : "unnamed";
	if (options->knobs.n == 0)
		vs_bench_parse_int_list(&options->knobs, "knobs",
								is_hnsw ? "10,20,40,80,160,200" : "1,2,5,10,20,40");
	if (options->client_knobs.n == 0)
		vs_bench_parse_int_list(&options->client_knobs, "client-knobs",
								is_hnsw ? "40" : "10");
}

/* Read the command line. */
void
vs_bench_parse_options(VsOptions *options, int argc, char **argv)
{
	static const VsOptionTable table = {
		"vsbench measures vector indexes, one extension or several in turn.\n"
		"It needs a server (PGHOST, PGPORT, PGUSER as usual) and the right to\n"
		"create databases there and extensions in them; see README.md.\n",
		VS_BENCH_COUNT(option_table), option_table
	};

	set_defaults(options);
	vs_bench_read_arguments(&table, options, argc, argv);
	complete_options(options);
}

/* Is the phase one of those asked for? */
int
vs_bench_has_phase(const VsOptions *options, const char *phase)
{
	return vs_bench_is_listed(options->phases, phase);
}

/* The setting that trades speed for recall. */
const char *
vs_bench_knob_name(const VsOptions *options)
{
	return strcmp(options->method, "hnsw") == 0 ?
		"hnsw.ef_search" : "ivfflat.probes";
}
