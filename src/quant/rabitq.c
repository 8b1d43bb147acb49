/*
 * rabitq.c
 *		RaBitQ codes: a few bits per dimension that estimate distances.
 *
 * Encoding must give the same bits everywhere: it takes only those of the
 * kernels' functions that do, and nothing is fused (the file is compiled with
 * -ffp-contract=off).  Training and estimates need not.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "kernel/kernel.h"
#include "quant/f16vec.h"
#include "quant/kmeans.h"
#include "quant/l1.h"
#include "quant/levels.h"
#include "quant/outliers.h"
#include "quant/rabitq.h"

/* Elements beyond this (in the codec's unit) are clamped: squares must fit. */
#define MAX_ELEMENT 1e14f

/* Largest float16. */
#define MAX_FACTOR 65504.0f

/* log2 of the mean residual's length that training scales to. */
#define RESIDUAL_EXPONENT 2

void
vs_rabitq_scale(const VsRabitq *codec, const float *x, float *out)
{
	int			dim = codec->dim;
	float		scale = vs_f16vec_scale(-codec->exponent);

	if (!codec->has_l1)
	{
		vs_kernel->scale_clamped(dim, x, scale, MAX_ELEMENT, out);
		return;
	}
	for (int i = 0; i < dim; i++)
	{
		float		v = vs_l1_clamp(&codec->l1, i, x[i]) * scale *
			codec->l1.weights[i];

		v = v > MAX_ELEMENT ? MAX_ELEMENT : v;
		out[i] = v < -MAX_ELEMENT ? -MAX_ELEMENT : v;
	}
}

/* The nearest centroid of a rotated vector. */
static int
nearest_centroid(const VsRabitq *codec, const float *rotated)
{
	int			nearest = 0;
	float		best = 0.0f;

	for (int c = 0; c < codec->ncentroids; c++)
	{
		float		d = vs_kernel->exact_l2_sq(codec->dim, rotated,
											   codec->centroids + (size_t) c * codec->dim);

		if (c == 0 || d < best)
		{
			best = d;
			nearest = c;
		}
	}
	return nearest;
}

/* A factor as float16 bits, clamped to what is finite. */
static uint16
encode_factor(float factor)
{
	uint16		half;

	factor = factor > MAX_FACTOR ? MAX_FACTOR : factor;
	factor = factor < -MAX_FACTOR ? -MAX_FACTOR : factor;
	vs_kernel->f32_to_f16(1, &factor, 1.0f, &half);
	return half;
}

/*
 * By L1: what the part of x that is clamped off adds to the square of the
 * distance of near vectors, (near + beyond)^2 - near^2.  In fixed order, in the
 * codec's unit; scratch is dim floats.
 */
static float
clamped_term(const VsRabitq *codec, const float *x, float *scratch)
{
	float		scale = vs_f16vec_scale(-codec->exponent);
	float		near = *codec->l1.near_dist * scale;
	float		beyond;

	for (int i = 0; i < codec->dim; i++)
		scratch[i] = (x[i] - vs_l1_clamp(&codec->l1, i, x[i])) * scale;
	beyond = vs_kernel->exact_sum_abs(codec->dim, scratch);
	beyond = beyond < MAX_ELEMENT ? beyond : MAX_ELEMENT;
	return beyond * (2.0f * near + beyond);
}

/* vs_rabitq_encode where the code is the vector itself. */
static void
encode_float16(const VsRabitq *codec, const float *x, uint8 *code,
			   VsCodeFactors *factors, uint8 *centroid)
{
	factors->add = 0;
	factors->mul = 0;
	*centroid = (uint8) (int8) vs_f16vec_encode(codec->dim, x, (uint16 *) code);
}

/* vs_rabitq_estimate where codes are vectors. */
static void
estimate_float16(const VsRabitqQuery *query, int n, const uint8 *codes,
				 size_t stride, const uint8 *centroids, float *estimates)
{
	const VsRabitq *codec = query->codec;

	for (int i = 0; i < n; i++)
	{
		const uint16 *halves = (const uint16 *) (codes + i * stride);
		float		scale = vs_f16vec_scale((int8) centroids[i] -
											codec->exponent);
		float		dist = vs_rabitq_exact(codec->estimate, codec->dim,
										   query->rotated, halves, scale);

		estimates[i] = isnan(dist) ? INFINITY : dist;
	}
}

float
vs_rabitq_rotate(const VsRabitq *codec, const float *x, float *rotated)
{
	float		clamped = codec->has_l1 ? clamped_term(codec, x, rotated) : 0.0f;

	vs_rabitq_scale(codec, x, rotated);
	vs_rotation_apply(&codec->rotation, rotated);
	return clamped;
}

void
vs_rabitq_encode(const VsRabitq *codec, const float *x, float *scratch,
				 uint8 *code, VsCodeFactors *factors, uint8 *centroid)
{
	float		clamped;

	if (codec->bits == VS_RABITQ_FLOAT16_BITS)
	{
		encode_float16(codec, x, code, factors, centroid);
		return;
	}
	clamped = vs_rabitq_rotate(codec, x, scratch);
	vs_rabitq_encode_rotated(codec, scratch, clamped, scratch, code, factors,
							 centroid);
}

void
vs_rabitq_encode_rotated(const VsRabitq *codec, const float *rotated,
						 float clamped, float *scratch, uint8 *code,
						 VsCodeFactors *factors, uint8 *centroid)
{
	int			dim = codec->dim;
	float	   *residual = scratch;
	const float *center;
	float		norm_sq;
	float		mean_term = 0.0f;
	float		along;			/* <level, r> */
	float		ratio;

	Assert(dim <= VS_CODE_MAX_DIM);
	Assert(codec->bits != VS_RABITQ_FLOAT16_BITS);
	*centroid = (uint8) nearest_centroid(codec, rotated);
	center = codec->centroids + (size_t) *centroid * dim;

	for (int i = 0; i < dim; i++)
		residual[i] = rotated[i] - center[i];
	norm_sq = vs_kernel->exact_ip(dim, residual, residual);
	if (codec->estimate == VS_ESTIMATE_NEGATIVE_IP)
		mean_term = vs_kernel->exact_ip(dim, residual, codec->mean);

	/* From here on the residual's levels are in its place. */
	along = vs_levels_encode(codec->bits, dim, residual, norm_sq, code);

	/* A residual of zero is its own centroid: nothing to add. */
	ratio = along > 0.0f ? norm_sq / along : 0.0f;
	if (codec->estimate != VS_ESTIMATE_NEGATIVE_IP)
	{
		/* <level, center - mean> */
		float		level_term = vs_kernel->exact_ip(dim, residual, center) -
			vs_kernel->exact_ip(dim, residual, codec->mean);
		float		add = norm_sq + 2.0f * ratio * level_term;

		factors->mul = encode_factor(-2.0f * ratio);
		factors->add = encode_factor(codec->has_l1 ? add + clamped : add);
	}
	else
	{
		factors->mul = encode_factor(-ratio);
		factors->add = encode_factor(-mean_term);
	}
}

/* Mean of n rows. */
static void
mean_of_rows(int dim, int n, const float *rows, float *mean)
{
	memset(mean, 0, sizeof(float) * dim);
	for (int i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
			mean[d] += rows[(size_t) i * dim + d] / n;
}

/* Element d of a row, which is clamped already, weighted. */
static inline double
weighted_element(const VsRabitq *codec, const float *row, int d)
{
	return codec->has_l1 ? (double) row[d] * codec->l1.weights[d] : row[d];
}

/*
 * The power of two that brings the mean length of (x - mean) near
 * 2^RESIDUAL_EXPONENT, where float16 factors have room on both sides.
 * Computed in double: samples may be of any magnitude.
 */
static int
choose_exponent(const VsRabitq *codec, int n, const float *samples)
{
	int			dim = codec->dim;
	double	   *mean = palloc0(sizeof(double) * dim);
	double		sum_sq = 0.0;
	int			exponent = 0;

	for (int i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
			mean[d] += weighted_element(codec, samples + (size_t) i * dim, d) / n;
	for (int i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
		{
			double		r = weighted_element(codec, samples + (size_t) i * dim, d) -
				mean[d];

			sum_sq += r * r / n;
		}

	/* All samples alike: their own length is the only measure there is. */
	if (sum_sq == 0.0)
		for (int d = 0; d < dim; d++)
			sum_sq += mean[d] * mean[d];
	pfree(mean);

	if (sum_sq > 0.0)
		frexp(sqrt(sum_sq), &exponent);
	exponent -= RESIDUAL_EXPONENT;
	return Max(Min(exponent, VS_F16VEC_MAX_EXPONENT), VS_F16VEC_MIN_EXPONENT);
}

/* Scale and rotate n samples in place. */
static void
turn_samples(const VsRabitq *codec, float *samples, int n)
{
	for (int i = 0; i < n; i++)
	{
		float	   *sample = samples + (size_t) i * codec->dim;

		vs_rabitq_scale(codec, sample, sample);
		vs_rotation_apply(&codec->rotation, sample);
	}
}

/* Squared distances of n samples to nothing yet. */
static float *
allocate_distances(int n)
{
	float	   *dist_sq = palloc(sizeof(float) * n);

	for (int i = 0; i < n; i++)
		dist_sq[i] = FLT_MAX;
	return dist_sq;
}

/*
 * Lower each sample's squared distance to the nearest centroid by those to
 * further ones; returns the sum over all samples.
 */
static double
lower_distances(int dim, const float *samples, int n, const float *centroids,
				int ncentroids, float *dist_sq)
{
	double		sum = 0.0;

	for (int i = 0; i < n; i++)
	{
		for (int c = 0; c < ncentroids; c++)
		{
			float		d = vs_kernel->f32_l2_sq(dim, samples + (size_t) i * dim,
												 centroids + (size_t) c * dim);

			dist_sq[i] = Min(dist_sq[i], d);
		}
		sum += dist_sq[i];
	}
	return sum;
}

/* Whether a codec brings L1 to L2: vectors kept whole need no help. */
static bool
needs_l1(const VsRabitq *codec)
{
	return codec->estimate == VS_ESTIMATE_L1 &&
		codec->bits != VS_RABITQ_FLOAT16_BITS;
}

/* Where a codebook's centroids begin: last, as more may follow. */
static size_t
offset_of_centroids(const VsRabitq *codec)
{
	return codec->dim + (needs_l1(codec) ? vs_l1_nfloats(codec->dim) : 0);
}

size_t
vs_rabitq_codebook_nfloats(const VsRabitq *codec)
{
	return offset_of_centroids(codec) + (size_t) codec->dim * codec->ncentroids;
}

void
vs_rabitq_use_codebook(VsRabitq *codec, const float *codebook)
{
	codec->mean = codebook;
	codec->has_l1 = needs_l1(codec);
	if (codec->has_l1)
		codec->l1 = vs_l1_arrays(codec->dim, codebook + codec->dim);
	codec->centroids = codebook + offset_of_centroids(codec);
}

void
vs_rabitq_train(VsRabitq *codec, float *samples, int n, uint64 seed,
				float *codebook)
{
	int			dim = codec->dim;

	Assert(n >= 1 && codec->ncentroids >= 1);
	Assert(codec->ncentroids <= VS_RABITQ_MAX_CENTROIDS);

	n = vs_move_outliers(dim, n, samples);
	vs_rabitq_use_codebook(codec, codebook);
	if (codec->has_l1)
		vs_l1_train(dim, n, samples, codebook + dim);
	codec->exponent = choose_exponent(codec, n, samples);
	turn_samples(codec, samples, n);
	mean_of_rows(dim, n, samples, codebook);
	vs_kmeans(dim, n, samples, NULL, codec->ncentroids, seed,
			  codebook + offset_of_centroids(codec));
	codec->residual = sqrt(lower_distances(dim, samples, n, codec->centroids,
										   codec->ncentroids,
										   allocate_distances(n)) / n);
}

float
vs_rabitq_train_more(const VsRabitq *codec, float *samples, int n,
					 int ncentroids, uint64 seed, float *centroids,
					 float *residual)
{
	int			dim = codec->dim;
	float	   *dist_sq = allocate_distances(n);
	double		before;
	double		after;

	n = vs_move_outliers(dim, n, samples);
	turn_samples(codec, samples, n);
	before = lower_distances(dim, samples, n, codec->centroids,
							 codec->ncentroids, dist_sq);
	vs_kmeans(dim, n, samples, dist_sq, ncentroids, seed, centroids);
	after = lower_distances(dim, samples, n, centroids, ncentroids, dist_sq);
	pfree(dist_sq);
	*residual = sqrt(after / n);
	return before > 0.0 ? 1.0 - after / before : 0.0;
}

float
vs_rabitq_residual(const VsRabitq *codec, float *samples, int n)
{
	float	   *dist_sq = allocate_distances(n);
	double		sum;

	n = vs_move_outliers(codec->dim, n, samples);
	turn_samples(codec, samples, n);
	sum = lower_distances(codec->dim, samples, n, codec->centroids,
						  codec->ncentroids, dist_sq);
	pfree(dist_sq);
	return sqrt(sum / n);
}

VsRabitqQuery *
vs_rabitq_query_create(const VsRabitq *codec)
{
	VsRabitqQuery *query = palloc0(sizeof(VsRabitqQuery));
	size_t		nprepared = vs_code_query_nbytes(codec->bits, codec->dim);

	query->codec = codec;
	query->mean_norm_sq = vs_kernel->f32_ip(codec->dim, codec->mean, codec->mean);
	query->rotated = palloc(sizeof(float) * codec->dim);
	query->quantized = palloc(codec->dim);
	query->prepared = (uint8 *)
		TYPEALIGN(VS_CODE_QUERY_ALIGN, palloc(nprepared + VS_CODE_QUERY_ALIGN));
	return query;
}

/* Quantize the query minus the mean. */
static void
quantize_query(VsRabitqQuery *query)
{
	const VsRabitq *codec = query->codec;
	int			dim = codec->dim;
	float	   *restrict rotated = query->rotated;
	const float *restrict mean = codec->mean;
	int			sum;

	for (int i = 0; i < dim; i++)
		rotated[i] -= mean[i];
	query->step = vs_levels_quantize_query(dim, rotated, query->quantized, &sum);
	query->offset = query->step * vs_levels_half_range(codec->bits) * sum;
}

/*
 * Tangent of the angle between a Gaussian vector and its code: what an estimate
 * cannot see, relative to what it sees.
 */
static float
code_tangent(int bits)
{
	switch (bits)
	{
		case 1:
			return 0.7555f;
		case 2:
			return 0.3673f;
		case 4:
			return 0.0994f;
		default:
			return 0.0065f;
	}
}

/*
 * The standard deviation of an estimate: the part of a residual that its code
 * does not see points anywhere, and so does the query's.  By L1 it depends on
 * the vectors, and nothing is said.
 */
static float
estimate_noise(const VsRabitqQuery *query)
{
	const VsRabitq *codec = query->codec;
	float		nearest = INFINITY;
	float		noise;

	if (codec->estimate == VS_ESTIMATE_L1)
		return 0.0f;
	if (codec->estimate == VS_ESTIMATE_NEGATIVE_IP)
		return code_tangent(codec->bits) * codec->residual *
			sqrtf(vs_kernel->f32_l2_sq(codec->dim, query->rotated, codec->mean) /
				  codec->dim);
	for (int c = 0; c < codec->ncentroids; c++)
		nearest = Min(nearest, query->centroid_terms[c]);
	noise = 2.0f * code_tangent(codec->bits) * codec->residual *
		sqrtf(nearest / codec->dim);
	return isfinite(noise) ? noise : 0.0f;
}

/* What of the estimate a query's distance to a code's centroid is. */
static float
centroid_term(const VsRabitqQuery *query, const float *center, float clamped)
{
	const VsRabitq *codec = query->codec;

	if (codec->estimate == VS_ESTIMATE_NEGATIVE_IP)
		return -vs_kernel->f32_ip(codec->dim, query->rotated, center);
	return clamped + vs_kernel->f32_l2_sq(codec->dim, query->rotated, center);
}

bool
vs_rabitq_knows(const VsRabitq *codec, int n, const uint8 *centroids)
{
	int			largest = 0;

	if (codec->bits == VS_RABITQ_FLOAT16_BITS)
		return true;
	for (int i = 0; i < n; i++)
		largest = Max(largest, centroids[i]);
	return largest < codec->ncentroids;
}

/* Bind to what query->rotated holds, and what was clamped off it. */
static void
bind_rotated(VsRabitqQuery *query, float clamped)
{
	const VsRabitq *codec = query->codec;
	int			dim = codec->dim;
	float		mean_term = centroid_term(query, codec->mean, clamped);

	for (int c = 0; c < codec->ncentroids; c++)
		query->centroid_terms[c] =
			centroid_term(query, codec->centroids + (size_t) c * dim, clamped);

	/*
	 * Codes may be of centroids that were added after this codec: they are
	 * taken for ones around the mean, so that estimates are at least numbers.
	 */
	for (int c = codec->ncentroids; c < VS_RABITQ_MAX_CENTROIDS; c++)
		query->centroid_terms[c] = mean_term;

	query->noise = estimate_noise(query);
	quantize_query(query);
	query->kernel = vs_kernel;
	query->kernel->prepare_code_query(codec->bits, dim, query->quantized,
									  query->prepared);
}

void
vs_rabitq_query_bind(VsRabitqQuery *query, const float *x)
{
	const VsRabitq *codec = query->codec;

	query->noise = 0.0f;
	if (codec->bits == VS_RABITQ_FLOAT16_BITS)
		vs_rabitq_scale(codec, x, query->rotated);
	else
	{
		float		clamped = vs_rabitq_rotate(codec, x, query->rotated);

		bind_rotated(query, clamped);
	}
}

void
vs_rabitq_query_bind_rotated(VsRabitqQuery *query, const float *rotated,
							 float clamped)
{
	Assert(query->codec->bits != VS_RABITQ_FLOAT16_BITS);
	memcpy(query->rotated, rotated, sizeof(float) * query->codec->dim);
	bind_rotated(query, clamped);
}

void
vs_rabitq_query_bind_code(VsRabitqQuery *query, const uint8 *code, float add,
						  float mul)
{
	const VsRabitq *codec = query->codec;
	int			bits = codec->bits;
	int			sum;

	Assert(codec->ncentroids == 1);
	Assert(bits <= 4);

	/* The residual is about ratio * level, and the level half an element. */
	query->kernel = vs_kernel;
	sum = query->kernel->prepare_code(bits, codec->dim, code, query->prepared);

	if (codec->estimate != VS_ESTIMATE_NEGATIVE_IP)
	{
		/* With the mean as center, "add" is the residual's squared length. */
		query->step = mul * -0.25f;
		query->centroid_terms[0] = add;
	}
	else
	{
		/* -<x, mean> = -<r, mean> - <mean, mean> */
		query->step = mul * -0.5f;
		query->centroid_terms[0] = add - query->mean_norm_sq;
	}
	query->offset = query->step * vs_levels_half_range(bits) * sum;
}

void
vs_rabitq_estimate(const VsRabitqQuery *query, int n, const uint8 *codes,
				   size_t stride, const VsCodeFactors *factors,
				   const uint8 *centroids, float *estimates)
{
	enum
	{
		BATCH = 64
	};
	const VsRabitq *codec = query->codec;

	if (codec->bits == VS_RABITQ_FLOAT16_BITS)
	{
		estimate_float16(query, n, codes, stride, centroids, estimates);
		return;
	}
	for (int begin = 0; begin < n; begin += BATCH)
	{
		int			count = Min(BATCH, n - begin);
		int32		dots[BATCH];
		float		pairs[2 * BATCH];

		query->kernel->code_dots(codec->bits, codec->dim, query->prepared,
								 codes + begin * stride, stride, count, dots);
		vs_kernel->f16_to_f32(2 * count, (const uint16 *) (factors + begin),
							  1.0f, pairs);
		for (int i = 0; i < count; i++)
		{
			float		product = query->step * dots[i] - query->offset;

			estimates[begin + i] =
				vs_rabitq_finish_estimate(codec,
										  query->centroid_terms[centroids[begin + i]] +
										  pairs[2 * i] + pairs[2 * i + 1] * product);
		}
	}
}
