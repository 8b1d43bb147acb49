/*
 * training_samples.c
 *		Samples as a training needs them: finite squares, little cancellation.
 */
#include "index/training_private.h"

#include <math.h>

#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/outliers.h"

bool
vs_training_normalize(const VsTraining *t, float *x)
{
	const float *mean = floats_at(t, t->mean);
	double		norm_sq = 0.0;
	double		scale;

	for (int d = 0; d < t->dim; d++)
	{
		double		element = (double) x[d] + mean[d];

		norm_sq += element * element;
	}
	if (norm_sq == 0.0)
		return false;
	scale = 1.0 / sqrt(norm_sq);
	for (int d = 0; d < t->dim; d++)
		x[d] = (float) (((double) x[d] + mean[d]) * scale - mean[d]);
	return true;
}

/* Bring samples to unit length; zero vectors are left out. */
static void
normalize_samples(VsTraining *t)
{
	int			nkept = 0;

	for (int i = 0; i < t->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!vs_training_normalize(t, sample_at(t, i)))
			continue;
		if (nkept < i)
			memcpy(sample_at(t, nkept), sample_at(t, i),
				   sizeof(float) * t->dim);
		nkept++;
	}
	t->n = nkept;
}

/* Bring samples below 1 by a power of two: their squares are then finite. */
static void
scale_samples(VsTraining *t)
{
	float		largest = 0.0f;
	double		scale;

	for (int i = 0; i < t->n; i++)
		largest = Max(largest, vs_kernel->max_abs(t->dim, sample_at(t, i)));
	if (largest == 0.0f)
		return;
	frexpf(largest, &t->exponent);
	scale = ldexp(1.0, -t->exponent);
	for (int i = 0; i < t->n; i++)
	{
		float	   *sample = sample_at(t, i);

		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < t->dim; d++)
			sample[d] = (float) (sample[d] * scale);
	}
}

/*
 * Take the mean from all samples, and note their norms.  Distances are
 * differences of products, which are exact only near zero.
 */
static void
center_samples(VsTraining *t)
{
	float	   *mean = floats_at(t, t->mean);
	float	   *norms_sq = floats_at(t, t->norms_sq);
	double	   *sums = palloc0(sizeof(double) * t->dim);

	for (int i = 0; i < t->n; i++)
	{
		const float *sample = sample_at(t, i);

		for (int d = 0; d < t->dim; d++)
			sums[d] += sample[d];
	}
	for (int d = 0; d < t->dim; d++)
		mean[d] = (float) (sums[d] / t->n);
	pfree(sums);
	for (int i = 0; i < t->n; i++)
	{
		float	   *sample = sample_at(t, i);

		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < t->dim; d++)
			sample[d] -= mean[d];
		norms_sq[i] = vs_kernel->f32_ip(t->dim, sample, sample);
	}
}

/*
 * Put samples in random order, since early rounds take the first ones, and the
 * table may be in some order.
 */
static void
shuffle_samples(VsTraining *t, pg_prng_state *prng)
{
	Size		nbytes = sizeof(float) * t->dim;
	float	   *sample = palloc(nbytes);

	for (int i = 0; i < t->n - 1; i++)
	{
		int			other = pg_prng_uint64_range(prng, i, t->n - 1);

		CHECK_FOR_INTERRUPTS();
		if (other == i)
			continue;
		memcpy(sample, sample_at(t, i), nbytes);
		memcpy(sample_at(t, i), sample_at(t, other), nbytes);
		memcpy(sample_at(t, other), sample, nbytes);
	}
	pfree(sample);
}

void
vs_training_prepare_samples(VsTraining *t, pg_prng_state *prng)
{
	memset(floats_at(t, t->mean), 0, sizeof(float) * t->dim);
	if (t->spherical)
		normalize_samples(t);
	else
	{
		t->n = vs_move_outliers(t->dim, t->n, floats_at(t, t->samples));
		scale_samples(t);
	}
	if (t->n == 0)
		return;
	shuffle_samples(t, prng);
	center_samples(t);
}
