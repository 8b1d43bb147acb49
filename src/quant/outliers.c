/*
 * outliers.c
 *		Samples so far off that no unit fits them and the others.
 *
 * A codec's factors are float16: beside a residual 64 times as long as the usual
 * one the squares of usual ones lose their bits, and a mean that is off by as
 * much as that leaves a query's 8 bits nothing to tell.  One row of garbage would
 * spoil the codes of all others.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "quant/outliers.h"

/* So many times as far from the mean as nearly all samples is too far. */
#define FAR_RATIO		64.0

/* The share of samples that are not counted as nearly all. */
#define RARE_SHARE		0.01

/* Squared distances to the mean below this share of its square are rounding. */
#define ROUNDING_SHARE	1e-10

#define ST_SORT sort_doubles
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Squared distances of n samples to their mean, work space for which is given.
 * Returns the one that nearly all keep within, 0 if they are alike.
 */
static double
measure_distances(int dim, int n, const float *samples, double *mean,
				  double *dist_sq, double *sorted)
{
	double		mean_sq = 0.0;
	double		usual;

	memset(mean, 0, sizeof(double) * dim);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < dim; d++)
			mean[d] += (double) samples[(size_t) i * dim + d];
	}
	for (int d = 0; d < dim; d++)
	{
		mean[d] /= n;
		mean_sq += mean[d] * mean[d];
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		dist_sq[i] = 0.0;
		for (int d = 0; d < dim; d++)
		{
			double		diff = samples[(size_t) i * dim + d] - mean[d];

			dist_sq[i] += diff * diff;
		}
	}
	memcpy(sorted, dist_sq, sizeof(double) * n);
	sort_doubles(sorted, n);
	usual = sorted[n - 1 - (int) (n * RARE_SHARE)];
	return usual > ROUNDING_SHARE * mean_sq ? usual : 0.0;
}

/* Exchange two samples. */
static void
swap_samples(int dim, float *a, float *b)
{
	for (int d = 0; d < dim; d++)
	{
		float		x = a[d];

		a[d] = b[d];
		b[d] = x;
	}
}

int
vs_move_outliers(int dim, int n, float *samples)
{
	double	   *mean = palloc(sizeof(double) * dim);
	double	   *dist_sq = palloc(sizeof(double) * n);
	double	   *sorted = palloc(sizeof(double) * n);
	double		usual = measure_distances(dim, n, samples, mean, dist_sq, sorted);

	/* Again and again: farther ones hide others, as they move the mean. */
	while (usual > 0.0)
	{
		double		limit = FAR_RATIO * FAR_RATIO * usual;
		int			nkept = n;

		for (int i = n - 1; i >= 0; i--)
			if (dist_sq[i] > limit)
				swap_samples(dim, samples + (size_t) i * dim,
							 samples + (size_t) --nkept * dim);
		if (nkept == n)
			break;
		usual = measure_distances(dim, nkept, samples, mean, dist_sq, sorted);
		if (usual > 0.0)
			n = nkept;
	}
	pfree(mean);
	pfree(dist_sq);
	pfree(sorted);
	return n;
}
