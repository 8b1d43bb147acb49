/*
 * bm25_accumulate.h
 *		The inverted index of some rows, in memory: what a build's run is made of.
 *
 *		accumulator = vs_bm25_accumulator_create(memory)
 *		while vs_bm25_accumulator_has_room(accumulator, tsv)
 *			vs_bm25_accumulator_add(accumulator, tid, tsv)
 *		vs_bm25_accumulator_sort(accumulator)
 *		vs_bm25_accumulator_produce(...) until all bytes of the run are there
 *		vs_bm25_accumulator_reset(accumulator)
 */
#ifndef VS_BM25_ACCUMULATE_H
#define VS_BM25_ACCUMULATE_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "tsearch/ts_type.h"

typedef struct VsBm25Accumulator VsBm25Accumulator;

/* What an accumulator has; documents are numbered as they were added. */
typedef struct VsBm25AccumulatorTotals
{
	uint32		ndocs;
	uint32		nnulls;
	uint32		nlexemes;
	uint64		npostings;
	const ItemPointerData *docs;
	const ItemPointerData *nulls;
} VsBm25AccumulatorTotals;

/* Make one that is to keep to so many bytes, in a memory context of its own. */
extern VsBm25Accumulator *vs_bm25_accumulator_create(Size memory);
extern void vs_bm25_accumulator_free(VsBm25Accumulator *accumulator);

/*
 * Whether a row (tsv NULL: of a NULL) can be added within the memory.  An empty
 * accumulator always has room: for a row that needs more it takes that.
 */
extern bool vs_bm25_accumulator_has_room(const VsBm25Accumulator *accumulator,
										 TSVector tsv);

extern void vs_bm25_accumulator_add(VsBm25Accumulator *accumulator,
									ItemPointer tid, TSVector tsv);

extern void vs_bm25_accumulator_get_totals(const VsBm25Accumulator *accumulator,
										   VsBm25AccumulatorTotals *totals);

/* End adding, and begin to produce the run.  Checks for interrupts. */
extern void vs_bm25_accumulator_sort(VsBm25Accumulator *accumulator);

/* The room that producing bytes needs at least. */
#define BM25_PRODUCED_MIN_NBYTES 2560

/*
 * The next bytes of the run, up to so many (see bm25_runcode.h); returns how many,
 * 0 at the end.
 */
extern Size vs_bm25_accumulator_produce(VsBm25Accumulator *accumulator,
										uint8 *bytes, Size nbytes);

/* Forget all rows, and give the memory back. */
extern void vs_bm25_accumulator_reset(VsBm25Accumulator *accumulator);

#endif							/* VS_BM25_ACCUMULATE_H */
