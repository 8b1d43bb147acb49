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

/* Assignments beside the numbers of centroids. */
#define UNASSIGNED	(-1)
#define SETTLED		(-2)

/* Draw a sample with probability proportional to its weight. */
static int
draw_sample(int n, const float *weights, pg_prng_state *prng)
{
	double		total = 0.0;
	double		draw;
	int			chosen;

	for (int i = 0; i < n; i++)
		total += weights[i];
	draw = pg_prng_double(prng) * total;
	for (chosen = 0; chosen < n - 1; chosen++)
	{
		draw -= weights[chosen];
		if (draw < 0.0)
			break;
	}
	return chosen;
}

/*
 * Choose the initial centroids: each next one is a sample drawn with
 * probability proportional to its squared distance from those chosen
 * (k-means++, Arthur and Vassilvitskii 2007), or settled before.
 */
static void
choose_initial(int dim, int n, const float *samples, const float *settled_sq,
			   int k, pg_prng_state *prng, float *centroids)
{
	float	   *dist_sq = palloc(sizeof(float) * n);

	/* Nothing is near yet: all samples weigh the same. */
	for (int i = 0; i < n; i++)
		dist_sq[i] = settled_sq != NULL ? settled_sq[i] : 1.0f;

	for (int c = 0; c < k; c++)
	{
		const float *centroid = samples +
			(size_t) draw_sample(n, dist_sq, prng) * dim;

		memcpy(centroids + (size_t) c * dim, centroid, sizeof(float) * dim);
		for (int i = 0; i < n; i++)
		{
			float		d = vs_kernel->f32_l2_sq(dim, samples + (size_t) i * dim,
												 centroid);

			dist_sq[i] = c == 0 && settled_sq == NULL ? d : Min(dist_sq[i], d);
		}
		CHECK_FOR_INTERRUPTS();
	}
	pfree(dist_sq);
}

/*
 * Assign each sample to its nearest centroid, or to SETTLED if one of those is
 * nearer; true if any assignment changed.
 */
static bool
assign_samples(int dim, int n, const float *samples, const float *settled_sq,
			   int k, const float *centroids, int *assignment)
{
	bool		changed = false;

	for (int i = 0; i < n; i++)
	{
		float		best_dist = settled_sq != NULL ? settled_sq[i] : FLT_MAX;
		int			best = settled_sq != NULL ? SETTLED : 0;

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

		CHECK_FOR_INTERRUPTS();
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
vs_kmeans(int dim, int n, const float *samples, const float *settled_sq, int k,
		  uint64 seed, float *centroids)
{
	pg_prng_state prng;
	int		   *assignment = palloc(sizeof(int) * n);

	Assert(n >= 1 && k >= 1);

	pg_prng_seed(&prng, seed);
	choose_initial(dim, n, samples, settled_sq, k, &prng, centroids);

	for (int i = 0; i < n; i++)
		assignment[i] = UNASSIGNED;
	for (int iteration = 0; iteration < MAX_ITERATIONS; iteration++)
	{
		if (!assign_samples(dim, n, samples, settled_sq, k, centroids,
							assignment))
			break;
		move_centroids(dim, n, samples, k, assignment, centroids);
	}
	pfree(assignment);
}
