/*
 * ivf_write.c
 *		Writing lists as a whole: for the build, and for an empty index.
 *
 * The list pages of a list are adjacent and ascending, and its vector pages
 * follow, in the order of the slots that they belong to: a scan of the codes
 * alone reads the file in order.
 */
#include "postgres.h"

#include "ivf/ivf_write.h"
#include "miscadmin.h"

VsIvfLayout
vs_ivf_lay_out(const VsIvfGeometry *g, BlockNumber first, uint64 nrows)
{
	VsIvfLayout layout;
	uint64		nvector_blocks = 0;
	uint64		end;

	/* All list pages but the last are full. */
	if (g->vectors_per_page > 0)
		nvector_blocks = nrows / g->nslots * g->nvector_blocks +
			(nrows % g->nslots + g->vectors_per_page - 1) / g->vectors_per_page;
	layout.first = first;
	layout.nlist_pages = Max((nrows + g->nslots - 1) / g->nslots, 1);
	layout.first_vectors = first + layout.nlist_pages;
	end = layout.first_vectors + nvector_blocks * g->pages_per_vector;

	/* What no file can hold is an error when it is extended. */
	layout.end = Min(end, InvalidBlockNumber);
	return layout;
}

BlockNumber
vs_ivf_vector_block(const VsIvfGeometry *g, const VsIvfLayout *layout,
					BlockNumber page, int i)
{
	return layout->first_vectors +
		((uint64) page * g->nvector_blocks + i) * g->pages_per_vector;
}

Page
vs_ivf_begin_page(VsIvfIndex *index, ForkNumber fork, BlockNumber block,
				  VsIvfNewPage *new)
{
	new->fork = fork;
	new->block = block;
	if (fork == INIT_FORKNUM)
		return (Page) new->image.data;
	CHECK_FOR_INTERRUPTS();
	new->buffer = vs_page_zero(index->rel, block);
	vs_edit_begin(&new->edit, index->rel, VS_EDIT_BUILD);
	return vs_edit_page(&new->edit, new->buffer, VS_EDIT_NEW);
}

void
vs_ivf_end_page(VsIvfIndex *index, VsIvfNewPage *new)
{
	if (new->fork == INIT_FORKNUM)
	{
		vs_edit_write_init_page(index->rel, new->block, new->image.data);
		return;
	}
	vs_edit_commit(&new->edit);
	UnlockReleaseBuffer(new->buffer);
}

void
vs_ivf_put_vectors(VsIvfIndex *index, ForkNumber fork, BlockNumber block,
				   const VsIvfRow *rows, int n)
{
	const VsIvfGeometry *g = &index->geometry;

	for (int part = 0; part < g->pages_per_vector; part++)
	{
		VsIvfNewPage new;
		Page		page = vs_ivf_begin_page(index, fork, block + part, &new);

		vs_ivf_init_page(g, page, IVF_PAGE_VECTORS);
		for (int i = 0; i < n; i++)
			vs_ivf_set_vector_part(g, page, i, part, &rows[i].vector);
		vs_ivf_end_page(index, &new);
	}
}

/* Write list page "page" of a list, with n rows and their vectors. */
static void
put_rows(VsIvfIndex *index, ForkNumber fork, uint32 list, const VsIvfLayout *layout,
		 BlockNumber page, const VsIvfRow *rows, int n)
{
	const VsIvfGeometry *g = &index->geometry;
	VsIvfNewPage new;
	Page		list_page = vs_ivf_begin_page(index, fork, layout->first + page,
											  &new);
	VsIvfSlots	slots;
	int			nblocks = 0;

	vs_ivf_init_list_page(g, list_page, list);
	slots = vs_ivf_page_slots(g, list_page);
	if (page + 1 < layout->nlist_pages)
		slots.header->next = layout->first + page + 1;
	for (int i = 0; i < n; i++)
		vs_ivf_set_slot(g, &slots, i, &rows[i]);
	for (; nblocks < g->nvector_blocks && nblocks * g->vectors_per_page < n; nblocks++)
		slots.vector_blocks[nblocks] = vs_ivf_vector_block(g, layout, page, nblocks);
	vs_ivf_end_page(index, &new);

	for (int i = 0; i < nblocks; i++)
	{
		int			begin = i * g->vectors_per_page;

		vs_ivf_put_vectors(index, fork, vs_ivf_vector_block(g, layout, page, i),
						   rows + begin, Min(g->vectors_per_page, n - begin));
	}
}

void
vs_ivf_put_list(VsIvfIndex *index, ForkNumber fork, uint32 list, const VsIvfLayout *layout,
				const float *center, uint64 nrows, VsIvfNextRow next_row, void *state)
{
	const VsIvfGeometry *g = &index->geometry;
	VsIvfRow   *rows = palloc(sizeof(VsIvfRow) * g->nslots);
	void	   *memory = palloc(sizeof(float) * g->dim + PG_CACHE_LINE_SIZE);

	/* Encoding goes over it many times, by vectors as long as a cache line. */
	float	   *scratch = (float *) CACHELINEALIGN(memory);

	for (int i = 0; i < g->nslots; i++)
		vs_ivf_row_init(&rows[i], g);
	for (BlockNumber page = 0; page < layout->nlist_pages; page++)
	{
		int			n = Min(nrows - (uint64) page * g->nslots, g->nslots);

		for (int i = 0; i < n; i++)
		{
			next_row(state, &rows[i]);
			if (vs_ivf_holds_centroids(index, list))
				vs_ivf_encode_centroid(index, center, scratch, &rows[i]);
			else
				vs_ivf_encode_row(index, center, scratch, &rows[i]);
		}
		put_rows(index, fork, list, layout, page, rows, n);
	}
	for (int i = 0; i < g->nslots; i++)
		vs_ivf_row_free(&rows[i]);
	pfree(rows);
	pfree(memory);
}

void
vs_ivf_write_list(VsIvfIndex *index, uint32 list, uint64 nrows,
				  VsIvfNextRow next_row, void *state)
{
	const VsIvfGeometry *g = &index->geometry;
	VsIvfEntry	entry = vs_ivf_read_entry(index, list);
	VsIvfLayout layout = vs_ivf_lay_out(g, 0, nrows);
	float	   *center = palloc(sizeof(float) * g->dim);

	layout = vs_ivf_lay_out(g, vs_page_extend_file(index->rel, layout.end), nrows);
	if (!vs_ivf_is_exact(index))
		vs_ivf_read_center(index, &entry, center);
	vs_ivf_put_list(index, MAIN_FORKNUM, list, &layout, center, nrows, next_row, state);
	pfree(center);

	entry.first = layout.first;
	entry.insert = layout.first + layout.nlist_pages - 1;
	vs_ivf_write_entry(index, list, &entry);
}
