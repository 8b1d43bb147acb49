/*
 * bm25_output.c
 *		The pages of a segment that is being written.
 *
 * Postings are most of a segment and go to pages as they come.  Pages of other
 * sections wait in memory, and beyond that in temporary files, until the segment
 * ends: so each section is in few runs, and no page is taken that is not filled.
 */
#include "postgres.h"

#include "bm25/bm25_alloc.h"
#include "bm25/bm25_output.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/buffile.h"

/* Pages of a section in memory. */
#define FIRST_NWAITING	2
#define MAX_NWAITING	64

/* A section's pages that are not written yet: those of the file come first. */
typedef struct Pending
{
	VsBm25Image *images;
	int			nimages;		/* ended ones */
	int			capacity;
	BufFile    *file;			/* NULL: none */
	uint32		nfile;			/* images in it */
	uint32		npages;			/* of the section, all that have been ended */
	uint32		nwritten;
} Pending;

struct VsBm25Output
{
	VsBm25Taker taker;
	Pending		pending[BM25_NSECTIONS];
	VsBm25Run  *runs;
	int			nruns;
	int			max_runs;
};

VsBm25Output *
vs_bm25_output_begin(Relation index, uint32 id, VsEditMode mode)
{
	VsBm25Output *output = palloc0(sizeof(VsBm25Output));

	output->taker.index = index;
	output->taker.id = id;
	output->taker.mode = mode;
	output->taker.context = CurrentMemoryContext;
	output->max_runs = 16;
	output->runs = palloc(sizeof(VsBm25Run) * output->max_runs);
	return output;
}

/* Add a page to the last run, if that is the section's and ends before it. */
static void
add_to_runs(VsBm25Output *output, VsBm25Section section, uint32 page,
			BlockNumber block)
{
	VsBm25Run  *run = output->nruns == 0 ? NULL : &output->runs[output->nruns - 1];

	if (run != NULL && run->section == section &&
		block == run->block + run->npages)
	{
		run->npages++;
		return;
	}
	if (output->nruns == output->max_runs)
	{
		output->max_runs *= 2;
		output->runs = repalloc_huge(output->runs,
									 sizeof(VsBm25Run) * output->max_runs);
	}
	run = &output->runs[output->nruns++];
	run->section = section;
	run->first = page;
	run->block = block;
	run->npages = 1;
}

/* Write images, which are the section's next pages. */
static void
write_images(VsBm25Output *output, VsBm25Section section,
			 const VsBm25Image *images, int n)
{
	Pending    *pending = &output->pending[section];
	BlockNumber blocks[MAX_NWAITING];

	Assert(n <= MAX_NWAITING);
	if (n == 0)
		return;
	vs_bm25_write_pages(&output->taker, BM25_PAGE_SEGMENT, images, n, blocks);
	for (int i = 0; i < n; i++)
		add_to_runs(output, section, pending->nwritten++, blocks[i]);
}

/* A temporary file that lives as long as the output. */
static BufFile *
create_file(VsBm25Output *output)
{
	MemoryContext previous = MemoryContextSwitchTo(output->taker.context);
	BufFile    *file = BufFileCreateTemp(false);

	MemoryContextSwitchTo(previous);
	return file;
}

/* Bring the images in memory elsewhere. */
static void
empty_memory(VsBm25Output *output, VsBm25Section section)
{
	Pending    *pending = &output->pending[section];

	if (section == BM25_SECTION_POSTINGS)
		write_images(output, section, pending->images, pending->nimages);
	else
	{
		if (pending->file == NULL)
			pending->file = create_file(output);
		BufFileWrite(pending->file, pending->images,
					 sizeof(VsBm25Image) * pending->nimages);
		pending->nfile += pending->nimages;
	}
	pending->nimages = 0;
}

static void
enlarge_memory(VsBm25Output *output, Pending *pending)
{
	int			capacity = pending->capacity == 0 ? FIRST_NWAITING :
		pending->capacity * 2;
	Size		size = sizeof(VsBm25Image) * capacity;

	if (pending->images == NULL)
		pending->images = MemoryContextAlloc(output->taker.context, size);
	else
		pending->images = repalloc(pending->images, size);
	pending->capacity = capacity;
}

char *
vs_bm25_output_begin_page(VsBm25Output *output, VsBm25Section section)
{
	Pending    *pending = &output->pending[section];
	VsBm25Image *image;

	if (pending->nimages == MAX_NWAITING)
		empty_memory(output, section);
	if (pending->nimages == pending->capacity)
		enlarge_memory(output, pending);
	if (pending->npages == BM25_PLACE_LEXEMES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot grow any further",
						RelationGetRelationName(output->taker.index)),
				 errhint("Partition the table.")));
	image = &pending->images[pending->nimages];
	memset(image, 0, sizeof(*image));
	return image->bytes;
}

uint32
vs_bm25_output_end_page(VsBm25Output *output, VsBm25Section section, Size nbytes)
{
	Pending    *pending = &output->pending[section];

	Assert(nbytes <= VS_PAGE_CAPACITY);
	pending->images[pending->nimages++].nbytes = nbytes;
	return pending->npages++;
}

uint32
vs_bm25_output_npages(const VsBm25Output *output, VsBm25Section section)
{
	return output->pending[section].npages;
}

/* Write what waits in a section's file. */
static void
write_file(VsBm25Output *output, VsBm25Section section)
{
	Pending    *pending = &output->pending[section];
	VsBm25Image *images;

	if (pending->file == NULL)
		return;
	images = palloc(sizeof(VsBm25Image) * MAX_NWAITING);
	if (BufFileSeek(pending->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file: %m")));
	while (pending->nwritten < pending->nfile)
	{
		int			n = Min(pending->nfile - pending->nwritten, MAX_NWAITING);

		vs_compat_buffile_read_exact(pending->file, images,
									 sizeof(VsBm25Image) * n);
		write_images(output, section, images, n);
	}
	BufFileClose(pending->file);
	pending->file = NULL;
	pfree(images);
}

static int
compare_runs(const void *a, const void *b)
{
	const VsBm25Run *x = a;
	const VsBm25Run *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

/*
 * Write the header page that begins with nbytes of "begin", a link included, and
 * then n runs.
 */
static BlockNumber
write_header_page(VsBm25Output *output, VsBm25HeaderLink *begin, Size nbytes,
				  const VsBm25Run *runs, int n, BlockNumber next)
{
	VsBm25Image *image = palloc0(sizeof(VsBm25Image));
	BlockNumber block;

	begin->next = next;
	begin->nruns = n;
	memcpy(image->bytes, begin, nbytes);
	memcpy(image->bytes + nbytes, runs, sizeof(VsBm25Run) * n);
	image->nbytes = nbytes + sizeof(VsBm25Run) * n;
	vs_bm25_write_pages(&output->taker, BM25_PAGE_HEADER, image, 1, &block);
	pfree(image);
	return block;
}

/* Write the header pages, the last one first; returns the first. */
static BlockNumber
write_header(VsBm25Output *output, VsBm25SegmentHeader *header, uint32 *npages)
{
	int			nfirst = Min(output->nruns, BM25_FIRST_HEADER_RUNS);
	int			end = output->nruns;
	BlockNumber block = InvalidBlockNumber;

	while (end > nfirst)
	{
		int			n = (end - nfirst - 1) % BM25_HEADER_RUNS + 1;
		VsBm25HeaderLink link;

		end -= n;
		block = write_header_page(output, &link, sizeof(link),
								  output->runs + end, n, block);
		(*npages)++;
	}
	(*npages)++;
	return write_header_page(output, &header->link, sizeof(*header), output->runs,
							 nfirst, block);
}

BlockNumber
vs_bm25_output_end(VsBm25Output *output, VsBm25SegmentHeader *header,
				   uint32 *npages)
{
	*npages = 0;
	for (int section = 0; section < BM25_NSECTIONS; section++)
	{
		Pending    *pending = &output->pending[section];

		write_file(output, section);
		write_images(output, section, pending->images, pending->nimages);
		pending->nimages = 0;
		Assert(pending->nwritten == pending->npages);
		header->npages[section] = pending->npages;
		*npages += pending->npages;
	}
	qsort(output->runs, output->nruns, sizeof(VsBm25Run), compare_runs);
	return write_header(output, header, npages);
}
