/*
 * hnsw_probe.c
 *		A query's vector, and exact distances of stored vectors to it.
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_probe.h"
#include "kernel/kernel.h"
#include "quant/f16vec.h"

VsHnswProbe *
vs_hnsw_probe_create(const VsHnswIndex *index)
{
	VsHnswProbe *probe = palloc0(sizeof(VsHnswProbe));

	probe->index = index;
	probe->dim = index->geometry.dim;
	probe->estimate = vs_hnsw_estimate(&index->meta);
	probe->raw = palloc(sizeof(float) * probe->dim);
	probe->scaled = palloc(sizeof(float) * probe->dim);
	return probe;
}

/* The exponent of the largest element, for queries without a codec. */
static int
query_exponent(int dim, const float *x)
{
	float		largest = 0.0f;
	int			exponent = 0;

	for (int i = 0; i < dim; i++)
		largest = Max(largest, fabsf(x[i]));
	if (largest > 0.0f)
		frexpf(largest, &exponent);
	return exponent;
}

void
vs_hnsw_probe_bind(VsHnswProbe *probe, const float *x)
{
	const VsRabitq *codec = probe->index->codec;
	float		scale;

	memcpy(probe->raw, x, sizeof(float) * probe->dim);
	probe->exponent = codec != NULL ? codec->exponent :
		query_exponent(probe->dim, x);
	scale = vs_f16vec_scale(-probe->exponent);
	for (int i = 0; i < probe->dim; i++)
		probe->scaled[i] = x[i] * scale;
}

/* In double, for magnitudes whose squares float4 cannot hold. */
static double
distance_in_double(const VsHnswProbe *probe, const VsHnswVector *vector)
{
	double		sum = 0.0;

	for (int i = 0; i < probe->dim; i++)
	{
		double		q = ldexp(probe->raw[i], -probe->exponent);
		float		half;
		double		v;

		vs_kernel->f16_to_f32(1, &vector->halves[i], 1.0f, &half);
		v = ldexp(half, vector->exponent - probe->exponent);
		sum += probe->estimate == VS_ESTIMATE_NEGATIVE_IP ? -q * v :
			probe->estimate == VS_ESTIMATE_L1 ? fabs(q - v) : (q - v) * (q - v);
	}
	return sum;
}

double
vs_hnsw_probe_distance(const VsHnswProbe *probe, const VsHnswVector *vector)
{
	float		scale = vs_f16vec_scale(vector->exponent - probe->exponent);
	float		dist = vs_rabitq_exact(probe->estimate, probe->dim, probe->scaled,
									   vector->halves, scale);

	if (unlikely(!isfinite(dist)))
		return distance_in_double(probe, vector);
	return dist;
}
