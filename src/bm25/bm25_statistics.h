/*
 * bm25_statistics.h
 *		When statistics are of: within such a moment they stay what they are.
 */
#ifndef VS_BM25_STATISTICS_H
#define VS_BM25_STATISTICS_H

#include "postgres.h"

#include "utils/snapshot.h"
#include "utils/timestamp.h"

typedef struct VsBm25Moment
{
	TimestampTz statement;		/* when it began */
	/* What tells snapshots apart. */
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	CommandId	curcid;
	uint64		completion_count;
} VsBm25Moment;

/* The moment of a snapshot in the current statement. */
extern void vs_bm25_get_moment(Snapshot snapshot, VsBm25Moment *moment);

/* Whether two moments are of one snapshot, in whatever statements. */
static inline bool
vs_bm25_is_same_snapshot(const VsBm25Moment *a, const VsBm25Moment *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->xcnt == b->xcnt &&
		a->curcid == b->curcid && a->completion_count == b->completion_count;
}

#endif							/* VS_BM25_STATISTICS_H */
