/*
 * kmeans.c
 *		Small k-means for codebooks of a few centroids.
 */
#include "postgres.h"

#include <float.h>

#include "common/pg_prng.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/kmeans.h"

#define MAX_ITERATIONS 10

/*
 * Choose the initial centroids: each next one is a sample drawn with
 * probability proportional to its squared distance from those chosen
 * (k-means++, Arthur and Vassilvitskii 2007).
 */
static void
choose_initial(int dim, int n, const float *samples, int k,
			   pg_prng_state *prng, float *centroids, float *dist_sq)
{
	int			chosen = (int) pg_prng_uint64_range(prng, 0, n - 1);

	for (int i = 0; i < n; i++)
		dist_sq[i] = FLT_MAX;

	for (int c = 0; c < k; c++)
	{
		const float *centroid = samples + (size_t) chosen * dim;
		double		total = 0.0;
		double		draw;

		memcpy(centroids + (size_t) c * dim, centroid, sizeof(float) * dim);

		for (int i = 0; i < n; i++)
		{
			float		d = vs_kernel->f32_l2_sq(dim, samples + (size_t) i * dim,
												 centroid);

			dist_sq[i] = Min(dist_sq[i], d);
			total += dist_sq[i];
		}

		draw = pg_prng_double(prng) * total;
		for (chosen = 0; chosen < n - 1; chosen++)
		{
			draw -= dist_sq[chosen];
			if (draw < 0.0)
				break;
		}
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Assign each sample to its nearest centroid; true if any assignment changed.
 */
static bool
assign_samples(int dim, int n, const float *samples, int k,
			   const float *centroids, int *assignment)
{
	bool		changed = false;

	for (int i = 0; i < n; i++)
	{
		float		best_dist = FLT_MAX;
		int			best = 0;

		CHECK_FOR_INTERRUPTS();
		for (int c = 0; c < k; c++)
		{
			float		d = vs_kernel->f32_l2_sq(dim, samples + (size_t) i * dim,
												 centroids + (size_t) c * dim);

			if (d < best_dist)
			{
				best_dist = d;
				best = c;
			}
		}
		if (assignment[i] != best)
			changed = true;
		assignment[i] = best;
	}
	return changed;
}

/* Move each centroid to the mean of its samples; one without any stays. */
static void
move_centroids(int dim, int n, const float *samples, int k,
			   const int *assignment, float *centroids)
{
	for (int c = 0; c < k; c++)
	{
		float	   *centroid = centroids + (size_t) c * dim;
		int			count = 0;

		for (int i = 0; i < n; i++)
			count += (assignment[i] == c);
		if (count == 0)
			continue;

		memset(centroid, 0, sizeof(float) * dim);
		for (int i = 0; i < n; i++)
		{
			const float *sample = samples + (size_t) i * dim;

			if (assignment[i] != c)
				continue;
			for (int d = 0; d < dim; d++)
				centroid[d] += sample[d];
		}
		for (int d = 0; d < dim; d++)
			centroid[d] /= count;
	}
}

void
vs_kmeans(int dim, int n, const float *samples, int k, uint64 seed,
		  float *centroids, float *scratch_dist, int *scratch_assign)
{
	pg_prng_state prng;

	Assert(n >= 1 && k >= 1);

	pg_prng_seed(&prng, seed);
	choose_initial(dim, n, samples, k, &prng, centroids, scratch_dist);

	memset(scratch_assign, -1, sizeof(int) * n);
	for (int iteration = 0; iteration < MAX_ITERATIONS; iteration++)
	{
		if (!assign_samples(dim, n, samples, k, centroids, scratch_assign))
			break;
		move_centroids(dim, n, samples, k, scratch_assign, centroids);
		CHECK_FOR_INTERRUPTS();
	}
}
