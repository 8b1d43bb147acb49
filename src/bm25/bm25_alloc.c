/*
 * bm25_alloc.c
 *		Pages for what is being written.
 *
 * The free space map is a guess: it is not WAL-logged, and two backends may find
 * the same page in it.  Who locks a page first and finds it free may have it, and
 * leaves it stamped with its own number.  README.md, "Page layout".
 *
 * Who has pages is asked only for pages that are not new, and answers for as long
 * as it does not refuse one: who was gone then does not come back.
 */
#include "postgres.h"

#include "bm25/bm25_alloc.h"
#include "bm25/bm25_space.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"

/* Pages that are extended at once, and pinned for a moment. */
#define EXTEND_NPAGES 8

/* Blocks that may be free, ascending. */
typedef struct Candidates
{
	int			n;
	int			nrefused;		/* blocks[0..nrefused) were in use */
	int			nmissed;
	BlockNumber *missed;		/* somebody held them */
	BlockNumber blocks[FLEXIBLE_ARRAY_MEMBER];
} Candidates;

static int
compare_blocks(const void *a, const void *b)
{
	BlockNumber x = *(const BlockNumber *) a;
	BlockNumber y = *(const BlockNumber *) b;

	return x < y ? -1 : x > y;
}

/* Look for up to n blocks in the free space map. */
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

	/* Some may have become free, and been found, twice. */
	qsort(candidates->blocks, candidates->n, sizeof(BlockNumber), compare_blocks);
	candidates->n = qunique(candidates->blocks, candidates->n,
							sizeof(BlockNumber), compare_blocks);
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

/* Find up to n blocks, new ones where the map has none or is of no use. */
static Candidates *
find_candidates(Relation index, int n, bool is_map_useful)
{
	Candidates *candidates = palloc(offsetof(Candidates, blocks) +
									sizeof(BlockNumber) * n * 2);

	candidates->n = 0;
	candidates->nrefused = 0;
	candidates->nmissed = 0;
	candidates->missed = candidates->blocks + n;
	if (is_map_useful)
		find_free(index, n, candidates);
	if (candidates->n == 0)
		extend(index, n, candidates);
	return candidates;
}

static void
fill_page(VsEdit *edit, Buffer buffer, uint16 kind, uint32 id,
		  const VsBm25Image *image)
{
	Page		page = vs_edit_page(edit, buffer, VS_EDIT_NEW);

	vs_page_init(page, kind, image->nbytes);
	vs_page_opaque(page)->generation = id;
	memcpy(vs_page_records(page), image->bytes, image->nbytes);
}

/*
 * Lock up to n blocks, n at most VS_EDIT_MAX_PAGES, from candidate *next on that
 * turn out to be free; returns how many.  A page that somebody holds is not waited
 * for: the map may be wrong, and we hold others.
 */
static int
lock_free(const VsBm25Taker *taker, Candidates *candidates, int *next, int n,
		  Buffer *buffers)
{
	int			nlocked = 0;

	while (nlocked < n && *next < candidates->n)
	{
		BlockNumber block = candidates->blocks[(*next)++];
		Buffer		buffer = ReadBuffer(taker->index, block);

		if (!ConditionalLockBuffer(buffer))
		{
			candidates->missed[candidates->nmissed++] = block;
			ReleaseBuffer(buffer);
		}
		else if (vs_bm25_page_is_free(taker->owners, buffer))
			buffers[nlocked++] = buffer;
		else
		{
			candidates->blocks[candidates->nrefused++] = block;
			UnlockReleaseBuffer(buffer);
		}
	}
	return nlocked;
}

/* Write images to what is free of the candidates; returns how many it wrote. */
static int
write_to_candidates(const VsBm25Taker *taker, Candidates *candidates, uint16 kind,
					const VsBm25Image *images, int n, BlockNumber *blocks)
{
	int			nwritten = 0;
	int			next = 0;

	for (;;)
	{
		Buffer		buffers[VS_EDIT_MAX_PAGES];
		VsEdit		edit;
		int			nlocked;

		CHECK_FOR_INTERRUPTS();
		nlocked = lock_free(taker, candidates, &next,
							Min(n - nwritten, VS_EDIT_MAX_PAGES), buffers);
		if (nlocked == 0)
			return nwritten;
		vs_edit_begin(&edit, taker->index, VS_EDIT_LOGGED);
		for (int i = 0; i < nlocked; i++)
			fill_page(&edit, buffers[i], kind, taker->id, &images[nwritten + i]);
		vs_edit_commit(&edit);
		for (int i = 0; i < nlocked; i++)
		{
			blocks[nwritten++] = BufferGetBlockNumber(buffers[i]);
			UnlockReleaseBuffer(buffers[i]);
		}
	}
}

/* Read who has pages now. */
static void
update_owners(VsBm25Taker *taker)
{
	MemoryContext previous = MemoryContextSwitchTo(taker->context);

	if (taker->owners != NULL)
	{
		pfree(taker->owners->ids);
		pfree(taker->owners);
		taker->owners = NULL;
	}
	taker->owners = vs_bm25_read_owners(taker->index);
	MemoryContextSwitchTo(previous);
}

/*
 * Write up to n images, from 1 on, to pages that are found; returns how many.  What
 * is in use as far as we know may have become free: only then do we ask anew, with
 * no page locked.
 */
static int
write_some(VsBm25Taker *taker, bool is_map_useful, uint16 kind,
		   const VsBm25Image *images, int n, BlockNumber *blocks)
{
	Candidates *candidates = find_candidates(taker->index, n, is_map_useful);
	int			nwritten = write_to_candidates(taker, candidates, kind, images,
											   n, blocks);

	if (candidates->nrefused > 0)
	{
		update_owners(taker);
		candidates->n = candidates->nrefused;
		candidates->nrefused = 0;
		nwritten += write_to_candidates(taker, candidates, kind,
										images + nwritten, n - nwritten,
										blocks + nwritten);
	}
	for (int i = 0; i < candidates->nmissed; i++)
		RecordFreeIndexPage(taker->index, candidates->missed[i]);
	pfree(candidates);
	return nwritten;
}

/* At the end of a file that nobody else knows. */
static void
write_build_pages(const VsBm25Taker *taker, uint16 kind,
				  const VsBm25Image *images, int n, BlockNumber *blocks)
{
	BlockNumber first = vs_page_extend_file(taker->index, n);

	for (int i = 0; i < n; i++)
	{
		Buffer		buffer;
		VsEdit		edit;

		CHECK_FOR_INTERRUPTS();
		blocks[i] = first + i;
		buffer = vs_page_zero(taker->index, blocks[i]);
		vs_edit_begin(&edit, taker->index, VS_EDIT_BUILD);
		fill_page(&edit, buffer, kind, taker->id, &images[i]);
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
	}
}

void
vs_bm25_write_pages(VsBm25Taker *taker, uint16 kind, const VsBm25Image *images,
					int n, BlockNumber *blocks)
{
	bool		is_map_useful = true;

	if (taker->mode == VS_EDIT_BUILD)
	{
		write_build_pages(taker, kind, images, n, blocks);
		return;
	}
	for (int nwritten = 0; nwritten < n;)
	{
		int			nnow = write_some(taker, is_map_useful, kind,
									  images + nwritten, n - nwritten,
									  blocks + nwritten);

		/* It would offer those again that somebody holds. */
		is_map_useful = nnow > 0;
		nwritten += nnow;
	}
}
