/*
 * bm25_maxscore.h
 *		The best documents of a segment for any of some lexemes.
 */
#ifndef VS_BM25_MAXSCORE_H
#define VS_BM25_MAXSCORE_H

#include "postgres.h"

#include "bm25/bm25_search.h"

/*
 * Whether a search of a goal is for what ranks above 0 in a tree of nothing but
 * "or" and leaves without labels.
 */
extern bool vs_bm25_maxscore_can(const VsBm25Goal *goal);

/* Search part "number", a segment; such a goal. */
extern void vs_bm25_maxscore_search(VsBm25Search *search,
									const VsBm25Goal *goal, uint32 number,
									VsBm25Hits *hits);

#endif							/* VS_BM25_MAXSCORE_H */
