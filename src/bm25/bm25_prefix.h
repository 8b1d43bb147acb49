/*
 * bm25_prefix.h
 *		The postings of a prefix in a segment, made from those of its lexemes.
 */
#ifndef VS_BM25_PREFIX_H
#define VS_BM25_PREFIX_H

#include "postgres.h"

#include "bm25/bm25_cursor.h"

/*
 * Fill in what a cursor knows of a list: npostings, nblocks, skips, blocks.  One
 * posting for each document with a lexeme that matches the leaf; it sums the
 * term frequencies of its labels.
 */
extern void vs_bm25_prefix_make(VsBm25Cursor *cursor);

#endif							/* VS_BM25_PREFIX_H */
