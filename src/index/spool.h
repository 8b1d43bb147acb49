/*
 * spool.h
 *		The rows of a build, as float16 vectors in memory or in temporary files.
 *
 * Written once, then read as often as needed, in order or row by row.  A spool
 * is one process's own, or shared: then each participant writes a file of its
 * own, and all read all files as one.
 */
#ifndef VS_SPOOL_H
#define VS_SPOOL_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "storage/sharedfileset.h"

typedef struct VsSpool VsSpool;

/* What participants share; lies in their shared memory. */
typedef struct VsSpoolShared
{
	SharedFileSet files;
	int			nfiles;
	uint64		nrows[FLEXIBLE_ARRAY_MEMBER];	/* of each participant */
} VsSpoolShared;

typedef struct VsSpoolRow
{
	ItemPointerData tid;
	int			exponent;
	uint16	   *halves;			/* dim elements; valid until the next read */
} VsSpoolRow;

extern Size vs_spool_shared_nbytes(int nparticipants);

/*
 * The process that made the segment sets it up, each other one attaches to it.
 * The files are gone when all have detached from the segment.
 */
extern void vs_spool_shared_init(VsSpoolShared *shared, dsm_segment *segment,
								 int nparticipants);
extern void vs_spool_shared_attach(VsSpoolShared *shared, dsm_segment *segment);

/*
 * Begin to write a spool of dim elements a row: a participant's file of a
 * shared one, or, where that is NULL, one of this process alone, whose rows stay
 * in memory as long as they fit in so many bytes.
 */
extern VsSpool *vs_spool_create(int dim, VsSpoolShared *shared, int participant,
								Size memory);

/* Move rows that are in memory to a file, and free it. */
extern void vs_spool_spill(VsSpool *spool);

/* Bytes of memory that rows are in; 0 if they are in files. */
extern Size vs_spool_memory(const VsSpool *spool);

/* Only to read a shared spool that others have written. */
extern VsSpool *vs_spool_open(int dim, VsSpoolShared *shared);

extern void vs_spool_write(VsSpool *spool, ItemPointer tid, int exponent,
						   const uint16 *halves);

/* End writing.  Once all participants have: begin to read what all wrote. */
extern void vs_spool_end_writing(VsSpool *spool);
extern void vs_spool_begin_reading(VsSpool *spool);

/*
 * Read a row by its number, from 0: alone, or, where it follows the one read
 * before, with those after it.
 */
extern void vs_spool_read(VsSpool *spool, uint64 number, VsSpoolRow *row);

/* Have the processor fetch a row that is about to be read, if it is in memory. */
extern void vs_spool_foresee(const VsSpool *spool, uint64 number);

/*
 * Read n rows by their numbers, which are in any order, into memory in that
 * order: "rows" has n * vs_spool_row_nbytes bytes.  The files are read in order,
 * and where rows lie close to each other the gaps between them, too.  Checks for
 * interrupts.
 */
extern void vs_spool_gather(VsSpool *spool, int n, const uint64 *numbers,
							char *rows);

/* Memory that gathering takes beside the rows, for each: its number, too. */
#define VS_SPOOL_GATHER_NBYTES (3 * sizeof(uint64))

extern Size vs_spool_row_nbytes(const VsSpool *spool);

/* Row i of those that were gathered; points into them. */
extern void vs_spool_gathered(const VsSpool *spool, char *rows, int i,
							  VsSpoolRow *row);

/* Rows written by this process, or, once reading has begun, by all. */
extern uint64 vs_spool_nrows(const VsSpool *spool);

extern void vs_spool_free(VsSpool *spool);

#endif							/* VS_SPOOL_H */
