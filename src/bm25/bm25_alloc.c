/*
 * bm25_alloc.c
 *		Pages for what is being written.
 *
 * The free space map is a guess: it is not WAL-logged, and two backends may find
 * the same page in it.  Who locks a page first and finds it free may have it, and
 * leaves it stamped with its own number.  README.md, "Page layout".
 */
#include "postgres.h"

#include "bm25/bm25_alloc.h"
#include "bm25/bm25_space.h"
#include "miscadmin.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"

/* Pages that are extended at once, and pinned for a moment. */
#define EXTEND_NPAGES 8

/* Blocks that may be free, ascending. */
typedef struct Candidates
{
	VsBm25Owners *owners;		/* from before they were locked */
	int			n;
	BlockNumber blocks[FLEXIBLE_ARRAY_MEMBER];
} Candidates;

static int
compare_blocks(const void *a, const void *b)
{
	BlockNumber x = *(const BlockNumber *) a;
	BlockNumber y = *(const BlockNumber *) b;

	return x < y ? -1 : x > y;
}

/* Look for n blocks in the free space map; some may be there twice. */
static void
find_free(Relation index, int n, Candidates *candidates)
{
	BlockNumber block;

	while (candidates->n < n &&
		   (block = GetFreeIndexPage(index)) != InvalidBlockNumber)
	{
		if (vs_page_exists(index, block))
			candidates->blocks[candidates->n++] = block;
	}
	qsort(candidates->blocks, candidates->n, sizeof(BlockNumber), compare_blocks);
}

/* Extend the index by up to n blocks, which others may find before us. */
static void
extend(Relation index, int n, Candidates *candidates)
{
	Buffer		buffers[EXTEND_NPAGES];

	n = Min(n, EXTEND_NPAGES);
	vs_page_extend(index, n, buffers);
	for (int i = 0; i < n; i++)
	{
		candidates->blocks[candidates->n++] = BufferGetBlockNumber(buffers[i]);
		ReleaseBuffer(buffers[i]);
	}
}

static Candidates *
find_candidates(Relation index, int n)
{
	Candidates *candidates = palloc(offsetof(Candidates, blocks) +
									sizeof(BlockNumber) * n);

	candidates->n = 0;
	find_free(index, n, candidates);
	if (candidates->n == 0)
		extend(index, n, candidates);
	candidates->owners = vs_bm25_read_owners(index);
	return candidates;
}

static void
fill_page(VsEdit *edit, Buffer buffer, uint16 kind, uint32 generation,
		  const VsBm25Image *image)
{
	Page		page = vs_edit_page(edit, buffer, VS_EDIT_NEW);

	vs_page_init(page, kind, image->nbytes);
	vs_page_opaque(page)->generation = generation;
	memcpy(vs_page_records(page), image->bytes, image->nbytes);
}

/*
 * Lock up to n blocks, n at most VS_EDIT_MAX_PAGES, from candidate *next on that
 * turn out to be free; returns how many.  A page that somebody holds is not waited
 * for: the map may be wrong, and we hold others.
 */
static int
lock_free(Relation index, const Candidates *candidates, int *next, int n,
		  Buffer *buffers)
{
	int			nlocked = 0;

	while (nlocked < n && *next < candidates->n)
	{
		BlockNumber block = candidates->blocks[(*next)++];
		Buffer		buffer;

		if (*next > 1 && block == candidates->blocks[*next - 2])
			continue;
		buffer = ReadBuffer(index, block);
		if (!ConditionalLockBuffer(buffer))
			ReleaseBuffer(buffer);
		else if (vs_bm25_page_is_free(candidates->owners, buffer))
			buffers[nlocked++] = buffer;
		else
			UnlockReleaseBuffer(buffer);
	}
	return nlocked;
}

/* Write images to what is free of the candidates; returns how many it wrote. */
static int
write_to_candidates(Relation index, const Candidates *candidates, uint16 kind,
					uint32 generation, const VsBm25Image *images, int n,
					BlockNumber *blocks)
{
	int			nwritten = 0;
	int			next = 0;

	for (;;)
	{
		Buffer		buffers[VS_EDIT_MAX_PAGES];
		VsEdit		edit;
		int			nlocked;

		CHECK_FOR_INTERRUPTS();
		nlocked = lock_free(index, candidates, &next,
							Min(n - nwritten, VS_EDIT_MAX_PAGES), buffers);
		if (nlocked == 0)
			return nwritten;
		vs_edit_begin(&edit, index, VS_EDIT_LOGGED);
		for (int i = 0; i < nlocked; i++)
			fill_page(&edit, buffers[i], kind, generation, &images[nwritten + i]);
		vs_edit_commit(&edit);
		for (int i = 0; i < nlocked; i++)
		{
			blocks[nwritten++] = BufferGetBlockNumber(buffers[i]);
			UnlockReleaseBuffer(buffers[i]);
		}
	}
}

/* At the end of a file that nobody else knows. */
static void
write_build_pages(Relation index, uint16 kind, uint32 generation,
				  const VsBm25Image *images, int n, BlockNumber *blocks)
{
	BlockNumber first = vs_page_extend_file(index, n);

	for (int i = 0; i < n; i++)
	{
		Buffer		buffer;
		VsEdit		edit;

		CHECK_FOR_INTERRUPTS();
		blocks[i] = first + i;
		buffer = vs_page_zero(index, blocks[i]);
		vs_edit_begin(&edit, index, VS_EDIT_BUILD);
		fill_page(&edit, buffer, kind, generation, &images[i]);
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
	}
}

void
vs_bm25_write_pages(Relation index, VsEditMode mode, uint16 kind,
					uint32 generation, const VsBm25Image *images, int n,
					BlockNumber *blocks)
{
	if (mode == VS_EDIT_BUILD)
	{
		write_build_pages(index, kind, generation, images, n, blocks);
		return;
	}
	for (int nwritten = 0; nwritten < n;)
	{
		Candidates *candidates = find_candidates(index, n - nwritten);

		nwritten += write_to_candidates(index, candidates, kind, generation,
										images + nwritten, n - nwritten,
										blocks + nwritten);
		pfree(candidates->owners->ids);
		pfree(candidates->owners);
		pfree(candidates);
	}
}
