/*
 * spool.c
 *		The rows of a build, as float16 vectors in memory or in temporary files.
 */
#include "postgres.h"

#include "index/spool.h"
#include "index/tempfile.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* What is written at a time, and read of rows in order: whole rows. */
#define BUFFER_NBYTES (64 * 1024)

/* How much of a row is fetched ahead; the processor goes on by itself. */
#define FORESEEN_NBYTES 2048

/* Memory that is taken at a time for rows that stay there. */
#define CHUNK_NBYTES (1024 * 1024)

/*
 * So many rows in a buffer are close to each other: reading one alone takes as
 * long as an eighth of a buffer.
 */
#define CLOSE_ROWS 8

/* In front of each row's elements. */
typedef struct RowHeader
{
	ItemPointerData tid;
	int16		exponent;
} RowHeader;

/* One participant's rows. */
typedef struct SpoolFile
{
	File		file;			/* 0 where there are no rows */
	uint64		first;			/* number of its first row in the spool */
	uint64		nrows;
} SpoolFile;

struct VsSpool
{
	MemoryContext context;		/* of all that it allocates */
	VsSpoolShared *shared;		/* NULL in a spool of one process */
	int			participant;
	Size		vector_nbytes;
	Size		row_nbytes;
	int			nfiles;
	SpoolFile  *files;			/* while writing the first is the process's */
	uint64		nrows;

	/* Rows that are still to be written, or that were read. */
	char	   *buffer;
	int			capacity;
	int			nbuffered;
	uint64		first_buffered; /* its number in the spool */
	uint64		next;			/* the one after the last that was asked for */

	/* Where all rows are, as long as they have room there. */
	bool		in_memory;
	int			chunk_rows;
	int			nchunks;
	int			max_chunks;
	char	  **chunks;
};

/* A row to gather, and where it belongs among the others. */
typedef struct WantedRow
{
	uint64		number;
	int			place;
} WantedRow;

#define ST_SORT sort_wanted
#define ST_ELEMENT_TYPE WantedRow
#define ST_COMPARE(a, b) \
	((a)->number < (b)->number ? -1 : (a)->number > (b)->number)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

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

	spool->context = CurrentMemoryContext;
	spool->shared = shared;
	spool->vector_nbytes = sizeof(uint16) * dim;
	spool->row_nbytes = sizeof(RowHeader) + spool->vector_nbytes;
	spool->capacity = Max(BUFFER_NBYTES / spool->row_nbytes, 1);
	spool->buffer = palloc(spool->row_nbytes * spool->capacity);
	spool->nfiles = shared != NULL ? shared->nfiles : 1;
	spool->files = palloc0(sizeof(SpoolFile) * spool->nfiles);
	return spool;
}

/* Have rows stay in so many bytes of memory, if that is some chunks. */
static void
begin_in_memory(VsSpool *spool, Size memory)
{
	Size		chunk_nbytes;

	spool->chunk_rows = Max(CHUNK_NBYTES / spool->row_nbytes, 1);
	chunk_nbytes = spool->row_nbytes * spool->chunk_rows;
	spool->max_chunks = memory / chunk_nbytes;
	spool->in_memory = spool->max_chunks > 0;
	if (spool->in_memory)
		spool->chunks = palloc(sizeof(char *) * spool->max_chunks);
}

VsSpool *
vs_spool_create(int dim, VsSpoolShared *shared, int participant, Size memory)
{
	VsSpool    *spool = vs_spool_open(dim, shared);
	char		name[32];

	spool->participant = participant;
	name_file(name, sizeof(name), participant);
	if (shared != NULL)
		spool->files[0].file = vs_tempfile_create(&shared->files, name);
	else
	{
		begin_in_memory(spool, memory);
		if (!spool->in_memory)
			spool->files[0].file = vs_tempfile_create(NULL, NULL);
	}
	return spool;
}

/* Write n rows behind those of the file. */
static void
append_rows(VsSpool *spool, const char *rows, int n)
{
	SpoolFile  *file = &spool->files[0];

	vs_tempfile_write(file->file, rows, spool->row_nbytes * n,
					  file->nrows * spool->row_nbytes);
	file->nrows += n;
}

/* Write the rows that are buffered. */
static void
flush_rows(VsSpool *spool)
{
	append_rows(spool, spool->buffer, spool->nbuffered);
	spool->nbuffered = 0;
}

void
vs_spool_spill(VsSpool *spool)
{
	if (!spool->in_memory)
		return;
	spool->in_memory = false;
	spool->files[0].file = vs_tempfile_create(NULL, NULL);
	spool->files[0].nrows = 0;
	for (int i = 0; i < spool->nchunks; i++)
	{
		uint64		first = (uint64) i * spool->chunk_rows;

		CHECK_FOR_INTERRUPTS();
		append_rows(spool, spool->chunks[i],
					Min(spool->nrows - first, spool->chunk_rows));
		pfree(spool->chunks[i]);
	}
	spool->nchunks = 0;
}

/* Where a row is, or is to be, of those in memory. */
static char *
place_in_memory(const VsSpool *spool, uint64 number)
{
	return spool->chunks[number / spool->chunk_rows] +
		spool->row_nbytes * (number % spool->chunk_rows);
}

/* Where the next row is to be written. */
static char *
next_place(VsSpool *spool)
{
	if (spool->in_memory && spool->nrows % spool->chunk_rows == 0)
	{
		if (spool->nchunks == spool->max_chunks)
			vs_spool_spill(spool);
		else
			spool->chunks[spool->nchunks++] =
				MemoryContextAllocExtended(spool->context,
										   spool->row_nbytes * spool->chunk_rows,
										   MCXT_ALLOC_HUGE);
	}
	if (spool->in_memory)
		return place_in_memory(spool, spool->nrows);
	if (spool->nbuffered == spool->capacity)
		flush_rows(spool);
	return spool->buffer + spool->row_nbytes * spool->nbuffered++;
}

void
vs_spool_write(VsSpool *spool, ItemPointer tid, int exponent,
			   const uint16 *halves)
{
	RowHeader	header = {.tid = *tid, .exponent = exponent};
	char	   *place = next_place(spool);

	memcpy(place, &header, sizeof(header));
	memcpy(place + sizeof(header), halves, spool->vector_nbytes);
	spool->nrows++;
}

void
vs_spool_end_writing(VsSpool *spool)
{
	SpoolFile  *file = &spool->files[0];

	if (spool->in_memory)
		return;
	flush_rows(spool);
	if (spool->shared == NULL)
		return;
	FileClose(file->file);
	file->file = 0;
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
		spool->nrows += file->nrows;
		name_file(name, sizeof(name), i);
		if (file->nrows == 0)
			continue;
		file->file = vs_tempfile_open(&spool->shared->files, name);
	}
}

/* Read n rows of a file into the buffer. */
static void
read_rows(VsSpool *spool, const SpoolFile *file, uint64 number, int n)
{
	spool->nbuffered = 0;
	vs_tempfile_read(file->file, spool->buffer, spool->row_nbytes * n,
					 (number - file->first) * spool->row_nbytes);
	spool->first_buffered = number;
	spool->nbuffered = n;
}

/* Have a row in the buffer, alone or with those that follow; returns it. */
static char *
buffer_row(VsSpool *spool, uint64 number, bool with_others)
{
	Assert(number < spool->nrows);
	if (spool->in_memory)
		return place_in_memory(spool, number);
	if (number - spool->first_buffered >= spool->nbuffered)
	{
		SpoolFile  *file = spool->files;
		int			n = 1;

		while (number - file->first >= file->nrows)
			file++;
		if (with_others)
			n = Min(file->first + file->nrows - number, spool->capacity);
		read_rows(spool, file, number, n);
	}
	return spool->buffer + spool->row_nbytes * (number - spool->first_buffered);
}

/* What a row holds that lies at a place. */
static void
deform_row(char *place, VsSpoolRow *row)
{
	RowHeader	header;

	memcpy(&header, place, sizeof(header));
	row->tid = header.tid;
	row->exponent = header.exponent;
	row->halves = (uint16 *) (place + sizeof(header));
}

void
vs_spool_read(VsSpool *spool, uint64 number, VsSpoolRow *row)
{
	deform_row(buffer_row(spool, number, number == spool->next), row);
	spool->next = number + 1;
}

void
vs_spool_foresee(const VsSpool *spool, uint64 number)
{
	const char *place;

	if (!spool->in_memory)
		return;
	place = place_in_memory(spool, number);
	for (Size offset = 0; offset < Min(spool->row_nbytes, FORESEEN_NBYTES);
		 offset += PG_CACHE_LINE_SIZE / 2)
		__builtin_prefetch(place + offset);
}

void
vs_spool_gather(VsSpool *spool, int n, const uint64 *numbers, char *rows)
{
	WantedRow  *wanted;
	uint64		span;
	bool		with_others;

	if (n == 0)
		return;
	wanted = palloc_extended(sizeof(WantedRow) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
		wanted[i] = (WantedRow) {numbers[i], i};
	sort_wanted(wanted, n);

	span = wanted[n - 1].number - wanted[0].number + 1;
	with_others = (double) n / span * spool->capacity >= CLOSE_ROWS;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(rows + spool->row_nbytes * wanted[i].place,
			   buffer_row(spool, wanted[i].number, with_others),
			   spool->row_nbytes);
	}
	pfree(wanted);
}

Size
vs_spool_row_nbytes(const VsSpool *spool)
{
	return spool->row_nbytes;
}

void
vs_spool_gathered(const VsSpool *spool, char *rows, int i, VsSpoolRow *row)
{
	deform_row(rows + spool->row_nbytes * i, row);
}

Size
vs_spool_memory(const VsSpool *spool)
{
	return spool->in_memory ?
		spool->row_nbytes * spool->chunk_rows * spool->nchunks : 0;
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
		if (spool->files[i].file != 0)
			FileClose(spool->files[i].file);
	for (int i = 0; i < spool->nchunks; i++)
		pfree(spool->chunks[i]);
	if (spool->chunks != NULL)
		pfree(spool->chunks);
	pfree(spool->files);
	pfree(spool->buffer);
	pfree(spool);
}
