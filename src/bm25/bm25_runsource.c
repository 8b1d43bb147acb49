/*
 * bm25_runsource.c
 *		Reading a run of a build, from memory or from a file.
 *
 * Bytes come through a window, so that numbers and postings lie together and
 * memory is read like a file.
 */
#include "postgres.h"

#include "bm25/bm25_runcode.h"
#include "bm25/bm25_runsource.h"
#include "index/tempfile.h"
#include "tsearch/ts_type.h"

/* The window over memory. */
#define MEMORY_WINDOW (32 * 1024)

struct VsBm25RunReader
{
	VsBm25Source source;		/* must be first */

	/* Where bytes come from. */
	VsBm25Accumulator *accumulator; /* or NULL */
	File		file;
	VsBm25FileRun run;
	off_t		offset;			/* of the next byte to read */

	uint8	   *window;
	Size		size;			/* of the window */
	const uint8 *at;			/* the next byte */
	const uint8 *end;			/* of the bytes in the window */

	/* What is still to come. */
	uint64		nlexemes;
	uint64		npieces;		/* of the current lexeme */
	VsBm25RunPiece piece;
	uint32		previous;		/* document of the piece */

	char		lexeme[MAXSTRLEN];
};

/* Have more bytes in the window, behind those that are there. */
static void
refill(VsBm25RunReader *reader)
{
	Size		nleft = reader->end - reader->at;
	uint8	   *into = reader->window + nleft;
	Size		n = reader->size - nleft;

	memmove(reader->window, reader->at, nleft);
	if (reader->accumulator != NULL)
		n = vs_bm25_accumulator_produce(reader->accumulator, into, n);
	else
	{
		n = Min(n, reader->run.end - reader->offset);
		vs_tempfile_read(reader->file, (char *) into, n, reader->offset);
		reader->offset += n;
	}
	reader->at = reader->window;
	reader->end = into + n;
}

/* Have n bytes in the window, or all that are left of the run. */
static inline void
have_bytes(VsBm25RunReader *reader, Size n)
{
	if (unlikely(reader->end - reader->at < n))
		refill(reader);
}

static inline uint64
read_number(VsBm25RunReader *reader)
{
	uint64		number;

	reader->at = vs_bm25_run_get_number(reader->at, &number);
	return number;
}

/* VsBm25SourceMethods */
static bool
next_lexeme(VsBm25Source *source)
{
	VsBm25RunReader *reader = (VsBm25RunReader *) source;

	Assert(reader->npieces == 0 && reader->piece.npostings == 0);
	if (reader->nlexemes == 0)
		return false;
	reader->nlexemes--;
	have_bytes(reader, 2 * BM25_RUN_NUMBER_NBYTES + MAXSTRLEN);
	source->nbytes = read_number(reader);
	Assert(source->nbytes <= MAXSTRLEN);
	memcpy(reader->lexeme, reader->at, source->nbytes);
	reader->at += source->nbytes;
	source->lexeme = reader->lexeme;
	reader->npieces = read_number(reader);
	return true;
}

/* Begin the next piece. */
static void
begin_piece(VsBm25RunReader *reader)
{
	Assert(reader->npieces > 0);
	reader->npieces--;
	have_bytes(reader, 3 * BM25_RUN_NUMBER_NBYTES);
	reader->piece.base = read_number(reader);
	reader->piece.npostings = read_number(reader);
	reader->piece.nbytes = read_number(reader);
	reader->previous = reader->piece.base;
}

/* VsBm25SourceMethods */
static bool
next_block(VsBm25Source *source, VsBm25Block *block)
{
	VsBm25RunReader *reader = (VsBm25RunReader *) source;
	int			n = 0;

	while (n < BM25_BLOCK_POSTINGS)
	{
		if (reader->piece.npostings == 0)
		{
			if (reader->npieces == 0)
				break;
			begin_piece(reader);
		}
		have_bytes(reader, BM25_RUN_POSTING_NBYTES);
		reader->at = vs_bm25_run_get_posting(reader->at, reader->previous, block,
											 n);
		reader->previous = block->docs[n++];
		reader->piece.npostings--;
	}
	block->n = n;
	return n > 0;
}

/* Copy what rows first to first + n have of an array of TIDs that begins at row. */
static void
copy_tids(const ItemPointerData *array, uint32 row, uint32 nrows, uint32 first,
		  uint32 n, ItemPointerData *tids)
{
	uint32		begin = Max(first, row);
	uint32		end = Min(first + n, row + nrows);

	if (begin < end)
		memcpy(tids + (begin - first), array + (begin - row),
			   sizeof(ItemPointerData) * (end - begin));
}

/* VsBm25SourceMethods */
static void
read_tids(VsBm25Source *source, uint32 first, uint32 n, ItemPointerData *tids)
{
	VsBm25RunReader *reader = (VsBm25RunReader *) source;

	Assert(first + n <= source->ndocs + source->nnulls);
	if (reader->accumulator != NULL)
	{
		VsBm25AccumulatorTotals totals;

		vs_bm25_accumulator_get_totals(reader->accumulator, &totals);
		copy_tids(totals.docs, 0, totals.ndocs, first, n, tids);
		copy_tids(totals.nulls, totals.ndocs, totals.nnulls, first, n, tids);
	}
	else
		vs_tempfile_read(reader->file, (char *) tids, sizeof(ItemPointerData) * n,
						 reader->run.tids +
						 sizeof(ItemPointerData) * (off_t) first);
}

static const VsBm25SourceMethods methods = {
	.next_lexeme = next_lexeme,
	.next_block = next_block,
	.read_tids = read_tids,
};

/* A reader of a run of these numbers, before its first byte. */
static VsBm25RunReader *
create_reader(uint32 ndocs, uint32 nnulls, uint64 nlexemes, Size window)
{
	VsBm25RunReader *reader = palloc0(sizeof(VsBm25RunReader));

	reader->source.methods = &methods;
	reader->source.ndocs = ndocs;
	reader->source.nnulls = nnulls;
	reader->nlexemes = nlexemes;
	reader->size = window;
	reader->window = palloc(window);
	reader->at = reader->end = reader->window;
	return reader;
}

VsBm25RunReader *
vs_bm25_run_read_memory(VsBm25Accumulator *accumulator)
{
	VsBm25RunReader *reader;
	VsBm25AccumulatorTotals totals;

	vs_bm25_accumulator_get_totals(accumulator, &totals);
	reader = create_reader(totals.ndocs, totals.nnulls, totals.nlexemes,
						   MEMORY_WINDOW);
	reader->accumulator = accumulator;
	return reader;
}

VsBm25RunReader *
vs_bm25_run_read_file(const VsBm25FileRun *run, File file, Size window)
{
	VsBm25RunReader *reader = create_reader(run->ndocs, run->nnulls,
											run->nlexemes, window);

	StaticAssertStmt(sizeof(VsBm25RunReader) <= BM25_RUN_READER_NBYTES,
					 "the memory of a reader is counted");
	Assert(window >= BM25_RUN_MIN_WINDOW);
	reader->file = file;
	reader->run = *run;
	reader->offset = run->lexemes;
	return reader;
}

void
vs_bm25_run_reader_free(VsBm25RunReader *reader)
{
	pfree(reader->window);
	pfree(reader);
}

VsBm25Source *
vs_bm25_run_source(VsBm25RunReader *reader)
{
	return &reader->source;
}

uint64
vs_bm25_run_npieces(const VsBm25RunReader *reader)
{
	return reader->npieces;
}

void
vs_bm25_run_next_piece(VsBm25RunReader *reader, VsBm25RunPiece *piece)
{
	Assert(reader->piece.npostings == 0);
	begin_piece(reader);
	*piece = reader->piece;
}

const uint8 *
vs_bm25_run_read_piece(VsBm25RunReader *reader, Size *nbytes)
{
	const uint8 *bytes;

	Assert(reader->piece.nbytes > 0);
	have_bytes(reader, 1);
	bytes = reader->at;
	*nbytes = Min(reader->end - reader->at, reader->piece.nbytes);
	reader->at += *nbytes;
	reader->piece.nbytes -= *nbytes;
	if (reader->piece.nbytes == 0)
		reader->piece.npostings = 0;
	return bytes;
}
