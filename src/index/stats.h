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

/*
 * Report the size of an index, and how many of its bytes are free, or taken by
 * what is dead; advises to rebuild it where these are many.
 */
extern void vs_stats_add_space(VsStats *stats, BlockNumber npages,
							   double nfree_bytes, double ndead_bytes);

/*
 * Report how far rows typically are from their centroids, and were when these
 * were trained; advises to rebuild the index where they have drifted away.
 */
extern void vs_stats_add_drift(VsStats *stats, double distance,
							   double trained_distance);

/* Advise to rebuild the index, because of what the format says. */
extern void vs_stats_advise_reindex(VsStats *stats, const char *format,...)
			pg_attribute_printf(2, 3);

#endif							/* VS_STATS_H */
