/*
 * arguments.c
 *		The command line, and recipes: files of lines "option = value".
 *
 * A recipe's lines are options without their dashes.  Options count in the
 * order in which they come, so what follows --recipe overrides the recipe.
 */
#include "arguments.h"

#include "driver.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_option(const VsOptionTable *table, void *fields,
					   const char *name, const char *value);

/* Print what there is to say on the command line and leave. */
static void
print_help(const VsOptionTable *table)
{
	puts(table->about);
	for (int i = 0; i < table->n; i++)
		printf("  --%s %s\n", table->options[i].name, table->options[i].help);
	exit(0);
}

/* The row of the table for a name. */
static const VsOption *
find_option(const VsOptionTable *table, const char *name)
{
	for (int i = 0; i < table->n; i++)
		if (strcmp(table->options[i].name, name) == 0)
			return &table->options[i];
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
void
vs_bench_parse_int_list(VsIntList *list, const char *name, const char *value)
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

/* One more thing to measure: "name" or "label=name". */
static void
add_variant(VsVariantList *list, const char *option, const char *value)
{
	VsVariant  *variant = &list->item[list->n];
	const char *equals = strchr(value, '=');

	if (list->n == VS_BENCH_MAX_VARIANTS)
		vs_bench_fail("--%s: given more than %d times", option, list->n);
	list->n++;
	if (equals == NULL)
		variant->label = variant->name = value;
	else
	{
		variant->label = vs_bench_format("%.*s", (int) (equals - value),
										 value);
		variant->name = equals + 1;
	}
	for (int i = 0; i < list->n - 1; i++)
		if (strcmp(list->item[i].label, variant->label) == 0)
			vs_bench_fail("--%s: two are called %s: give labels", option,
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
read_recipe(const VsOptionTable *table, void *fields, const char *path)
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
		set_option(table, fields, vs_bench_format("%s", strip(name)),
				   vs_bench_format("%s", strip(equals + 1)));
	}
	fclose(file);
}

/* Set one option; the texts must live on. */
static void
set_option(const VsOptionTable *table, void *fields, const char *name,
		   const char *value)
{
	const VsOption *option = find_option(table, name);
	void	   *field = (char *) fields + option->offset;
	VsTextList *texts = field;

	switch (option->type)
	{
		case VS_OPTION_TEXT:
			*(const char **) field = value;
			break;
		case VS_OPTION_INT:
			*(int *) field = parse_int(name, value);
			break;
		case VS_OPTION_REAL:
			*(double *) field = parse_real(name, value);
			break;
		case VS_OPTION_FLAG:
			*(int *) field = strcmp(value, "no") != 0;
			break;
		case VS_OPTION_INT_LIST:
			vs_bench_parse_int_list(field, name, value);
			break;
		case VS_OPTION_TEXT_LIST:
			if (texts->n == VS_BENCH_MAX_LIST)
				vs_bench_fail("--%s: given too often", name);
			texts->item[texts->n++] = value;
			break;
		case VS_OPTION_VARIANTS:
			add_variant(field, name, value);
			break;
		case VS_OPTION_RECIPE:
			read_recipe(table, fields, value);
			break;
		case VS_OPTION_HELP:
			print_help(table);
	}
}

/*
 * Read the command line into the struct.  Flags take no value there; every
 * other option takes the next argument or what follows an equals sign.
 */
void
vs_bench_read_arguments(const VsOptionTable *table, void *fields, int argc,
						char **argv)
{
	for (int i = 1; i < argc; i++)
	{
		char	   *name = argv[i];
		char	   *equals = strchr(name, '=');
		VsOptionType type;

		if (strncmp(name, "--", 2) != 0)
			vs_bench_fail("\"%s\" is no option (try --help)", name);
		name = vs_bench_format("%s", name + 2);
		if (equals != NULL)
			name[equals - argv[i] - 2] = '\0';
		type = find_option(table, name)->type;
		if (equals != NULL)
			set_option(table, fields, name, equals + 1);
		else if (type == VS_OPTION_FLAG || type == VS_OPTION_HELP)
			set_option(table, fields, name, "yes");
		else if (++i < argc)
			set_option(table, fields, name, argv[i]);
		else
			vs_bench_fail("--%s wants a value", name);
	}
}

/* Is the item in a list with commas? */
int
vs_bench_is_listed(const char *list, const char *item)
{
	size_t		len = strlen(item);

	for (const char *at = list; at != NULL; at = strchr(at, ','))
	{
		if (*at == ',')
			at++;
		if (strncmp(at, item, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return 1;
	}
	return 0;
}

/*
 * The NAME=VALUE of an option as it concerns a variant: NULL where it carries
 * the label of another one.  Only a colon before the equals sign ends a label.
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
