/*
 * bm25_runsource.h
 *		Reading a run of a build, from memory or from a file.
 *
 * A reader is a source for vs_bm25_merge.  Who wants to move postings without a
 * look at them reads pieces instead (bm25_runcode.h).
 */
#ifndef VS_BM25_RUNSOURCE_H
#define VS_BM25_RUNSOURCE_H

#include "postgres.h"

#include "bm25/bm25_accumulate.h"
#include "bm25/bm25_merge.h"
#include "storage/fd.h"

/* A run in a file: TIDs of documents, then of NULLs, then the run's bytes. */
typedef struct VsBm25FileRun
{
	int			file;			/* number among the build's files */
	uint32		ndocs;
	uint32		nnulls;
	uint64		nlexemes;
	uint64		npostings;
	off_t		tids;			/* offsets in the file */
	off_t		lexemes;
	off_t		end;
} VsBm25FileRun;

typedef struct VsBm25RunPiece
{
	uint64		base;
	uint64		npostings;
	uint64		nbytes;
} VsBm25RunPiece;

typedef struct VsBm25RunReader VsBm25RunReader;

/* The memory that a reader of a file takes at least, and beside its window. */
#define BM25_RUN_MIN_WINDOW	8192
#define BM25_RUN_READER_NBYTES 4096

/*
 * Read what an accumulator holds, which is sorted: it must not be changed until
 * the reader is freed.  Or a run of a file, through a window of so many bytes.
 */
extern VsBm25RunReader *vs_bm25_run_read_memory(VsBm25Accumulator *accumulator);
extern VsBm25RunReader *vs_bm25_run_read_file(const VsBm25FileRun *run, File file,
											  Size window);
extern void vs_bm25_run_reader_free(VsBm25RunReader *reader);

/* The reader as a source, which goes with it. */
extern VsBm25Source *vs_bm25_run_source(VsBm25RunReader *reader);

/* Pieces of the source's current lexeme: how many there are, and the next one. */
extern uint64 vs_bm25_run_npieces(const VsBm25RunReader *reader);
extern void vs_bm25_run_next_piece(VsBm25RunReader *reader,
								   VsBm25RunPiece *piece);

/* The next bytes of the piece, at least one; valid until the next call. */
extern const uint8 *vs_bm25_run_read_piece(VsBm25RunReader *reader, Size *nbytes);

#endif							/* VS_BM25_RUNSOURCE_H */
