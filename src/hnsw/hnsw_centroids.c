/*
 * hnsw_centroids.c
 *		Further centroids as the index grows.
 *
 * The codec was trained from the rows that there were.  Rows that come later
 * may lie elsewhere, as when a table is loaded in the order of some label;
 * their codes then say little.  So each time the index has grown by a share,
 * the insert that notices looks whether a few centroids of their own would
 * serve the rows that came since much better, and appends them.  See README.md,
 * "Insert", for measurements.
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_noderead.h"
#include "index/seed.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

/* The index has grown enough by this share of its nodes, and this many. */
#define GROWN_SHARE		(1.0 / 16)
#define GROWN_NODES		256

/* Samples: this many, fewer of long vectors. */
#define MAX_SAMPLES		512
#define MIN_SAMPLES		64
#define MAX_SAMPLED_FLOATS	(1024 * 1024)

/* New centroids must take away this share of the squared distances to them. */
#define WORTHWHILE_GAIN	0.2

/* How many places for nodes that many blocks have. */
static double
places_for_nodes(const VsHnswGeometry *g, BlockNumber nblocks)
{
	return (double) nblocks / g->npages * g->nodes_per_page;
}

/* Whether it is time to think of further centroids. */
static bool
has_grown(const VsHnswIndex *index, BlockNumber nblocks)
{
	const VsHnswMeta *meta = &index->meta;
	double		before = places_for_nodes(&index->geometry, meta->trained_nblocks);
	double		now = places_for_nodes(&index->geometry, nblocks);

	return meta->bits != VS_RABITQ_FLOAT16_BITS &&
		meta->ncentroids + HNSW_MORE_CENTROIDS <= HNSW_MAX_CENTROIDS &&
		now - before >= Max(before * GROWN_SHARE, GROWN_NODES);
}

float *
vs_hnsw_sample_nodes(VsHnswIndex *index, BlockNumber begin, BlockNumber end,
					 int *n)
{
	const VsHnswGeometry *g = &index->geometry;
	int			max_samples = Max(Min(MAX_SAMPLED_FLOATS / g->dim, MAX_SAMPLES),
								  MIN_SAMPLES);
	float	   *samples = palloc(sizeof(float) * g->dim * max_samples);
	uint32	   *ids = palloc(sizeof(uint32) * g->nodes_per_page);
	uint64		npages = (uint64) (max_samples / g->nodes_per_page + 1) * g->npages;
	VsHnswNodeCopy copy;

	*n = 0;
	npages = Min(npages, end - begin);
	vs_hnsw_node_copy_init(&copy, g);
	for (uint64 i = 0; i < npages; i++)
	{
		BlockNumber block = begin + (BlockNumber) (i * (end - begin) / npages);
		int			nids = vs_hnsw_list_nodes(index, block, ids);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < nids && *n < max_samples; j++)
		{
			/* Vacuum may have taken it away meanwhile. */
			if (!vs_hnsw_read_node(index, ids[j], NULL, false, &copy))
				continue;
			vs_kernel->f16_to_f32(g->dim, copy.halves,
								  vs_f16vec_scale(copy.header.exponent),
								  samples + (Size) *n * g->dim);
			(*n)++;
		}
	}
	pfree(ids);
	return samples;
}

/*
 * The typical residual of all rows, given that of the ones that came since the
 * index had "begin" of its nblocks.
 */
static float
mix_residuals(const VsHnswIndex *index, float recent, BlockNumber begin,
			  BlockNumber nblocks)
{
	float		before = index->meta.residual;
	float		share = (float) begin / nblocks;

	return sqrtf(share * before * before + (1.0f - share) * recent * recent);
}

void
vs_hnsw_add_centroids_if_grown(VsHnswIndex *index)
{
	int			dim = index->geometry.dim;
	BlockNumber nblocks = RelationGetNumberOfBlocks(index->rel);
	BlockNumber begin = index->meta.trained_nblocks;
	float	   *samples;
	float	   *centroids;
	float		residual;
	int			n;

	/* Noted first: an insert that is cancelled here is the only one. */
	if (!has_grown(index, nblocks) || !vs_hnsw_note_training(index, nblocks))
		return;

	samples = vs_hnsw_sample_nodes(index, begin, nblocks, &n);
	centroids = palloc(sizeof(float) * dim * HNSW_MORE_CENTROIDS);
	if (n >= MIN_SAMPLES / 2 &&
		vs_rabitq_train_more(index->codec, samples, n, HNSW_MORE_CENTROIDS,
							 pg_prng_uint64(vs_prng), centroids,
							 &residual) >= WORTHWHILE_GAIN)
		vs_hnsw_append_centroids(index, centroids, HNSW_MORE_CENTROIDS,
								 mix_residuals(index, residual, begin, nblocks));
}
