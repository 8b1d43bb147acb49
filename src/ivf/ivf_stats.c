/*
 * ivf_stats.c
 *		The numbers of vsearch_index_stats.
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "ivf/ivf_check.h"
#include "ivf/ivf_measure.h"
#include "ivf/ivf_write.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

/* Rows whose distance to their centroid is measured, about. */
#define MEASURED_ROWS 1000

/* What was counted. */
typedef struct Tally
{
	VsIvfIndex *index;
	uint64	   *nrows;			/* of each list */
	uint64		npages;			/* of the lists that hold rows */
	uint64		npages_new;		/* that these would have in a new index */

	/* Of each step rows one is measured, any of them. */
	uint64		step;
	uint64		nseen;			/* rows so far */
	uint64		next_measured;
	pg_prng_state prng;
	double	   *dists;
	int			ndists;
	int			capacity;
} Tally;

/* Distance of a row to its list's centroid, in the unit of codes. */
static double
center_distance(VsIvfIndex *index, BlockNumber block, int record,
				const float *center)
{
	int			dim = index->geometry.dim;
	VsIvfVector vector = {.halves = palloc(sizeof(uint16) * dim)};
	float	   *x = palloc(sizeof(float) * dim);
	double		dist;

	vs_ivf_read_vector(index, block, record, &vector);
	vs_kernel->f16_to_f32(dim, vector.halves, vs_f16vec_scale(vector.exponent), x);
	vs_rabitq_rotate(&index->codec, x, x);
	dist = sqrt(vs_kernel->f32_l2_sq(dim, x, center));
	pfree(vector.halves);
	pfree(x);
	return dist;
}

/* Keep the distance of a row that was measured. */
static void
keep_dist(Tally *tally, double dist)
{
	if (tally->ndists == tally->capacity)
	{
		tally->capacity *= 2;
		tally->dists = repalloc(tally->dists, sizeof(double) * tally->capacity);
	}
	tally->dists[tally->ndists++] = dist;
}

/* Count a row; whether it is one to be measured. */
static bool
is_measured(Tally *tally)
{
	uint64		row = tally->nseen++;

	if (row % tally->step == 0)
		tally->next_measured = row +
			pg_prng_uint64_range(&tally->prng, 0, tally->step - 1);
	return row == tally->next_measured;
}

/*
 * Measure rows of a list page; center is where the list's center is, once it was
 * read.
 */
static void
measure_page(Tally *tally, const VsIvfEntry *entry, float **center,
			 const VsIvfSlots *slots)
{
	VsIvfIndex *index = tally->index;
	const VsIvfGeometry *g = &index->geometry;

	for (int i = 0; i < vs_ivf_nused(g, slots); i++)
	{
		if (!ItemPointerIsValid(&slots->tids[i]) || !is_measured(tally))
			continue;
		if (*center == NULL)
		{
			*center = palloc(sizeof(float) * g->dim);
			vs_ivf_read_center(index, entry, *center);
		}
		keep_dist(tally, center_distance(index,
										 slots->vector_blocks[i / g->vectors_per_page],
										 i % g->vectors_per_page, *center));
	}
}

/* Pages of vectors that a list page owns. */
static int
count_vector_pages(const VsIvfGeometry *g, const VsIvfSlots *slots)
{
	int			n = 0;

	for (int i = 0; i < g->nvector_blocks; i++)
		n += slots->vector_blocks[i] != 0;
	return n * g->pages_per_vector;
}

/* Count the rows of a list, and measure some. */
static void
tally_list(Tally *tally, uint32 list)
{
	VsIvfIndex *index = tally->index;
	const VsIvfGeometry *g = &index->geometry;
	VsIvfEntry	entry = vs_ivf_read_entry(index, list);
	BlockNumber block = entry.first;
	float	   *center = NULL;
	PGAlignedBlock copy;

	while (block != InvalidBlockNumber)
	{
		Buffer		buffer = vs_ivf_lock_list(index, list, block,
											  BUFFER_LOCK_SHARE);
		VsIvfSlots	slots;

		memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();

		slots = vs_ivf_page_slots(g, (Page) copy.data);
		tally->nrows[list] += slots.header->nlive;
		tally->npages += 1 + count_vector_pages(g, &slots);
		if (!vs_ivf_is_exact(index))
			measure_page(tally, &entry, &center, &slots);
		block = vs_ivf_next_block(index, block, slots.header);
	}
	tally->npages_new += vs_ivf_lay_out(g, 0, tally->nrows[list]).end;
	if (center != NULL)
		pfree(center);
}

static int
compare_counts(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

/* Report how many rows the lists have; returns how many there are. */
static double
report_lists(VsStats *stats, Tally *tally)
{
	uint32		nlists = tally->index->meta.nlists;
	double		nrows = 0.0;
	uint32		nempty = 0;

	qsort(tally->nrows, nlists, sizeof(uint64), compare_counts);
	for (uint32 i = 0; i < nlists; i++)
	{
		nrows += tally->nrows[i];
		nempty += tally->nrows[i] == 0;
	}
	vs_stats_add(stats, "rows", nrows,
				 "those deleted are among them until vacuum");
	vs_stats_add(stats, "rows_at_build", tally->index->meta.nrows, NULL);
	vs_stats_add(stats, "lists", nlists, NULL);
	vs_stats_add(stats, "empty_lists", nempty, NULL);
	vs_stats_add(stats, "mean_list_rows", nrows / nlists, NULL);
	vs_stats_add(stats, "median_list_rows", tally->nrows[nlists / 2], NULL);
	vs_stats_add(stats, "largest_list_rows", tally->nrows[nlists - 1],
				 "a scan that probes this list reads so many codes");
	return nrows;
}

/*
 * Advise to rebuild an index whose lists were chosen for far fewer rows, as one
 * that was created before there were any.
 */
static void
report_growth(VsStats *stats, const Tally *tally, double nrows)
{
	const VsIvfMeta *meta = &tally->index->meta;
	Relation	rel = tally->index->rel;
	int			nlists = vs_ivf_option_lists(rel, nrows);

	if (vs_ivf_option_centroids_from(rel) == NULL &&
		nrows > 2.0 * meta->nrows && nrows >= nlists && nlists > 2 * meta->nlists)
		vs_stats_advise(stats, VS_ADVICE_REINDEX, "its number of lists, %u, was chosen for %.0f rows; for %.0f rows it is %d",
						meta->nlists, meta->nrows, nrows, nlists);
}

/* So that about MEASURED_ROWS rows are measured, of an index that is full. */
static uint64
measured_step(const VsIvfIndex *index, BlockNumber nblocks)
{
	const VsIvfGeometry *g = &index->geometry;
	double		npages = 1.0 + (double) g->nvector_blocks * g->pages_per_vector;

	return Max(nblocks / npages * g->nslots / MEASURED_ROWS, 1.0);
}

void
vs_ivf_stats(Relation rel, VsStats *stats)
{
	VsIvfIndex *index = vs_ivf_open(rel);
	uint32		nlists = index->meta.nlists;
	BlockNumber nblocks = RelationGetNumberOfBlocks(rel);
	Tally		tally = {
		.index = index,
		.nrows = palloc0(sizeof(uint64) * nlists),
		.step = measured_step(index, nblocks),
		.dists = palloc(sizeof(double) * MEASURED_ROWS),
		.capacity = MEASURED_ROWS,
	};
	VsStatsSpace space = {0};
	double		nrows;

	pg_prng_seed(&tally.prng, index->meta.seed);
	for (uint32 list = 0; list < nlists; list++)
		tally_list(&tally, list);

	nrows = report_lists(stats, &tally);
	report_growth(stats, &tally, nrows);
	vs_stats_add(stats, "code_bits", index->meta.bits,
				 vs_ivf_is_exact(index) ?
				 "a dimension: codes are the vectors themselves" :
				 "a dimension");
	space.npages = nblocks;
	if (tally.npages > tally.npages_new)
		space.nfree_bytes = (double) (tally.npages - tally.npages_new) * BLCKSZ;
	vs_stats_add_space(stats, &space);
	if (tally.ndists > 0)
		vs_stats_add_drift(stats,
						   ldexp(vs_ivf_typical(tally.ndists, tally.dists),
								 index->codec.exponent),
						   index->meta.residual);
}
