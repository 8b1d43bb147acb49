/*
 * spool.h
 *		The rows of a build, as float16 vectors in a temporary file.
 *
 * Written once, then read as often as needed, in order or row by row.
 */
#ifndef VS_SPOOL_H
#define VS_SPOOL_H

#include "postgres.h"

#include "storage/itemptr.h"

typedef struct VsSpool VsSpool;

typedef struct VsSpoolRow
{
	ItemPointerData tid;
	int			exponent;
	uint16	   *halves;			/* dim elements; valid until the next read */
} VsSpoolRow;

extern VsSpool *vs_spool_create(int dim);
extern void vs_spool_write(VsSpool *spool, ItemPointer tid, int exponent,
						   const uint16 *halves);
extern void vs_spool_rewind(VsSpool *spool);

/* Read the next row; false at the end. */
extern bool vs_spool_read(VsSpool *spool, VsSpoolRow *row);

/* Read a row by its number, from 0 in the order of writing. */
extern void vs_spool_read_row(VsSpool *spool, uint64 number, VsSpoolRow *row);

extern uint64 vs_spool_nrows(const VsSpool *spool);
extern void vs_spool_free(VsSpool *spool);

#endif							/* VS_SPOOL_H */
