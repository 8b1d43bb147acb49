/*
 * bm25_bounds.h
 *		Bounds of a block's scores.
 */
#ifndef VS_BM25_BOUNDS_H
#define VS_BM25_BOUNDS_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "bm25/bm25_posting.h"

/* Bounds that hold for all postings of a block, whatever the parameters. */
extern void vs_bm25_block_bounds(const VsBm25Block *block, VsBm25Bounds *bounds);

#endif							/* VS_BM25_BOUNDS_H */
