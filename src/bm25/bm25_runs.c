/*
 * bm25_runs.c
 *		The runs of a build, in temporary files: a file for each participant.
 */
#include "postgres.h"

#include "bm25/bm25_runcode.h"
#include "bm25/bm25_runs.h"
#include "bm25/bm25_tsvector.h"
#include "index/tempfile.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"

/* What is written at a time. */
#define BUFFER_NBYTES (16 * 1024)

StaticAssertDecl(BUFFER_NBYTES >= BM25_PRODUCED_MIN_NBYTES,
				 "the buffer is what bytes are produced into");

/* Bytes on their way to the end of this participant's file. */
typedef struct Output
{
	VsBm25Runs *runs;
	Size		nbytes;
	uint8		bytes[BUFFER_NBYTES];
} Output;

/* Runs that are merged into one. */
typedef struct Merge
{
	int			n;
	const VsBm25FileRun *runs;
	VsBm25RunReader **readers;
	uint32	   *bases;			/* number of each one's first document */
	binaryheap *heap;			/* of readers that have a lexeme */
	int		   *same;			/* of work space */
	Output	   *output;
} Merge;

Size
vs_bm25_runs_shared_nbytes(int nparticipants)
{
	return offsetof(VsBm25RunsShared, lists) +
		sizeof(VsBm25RunList) * nparticipants;
}

void
vs_bm25_runs_shared_init(VsBm25RunsShared *shared, VsTeam *team)
{
	if (team->segment != NULL)
		SharedFileSetInit(&shared->files, team->segment);
}

void
vs_bm25_runs_shared_attach(VsBm25RunsShared *shared, VsTeam *team)
{
	SharedFileSetAttach(&shared->files, team->segment);
}

VsBm25Runs *
vs_bm25_runs_create(VsTeam *team, VsBm25RunsShared *shared)
{
	VsBm25Runs *runs = palloc0(sizeof(VsBm25Runs));

	runs->team = team;
	runs->shared = shared;
	runs->files = palloc0(sizeof(File) * team->nparticipants);
	runs->max_runs = 16;
	runs->list = palloc(sizeof(VsBm25FileRun) * runs->max_runs);
	return runs;
}

void
vs_bm25_runs_free(VsBm25Runs *runs)
{
	for (int i = 0; i < runs->team->nparticipants; i++)
		if (runs->files[i] != 0)
			FileClose(runs->files[i]);
	pfree(runs->list);
	pfree(runs->files);
	pfree(runs);
}

/* The name of a participant's file. */
static void
name_file(char *name, Size nbytes, int participant)
{
	snprintf(name, nbytes, "runs.%d", participant);
}

/* Write bytes at the end of this participant's file. */
static void
append_bytes(VsBm25Runs *runs, const void *bytes, Size nbytes)
{
	File	   *file = &runs->files[runs->team->participant];

	if (*file == 0)
	{
		char		name[32];

		name_file(name, sizeof(name), runs->team->participant);
		*file = vs_tempfile_create(runs->team->segment != NULL ?
								   &runs->shared->files : NULL, name);
	}
	vs_tempfile_write(*file, bytes, nbytes, runs->nbytes);
	runs->nbytes += nbytes;
}

/* Room for a run more at the end of the list. */
static VsBm25FileRun *
add_run(VsBm25Runs *runs)
{
	if (runs->nruns == runs->max_runs)
	{
		runs->max_runs *= 2;
		runs->list = repalloc(runs->list,
							  sizeof(VsBm25FileRun) * runs->max_runs);
	}
	return &runs->list[runs->nruns++];
}

void
vs_bm25_runs_add(VsBm25Runs *runs, VsBm25Accumulator *accumulator)
{
	VsBm25FileRun *run = add_run(runs);
	VsBm25AccumulatorTotals totals;
	uint8	   *buffer = palloc(BUFFER_NBYTES);
	Size		n;

	vs_bm25_accumulator_get_totals(accumulator, &totals);
	run->file = runs->team->participant;
	run->ndocs = totals.ndocs;
	run->nnulls = totals.nnulls;
	run->nlexemes = totals.nlexemes;
	run->npostings = totals.npostings;

	run->tids = runs->nbytes;
	append_bytes(runs, totals.docs, sizeof(ItemPointerData) * totals.ndocs);
	append_bytes(runs, totals.nulls, sizeof(ItemPointerData) * totals.nnulls);
	run->lexemes = runs->nbytes;
	vs_bm25_accumulator_sort(accumulator);
	while ((n = vs_bm25_accumulator_produce(accumulator, buffer,
											BUFFER_NBYTES)) > 0)
		append_bytes(runs, buffer, n);
	run->end = runs->nbytes;

	pfree(buffer);
	vs_bm25_accumulator_reset(accumulator);
}

void
vs_bm25_runs_end_writing(VsBm25Runs *runs)
{
	VsBm25RunList *list = &runs->shared->lists[runs->team->participant];

	list->nruns = runs->nruns;
	list->offset = runs->nbytes;
	if (runs->nruns > 0)
		append_bytes(runs, runs->list, sizeof(VsBm25FileRun) * runs->nruns);
}

void
vs_bm25_runs_collect(VsBm25Runs *runs)
{
	for (int i = 0; i < runs->team->nparticipants; i++)
	{
		const VsBm25RunList *list = &runs->shared->lists[i];
		char		name[32];

		if (i == runs->team->participant || list->nruns == 0)
			continue;
		name_file(name, sizeof(name), i);
		runs->files[i] = vs_tempfile_open(&runs->shared->files, name);
		for (uint32 j = 0; j < list->nruns; j++)
			vs_tempfile_read(runs->files[i], (char *) add_run(runs),
							 sizeof(VsBm25FileRun),
							 list->offset + sizeof(VsBm25FileRun) * j);
	}
}

VsBm25RunReader *
vs_bm25_runs_read(VsBm25Runs *runs, int i, Size window)
{
	const VsBm25FileRun *run = &runs->list[i];

	return vs_bm25_run_read_file(run, runs->files[run->file], window);
}

static void
flush(Output *output)
{
	append_bytes(output->runs, output->bytes, output->nbytes);
	output->nbytes = 0;
}

static void
put_bytes(Output *output, const void *bytes, Size nbytes)
{
	if (output->nbytes + nbytes > BUFFER_NBYTES)
	{
		CHECK_FOR_INTERRUPTS();
		flush(output);
	}
	if (nbytes > BUFFER_NBYTES)
		append_bytes(output->runs, bytes, nbytes);
	else
	{
		memcpy(output->bytes + output->nbytes, bytes, nbytes);
		output->nbytes += nbytes;
	}
}

static void
put_number(Output *output, uint64 number)
{
	uint8		bytes[BM25_RUN_NUMBER_NBYTES];

	put_bytes(output, bytes, vs_bm25_run_put_number(bytes, number) - bytes);
}

/* binaryheap_comparator: the first lexeme, of the first reader, is largest. */
static int
compare_readers(Datum a, Datum b, void *state)
{
	Merge	   *merge = state;
	int			i = DatumGetInt32(a);
	int			j = DatumGetInt32(b);
	VsBm25Source *x = vs_bm25_run_source(merge->readers[i]);
	VsBm25Source *y = vs_bm25_run_source(merge->readers[j]);
	int			order = vs_bm25_compare_lexemes(y->lexeme, y->nbytes, x->lexeme,
												x->nbytes);

	return order != 0 ? order : j - i;
}

/* Step to a reader's next lexeme; false at its end. */
static bool
next_lexeme(Merge *merge, int i)
{
	VsBm25Source *source = vs_bm25_run_source(merge->readers[i]);

	return source->methods->next_lexeme(source);
}

/* Copy a reader's pieces of its lexeme. */
static void
copy_pieces(Merge *merge, int i)
{
	VsBm25RunReader *reader = merge->readers[i];

	while (vs_bm25_run_npieces(reader) > 0)
	{
		VsBm25RunPiece piece;
		Size		n;

		vs_bm25_run_next_piece(reader, &piece);
		put_number(merge->output, piece.base + merge->bases[i]);
		put_number(merge->output, piece.npostings);
		put_number(merge->output, piece.nbytes);
		for (uint64 done = 0; done < piece.nbytes; done += n)
		{
			const uint8 *bytes = vs_bm25_run_read_piece(reader, &n);

			put_bytes(merge->output, bytes, n);
		}
	}
}

/* Take the readers that have the first lexeme from the heap; returns how many. */
static int
take_same(Merge *merge)
{
	binaryheap *heap = merge->heap;
	VsBm25Source *first;
	int			n = 0;

	merge->same[n++] = DatumGetInt32(binaryheap_remove_first(heap));
	first = vs_bm25_run_source(merge->readers[merge->same[0]]);
	while (!binaryheap_empty(heap))
	{
		int			i = DatumGetInt32(binaryheap_first(heap));
		VsBm25Source *source = vs_bm25_run_source(merge->readers[i]);

		if (vs_bm25_compare_lexemes(first->lexeme, first->nbytes, source->lexeme,
									source->nbytes) != 0)
			break;
		merge->same[n++] = DatumGetInt32(binaryheap_remove_first(heap));
	}
	return n;
}

/* Write the lexemes of all readers; returns how many different ones there are. */
static uint64
merge_lexemes(Merge *merge)
{
	uint64		nlexemes = 0;

	for (int i = 0; i < merge->n; i++)
		if (next_lexeme(merge, i))
			binaryheap_add_unordered(merge->heap, Int32GetDatum(i));
	binaryheap_build(merge->heap);

	for (; !binaryheap_empty(merge->heap); nlexemes++)
	{
		int			nsame = take_same(merge);
		VsBm25Source *first = vs_bm25_run_source(merge->readers[merge->same[0]]);
		uint64		npieces = 0;

		for (int i = 0; i < nsame; i++)
			npieces += vs_bm25_run_npieces(merge->readers[merge->same[i]]);
		put_number(merge->output, first->nbytes);
		put_bytes(merge->output, first->lexeme, first->nbytes);
		put_number(merge->output, npieces);
		for (int i = 0; i < nsame; i++)
			copy_pieces(merge, merge->same[i]);
		for (int i = 0; i < nsame; i++)
			if (next_lexeme(merge, merge->same[i]))
				binaryheap_add(merge->heap, Int32GetDatum(merge->same[i]));
	}
	flush(merge->output);
	return nlexemes;
}

/* Write the TIDs of all runs' documents, or of their NULLs. */
static void
merge_tids(Merge *merge, bool nulls)
{
	ItemPointerData *tids = (ItemPointerData *) merge->output->bytes;
	const uint32 capacity = BUFFER_NBYTES / sizeof(ItemPointerData);

	for (int i = 0; i < merge->n; i++)
	{
		VsBm25Source *source = vs_bm25_run_source(merge->readers[i]);
		uint32		row = nulls ? source->ndocs : 0;
		uint32		end = source->ndocs + (nulls ? source->nnulls : 0);

		for (; row < end; row += Min(end - row, capacity))
		{
			uint32		n = Min(end - row, capacity);

			CHECK_FOR_INTERRUPTS();
			source->methods->read_tids(source, row, n, tids);
			append_bytes(merge->output->runs, tids, sizeof(ItemPointerData) * n);
		}
	}
}

/* Merge n runs from number "first" on into one, in their place. */
static void
merge_runs(VsBm25Runs *runs, int first, int n)
{
	VsBm25FileRun merged = {.file = runs->team->participant};
	Merge		merge = {.n = n, .runs = runs->list + first};

	merge.readers = palloc(sizeof(VsBm25RunReader *) * n);
	merge.bases = palloc(sizeof(uint32) * n);
	merge.same = palloc(sizeof(int) * n);
	merge.heap = binaryheap_allocate(n, compare_readers, &merge);
	merge.output = palloc(sizeof(Output));
	merge.output->runs = runs;
	merge.output->nbytes = 0;
	for (int i = 0; i < n; i++)
	{
		merge.readers[i] = vs_bm25_runs_read(runs, first + i, BM25_RUN_MIN_WINDOW);
		merge.bases[i] = merged.ndocs;
		merged.ndocs += merge.runs[i].ndocs;
		merged.nnulls += merge.runs[i].nnulls;
		merged.npostings += merge.runs[i].npostings;
	}

	merged.tids = runs->nbytes;
	merge_tids(&merge, false);
	merge_tids(&merge, true);
	merged.lexemes = runs->nbytes;
	merged.nlexemes = merge_lexemes(&merge);
	merged.end = runs->nbytes;

	for (int i = 0; i < n; i++)
		vs_bm25_run_reader_free(merge.readers[i]);
	binaryheap_free(merge.heap);
	pfree(merge.output);
	pfree(merge.same);
	pfree(merge.bases);
	pfree(merge.readers);

	runs->list[first] = merged;
	memmove(runs->list + first + 1, runs->list + first + n,
			sizeof(VsBm25FileRun) * (runs->nruns - first - n));
	runs->nruns -= n - 1;
}

/* Each pass goes through the runs from the first on, so that they stay alike. */
void
vs_bm25_runs_reduce(VsBm25Runs *runs, int max)
{
	int			first = 0;

	Assert(max >= 2);
	while (runs->nruns > max)
	{
		int			n = Min(max, runs->nruns - max + 1);

		if (first + n > runs->nruns)
			first = 0;
		merge_runs(runs, first, n);
		first++;
	}
}
