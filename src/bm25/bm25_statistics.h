/*
 * bm25_statistics.h
 *		When statistics are of.
 */
#ifndef VS_BM25_STATISTICS_H
#define VS_BM25_STATISTICS_H

#include "postgres.h"

#include "utils/snapshot.h"

/*
 * What tells snapshots apart.  Within a transaction statistics stay what they are
 * in such a moment.
 */
typedef struct VsBm25Moment
{
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	CommandId	curcid;
	uint64		completion_count;
} VsBm25Moment;

extern void vs_bm25_get_moment(Snapshot snapshot, VsBm25Moment *moment);

static inline bool
vs_bm25_is_same_moment(const VsBm25Moment *a, const VsBm25Moment *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->xcnt == b->xcnt &&
		a->curcid == b->curcid && a->completion_count == b->completion_count;
}

#endif							/* VS_BM25_STATISTICS_H */
