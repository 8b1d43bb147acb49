/*
 * ivf_measure.c
 *		How far rows typically are from their centroids.
 */
#include "postgres.h"

#include <math.h>

#include "ivf/ivf_measure.h"
#include "kernel/kernel.h"

/* Distances count for at most this much of the median one. */
#define FAR_RATIO 64.0

/* Rounding to what is stored moves vectors by this share of their length. */
#define ROUNDING_SHARE 0x1p-11

#define ST_SORT sort_doubles
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The median of n > 0 numbers, which are sorted by it. */
static double
median(int n, double *numbers)
{
	sort_doubles(numbers, n);
	return numbers[n / 2];
}

double
vs_ivf_typical(int n, double *dists)
{
	double		limit;
	double		sum = 0.0;
	int			nzero = 0;

	sort_doubles(dists, n);
	while (nzero < n && dists[nzero] <= 0.0)
		nzero++;
	if (nzero == n)
		return 0.0;
	limit = FAR_RATIO * dists[nzero + (n - nzero) / 2];
	for (int i = nzero; i < n; i++)
		sum += Min(dists[i], limit);
	return sum / (n - nzero);
}

/* Distance between two vectors, of any magnitudes. */
static double
distance(int dim, const float *a, const float *b)
{
	double		sum = 0.0;

	for (int i = 0; i < dim; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sqrt(sum);
}

/*
 * Where a row of garbage has drawn a centroid to itself, the other rows' length
 * says more than their distance from that.
 */
double
vs_ivf_typical_distance(int dim, int n, const float *samples,
						const uint32 *nearest, const float *centroids)
{
	float	   *zero = palloc0(sizeof(float) * dim);
	double	   *dists = palloc(sizeof(double) * n);
	double	   *lengths = palloc(sizeof(double) * n);
	double		dist;
	double		length;

	for (int i = 0; i < n; i++)
	{
		const float *x = samples + (Size) i * dim;

		dists[i] = distance(dim, x, centroids + (Size) nearest[i] * dim);
		lengths[i] = distance(dim, x, zero);
	}
	dist = vs_ivf_typical(n, dists);
	length = vs_ivf_typical(n, lengths);
	pfree(zero);
	pfree(dists);
	pfree(lengths);
	return Max(Min(dist, length), ROUNDING_SHARE * length);
}

double
vs_ivf_typical_length(int dim, int n, const float *samples,
					  const uint32 *nearest, const float *centroids)
{
	double	   *lengths = palloc(sizeof(double) * n);
	double		length;

	for (int i = 0; i < n; i++)
		lengths[i] = vs_kernel->f32_ip(dim, samples + (Size) i * dim,
									   centroids + (Size) nearest[i] * dim);
	length = median(n, lengths);
	pfree(lengths);
	return isfinite(length) && length > 0.0 ? length : 1.0;
}
