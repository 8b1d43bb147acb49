/*
 * text_run.h
 *		A run of the text driver: what it measures, on what, with what result.
 */
#ifndef VS_BENCH_TEXT_RUN_H
#define VS_BENCH_TEXT_RUN_H

#include "../arguments.h"
#include "../results.h"
#include "../session.h"
#include "corpus.h"

#include <stdio.h>

/* Queries have so many terms. */
#define VS_TEXT_MIN_TERMS 2
#define VS_TEXT_MAX_TERMS 6

typedef struct VsTextOptions
{
	/* what is measured */
	VsVariantList variants;		/* contestants */
	VsTextList	set;
	const char *slow;			/* labels, with commas */

	/* data */
	const char *name;
	const char *data_dir;
	const char *paragraphs_path;
	const char *headings_path;
	int			limit;
	int			nqueries;		/* of each number of terms */
	int			k;

	/* phases */
	const char *phases;
	VsIntList	workers;
	const char *maintenance_work_mem;
	int			builds;
	int			repeats;
	int			warmup;
	int			explains;
	int			insert_rows;
	const char *synchronous_commit;

	/* results */
	const char *out;
	int			keep;
} VsTextOptions;

/* What a contestant is given as its parameter. */
typedef enum VsTextParameter
{
	VS_TEXT_WORDS,				/* the words of the query */
	VS_TEXT_TSQUERY				/* their lexemes, with | between them */
} VsTextParameter;

/* A way to find text. */
typedef struct VsContestant
{
	const char *name;
	const char *extension;		/* NULL for what the server has */
	int			has_tsvector;	/* is there a column for it? */
	const char *index;			/* what follows CREATE INDEX ON docs */
	const char *query;			/* of all ids; its parameter is $1 */
	VsTextParameter parameter;
} VsContestant;

typedef struct VsTextRun
{
	const VsTextOptions *options;
	const VsContestant *contestant[VS_BENCH_MAX_VARIANTS];
	VsSession	session[VS_BENCH_MAX_VARIANTS];
	VsCorpus	corpus;
	VsTextQueries queries;
	VsResults	results;
	double		load_average;	/* of the machine before the run */
} VsTextRun;

extern void vs_text_parse_options(VsTextOptions *options, int argc,
								  char **argv);
extern const VsContestant *vs_text_find_contestant(const char *name);
extern char *vs_text_database(const VsTextRun *run, int variant);
extern VsSession vs_text_open_variant(const VsTextRun *run, int variant);
extern int	vs_text_turn(const VsTextRun *run, long round, int i);

extern void vs_text_load(VsTextRun *run);
extern void vs_text_build(VsTextRun *run);
extern void vs_text_search(VsTextRun *run, int is_after_inserts);
extern void vs_text_insert(VsTextRun *run);

extern void vs_text_write_surroundings(FILE *to, VsTextRun *run, int argc,
									   char **argv);
extern void vs_text_write_table(FILE *to, const VsTextRun *run);

#endif							/* VS_BENCH_TEXT_RUN_H */
