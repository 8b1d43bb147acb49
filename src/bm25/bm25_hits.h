/*
 * bm25_hits.h
 *		The best documents of a search so far.
 *
 * They are in order of score, descending, then of part and document: as no two
 * are equal, the best k do not depend on the order in which they are found, and
 * are the first ones of the best k + n.
 */
#ifndef VS_BM25_HITS_H
#define VS_BM25_HITS_H

#include "postgres.h"

typedef struct VsBm25Hit
{
	double		score;			/* above 0 */
	uint32		part;			/* of the view: segments, then the buffer */
	uint32		doc;			/* number within it */
	bool		recheck;		/* whether it matches the filters is not sure */
	bool		recheck_score;	/* the score is an upper bound */
} VsBm25Hit;

typedef struct VsBm25Hits
{
	uint64		k;				/* at most so many */
	uint64		n;
	uint64		nallocated;
	VsBm25Hit  *hits;			/* a heap, the last one first, if n = k */
	double		threshold;		/* a lower score is not wanted, nor 0 */
} VsBm25Hits;

/* Have room for the best k, at least 1, in the current memory context. */
extern void vs_bm25_hits_begin(VsBm25Hits *hits, uint64 k);

/* Add a document if it is among the best. */
extern void vs_bm25_hits_add(VsBm25Hits *hits, const VsBm25Hit *hit);

/* Put them in order, the best first. */
extern void vs_bm25_hits_sort(VsBm25Hits *hits);
extern void vs_bm25_hits_end(VsBm25Hits *hits);

/* Whether hit a comes after b. */
static inline bool
vs_bm25_hit_is_after(const VsBm25Hit *a, const VsBm25Hit *b)
{
	if (a->score != b->score)
		return a->score < b->score;
	if (a->part != b->part)
		return a->part > b->part;
	return a->doc > b->doc;
}

/* Whether a document would be added. */
static inline bool
vs_bm25_hits_want(const VsBm25Hits *hits, const VsBm25Hit *hit)
{
	if (hits->n < hits->k)
		return hit->score > 0.0;
	return hit->score >= hits->threshold &&
		vs_bm25_hit_is_after(&hits->hits[0], hit);
}

#endif							/* VS_BM25_HITS_H */
