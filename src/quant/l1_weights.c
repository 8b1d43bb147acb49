/*
 * l1_weights.c
 *		Weights of dimensions by which L2 distances stand for L1 distances.
 *
 * A dimension's |d| is replaced by a * d^2, where d is the difference of two
 * near vectors there and a = E|d| / E(d^2): right on the average over near
 * pairs of the sample.  See README.md, "L1", for the measurements.
 */
#include "postgres.h"

#include <math.h>

#include "kernel/kernel.h"
#include "quant/l1_weights.h"

/* Samples whose nearest others are looked for, and how many of these. */
#define NANCHORS 256
#define NNEAREST 4

/* The share of all dimensions' average that is mixed into each one's. */
#define SHRINKAGE 0.001

/* Weights are powers of two of at most this magnitude. */
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

/* The mean ratio of the pairs' L1 distances to sqrt(sum of a * d^2). */
static double
mean_ratio(int dim, const float *samples, const Pairs *pairs,
		   const double *curvatures)
{
	double		sum = 0.0;

	for (int p = 0; p < pairs->n; p++)
	{
		double		l1 = 0.0;
		double		l2_sq = 0.0;

		for (int d = 0; d < dim; d++)
		{
			double		diff = pair_difference(dim, samples, pairs, p, d);

			l1 += diff;
			l2_sq += curvatures[d] * diff * diff;
		}
		sum += l1 / sqrt(l2_sq);
	}
	return sum / pairs->n;
}

void
vs_l1_weights_train(int dim, int n, const float *samples, float *weights)
{
	Pairs	   *pairs = palloc0(sizeof(Pairs));
	double	   *curvatures = palloc(sizeof(double) * dim);
	int			nanchors = Min(n, NANCHORS);
	double		ratio = 1.0;

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

	pfree(curvatures);
	pfree(pairs);
}
