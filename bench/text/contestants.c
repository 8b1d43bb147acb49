/*
 * contestants.c
 *		The ways to find text that the driver knows.
 *
 * A table row is all that another one needs.  Each has a database of its own:
 * two extensions may define the same access method, and a table that more than
 * one index has to follow would make inserts the sum of both.
 */
#include "text_run.h"

#include "../driver.h"

#include <stdlib.h>
#include <string.h>

static const VsContestant contestants[] = {
	{
		"bm25", "vsearch", 1, "USING bm25 (tsv)",
		"SELECT id FROM docs ORDER BY tsv <@> $1::tsquery",
		VS_TEXT_TSQUERY
	},
	{
		"gin", NULL, 1, "USING gin (tsv) WITH (fastupdate = on)",
		"SELECT id FROM docs WHERE tsv @@ $1::tsquery "
		"ORDER BY ts_rank_cd(tsv, $1::tsquery) DESC",
		VS_TEXT_TSQUERY
	},
	{
		"pg_textsearch", "pg_textsearch", 0,
		"USING bm25 (body) WITH (text_config = '" VS_TEXT_CONFIG "')",
		"SELECT id FROM docs "
		"ORDER BY body <@> to_bm25query($1::text, 'docs_idx')",
		VS_TEXT_WORDS
	},
};

/* The contestant of that name; one that there is not ends the run. */
const VsContestant *
vs_text_find_contestant(const char *name)
{
	for (int i = 0; i < VS_BENCH_COUNT(contestants); i++)
		if (strcmp(contestants[i].name, name) == 0)
			return &contestants[i];
	vs_bench_fail("unknown contestant \"%s\": bm25, gin or pg_textsearch",
				  name);
}

/* The database of a variant. */
char *
vs_text_database(const VsTextRun *run, int variant)
{
	return vs_bench_format("vstext_%s",
						   run->options->variants.item[variant].label);
}

/* A session in a variant's database, with the settings of the run. */
VsSession
vs_text_open_variant(const VsTextRun *run, int variant)
{
	const VsTextOptions *options = run->options;
	char	   *database = vs_text_database(run, variant);
	VsSession	session = vs_bench_open_session(database);

	/* The parser's notices about words that are too long, and others. */
	vs_bench_execute(&session, "SET client_min_messages = warning");
	vs_bench_execute(&session, "SET maintenance_work_mem = '%s'",
					 options->maintenance_work_mem);
	vs_bench_execute(&session, "SET synchronous_commit = '%s'",
					 options->synchronous_commit);
	for (int i = 0; i < options->set.n; i++)
	{
		const char *setting =
			vs_bench_text_for(&options->variants.item[variant],
							  options->set.item[i]);

		if (setting != NULL)
			vs_bench_apply_setting(&session, setting);
	}
	free(database);
	return session;
}

/*
 * The variant whose turn it is as the i-th of a round.  The order turns around
 * from round to round, so that each comes after any other equally often: what
 * touches much memory slows down what follows it.
 */
int
vs_text_turn(const VsTextRun *run, long round, int i)
{
	int			n = run->options->variants.n;
	int			turn = (round / 2 + i) % n;

	return round % 2 == 0 ? turn : n - 1 - turn;
}
