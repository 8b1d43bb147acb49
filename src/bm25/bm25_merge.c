/*
 * bm25_merge.c
 *		Writing one segment from several sources of documents and postings.
 */
#include "postgres.h"

#include "bm25/bm25_merge.h"
#include "bm25/bm25_tsvector.h"
#include "bm25/bm25_write.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"

/* TIDs that are read at once. */
#define NTIDS 1024

/* Progress is told of each time so many postings have been merged. */
#define PROGRESS_INTERVAL 65536

#define DELETED PG_UINT32_MAX

/* A source that is being merged. */
typedef struct Input
{
	VsBm25Source *source;
	int			number;
	uint32		first;			/* number of its first document, unless map */
	uint32	   *map;			/* numbers of its documents, if some are
								 * deleted */
} Input;

typedef struct Merge
{
	Relation	index;
	VsBm25Writer *writer;
	Input	   *inputs;
	int			ninputs;
	binaryheap *heap;			/* of inputs, by lexeme and number */
	char		lexeme[BM25_LEXEME_MAX_NBYTES]; /* the one being merged */
	int			nbytes;
	VsBm25Block block;
	VsBm25MergeProgress progress;
	void	   *progress_state;
	uint64		nmerged;		/* since progress was told of */
} Merge;

/* Fill in the map, as a document of that number is deleted and none was before. */
static void
begin_map(Input *input, uint32 deleted)
{
	input->map = palloc_extended(sizeof(uint32) * (Size) input->source->ndocs,
								 MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < deleted; i++)
		input->map[i] = input->first + i;
}

/* Number the documents of an input, from *next on, and add those that live. */
static void
add_documents(Merge *merge, Input *input, uint32 *next)
{
	VsBm25Source *source = input->source;
	ItemPointerData tids[NTIDS];

	input->first = *next;
	for (uint32 first = 0; first < source->ndocs; first += NTIDS)
	{
		uint32		n = Min(source->ndocs - first, NTIDS);

		CHECK_FOR_INTERRUPTS();
		source->methods->read_tids(source, first, n, tids);
		for (uint32 i = 0; i < n; i++)
		{
			bool		is_live = ItemPointerIsValid(&tids[i]);

			if (!is_live && input->map == NULL)
				begin_map(input, first + i);
			if (input->map != NULL)
				input->map[first + i] = is_live ? *next : DELETED;
			if (!is_live)
				continue;
			vs_bm25_writer_add_document(merge->writer, &tids[i]);
			(*next)++;
		}
	}
}

static void
add_nulls(Merge *merge, Input *input)
{
	VsBm25Source *source = input->source;
	ItemPointerData tids[NTIDS];

	for (uint32 first = 0; first < source->nnulls; first += NTIDS)
	{
		uint32		n = Min(source->nnulls - first, NTIDS);

		CHECK_FOR_INTERRUPTS();
		source->methods->read_tids(source, source->ndocs + first, n, tids);
		for (uint32 i = 0; i < n; i++)
			if (ItemPointerIsValid(&tids[i]))
				vs_bm25_writer_add_null(merge->writer, &tids[i]);
	}
}

/* The least lexeme first, and the first source: binaryheap wants the reverse. */
static int
compare_inputs(Datum a, Datum b, void *arg)
{
	const Input *x = (const Input *) DatumGetPointer(a);
	const Input *y = (const Input *) DatumGetPointer(b);
	int			order = vs_bm25_compare_lexemes(x->source->lexeme,
												x->source->nbytes,
												y->source->lexeme,
												y->source->nbytes);

	return order != 0 ? -order : y->number - x->number;
}

static void
count_progress(Merge *merge, int npostings)
{
	merge->nmerged += npostings;
	if (merge->nmerged < PROGRESS_INTERVAL)
		return;
	if (merge->progress != NULL)
		merge->progress(merge->progress_state, merge->nmerged);
	merge->nmerged = 0;
}

/* Add the postings of an input's current lexeme. */
static void
add_postings(Merge *merge, Input *input)
{
	VsBm25Source *source = input->source;
	VsBm25Block *block = &merge->block;

	while (source->methods->next_block(source, block))
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < block->n; i++)
		{
			uint16		tfs[BM25_LABELS];
			uint32		doc = input->map == NULL ?
				input->first + block->docs[i] : input->map[block->docs[i]];

			if (doc == DELETED)
				continue;
			vs_bm25_block_get_tfs(block, i, tfs);
			vs_bm25_writer_add(merge->writer, doc, block->lens[i], tfs);
		}
		count_progress(merge, block->n);
	}
}

/* Whether the heap's first input has the lexeme that is being merged. */
static bool
first_has_lexeme(const Merge *merge)
{
	const Input *first;

	if (binaryheap_empty(merge->heap))
		return false;
	first = (const Input *) DatumGetPointer(binaryheap_first(merge->heap));
	return first->source->nbytes == merge->nbytes &&
		memcmp(first->source->lexeme, merge->lexeme, merge->nbytes) == 0;
}

/* ERROR for a source whose lexemes are not what a segment can have. */
static void
report_lexeme(const Merge *merge)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" has lexemes that are too long or not in order",
					RelationGetRelationName(merge->index)),
			 errhint("Please REINDEX it.")));
}

/*
 * Step the heap's first input, which has the lexeme that is being merged, to its
 * next one.
 */
static void
step_first(Merge *merge)
{
	Input	   *first = (Input *) DatumGetPointer(binaryheap_first(merge->heap));
	VsBm25Source *source = first->source;

	if (!source->methods->next_lexeme(source))
	{
		binaryheap_remove_first(merge->heap);
		return;
	}
	if (vs_bm25_compare_lexemes(merge->lexeme, merge->nbytes, source->lexeme,
								source->nbytes) >= 0)
		report_lexeme(merge);
	binaryheap_replace_first(merge->heap, PointerGetDatum(first));
}

/* Merge the least lexeme: its postings, input by input. */
static void
merge_lexeme(Merge *merge)
{
	Input	   *first = (Input *) DatumGetPointer(binaryheap_first(merge->heap));

	CHECK_FOR_INTERRUPTS();
	merge->nbytes = first->source->nbytes;
	if (merge->nbytes > BM25_LEXEME_MAX_NBYTES)
		report_lexeme(merge);
	memcpy(merge->lexeme, first->source->lexeme, merge->nbytes);
	vs_bm25_writer_begin_lexeme(merge->writer, merge->lexeme, merge->nbytes);
	do
	{
		first = (Input *) DatumGetPointer(binaryheap_first(merge->heap));
		add_postings(merge, first);
		step_first(merge);
	} while (first_has_lexeme(merge));
	vs_bm25_writer_end_lexeme(merge->writer);
}

static void
merge_rows(Merge *merge)
{
	uint32		next = 0;

	for (int i = 0; i < merge->ninputs; i++)
		add_documents(merge, &merge->inputs[i], &next);
	for (int i = 0; i < merge->ninputs; i++)
		add_nulls(merge, &merge->inputs[i]);
}

static void
merge_lexemes(Merge *merge)
{
	merge->heap = binaryheap_allocate(Max(merge->ninputs, 1), compare_inputs, NULL);
	for (int i = 0; i < merge->ninputs; i++)
	{
		VsBm25Source *source = merge->inputs[i].source;

		if (source->methods->next_lexeme(source))
			binaryheap_add_unordered(merge->heap,
									 PointerGetDatum(&merge->inputs[i]));
	}
	binaryheap_build(merge->heap);
	while (!binaryheap_empty(merge->heap))
		merge_lexeme(merge);
	binaryheap_free(merge->heap);
}

void
vs_bm25_merge(Relation index, uint32 id, VsEditMode mode,
			  VsBm25Source **sources, int n,
			  VsBm25MergeProgress progress, void *progress_state,
			  VsBm25SegmentEntry *entry)
{
	Merge	   *merge = palloc0(sizeof(Merge));

	merge->index = index;
	merge->writer = vs_bm25_writer_begin(index, id, mode);
	merge->inputs = palloc0(sizeof(Input) * Max(n, 1));
	merge->ninputs = n;
	merge->progress = progress;
	merge->progress_state = progress_state;
	for (int i = 0; i < n; i++)
	{
		merge->inputs[i].source = sources[i];
		merge->inputs[i].number = i;
	}
	merge_rows(merge);
	merge_lexemes(merge);
	if (progress != NULL)
		progress(progress_state, merge->nmerged);
	vs_bm25_writer_end(merge->writer, entry);
	for (int i = 0; i < n; i++)
		if (merge->inputs[i].map != NULL)
			pfree(merge->inputs[i].map);
	pfree(merge->inputs);
	pfree(merge);
}
