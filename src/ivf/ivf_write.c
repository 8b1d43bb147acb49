/*
 * ivf_write.c
 *		Writing an index as a whole: for the build, and for an empty one.
 *
 * The list pages of a list are adjacent and ascending, and its vector pages
 * follow, in the order of the slots that they belong to: a scan of the codes
 * alone reads the file in order.  Pages are formed in memory, so that the
 * init fork can be written in the same way.
 */
#include "postgres.h"

#include "ivf/ivf_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "storage/lmgr.h"

/* Where the pages of a list lie that is written as a whole. */
typedef struct Layout
{
	BlockNumber first;			/* list page */
	BlockNumber nlist_pages;
	BlockNumber first_vectors;	/* vector page */
	BlockNumber end;
} Layout;

/* Lay out a list of nrows from a block on. */
static Layout
lay_out(const VsIvfGeometry *g, BlockNumber first, uint64 nrows)
{
	Layout		layout;
	uint64		nvector_blocks = 0;

	/* All list pages but the last are full. */
	if (!g->vectors_per_page)
		nvector_blocks = 0;
	else
		nvector_blocks = nrows / g->nslots * g->nvector_blocks +
			(nrows % g->nslots + g->vectors_per_page - 1) / g->vectors_per_page;
	layout.first = first;
	layout.nlist_pages = Max((nrows + g->nslots - 1) / g->nslots, 1);
	layout.first_vectors = first + layout.nlist_pages;
	layout.end = layout.first_vectors + nvector_blocks * g->pages_per_vector;
	return layout;
}

/* The (first) page of vector block i of list page "page". */
static BlockNumber
vector_block(const VsIvfGeometry *g, const Layout *layout, BlockNumber page, int i)
{
	return layout->first_vectors +
		((uint64) page * g->nvector_blocks + i) * g->pages_per_vector;
}

/* Extend the index by npages adjacent pages; returns the first. */
static BlockNumber
extend(VsIvfIndex *index, BlockNumber npages)
{
	BlockNumber first;

	/* Held throughout, so that pages are adjacent. */
	LockRelationForExtension(index->rel, ExclusiveLock);
	first = RelationGetNumberOfBlocks(index->rel);
	if (npages > MaxBlockNumber - first)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot grow any further",
						RelationGetRelationName(index->rel)),
				 errhint("Partition the table.")));
	for (BlockNumber i = 0; i < npages; i++)
	{
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		vs_page_extend(index->rel, 1, &buffer);
		ReleaseBuffer(buffer);
	}
	UnlockRelationForExtension(index->rel, ExclusiveLock);
	return first;
}

/* Write a page of the main fork that is new, or the init fork's next one. */
static void
put_page(VsIvfIndex *index, ForkNumber fork, BlockNumber block,
		 const PGAlignedBlock *image)
{
	VsEdit		edit;
	Buffer		buffer;

	if (fork == INIT_FORKNUM)
	{
		vs_edit_write_init_page(index->rel, block, image->data);
		return;
	}
	CHECK_FOR_INTERRUPTS();
	buffer = ReadBuffer(index->rel, block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	vs_edit_begin(&edit, index->rel, VS_EDIT_BUILD);
	memcpy(vs_edit_page(&edit, buffer, VS_EDIT_NEW), image->data, BLCKSZ);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

/* Write a page, or pages, with the vectors of n rows. */
static void
put_vectors(VsIvfIndex *index, ForkNumber fork, BlockNumber block,
			const VsIvfRow *rows, int n)
{
	const VsIvfGeometry *g = &index->geometry;

	for (int part = 0; part < g->pages_per_vector; part++)
	{
		PGAlignedBlock image;

		vs_ivf_init_page(g, (Page) image.data, IVF_PAGE_VECTORS);
		for (int i = 0; i < n; i++)
			vs_ivf_set_vector_part(g, (Page) image.data, i, part, &rows[i].vector);
		put_page(index, fork, block + part, &image);
	}
}

/* Write list page "page" of a list, with n rows and their vectors. */
static void
put_rows(VsIvfIndex *index, ForkNumber fork, uint32 list, const Layout *layout,
		 BlockNumber page, const VsIvfRow *rows, int n)
{
	const VsIvfGeometry *g = &index->geometry;
	PGAlignedBlock image;
	VsIvfSlots	slots;

	vs_ivf_init_list_page(g, (Page) image.data, list);
	slots = vs_ivf_page_slots(g, (Page) image.data);
	if (page + 1 < layout->nlist_pages)
		slots.header->next = layout->first + page + 1;
	for (int i = 0; i < n; i++)
		vs_ivf_set_slot(g, &slots, i, &rows[i]);
	for (int i = 0; i < g->nvector_blocks && i * g->vectors_per_page < n; i++)
		slots.vector_blocks[i] = vector_block(g, layout, page, i);
	put_page(index, fork, layout->first + page, &image);

	for (int i = 0; i < g->nvector_blocks && i * g->vectors_per_page < n; i++)
	{
		int			begin = i * g->vectors_per_page;

		put_vectors(index, fork, slots.vector_blocks[i], rows + begin,
					Min(g->vectors_per_page, n - begin));
	}
}

/* Write the rows of a list. */
static void
put_list(VsIvfIndex *index, ForkNumber fork, uint32 list, const Layout *layout,
		 const float *center, uint64 nrows, VsIvfNextRow next_row, void *state)
{
	const VsIvfGeometry *g = &index->geometry;
	VsIvfRow   *rows = palloc(sizeof(VsIvfRow) * g->nslots);
	float	   *scratch = palloc(sizeof(float) * g->dim);

	for (int i = 0; i < g->nslots; i++)
		vs_ivf_row_init(&rows[i], g);
	for (BlockNumber page = 0; page < layout->nlist_pages; page++)
	{
		int			n = Min(nrows - (uint64) page * g->nslots, g->nslots);

		for (int i = 0; i < n; i++)
		{
			next_row(state, &rows[i]);
			if (list == vs_ivf_root(index))
				vs_ivf_encode_centroid(index, center, scratch, &rows[i]);
			else
				vs_ivf_encode_row(index, center, scratch, &rows[i]);
		}
		put_rows(index, fork, list, layout, page, rows, n);
	}
	for (int i = 0; i < g->nslots; i++)
		vs_ivf_row_free(&rows[i]);
	pfree(rows);
	pfree(scratch);
}

/* The centroids on their way into the root. */
typedef struct Centroids
{
	VsIvfIndex *index;
	const float *vectors;		/* as the opclass reads them */
	float	   *scratch;
	uint32		next;
} Centroids;

/* Round a vector to what is stored of a centroid, rotated and in unit. */
static void
form_center(VsIvfIndex *index, const float *x, float *scratch, VsIvfVector *vector)
{
	if (vs_ivf_is_exact(index))
		vs_rabitq_scale(&index->codec, x, scratch);
	else
		vs_rabitq_rotate(&index->codec, x, scratch);
	vector->exponent = vs_f16vec_encode(index->geometry.dim, scratch,
										vector->halves);
}

/* VsIvfNextRow: a centroid as a row of the root. */
static void
next_centroid(void *state, VsIvfRow *row)
{
	Centroids  *centroids = state;
	int			dim = centroids->index->geometry.dim;

	form_center(centroids->index,
				centroids->vectors + (Size) centroids->next * dim,
				centroids->scratch, &row->vector);
	vs_ivf_set_list_tid(&row->tid, centroids->next++);
}

/* The mean of the centroids: what the root's codes are around. */
static float *
mean_of_centroids(VsIvfIndex *index, const float *centroids)
{
	int			dim = index->geometry.dim;
	uint32		n = index->meta.nlists;
	float	   *mean = palloc0(sizeof(float) * dim);

	for (uint32 i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
			mean[d] += centroids[(Size) i * dim + d] / n;
	return mean;
}

/* Directory entries of all lists, the rows of which are still to be written. */
static VsIvfEntry *
form_entries(VsIvfIndex *index, const Layout *root, BlockNumber center_block)
{
	const VsIvfGeometry *g = &index->geometry;
	uint32		nlists = index->meta.nlists;
	VsIvfEntry *entries = palloc0(sizeof(VsIvfEntry) * (nlists + 1));

	for (uint32 list = 0; list < nlists; list++)
	{
		int			slot = list % g->nslots;

		entries[list].first = InvalidBlockNumber;
		entries[list].insert = InvalidBlockNumber;
		entries[list].center_block = InvalidBlockNumber;
		if (g->vectors_per_page > 0)
		{
			entries[list].center_block = vector_block(g, root, list / g->nslots,
													  slot / g->vectors_per_page);
			entries[list].center_record = slot % g->vectors_per_page;
		}
	}
	entries[nlists].first = root->first;
	entries[nlists].insert = root->first;
	entries[nlists].center_block = center_block;
	return entries;
}

/* Write the metapage and the directory. */
static void
put_meta(VsIvfIndex *index, ForkNumber fork, const VsIvfEntry *entries)
{
	uint32		nentries = index->meta.nlists + 1;
	PGAlignedBlock image;

	vs_ivf_init_page(&index->geometry, (Page) image.data, IVF_PAGE_META);
	*vs_ivf_page_meta((Page) image.data) = index->meta;
	put_page(index, fork, IVF_META_BLOCK, &image);

	for (uint32 begin = 0; begin < nentries; begin += IVF_ENTRIES_PER_PAGE)
	{
		vs_ivf_init_page(&index->geometry, (Page) image.data, IVF_PAGE_DIRECTORY);
		memcpy(vs_ivf_page_entry((Page) image.data, 0), entries + begin,
			   sizeof(VsIvfEntry) * Min(nentries - begin, IVF_ENTRIES_PER_PAGE));
		put_page(index, fork,
				 index->meta.directory_block + begin / IVF_ENTRIES_PER_PAGE, &image);
	}
}

/*
 * Create metapage, directory and root.  Returns the block that follows; in an
 * init fork the only list begins there.
 */
static BlockNumber
create(VsIvfIndex *index, const float *centroids, ForkNumber fork)
{
	const VsIvfGeometry *g = &index->geometry;
	Centroids	source = {.index = index, .vectors = centroids};
	uint32		nlists = index->meta.nlists;
	BlockNumber center_block;
	Layout		root;
	VsIvfEntry *entries;
	VsIvfRow	center_row;
	float	   *center = palloc(sizeof(float) * g->dim);

	index->meta.directory_block = IVF_META_BLOCK + 1;
	center_block = index->meta.directory_block + nlists / IVF_ENTRIES_PER_PAGE + 1;
	root = lay_out(g, center_block + g->pages_per_vector, nlists);
	if (fork == MAIN_FORKNUM)
		extend(index, root.end);

	entries = form_entries(index, &root, center_block);
	if (fork == INIT_FORKNUM)
		entries[0].first = entries[0].insert = root.end;
	put_meta(index, fork, entries);

	/* What is stored is what codes are around. */
	vs_ivf_row_init(&center_row, g);
	form_center(index, mean_of_centroids(index, centroids), center,
				&center_row.vector);
	vs_kernel->f16_to_f32(g->dim, center_row.vector.halves,
						  vs_f16vec_scale(center_row.vector.exponent), center);
	put_vectors(index, fork, center_block, &center_row, 1);

	source.scratch = palloc(sizeof(float) * g->dim);
	put_list(index, fork, vs_ivf_root(index), &root, center, nlists,
			 next_centroid, &source);
	return root.end;
}

void
vs_ivf_create(VsIvfIndex *index, const float *centroids)
{
	create(index, centroids, MAIN_FORKNUM);
}

void
vs_ivf_write_list(VsIvfIndex *index, uint32 list, uint64 nrows,
				  VsIvfNextRow next_row, void *state)
{
	const VsIvfGeometry *g = &index->geometry;
	VsIvfEntry	entry = vs_ivf_read_entry(index, list);
	Layout		layout = lay_out(g, 0, nrows);
	float	   *center = palloc(sizeof(float) * g->dim);

	layout = lay_out(g, extend(index, layout.end), nrows);
	if (!vs_ivf_is_exact(index))
		vs_ivf_read_center(index, &entry, center);
	put_list(index, MAIN_FORKNUM, list, &layout, center, nrows, next_row, state);
	pfree(center);

	entry.first = layout.first;
	entry.insert = layout.first + layout.nlist_pages - 1;
	vs_ivf_write_entry(index, list, &entry);
}

void
vs_ivf_buildempty(Relation rel)
{
	VsIvfIndex *index = vs_ivf_open_new(rel);
	Layout		layout;
	BlockNumber first;

	index->meta.nlists = 1;
	vs_ivf_set_unit(index, 0, 0.0);
	first = create(index, palloc0(sizeof(float) * index->geometry.dim),
				   INIT_FORKNUM);
	layout = lay_out(&index->geometry, first, 0);
	put_list(index, INIT_FORKNUM, 0, &layout, NULL, 0, NULL, NULL);
}
