/*
 * stats.c
 *		vsearch_index_stats: numbers on the state of an index, whatever its
 *		access method, and advice.
 *
 * The access method reads its pages; here is what the answer looks like, and
 * from what on numbers call for a REINDEX.
 */
#include "postgres.h"

#include "fmgr.h"
#include "index/inspect.h"
#include "index/stats.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Shares beyond which a rebuild pays off. */
#define MAX_DRIFT			0.10
#define MAX_EMPTY_SHARE		0.10

/* Empty space that is not worth a word: that of a small index. */
#define MIN_EMPTY_BYTES		(1024.0 * 1024.0)

struct VsStats
{
	VsInspection inspection;
	StringInfoData reasons[VS_NADVICE];
};

PG_FUNCTION_INFO_V1(vs_index_stats);

/* Add a row to the answer; value and detail may be NULL. */
static void
add_row(VsStats *stats, const char *name, const double *value,
		const char *detail)
{
	Datum		values[3] = {CStringGetTextDatum(name)};
	bool		nulls[3] = {false, value == NULL, detail == NULL};

	if (value != NULL)
		values[1] = Float8GetDatum(*value);
	if (detail != NULL)
		values[2] = CStringGetTextDatum(detail);
	vs_inspect_add_row(&stats->inspection, values, nulls);
}

void
vs_stats_add(VsStats *stats, const char *name, double value, const char *detail)
{
	add_row(stats, name, &value, detail);
}

void
vs_stats_add_text(VsStats *stats, const char *name, const char *detail)
{
	add_row(stats, name, NULL, detail);
}

void
vs_stats_add_space(VsStats *stats, const VsStatsSpace *space)
{
	double		nbytes = (double) space->npages * BLCKSZ;
	double		nempty_bytes = space->nfree_bytes + space->ndead_bytes;
	double		empty_share = space->npages > 0 ? nempty_bytes / nbytes : 0.0;
	double		max_share = space->max_empty_share > 0.0 ?
		space->max_empty_share : MAX_EMPTY_SHARE;

	vs_stats_add(stats, "pages", space->npages, NULL);
	vs_stats_add(stats, "bytes", nbytes, NULL);
	vs_stats_add(stats, "free_bytes", space->nfree_bytes, "for rows to come");
	vs_stats_add(stats, "dead_bytes", space->ndead_bytes,
				 space->dead_detail != NULL ? space->dead_detail :
				 "for vacuum to free, after an earlier one was cut off");
	vs_stats_add(stats, "fragmentation", empty_share,
				 "share of the bytes that are free or dead");
	if (empty_share > max_share && nempty_bytes > MIN_EMPTY_BYTES)
		vs_stats_advise(stats, VS_ADVICE_REINDEX,
						"%.0f%% of its bytes hold no rows",
						100.0 * empty_share);
}

void
vs_stats_add_drift(VsStats *stats, double distance, double trained_distance)
{
	double		drift;

	vs_stats_add(stats, "centroid_distance", distance,
				 "typical of the rows, found from a sample");
	vs_stats_add(stats, "centroid_distance_at_build", trained_distance,
				 "when centroids were last trained");
	if (trained_distance <= 0.0)
		return;
	drift = distance / trained_distance - 1.0;
	vs_stats_add(stats, "drift", drift, "share by which the distance has grown");
	if (drift > MAX_DRIFT)
		vs_stats_advise(stats, VS_ADVICE_REINDEX,
						"rows are %.0f%% farther from their centroids than when these were trained",
						100.0 * drift);
}

void
vs_stats_advise(VsStats *stats, VsStatsAdvice advice, const char *format,...)
{
	StringInfo	reasons = &stats->reasons[advice];
	int			needed;

	appendStringInfoString(reasons, reasons->len > 0 ? "; " : ": ");
	do
	{
		va_list		args;

		va_start(args, format);
		needed = appendStringInfoVA(reasons, format, args);
		va_end(args);
		if (needed > 0)
			enlargeStringInfo(reasons, needed);
	} while (needed > 0);
}

/* What to do, in plain words. */
static void
add_advice(VsStats *stats)
{
	Relation	index = stats->inspection.index;
	char	   *schema = get_namespace_name(RelationGetNamespace(index));

	const char *name = quote_qualified_identifier(schema,
												  RelationGetRelationName(index));

	/* A new index is merged, too. */
	if (stats->reasons[VS_ADVICE_REINDEX].len > 0)
		vs_stats_add_text(stats, "advice",
						  psprintf("REINDEX INDEX CONCURRENTLY %s%s", name,
								   stats->reasons[VS_ADVICE_REINDEX].data));
	else if (stats->reasons[VS_ADVICE_MERGE].len > 0)
		vs_stats_add_text(stats, "advice",
						  psprintf("SELECT vsearch_merge(%s)%s",
								   quote_literal_cstr(name),
								   stats->reasons[VS_ADVICE_MERGE].data));
	else
		vs_stats_add_text(stats, "advice", "nothing to do");
}

/*
 * vsearch_index_stats(index regclass): a row for each number.  Writes go on
 * meanwhile, and may or may not be counted.
 */
Datum
vs_index_stats(PG_FUNCTION_ARGS)
{
	VsStats		stats = {0};

	vs_inspect_begin(&stats.inspection, fcinfo, AccessShareLock);
	for (int i = 0; i < VS_NADVICE; i++)
		initStringInfo(&stats.reasons[i]);
	stats.inspection.am->stats(stats.inspection.index, &stats);
	add_advice(&stats);
	vs_inspect_end(&stats.inspection);
	return (Datum) 0;
}
