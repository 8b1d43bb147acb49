/*
 * ivf_create.c
 *		A new index: metapage, directory, and the lists of centroids.
 */
#include "postgres.h"

#include <math.h>

#include "ivf/ivf_write.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "quant/kmeans.h"

/* Up to so many centroids are searched one by one. */
#define MAX_ROOT_LISTS	2000

/* Centroids from which groups of them are trained. */
#define GROUP_SAMPLES	4096

/* A list of centroids: a group, or the root. */
typedef struct CentroidList
{
	uint32		list;
	uint32		nrows;
	const uint32 *members;		/* the lists whose centroids it holds */
	const float *vectors;		/* theirs, from that of list "base" on */
	uint32		base;
	const float *center;		/* of this list, as the opclass reads vectors */
	VsIvfLayout layout;
} CentroidList;

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

/* The centroids of a list on their way into it. */
typedef struct CentroidSource
{
	VsIvfIndex *index;
	const CentroidList *from;
	uint32		next;
	float	   *scratch;
} CentroidSource;

/* VsIvfNextRow: a centroid as a row. */
static void
next_centroid(void *state, VsIvfRow *row)
{
	CentroidSource *source = state;
	const CentroidList *from = source->from;
	uint32		member = from->members[source->next++];

	form_center(source->index, from->vectors + (Size) (member - from->base) *
				source->index->geometry.dim, source->scratch, &row->vector);
	vs_ivf_set_list_tid(&row->tid, member);
}

/* Write a list of centroids. */
static void
put_centroids(VsIvfIndex *index, ForkNumber fork, const CentroidList *from)
{
	int			dim = index->geometry.dim;
	CentroidSource source = {.index = index, .from = from};
	float	   *center = palloc(sizeof(float) * dim);
	VsIvfRow	row;

	/* Codes are around what is stored. */
	vs_ivf_row_init(&row, &index->geometry);
	form_center(index, from->center, center, &row.vector);
	vs_kernel->f16_to_f32(dim, row.vector.halves,
						  vs_f16vec_scale(row.vector.exponent), center);
	vs_ivf_row_free(&row);

	source.scratch = palloc(sizeof(float) * dim);
	vs_ivf_put_list(index, fork, from->list, &from->layout, center, from->nrows,
					next_centroid, &source);
	pfree(source.scratch);
	pfree(center);
}

/* The mean of n vectors. */
static float *
mean_of_vectors(int dim, const float *vectors, uint32 n)
{
	float	   *mean = palloc0(sizeof(float) * dim);

	for (uint32 i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
			mean[d] += vectors[(Size) i * dim + d] / n;
	return mean;
}

/* How many groups there are to be. */
static uint32
count_groups(uint32 nlists)
{
	return nlists > MAX_ROOT_LISTS ? (uint32) sqrt((double) nlists) : 0;
}

/* Train the centers of the groups, from some of the centroids. */
static float *
train_groups(VsIvfIndex *index, const float *centroids)
{
	int			dim = index->geometry.dim;
	uint32		nlists = index->meta.nlists;
	uint32		n = Min(nlists, GROUP_SAMPLES);
	float	   *centers = palloc(sizeof(float) * dim * index->meta.ngroups);
	float	   *samples = palloc_extended(sizeof(float) * dim * (Size) n,
										  MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < n; i++)
		memcpy(samples + (Size) i * dim,
			   centroids + (Size) ((uint64) i * nlists / n) * dim,
			   sizeof(float) * dim);
	vs_kmeans(dim, n, samples, NULL, index->meta.ngroups, index->meta.seed,
			  centers);
	pfree(samples);
	return centers;
}

/* The nearest of the groups' centers. */
static uint32
nearest_group(VsIvfIndex *index, const float *centers, const float *x)
{
	int			dim = index->geometry.dim;
	float		best = INFINITY;
	uint32		nearest = 0;

	for (uint32 g = 0; g < index->meta.ngroups; g++)
	{
		float		dist = vs_kernel->f32_l2_sq(dim, x, centers + (Size) g * dim);

		if (dist < best)
		{
			best = dist;
			nearest = g;
		}
	}
	return nearest;
}

/* Numbers from "first" on. */
static uint32 *
list_numbers(uint32 first, uint32 n)
{
	uint32	   *numbers = palloc(sizeof(uint32) * n);

	for (uint32 i = 0; i < n; i++)
		numbers[i] = first + i;
	return numbers;
}

/* Divide the centroids into groups, the lists after those of rows. */
static void
form_groups(VsIvfIndex *index, const float *centroids, const float *centers,
			CentroidList *groups)
{
	int			dim = index->geometry.dim;
	uint32		nlists = index->meta.nlists;
	uint32		ngroups = index->meta.ngroups;
	uint32	   *group_of = palloc(sizeof(uint32) * nlists);
	uint32	   *members = palloc(sizeof(uint32) * nlists);
	uint32		begin = 0;

	for (uint32 list = 0; list < nlists; list++)
	{
		CHECK_FOR_INTERRUPTS();
		group_of[list] = nearest_group(index, centers,
									   centroids + (Size) list * dim);
		groups[group_of[list]].nrows++;
	}
	for (uint32 g = 0; g < ngroups; g++)
	{
		groups[g].list = nlists + g;
		groups[g].members = members + begin;
		groups[g].vectors = centroids;
		groups[g].center = centers + (Size) g * dim;
		begin += groups[g].nrows;
		groups[g].nrows = 0;
	}
	for (uint32 list = 0; list < nlists; list++)
	{
		CentroidList *group = &groups[group_of[list]];

		members[group->members - members + group->nrows++] = list;
	}
	pfree(group_of);
}

/*
 * Form all lists of centroids, the root last; returns how many there are.
 */
static uint32
form_centroid_lists(VsIvfIndex *index, const float *centroids,
					CentroidList **lists)
{
	uint32		nlists = index->meta.nlists;
	uint32		ngroups = count_groups(nlists);
	CentroidList *root;

	index->meta.ngroups = ngroups;
	*lists = palloc0(sizeof(CentroidList) * (ngroups + 1));
	root = *lists + ngroups;
	root->list = vs_ivf_root(index);
	root->nrows = ngroups > 0 ? ngroups : nlists;
	root->base = ngroups > 0 ? nlists : 0;
	root->members = list_numbers(root->base, root->nrows);
	root->vectors = centroids;
	if (ngroups > 0)
	{
		root->vectors = train_groups(index, centroids);
		form_groups(index, centroids, root->vectors, *lists);
	}
	root->center = mean_of_vectors(index->geometry.dim, root->vectors,
								   root->nrows);
	return ngroups + 1;
}

/* Note in the directory where a list of centroids is, and what it holds. */
static void
note_centroids(const VsIvfGeometry *g, const CentroidList *from,
			   VsIvfEntry *entries)
{
	entries[from->list].first = from->layout.first;
	entries[from->list].insert = from->layout.first;
	for (uint32 i = 0; g->vectors_per_page > 0 && i < from->nrows; i++)
	{
		VsIvfEntry *entry = &entries[from->members[i]];
		int			slot = i % g->nslots;

		entry->center_block = vs_ivf_vector_block(g, &from->layout, i / g->nslots,
												  slot / g->vectors_per_page);
		entry->center_record = slot % g->vectors_per_page;
	}
}

/* Directory entries of all lists; those of rows are still to be written. */
static VsIvfEntry *
form_entries(VsIvfIndex *index, const CentroidList *lists, uint32 n,
			 BlockNumber center_block)
{
	uint32		root = vs_ivf_root(index);
	VsIvfEntry *entries = palloc0(sizeof(VsIvfEntry) * (root + 1));

	for (uint32 list = 0; list <= root; list++)
		entries[list].first = entries[list].insert =
			entries[list].center_block = InvalidBlockNumber;
	for (uint32 i = 0; i < n; i++)
		note_centroids(&index->geometry, &lists[i], entries);
	entries[root].center_block = center_block;
	return entries;
}

/* Write the metapage and the directory. */
static void
put_meta(VsIvfIndex *index, ForkNumber fork, const VsIvfEntry *entries)
{
	uint32		nentries = vs_ivf_root(index) + 1;
	VsIvfNewPage new;
	Page		page;

	page = vs_ivf_begin_page(index, fork, IVF_META_BLOCK, &new);
	vs_ivf_init_page(&index->geometry, page, IVF_PAGE_META);
	*vs_ivf_page_meta(page) = index->meta;
	vs_ivf_end_page(index, &new);

	for (uint32 begin = 0; begin < nentries; begin += IVF_ENTRIES_PER_PAGE)
	{
		page = vs_ivf_begin_page(index, fork, index->meta.directory_block +
								 begin / IVF_ENTRIES_PER_PAGE, &new);
		vs_ivf_init_page(&index->geometry, page, IVF_PAGE_DIRECTORY);
		memcpy(vs_ivf_page_entry(page, 0), entries + begin,
			   sizeof(VsIvfEntry) * Min(nentries - begin, IVF_ENTRIES_PER_PAGE));
		vs_ivf_end_page(index, &new);
	}
}

/* Write what the root's codes are around. */
static void
put_root_center(VsIvfIndex *index, ForkNumber fork, BlockNumber block,
				const CentroidList *root)
{
	float	   *scratch = palloc(sizeof(float) * index->geometry.dim);
	VsIvfRow	row;

	vs_ivf_row_init(&row, &index->geometry);
	form_center(index, root->center, scratch, &row.vector);
	vs_ivf_put_vectors(index, fork, block, &row, 1);
	vs_ivf_row_free(&row);
	pfree(scratch);
}

/*
 * Create metapage, directory and the lists of centroids.  Returns the block that
 * follows; in an init fork the only list begins there.
 */
static BlockNumber
create(VsIvfIndex *index, const float *centroids, ForkNumber fork)
{
	const VsIvfGeometry *g = &index->geometry;
	CentroidList *lists;
	uint32		n = form_centroid_lists(index, centroids, &lists);
	BlockNumber center_block;
	BlockNumber end;
	VsIvfEntry *entries;

	index->meta.directory_block = IVF_META_BLOCK + 1;
	center_block = index->meta.directory_block +
		vs_ivf_root(index) / IVF_ENTRIES_PER_PAGE + 1;
	end = center_block + g->pages_per_vector;
	for (uint32 i = 0; i < n; i++)
	{
		lists[i].layout = vs_ivf_lay_out(g, end, lists[i].nrows);
		end = lists[i].layout.end;
	}
	if (fork == MAIN_FORKNUM)
		vs_page_extend_file(index->rel, end);

	entries = form_entries(index, lists, n, center_block);
	if (fork == INIT_FORKNUM)
		entries[0].first = entries[0].insert = end;
	put_meta(index, fork, entries);
	put_root_center(index, fork, center_block, &lists[n - 1]);
	for (uint32 i = 0; i < n; i++)
		put_centroids(index, fork, &lists[i]);
	return end;
}

void
vs_ivf_create(VsIvfIndex *index, const float *centroids)
{
	create(index, centroids, MAIN_FORKNUM);
}

void
vs_ivf_buildempty(Relation rel)
{
	VsIvfIndex *index = vs_ivf_open_new(rel);
	VsIvfLayout layout;
	BlockNumber first;

	index->meta.nlists = 1;
	vs_ivf_set_unit(index, 0, 0.0);
	first = create(index, palloc0(sizeof(float) * index->geometry.dim),
				   INIT_FORKNUM);
	layout = vs_ivf_lay_out(&index->geometry, first, 0);
	vs_ivf_put_list(index, INIT_FORKNUM, 0, &layout, NULL, 0, NULL, NULL);
}
