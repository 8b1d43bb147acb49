/*
 * l1.c
 *		What makes an L2 distance stand for an L1 distance.
 *
 * Elements are clamped to what is usual: what lies beyond adds to L1 distances
 * what it adds, mostly whatever the other vector.  A dimension's |d| is replaced by a * d^2, where d is the difference of two
 * near vectors there and a = E|d| / E(d^2): right on the average over near
 * pairs of the sample.  See README.md, "L1", for the measurements.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "kernel/kernel.h"
#include "quant/l1.h"

/* Samples whose nearest others are looked for, and how many of these. */
#define NANCHORS 256
#define NNEAREST 4

/* The share of all dimensions' average that is mixed into each one's. */
#define SHRINKAGE 0.001

/* Standard deviations from the mean up to which an element is usual. */
#define USUAL_DEVIATIONS 4
#define CLAMP_ROUNDS 2

/* Weights lie between powers of two of this magnitude. */
#define MAX_WEIGHT_EXPONENT 20

/* Pairs of samples, by number. */
typedef struct Pairs
{
	int			n;
	int			first[NANCHORS * NNEAREST];
	int			second[NANCHORS * NNEAREST];
} Pairs;

/* The nearest others of a sample that differ from it, as pairs. */
static void
add_nearest(int dim, int n, const float *samples, int anchor, Pairs *pairs)
{
	const float *x = samples + (size_t) anchor * dim;
	int			ids[NNEAREST];
	float		dists[NNEAREST];
	int			nfound = 0;

	for (int i = 0; i < n; i++)
	{
		float		dist = vs_kernel->f32_l1(dim, x, samples + (size_t) i * dim);
		int			j;

		if (!(dist > 0.0f) || !isfinite(dist) ||
			(nfound == NNEAREST && dist >= dists[NNEAREST - 1]))
			continue;
		if (nfound < NNEAREST)
			nfound++;
		for (j = nfound - 1; j > 0 && dists[j - 1] > dist; j--)
		{
			dists[j] = dists[j - 1];
			ids[j] = ids[j - 1];
		}
		dists[j] = dist;
		ids[j] = i;
	}
	for (int j = 0; j < nfound; j++)
	{
		pairs->first[pairs->n] = anchor;
		pairs->second[pairs->n++] = ids[j];
	}
}

/* The difference of a pair in a dimension. */
static inline double
pair_difference(int dim, const float *samples, const Pairs *pairs, int pair,
				int d)
{
	return fabs((double) samples[(size_t) pairs->first[pair] * dim + d] -
				samples[(size_t) pairs->second[pair] * dim + d]);
}

/*
 * a of each dimension.  Dimensions without differences, and those with few, are
 * drawn to what all together have.
 */
static void
find_curvatures(int dim, const float *samples, const Pairs *pairs,
				double *curvatures)
{
	double	   *sums = palloc0(sizeof(double) * dim);
	double	   *sums_sq = palloc0(sizeof(double) * dim);
	double		mean = 0.0;
	double		mean_sq = 0.0;

	for (int p = 0; p < pairs->n; p++)
		for (int d = 0; d < dim; d++)
		{
			double		diff = pair_difference(dim, samples, pairs, p, d);

			sums[d] += diff;
			sums_sq[d] += diff * diff;
		}
	for (int d = 0; d < dim; d++)
	{
		mean += sums[d] / dim;
		mean_sq += sums_sq[d] / dim;
	}
	for (int d = 0; d < dim; d++)
		curvatures[d] = (sums[d] + SHRINKAGE * mean) /
			(sums_sq[d] + SHRINKAGE * mean_sq);

	pfree(sums);
	pfree(sums_sq);
}

/* The L1 distance of a pair. */
static double
pair_distance(int dim, const float *samples, const Pairs *pairs, int pair)
{
	double		sum = 0.0;

	for (int d = 0; d < dim; d++)
		sum += pair_difference(dim, samples, pairs, pair, d);
	return sum;
}

/* The mean ratio of the pairs' L1 distances to sqrt(sum of a * d^2). */
static double
mean_ratio(int dim, const float *samples, const Pairs *pairs,
		   const double *curvatures)
{
	double		sum = 0.0;

	for (int p = 0; p < pairs->n; p++)
	{
		double		l2_sq = 0.0;

		for (int d = 0; d < dim; d++)
		{
			double		diff = pair_difference(dim, samples, pairs, p, d);

			l2_sq += curvatures[d] * diff * diff;
		}
		sum += pair_distance(dim, samples, pairs, p) / sqrt(l2_sq);
	}
	return sum / pairs->n;
}

/* The mean L1 distance of the pairs. */
static double
mean_distance(int dim, const float *samples, const Pairs *pairs)
{
	double		sum = 0.0;

	for (int p = 0; p < pairs->n; p++)
		sum += pair_distance(dim, samples, pairs, p) / pairs->n;
	return sum;
}

/*
 * Find what is usual in each dimension, and clamp the samples to it.  Once more
 * among what is left, since a few elements that are far off widen the limits.
 */
static void
clamp_samples(int dim, int n, float *samples, float *low, float *high)
{
	double	   *means = palloc(sizeof(double) * dim);
	double	   *variances = palloc(sizeof(double) * dim);

	for (int round = 0; round < CLAMP_ROUNDS; round++)
	{
		memset(means, 0, sizeof(double) * dim);
		memset(variances, 0, sizeof(double) * dim);
		for (int i = 0; i < n; i++)
			for (int d = 0; d < dim; d++)
				means[d] += (double) samples[(size_t) i * dim + d] / n;
		for (int i = 0; i < n; i++)
			for (int d = 0; d < dim; d++)
			{
				double		diff = samples[(size_t) i * dim + d] - means[d];

				variances[d] += diff * diff / n;
			}
		for (int d = 0; d < dim; d++)
		{
			double		reach = USUAL_DEVIATIONS * sqrt(variances[d]);

			low[d] = (float) Max(means[d] - reach, -FLT_MAX);
			high[d] = (float) Min(means[d] + reach, FLT_MAX);
		}
		for (int i = 0; i < n; i++)
			for (int d = 0; d < dim; d++)
			{
				float	   *x = &samples[(size_t) i * dim + d];

				*x = Min(Max(*x, low[d]), high[d]);
			}
	}
	pfree(means);
	pfree(variances);
}

void
vs_l1_train(int dim, int n, float *samples, float *floats)
{
	float	   *weights = floats;
	Pairs	   *pairs = palloc0(sizeof(Pairs));
	double	   *curvatures = palloc(sizeof(double) * dim);
	int			nanchors = Min(n, NANCHORS);
	double		ratio = 1.0;

	clamp_samples(dim, n, samples, floats + dim, floats + 2 * (size_t) dim);
	for (int d = 0; d < dim; d++)
		curvatures[d] = 1.0;

	for (int i = 0; i < nanchors; i++)
		add_nearest(dim, n, samples, (int) ((int64) i * n / nanchors), pairs);
	if (pairs->n > 0)
	{
		find_curvatures(dim, samples, pairs, curvatures);
		ratio = mean_ratio(dim, samples, pairs, curvatures);
	}
	for (int d = 0; d < dim; d++)
	{
		double		weight = ratio * sqrt(curvatures[d]);

		weight = Max(weight, ldexp(1.0, -MAX_WEIGHT_EXPONENT));
		weights[d] = (float) Min(weight, ldexp(1.0, MAX_WEIGHT_EXPONENT));
	}
	floats[3 * (size_t) dim] = (float) mean_distance(dim, samples, pairs);

	pfree(curvatures);
	pfree(pairs);
}
