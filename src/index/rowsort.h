/*
 * rowsort.h
 *		Rows of an index in order of distance, within work_mem.
 *
 * For rows that a scan returns after all those that it has found by searching.
 * What does not fit goes to temporary files.
 */
#ifndef VS_ROWSORT_H
#define VS_ROWSORT_H

#include "postgres.h"

#include "storage/itemptr.h"

typedef struct VsRowSort VsRowSort;

/* In the current memory context; to be ended, before that goes. */
extern VsRowSort *vs_rowsort_begin(void);

/* Add a row.  Ties are returned in the order of key, then of tid. */
extern void vs_rowsort_add(VsRowSort *sort, double dist, uint32 key,
						   const ItemPointerData *tid);

/* All rows were added. */
extern void vs_rowsort_perform(VsRowSort *sort);

/* The next row; false if there is none. */
extern bool vs_rowsort_next(VsRowSort *sort, uint32 *key, ItemPointer tid);

extern void vs_rowsort_end(VsRowSort *sort);

#endif							/* VS_ROWSORT_H */
