/*
 * bm25_stream.h
 *		The rows of a view one after the other, in no order that means anything.
 */
#ifndef VS_BM25_STREAM_H
#define VS_BM25_STREAM_H

#include "postgres.h"

#include "bm25/bm25_search.h"

typedef struct VsBm25Stream VsBm25Stream;

/*
 * Stream documents that match a goal without rank (without filters: all), in the
 * current memory context.  Left out are those deleted and, if the parts have a
 * bitmap of them, returned.
 */
extern VsBm25Stream *vs_bm25_stream_documents(VsBm25Search *search,
											  const VsBm25Goal *goal);

/* Stream rows with a NULL. */
extern VsBm25Stream *vs_bm25_stream_nulls(VsBm25Search *search);

/*
 * The next row, and whether the filters are to be verified; false at the end, or
 * if something is stale.
 */
extern bool vs_bm25_stream_next(VsBm25Stream *stream, ItemPointer tid,
								bool *recheck);

#endif							/* VS_BM25_STREAM_H */
