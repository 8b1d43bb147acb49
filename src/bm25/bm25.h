/*
 * bm25.h
 *		The bm25 access method, for outsiders.
 */
#ifndef VS_BM25_H
#define VS_BM25_H

#include "postgres.h"

/* Called once when the library is loaded. */
extern void vs_bm25_init(void);

/* bm25.max_prefix_lexemes: for how many lexemes a prefix may stand that ranks. */
#define BM25_DEFAULT_MAX_PREFIX_LEXEMES 10000
extern int	vs_bm25_max_prefix_lexemes;

#endif							/* VS_BM25_H */
