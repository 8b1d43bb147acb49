/*
 * stats.h
 *		vsearch_index_stats: numbers on the state of an index, whatever its
 *		access method, and advice.
 */
#ifndef VS_STATS_H
#define VS_STATS_H

#include "postgres.h"

#include "storage/block.h"

typedef struct VsStats VsStats;

/* Report a number; detail says in plain words what it is, or is NULL. */
extern void vs_stats_add(VsStats *stats, const char *name, double value,
						 const char *detail);

/* Report what is no number. */
extern void vs_stats_add_text(VsStats *stats, const char *name,
							  const char *detail);

/* The space that an index takes. */
typedef struct VsStatsSpace
{
	BlockNumber npages;
	double		nfree_bytes;	/* of them */
	double		ndead_bytes;	/* of them, too */
	const char *dead_detail;	/* what is dead; NULL: what vacuum will free */
	double		max_empty_share;	/* of free and dead bytes; 0: 10% */
} VsStatsSpace;

/* Report it; advises to rebuild the index where too much of it is empty. */
extern void vs_stats_add_space(VsStats *stats, const VsStatsSpace *space);

/*
 * Report how far rows typically are from their centroids, and were when these
 * were trained; advises to rebuild the index where they have drifted away.
 */
extern void vs_stats_add_drift(VsStats *stats, double distance,
							   double trained_distance);

/* What there is to advise. */
typedef enum VsStatsAdvice
{
	VS_ADVICE_REINDEX,			/* to rebuild the index */
	VS_ADVICE_MERGE,			/* vsearch_merge */
	VS_NADVICE
} VsStatsAdvice;

/* Advise to do something, because of what the format says. */
extern void vs_stats_advise(VsStats *stats, VsStatsAdvice advice,
							const char *format,...)
			pg_attribute_printf(3, 4);

#endif							/* VS_STATS_H */
