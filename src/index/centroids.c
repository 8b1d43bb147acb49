/*
 * centroids.c
 *		The nearest of many centroids, for many rows.
 *
 * Scores are products of matrices, block by block, so that most of the time
 * goes into BLAS.
 */
#include "postgres.h"

#include <math.h>

#include "index/blas.h"
#include "index/centroids.h"
#include "miscadmin.h"

/*
 * Scores that are compared at a time: compilers then take vectors of numbers.
 */
#define LANES 16

/*
 * Elements of prepared centroids are below 2^TOP_EXPONENT: products with the
 * largest floats, up to 16,000 of them, are then still finite.
 */
#define TOP_EXPONENT (-16)

/* A row's nearest centroid so far. */
typedef struct Nearest
{
	float		score;
	uint32		centroid;
} Nearest;

/* The least offset - product of n centroids, the first if there are several. */
static Nearest
find_least(int n, const float *offsets, const float *products)
{
	float		scores[LANES];
	int32		numbers[LANES];
	int			whole = n - n % LANES;
	Nearest		least = {INFINITY, 0};

	for (int l = 0; l < LANES; l++)
	{
		scores[l] = INFINITY;
		numbers[l] = 0;
	}
	for (int i = 0; i < whole; i += LANES)
		for (int l = 0; l < LANES; l++)
		{
			float		score = offsets[i + l] - products[i + l];
			bool		is_less = score < scores[l];

			scores[l] = is_less ? score : scores[l];
			numbers[l] = is_less ? i + l : numbers[l];
		}
	for (int l = 0; l < LANES; l++)
		if (scores[l] < least.score ||
			(scores[l] == least.score && numbers[l] < least.centroid))
		{
			least.score = scores[l];
			least.centroid = numbers[l];
		}
	for (int i = whole; i < n; i++)
		if (offsets[i] - products[i] < least.score)
		{
			least.score = offsets[i] - products[i];
			least.centroid = i;
		}
	return least;
}

/* Find the nearest centroid of each of at most a block of rows. */
static void
find_for_block(const VsCentroids *centroids, int nrows, const float *rows,
			   float *work, Nearest *nearest)
{
	for (int r = 0; r < nrows; r++)
		nearest[r] = (Nearest) {INFINITY, 0};
	for (int begin = 0; begin < centroids->k;
		 begin += VS_CENTROIDS_BLOCK_CENTROIDS)
	{
		int			n = Min(centroids->k - begin, VS_CENTROIDS_BLOCK_CENTROIDS);

		CHECK_FOR_INTERRUPTS();
		vs_blas_products(nrows, n, centroids->dim, rows,
						 centroids->vectors + (Size) begin * centroids->dim,
						 work);
		for (int r = 0; r < nrows; r++)
		{
			Nearest		found = find_least(n, centroids->offsets + begin,
										   work + (Size) r * n);

			if (found.score < nearest[r].score)
			{
				nearest[r].score = found.score;
				nearest[r].centroid = begin + found.centroid;
			}
		}
	}
}

void
vs_centroids_nearest(const VsCentroids *centroids, int n, const float *rows,
					 float *work, uint32 *nearest, float *scores)
{
	Nearest		found[VS_CENTROIDS_BLOCK_ROWS];

	if (centroids->screen != NULL)
	{
		vs_screen_nearest(centroids->screen, n, rows, nearest, scores);
		return;
	}
	for (int begin = 0; begin < n; begin += VS_CENTROIDS_BLOCK_ROWS)
	{
		int			nrows = Min(n - begin, VS_CENTROIDS_BLOCK_ROWS);

		find_for_block(centroids, nrows, rows + (Size) begin * centroids->dim,
					   work, found);
		for (int r = 0; r < nrows; r++)
		{
			nearest[begin + r] = found[r].centroid;
			if (scores != NULL)
				scores[begin + r] = found[r].score;
		}
	}
}

/* The mean of k vectors. */
static void
compute_mean(int dim, int k, const float *vectors, double *mean)
{
	memset(mean, 0, sizeof(double) * dim);
	for (int c = 0; c < k; c++)
		for (int d = 0; d < dim; d++)
			mean[d] += vectors[(Size) c * dim + d];
	for (int d = 0; d < dim; d++)
		mean[d] /= k;
}

/* The exponent of two that brings all differences from the mean to size. */
static int
find_exponent(int dim, int k, const float *vectors, const double *mean)
{
	double		largest = 0.0;
	int			exponent = 0;

	for (int c = 0; c < k; c++)
		for (int d = 0; d < dim; d++)
			largest = Max(largest, fabs(vectors[(Size) c * dim + d] - mean[d]));
	if (largest > 0.0)
		frexp(largest, &exponent);
	return TOP_EXPONENT - exponent;
}

Size
vs_centroids_nbytes(int dim, int k)
{
	return MAXALIGN(sizeof(VsCentroids)) +
		sizeof(float) * ((Size) dim * k + k);
}

/*
 * With m the mean of the centroids and c' = c - m, |x - c|^2 is
 *
 *		|x - m|^2 + 2 (|c'|^2 / 2 + <m, c'> - <x, c'>)
 *
 * where the first term is the same for all centroids.  Where all rows lie far
 * from zero, close to each other, <x, c> would lose in rounding what tells
 * centroids apart; <x, c'> loses much less.
 */
VsCentroids *
vs_centroids_create(int dim, int k, const float *centroids, bool by_ip)
{
	char	   *memory = palloc_extended(vs_centroids_nbytes(dim, k),
										 MCXT_ALLOC_HUGE);
	VsCentroids *result = (VsCentroids *) memory;
	float	   *vectors = (float *) (memory + MAXALIGN(sizeof(VsCentroids)));
	float	   *offsets = vectors + (Size) dim * k;
	double	   *mean = palloc(sizeof(double) * dim);
	int			exponent;

	compute_mean(dim, k, centroids, mean);
	exponent = find_exponent(dim, k, centroids, mean);
	for (int c = 0; c < k; c++)
	{
		const float *centroid = centroids + (Size) c * dim;
		float	   *vector = vectors + (Size) c * dim;
		double		offset = 0.0;

		for (int d = 0; d < dim; d++)
		{
			double		diff = centroid[d] - mean[d];

			vector[d] = (float) ldexp(diff, exponent);
			offset += vector[d] * (diff / 2 + mean[d]);
		}
		offsets[c] = by_ip ? 0.0f : (float) offset;
	}
	pfree(mean);
	result->dim = dim;
	result->k = k;
	result->vectors = vectors;
	result->offsets = offsets;
	result->screen = vs_screen_create(dim, k, vectors, offsets);
	return result;
}

VsCentroids *
vs_centroids_take(int dim, int k, const float *vectors, const float *offsets)
{
	VsCentroids *result = palloc(sizeof(VsCentroids));

	result->dim = dim;
	result->k = k;
	result->vectors = vectors;
	result->offsets = offsets;
	result->screen = vs_screen_create(dim, k, vectors, offsets);
	return result;
}

void
vs_centroids_free(VsCentroids *centroids)
{
	if (centroids->screen != NULL)
		vs_screen_free(centroids->screen);
	pfree(centroids);
}
