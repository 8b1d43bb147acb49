/*
 * ivf_stats.c
 *		The numbers of vsearch_index_stats.
 */
#include "postgres.h"

#include <math.h>

#include "ivf/ivf_check.h"
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

	/* Rows that are measured: one of "stride". */
	uint64		stride;
	uint64		nmet;
	double	   *dists;
	int			ndists;
	int			max_dists;
	float	   *center;			/* of the present list, once it is needed */
	bool		has_center;
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

/* Measure rows of a list page, one of so many that there are. */
static void
measure_page(Tally *tally, const VsIvfEntry *entry, const VsIvfSlots *slots)
{
	const VsIvfGeometry *g = &tally->index->geometry;

	for (int i = 0; i < vs_ivf_nused(g, slots); i++)
	{
		if (!ItemPointerIsValid(&slots->tids[i]) ||
			tally->nmet++ % tally->stride != 0 ||
			tally->ndists == tally->max_dists)
			continue;
		if (!tally->has_center)
			vs_ivf_read_center(tally->index, entry, tally->center);
		tally->has_center = true;
		tally->dists[tally->ndists++] =
			center_distance(tally->index,
							slots->vector_blocks[i / g->vectors_per_page],
							i % g->vectors_per_page, tally->center);
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
	PGAlignedBlock copy;

	tally->has_center = false;
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
			measure_page(tally, &entry, &slots);
		block = vs_ivf_next_block(index, block, slots.header);
	}
	tally->npages_new += vs_ivf_lay_out(g, 0, tally->nrows[list]).end;
}

static int
compare_counts(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

static int
compare_dists(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return left < right ? -1 : left > right;
}

/*
 * One of how many rows is to be measured, so that there are about MEASURED_ROWS
 * where pages are full.
 */
static uint64
choose_stride(const VsIvfGeometry *g, BlockNumber nblocks)
{
	int			npages = 1 + g->nvector_blocks * g->pages_per_vector;

	return Max((uint64) nblocks * g->nslots / npages / MEASURED_ROWS, 1);
}

/* Report how many rows the lists have. */
static void
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
}

void
vs_ivf_stats(Relation rel, VsStats *stats)
{
	VsIvfIndex *index = vs_ivf_open(rel);
	uint32		nlists = index->meta.nlists;
	bool		is_exact = vs_ivf_is_exact(index);
	BlockNumber nblocks = RelationGetNumberOfBlocks(rel);
	Tally		tally = {
		.index = index,
		.nrows = palloc0(sizeof(uint64) * nlists),
		.stride = choose_stride(&index->geometry, nblocks),
		.max_dists = 4 * MEASURED_ROWS,
		.center = palloc(sizeof(float) * index->geometry.dim),
	};

	tally.dists = palloc(sizeof(double) * tally.max_dists);
	for (uint32 list = 0; list < nlists; list++)
		tally_list(&tally, list);

	report_lists(stats, &tally);
	vs_stats_add(stats, "code_bits", index->meta.bits,
				 is_exact ? "a dimension: codes are the vectors themselves" :
				 "a dimension");
	vs_stats_add_space(stats, nblocks,
					   tally.npages <= tally.npages_new ? 0.0 :
					   (double) (tally.npages - tally.npages_new) * BLCKSZ, 0.0);
	if (tally.ndists == 0)
		return;
	qsort(tally.dists, tally.ndists, sizeof(double), compare_dists);
	vs_stats_add_drift(stats,
					   ldexp(tally.dists[tally.ndists / 2], index->codec.exponent),
					   index->meta.residual);
}
