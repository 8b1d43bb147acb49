/*
 * bm25_maxscore.h
 *		The best documents of a segment, by the scores of the leaves.
 */
#ifndef VS_BM25_MAXSCORE_H
#define VS_BM25_MAXSCORE_H

#include "postgres.h"

#include "bm25/bm25_search.h"

/*
 * Whether this is likely to find the best k documents in less time than judging
 * all that may match; false if it cannot be done.
 */
extern bool vs_bm25_maxscore_is_better(const VsBm25Matcher *matcher, uint64 k);

/* Search a segment for what scores above 0. */
extern void vs_bm25_maxscore_search(VsBm25Matcher *matcher,
									const VsBm25Part *part, VsBm25Hits *hits);

#endif							/* VS_BM25_MAXSCORE_H */
