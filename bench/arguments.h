/*
 * arguments.h
 *		Reads a command line, and recipes, into a struct by a table of options.
 */
#ifndef VS_BENCH_ARGUMENTS_H
#define VS_BENCH_ARGUMENTS_H

#include <stddef.h>

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

/* One thing that is measured, under a label of its own. */
typedef struct VsVariant
{
	const char *label;
	const char *name;			/* of an extension, or what a driver knows */
} VsVariant;

typedef struct VsVariantList
{
	int			n;
	VsVariant	item[VS_BENCH_MAX_VARIANTS];
} VsVariantList;

/* What an option is, and so the type of its field. */
typedef enum VsOptionType
{
	VS_OPTION_TEXT,				/* const char * */
	VS_OPTION_INT,				/* int */
	VS_OPTION_REAL,				/* double */
	VS_OPTION_FLAG,				/* int; takes no value on a command line */
	VS_OPTION_INT_LIST,			/* VsIntList; numbers with commas */
	VS_OPTION_TEXT_LIST,		/* VsTextList; may be given several times */
	VS_OPTION_VARIANTS,			/* VsVariantList; likewise, [LABEL=]NAME */
	VS_OPTION_RECIPE,			/* no field: a file of options */
	VS_OPTION_HELP				/* no field: print the table */
} VsOptionType;

typedef struct VsOption
{
	const char *name;
	VsOptionType type;
	size_t		offset;			/* of the field in the struct */
	const char *help;
} VsOption;

typedef struct VsOptionTable
{
	const char *about;			/* what the program is, for --help */
	int			n;
	const VsOption *options;
} VsOptionTable;

extern void vs_bench_read_arguments(const VsOptionTable *table, void *fields,
									int argc, char **argv);
extern void vs_bench_parse_int_list(VsIntList *list, const char *name,
									const char *value);
extern int	vs_bench_is_listed(const char *list, const char *item);
extern const char *vs_bench_text_for(const VsVariant *variant,
									 const char *text);

#endif							/* VS_BENCH_ARGUMENTS_H */
