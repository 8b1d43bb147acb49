/*
 * options.c
 *		The command line, and recipes: files of lines "option = value".
 *
 * A recipe's lines are options without their dashes.  Options count in the
 * order in which they come, so what follows --recipe overrides the recipe.
 */
#include "options.h"

#include "driver.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum OptionType
{
	TEXT,
	INT,
	REAL,
	FLAG,
	INT_LIST,
	TEXT_LIST,					/* may be given several times */
	VARIANT,
	RECIPE,
	HELP
} OptionType;

typedef struct Option
{
	const char *name;
	OptionType	type;
	size_t		offset;			/* of the field in VsOptions */
	const char *help;
} Option;

#define AT(field) offsetof(VsOptions, field)

static const Option option_table[] = {
	{"extension", VARIANT, 0,
	"[LABEL=]NAME  extension to measure; several are measured in turn"},
	{"recipe", RECIPE, 0, "FILE  read options from a file"},
	{"help", HELP, 0, " print this"},

	{"name", TEXT, AT(name), "TEXT  what the results call the data set"},
	{"data", TEXT, AT(data_dir),
	"DIR  where relative paths of data begin (or $BENCH_DATA)"},
	{"base", TEXT, AT(base_path), "FILE  rows: .fvecs or .bvecs, also .gz"},
	{"queries", TEXT, AT(query_path), "FILE  queries, likewise"},
	{"truth", TEXT, AT(truth_path),
	"FILE  exact answers, .ivecs; %m stands for the metric; computed if absent"},
	{"labels", TEXT, AT(label_path), "FILE  a byte for each row, for --order label"},
	{"generate", TEXT, AT(generate),
	"DIM:ROWS:QUERIES:SEED  make up data instead of reading them"},
	{"metric", TEXT, AT(metric_name), "NAME  l2, ip, cosine or l1"},
	{"order", TEXT, AT(order), "NAME  order of loading: file, random or label"},
	{"limit", INT, AT(limit), "N  load only the first N rows (0: all)"},
	{"nqueries", INT, AT(nqueries), "N  queries to ask (0: all)"},
	{"k", INT, AT(k), "N  rows that a query wants"},

	{"method", TEXT, AT(method), "NAME  hnsw or ivfflat"},
	{"m", INT, AT(m), "N  of hnsw"},
	{"ef-construction", INT, AT(ef_construction), "N  of hnsw"},
	{"lists", INT, AT(lists), "N  of ivfflat"},
	{"with", TEXT_LIST, AT(with),
	"[LABEL:]NAME=VALUE  a further storage parameter of the index"},
	{"workers", INT, AT(workers), "N  parallel workers of a build"},
	{"maintenance-work-mem", TEXT, AT(maintenance_work_mem), "SIZE"},
	{"grow", FLAG, AT(grow),
	" create the index on the empty table and load through it"},

	{"phases", TEXT, AT(phases),
	"LIST  of load,build,search,clients,connect,insert,update,vacuum"},
	{"builds", INT, AT(builds), "N  builds of each"},
	{"repeats", INT, AT(repeats), "N  passes over the queries at each knob"},
	{"knobs", INT_LIST, AT(knobs), "LIST  of ef_search or probes"},
	{"warmup", INT, AT(warmup), "N  queries before each pass, not measured"},
	{"pass-seconds", REAL, AT(pass_seconds),
	"S  go over the queries again until a pass has taken this long"},
	{"explains", INT, AT(explains), "N  queries whose buffers are counted"},
	{"set", TEXT_LIST, AT(set), "[LABEL:]NAME=VALUE  a setting of every session"},
	{"iterative-scan", TEXT, AT(iterative_scan),
	"VALUE  the setting of that name (unset: the extension's default)"},
	{"clients", INT_LIST, AT(clients), "LIST  of numbers of concurrent clients"},
	{"client-knobs", INT_LIST, AT(client_knobs), "LIST  of knobs for --clients"},
	{"client-seconds", REAL, AT(client_seconds), "S  length of such a run"},
	{"connections", INT, AT(connections),
	"N  new connections whose first query is timed"},
	{"insert-rows", INT, AT(insert_rows), "N  rows of a run of inserts or updates"},
	{"insert-repeats", INT, AT(insert_repeats), "N  such runs"},
	{"synchronous-commit", TEXT, AT(synchronous_commit),
	"VALUE  while inserting and updating"},
	{"delete-share", REAL, AT(delete_share),
	"SHARE  of the rows deleted before each vacuum"},
	{"vacuum-repeats", INT, AT(vacuum_repeats), "N  such deletions"},

	{"out", TEXT, AT(out), "PREFIX  write PREFIX.csv, PREFIX.txt, PREFIX.svg"},
	{"keep", FLAG, AT(keep), " leave the databases in place"},
};

static void set_option(VsOptions *options, const char *name, const char *value);

/* Print what there is to say on the command line and leave. */
static void
print_help(void)
{
	puts("vsbench measures vector indexes, one extension or several in turn.\n"
		 "It needs a server (PGHOST, PGPORT, PGUSER as usual) and the right to\n"
		 "create databases there and extensions in them; see README.md.\n");
	for (int i = 0; i < VS_BENCH_COUNT(option_table); i++)
		printf("  --%s %s\n", option_table[i].name, option_table[i].help);
	exit(0);
}

/* The row of the table for a name. */
static const Option *
find_option(const char *name)
{
	for (int i = 0; i < VS_BENCH_COUNT(option_table); i++)
		if (strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	vs_bench_fail("unknown option \"%s\" (try --help)", name);
}

/* A whole number. */
static int
parse_int(const char *name, const char *value)
{
	char	   *end;
	long		number = strtol(value, &end, 10);

	if (end == value || *end != '\0' || number < 0 || number > 1000000000)
		vs_bench_fail("--%s: \"%s\" is no number", name, value);
	return number;
}

/* A number with a fraction. */
static double
parse_real(const char *name, const char *value)
{
	char	   *end;
	double		number = strtod(value, &end);

	if (end == value || *end != '\0' || number < 0)
		vs_bench_fail("--%s: \"%s\" is no number", name, value);
	return number;
}

/* Numbers with commas between them; an empty text is an empty list. */
static void
parse_int_list(VsIntList *list, const char *name, const char *value)
{
	char	   *copy = vs_bench_format("%s", value);
	char	   *rest;

	list->n = 0;
	for (char *item = strtok_r(copy, ",", &rest); item != NULL;
		 item = strtok_r(NULL, ",", &rest))
	{
		if (list->n == VS_BENCH_MAX_LIST)
			vs_bench_fail("--%s: more than %d items", name, list->n);
		list->item[list->n++] = parse_int(name, item);
	}
	free(copy);
}

/* One more thing to measure: "extension" or "label=extension". */
static void
add_variant(VsOptions *options, const char *value)
{
	VsVariant  *variant = &options->variant[options->nvariants];
	const char *extension = strchr(value, '=');

	if (options->nvariants == VS_BENCH_MAX_VARIANTS)
		vs_bench_fail("more than %d extensions", VS_BENCH_MAX_VARIANTS);
	options->nvariants++;
	if (extension == NULL)
		variant->label = variant->extension = value;
	else
	{
		variant->label = vs_bench_format("%.*s", (int) (extension - value),
										 value);
		variant->extension = extension + 1;
	}
	for (int i = 0; i < options->nvariants - 1; i++)
		if (strcmp(options->variant[i].label, variant->label) == 0)
			vs_bench_fail("two extensions are called %s: give labels",
						  variant->label);
}

/* The text without white space around it, cut out in place. */
static char *
strip(char *text)
{
	char	   *end = text + strlen(text);

	while (isspace((unsigned char) *text))
		text++;
	while (end > text && isspace((unsigned char) end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* Take every line of a recipe as an option; # begins a comment. */
static void
read_recipe(VsOptions *options, const char *path)
{
	FILE	   *file = fopen(path, "r");
	char		line[1024];

	if (file == NULL)
		vs_bench_fail("cannot open %s", path);
	while (fgets(line, sizeof(line), file) != NULL)
	{
		char	   *equals = strchr(line, '=');
		char	   *name = strip(line);

		if (*name == '\0' || *name == '#')
			continue;
		if (equals == NULL)
			vs_bench_fail("%s: \"%s\" is not option = value", path, name);
		*equals = '\0';
		set_option(options, vs_bench_format("%s", strip(name)),
				   vs_bench_format("%s", strip(equals + 1)));
	}
	fclose(file);
}

/* Set one option; the texts must live on. */
static void
set_option(VsOptions *options, const char *name, const char *value)
{
	const Option *option = find_option(name);
	void	   *field = (char *) options + option->offset;
	VsTextList *texts = field;

	switch (option->type)
	{
		case TEXT:
			*(const char **) field = value;
			break;
		case INT:
			*(int *) field = parse_int(name, value);
			break;
		case REAL:
			*(double *) field = parse_real(name, value);
			break;
		case FLAG:
			*(int *) field = strcmp(value, "no") != 0;
			break;
		case INT_LIST:
			parse_int_list(field, name, value);
			break;
		case TEXT_LIST:
			if (texts->n == VS_BENCH_MAX_LIST)
				vs_bench_fail("--%s: given too often", name);
			texts->item[texts->n++] = value;
			break;
		case VARIANT:
			add_variant(options, value);
			break;
		case RECIPE:
			read_recipe(options, value);
			break;
		case HELP:
			print_help();
	}
}

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
	parse_int_list(&options->clients, "clients", "2,4");
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

	if (options->nvariants == 0)
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
		parse_int_list(&options->knobs, "knobs",
					   is_hnsw ? "10,20,40,80,160,200" : "1,2,5,10,20,40");
	if (options->client_knobs.n == 0)
		parse_int_list(&options->client_knobs, "client-knobs",
					   is_hnsw ? "40" : "10");
}

/*
 * Read the command line.  Flags take no value there; every other option takes
 * the next argument or what follows an equals sign.
 */
void
vs_bench_parse_options(VsOptions *options, int argc, char **argv)
{
	set_defaults(options);
	for (int i = 1; i < argc; i++)
	{
		char	   *name = argv[i];
		char	   *equals = strchr(name, '=');
		OptionType	type;

		if (strncmp(name, "--", 2) != 0)
			vs_bench_fail("\"%s\" is no option (try --help)", name);
		name = vs_bench_format("%s", name + 2);
		if (equals != NULL)
			name[equals - argv[i] - 2] = '\0';
		type = find_option(name)->type;
		if (equals != NULL)
			set_option(options, name, equals + 1);
		else if (type == FLAG || type == HELP)
			set_option(options, name, "yes");
		else if (++i < argc)
			set_option(options, name, argv[i]);
		else
			vs_bench_fail("--%s wants a value", name);
	}
	complete_options(options);
}

/* Is the phase one of those asked for? */
int
vs_bench_has_phase(const VsOptions *options, const char *phase)
{
	size_t		len = strlen(phase);

	for (const char *item = options->phases; item != NULL;
		 item = strchr(item, ','))
	{
		if (*item == ',')
			item++;
		if (strncmp(item, phase, len) == 0 &&
			(item[len] == ',' || item[len] == '\0'))
			return 1;
	}
	return 0;
}

/*
 * The NAME=VALUE of a --with or --set as it concerns a variant: NULL where it
 * carries the label of another one.  Only a colon before the equals sign ends
 * a label.
 */
const char *
vs_bench_text_for(const VsVariant *variant, const char *text)
{
	const char *colon = strchr(text, ':');
	const char *equals = strchr(text, '=');
	size_t		len = strlen(variant->label);

	if (equals == NULL)
		vs_bench_fail("\"%s\" is not name=value", text);
	if (colon == NULL || colon > equals)
		return text;
	if ((size_t) (colon - text) == len &&
		strncmp(text, variant->label, len) == 0)
		return colon + 1;
	return NULL;
}

/* The setting that trades speed for recall. */
const char *
vs_bench_knob_name(const VsOptions *options)
{
	return strcmp(options->method, "hnsw") == 0 ?
		"hnsw.ef_search" : "ivfflat.probes";
}
