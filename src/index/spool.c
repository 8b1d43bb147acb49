/*
 * spool.c
 *		The rows of a build, as float16 vectors in a temporary file.
 */
#include "postgres.h"

#include "compat.h"
#include "index/spool.h"
#include "storage/buffile.h"

/* In front of each row's elements. */
typedef struct RowHeader
{
	ItemPointerData tid;
	int16		exponent;
} RowHeader;

struct VsSpool
{
	BufFile    *file;
	Size		vector_nbytes;
	uint64		nrows;
	uint64		nread;
	uint16	   *halves;
};

VsSpool *
vs_spool_create(int dim)
{
	VsSpool    *spool = palloc0(sizeof(VsSpool));

	spool->file = BufFileCreateTemp(false);
	spool->vector_nbytes = sizeof(uint16) * dim;
	spool->halves = palloc(spool->vector_nbytes);
	return spool;
}

void
vs_spool_write(VsSpool *spool, ItemPointer tid, int exponent,
			   const uint16 *halves)
{
	RowHeader	header = {.tid = *tid, .exponent = exponent};

	BufFileWrite(spool->file, &header, sizeof(header));
	BufFileWrite(spool->file, unconstify(uint16 *, halves),
				 spool->vector_nbytes);
	spool->nrows++;
}

/* Make a row the next one to be read. */
static void
seek_row(VsSpool *spool, uint64 number)
{
	off_t		offset = number * (sizeof(RowHeader) + spool->vector_nbytes);

	if (BufFileSeek(spool->file, 0, offset, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in temporary file of an index build: %m")));
	spool->nread = number;
}

void
vs_spool_rewind(VsSpool *spool)
{
	seek_row(spool, 0);
}

void
vs_spool_read_row(VsSpool *spool, uint64 number, VsSpoolRow *row)
{
	Assert(number < spool->nrows);
	if (spool->nread != number)
		seek_row(spool, number);
	if (!vs_spool_read(spool, row))
		elog(ERROR, "spool of an index build ended early");
}

bool
vs_spool_read(VsSpool *spool, VsSpoolRow *row)
{
	RowHeader	header;

	if (spool->nread == spool->nrows)
		return false;
	vs_compat_buffile_read_exact(spool->file, &header, sizeof(header));
	vs_compat_buffile_read_exact(spool->file, spool->halves,
								 spool->vector_nbytes);
	row->tid = header.tid;
	row->exponent = header.exponent;
	row->halves = spool->halves;
	spool->nread++;
	return true;
}

uint64
vs_spool_nrows(const VsSpool *spool)
{
	return spool->nrows;
}

void
vs_spool_free(VsSpool *spool)
{
	BufFileClose(spool->file);
	pfree(spool->halves);
	pfree(spool);
}
