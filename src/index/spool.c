/*
 * spool.c
 *		The rows of a build, as float16 vectors in temporary files.
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

/* One participant's rows. */
typedef struct SpoolFile
{
	BufFile    *file;			/* NULL where there are no rows */
	uint64		first;			/* number of its first row in the spool */
	uint64		nrows;
	uint64		next;			/* the row of the file that is read next */
} SpoolFile;

struct VsSpool
{
	VsSpoolShared *shared;		/* NULL in a spool of one process */
	int			participant;
	Size		vector_nbytes;
	int			nfiles;
	SpoolFile  *files;			/* while writing the first is the process's */
	uint64		nrows;
	uint16	   *halves;
};

Size
vs_spool_shared_nbytes(int nparticipants)
{
	return offsetof(VsSpoolShared, nrows) + sizeof(uint64) * nparticipants;
}

void
vs_spool_shared_init(VsSpoolShared *shared, dsm_segment *segment,
					 int nparticipants)
{
	SharedFileSetInit(&shared->files, segment);
	shared->nfiles = nparticipants;
	memset(shared->nrows, 0, sizeof(uint64) * nparticipants);
}

void
vs_spool_shared_attach(VsSpoolShared *shared, dsm_segment *segment)
{
	SharedFileSetAttach(&shared->files, segment);
}

/* The name of a participant's file. */
static void
name_file(char *name, Size nbytes, int participant)
{
	snprintf(name, nbytes, "rows.%d", participant);
}

VsSpool *
vs_spool_open(int dim, VsSpoolShared *shared)
{
	VsSpool    *spool = palloc0(sizeof(VsSpool));

	spool->shared = shared;
	spool->vector_nbytes = sizeof(uint16) * dim;
	spool->halves = palloc(spool->vector_nbytes);
	spool->nfiles = shared != NULL ? shared->nfiles : 1;
	spool->files = palloc0(sizeof(SpoolFile) * spool->nfiles);
	return spool;
}

VsSpool *
vs_spool_create(int dim, VsSpoolShared *shared, int participant)
{
	VsSpool    *spool = vs_spool_open(dim, shared);
	char		name[32];

	spool->participant = participant;
	name_file(name, sizeof(name), participant);
	spool->files[0].file = shared != NULL ?
		BufFileCreateFileSet(&shared->files.fs, name) : BufFileCreateTemp(false);
	return spool;
}

void
vs_spool_write(VsSpool *spool, ItemPointer tid, int exponent,
			   const uint16 *halves)
{
	RowHeader	header = {.tid = *tid, .exponent = exponent};
	BufFile    *file = spool->files[0].file;

	BufFileWrite(file, &header, sizeof(header));
	BufFileWrite(file, unconstify(uint16 *, halves), spool->vector_nbytes);
	spool->nrows++;
}

void
vs_spool_end_writing(VsSpool *spool)
{
	SpoolFile  *file = &spool->files[0];

	file->nrows = spool->nrows;
	file->next = spool->nrows;
	if (spool->shared == NULL)
		return;
	BufFileExportFileSet(file->file);
	BufFileClose(file->file);
	file->file = NULL;
	spool->shared->nrows[spool->participant] = spool->nrows;
}

void
vs_spool_begin_reading(VsSpool *spool)
{
	char		name[32];

	if (spool->shared == NULL)
		return;
	spool->nrows = 0;
	for (int i = 0; i < spool->nfiles; i++)
	{
		SpoolFile  *file = &spool->files[i];

		file->first = spool->nrows;
		file->nrows = spool->shared->nrows[i];
		file->next = 0;
		spool->nrows += file->nrows;
		name_file(name, sizeof(name), i);
		if (file->nrows > 0)
			file->file = BufFileOpenFileSet(&spool->shared->files.fs, name,
											O_RDONLY, false);
	}
}

/* Make a row of a file the next one to be read. */
static void
seek_row(const VsSpool *spool, SpoolFile *file, uint64 number)
{
	off_t		offset = number * (sizeof(RowHeader) + spool->vector_nbytes);

	if (file->next == number)
		return;
	if (BufFileSeek(file->file, 0, offset, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in temporary file of an index build: %m")));
	file->next = number;
}

void
vs_spool_read(VsSpool *spool, uint64 number, VsSpoolRow *row)
{
	SpoolFile  *file = spool->files;
	RowHeader	header;

	Assert(number < spool->nrows);
	while (number - file->first >= file->nrows)
		file++;
	seek_row(spool, file, number - file->first);
	vs_compat_buffile_read_exact(file->file, &header, sizeof(header));
	vs_compat_buffile_read_exact(file->file, spool->halves,
								 spool->vector_nbytes);
	file->next++;
	row->tid = header.tid;
	row->exponent = header.exponent;
	row->halves = spool->halves;
}

uint64
vs_spool_nrows(const VsSpool *spool)
{
	return spool->nrows;
}

void
vs_spool_free(VsSpool *spool)
{
	for (int i = 0; i < spool->nfiles; i++)
		if (spool->files[i].file != NULL)
			BufFileClose(spool->files[i].file);
	pfree(spool->files);
	pfree(spool->halves);
	pfree(spool);
}
