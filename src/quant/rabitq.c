/*
 * rabitq.c
 *		RaBitQ codes: a few bits per dimension that estimate distances.
 *
 * Encoding must give the same bits everywhere: sums run over a fixed number
 * of lanes in a fixed order and nothing is fused (the file is compiled with
 * -ffp-contract=off).  Training and estimates need not.
 */
#include "postgres.h"

#include <math.h>

#include "kernel/kernel.h"
#include "quant/clones.h"
#include "quant/f16vec.h"
#include "quant/kmeans.h"
#include "quant/rabitq.h"

/* Elements beyond this (in the codec's unit) are clamped: squares must fit. */
#define MAX_ELEMENT 1e14f

/* Largest float16. */
#define MAX_FACTOR 65504.0f

/* log2 of the mean residual's length that training scales to. */
#define RESIDUAL_EXPONENT 2

/* Lanes of a fixed-order sum. */
#define NLANES 16

/* Sum of lanes, pairwise. */
static pg_attribute_always_inline float
sum_lanes(float *lanes)
{
	for (int width = NLANES / 2; width > 0; width /= 2)
		for (int i = 0; i < width; i++)
			lanes[i] += lanes[i + width];
	return lanes[0];
}

/* Sum of |a| in fixed order. */
static pg_attribute_always_inline float
fixed_abs_sum(int dim, const float *a)
{
	float		lanes[NLANES] = {0};
	int			i = 0;

	for (; i + NLANES <= dim; i += NLANES)
		for (int j = 0; j < NLANES; j++)
			lanes[j] += fabsf(a[i + j]);
	for (int j = 0; i + j < dim; j++)
		lanes[j] += fabsf(a[i + j]);
	return sum_lanes(lanes);
}

/* The largest |a|. */
static pg_attribute_always_inline float
largest_abs(int dim, const float *a)
{
	float		lanes[NLANES] = {0};
	int			i = 0;

	for (; i + NLANES <= dim; i += NLANES)
		for (int j = 0; j < NLANES; j++)
			lanes[j] = Max(lanes[j], fabsf(a[i + j]));
	for (int j = 0; i + j < dim; j++)
		lanes[j] = Max(lanes[j], fabsf(a[i + j]));
	for (int j = 1; j < NLANES; j++)
		lanes[0] = Max(lanes[0], lanes[j]);
	return lanes[0];
}

/* |a - b|^2 in fixed order. */
static pg_attribute_always_inline float
fixed_l2_sq(int dim, const float *a, const float *b)
{
	float		lanes[NLANES] = {0};
	int			i = 0;

	for (; i + NLANES <= dim; i += NLANES)
		for (int j = 0; j < NLANES; j++)
		{
			float		d = a[i + j] - b[i + j];

			lanes[j] += d * d;
		}
	for (int j = 0; i + j < dim; j++)
	{
		float		d = a[i + j] - b[i + j];

		lanes[j] += d * d;
	}
	return sum_lanes(lanes);
}

/* <a, b> in fixed order. */
static pg_attribute_always_inline float
fixed_ip(int dim, const float *a, const float *b)
{
	float		lanes[NLANES] = {0};
	int			i = 0;

	for (; i + NLANES <= dim; i += NLANES)
		for (int j = 0; j < NLANES; j++)
			lanes[j] += a[i + j] * b[i + j];
	for (int j = 0; i + j < dim; j++)
		lanes[j] += a[i + j] * b[i + j];
	return sum_lanes(lanes);
}

VS_CLONES void
vs_rabitq_scale(const VsRabitq *codec, const float *x, float *out)
{
	float		scale = vs_f16vec_scale(-codec->exponent);

	for (int i = 0; i < codec->dim; i++)
	{
		float		v = x[i] * scale;

		v = v > MAX_ELEMENT ? MAX_ELEMENT : v;
		out[i] = v < -MAX_ELEMENT ? -MAX_ELEMENT : v;
	}
}

/* The nearest centroid of a rotated vector. */
static pg_attribute_always_inline int
nearest_centroid(const VsRabitq *codec, const float *rotated)
{
	int			nearest = 0;
	float		best = 0.0f;

	for (int c = 0; c < codec->ncentroids; c++)
	{
		float		d = fixed_l2_sq(codec->dim, rotated,
									codec->centroids + (size_t) c * codec->dim);

		if (c == 0 || d < best)
		{
			best = d;
			nearest = c;
		}
	}
	return nearest;
}

/* Half of a code's range: element u stands for the level u - half_range. */
static inline float
half_range(int bits)
{
	return ((1 << bits) - 1) * 0.5f;
}

/*
 * The distance between two levels for a residual of the given length and
 * largest element.  After the rotation elements are nearly Gaussian; the
 * constants are the steps of the best uniform quantizers of a unit Gaussian
 * (Max 1960).
 */
static float
quantizer_step(int bits, int dim, float length, float largest)
{
	float		sigma = length / sqrtf((float) dim);
	float		widest = largest / half_range(bits);
	float		step;

	switch (bits)
	{
		case 2:
			step = 0.9957f * sigma;
			break;
		case 4:
			step = 0.3352f * sigma;
			break;
		default:
			return widest;
	}
	return Min(step, widest);
}

/*
 * Quantize a residual into u (one byte an element) and leave its levels
 * u - half_range in the residual's place.
 */
static pg_attribute_always_inline void
quantize_residual(int bits, int dim, float *residual, float length, uint8 *u)
{
	int			top = (1 << bits) - 1;
	float		half = half_range(bits);
	float		largest = largest_abs(dim, residual);
	float		step;
	float		inverse;

	step = quantizer_step(bits, dim, length, largest);
	inverse = step > 0.0f ? 1.0f / step : 0.0f;
	if (!isfinite(inverse))
		inverse = 0.0f;

	for (int i = 0; i < dim; i++)
	{
		/* Levels are half-integers: floor(x) + 1/2 is the nearest one. */
		float		level = residual[i] * inverse + (half + 0.5f);
		int			code = level <= 0.0f ? 0 : (level >= top ? top : (int) level);

		u[i] = (uint8) code;
		residual[i] = (float) code - half;
	}
}

/* Sign bits of a residual; leaves the levels -1/2 and 1/2 in its place. */
static pg_attribute_always_inline void
quantize_signs(int dim, float *residual, uint8 *code)
{
	for (int i = 0; i < dim; i++)
	{
		unsigned	positive = residual[i] > 0.0f;

		code[i / 8] |= positive << (i % 8);
		residual[i] = (float) positive - 0.5f;
	}
}

/* Pack u (one byte an element) into bits per element. */
static pg_attribute_always_inline void
pack_bits(int bits, int dim, const uint8 *u, uint8 *code)
{
	const int	per_byte = 8 / bits;
	int			nwhole = dim / per_byte;

	for (int i = 0; i < nwhole; i++)
	{
		uint8		byte = 0;

		for (int j = 0; j < per_byte; j++)
			byte |= u[i * per_byte + j] << (j * bits);
		code[i] = byte;
	}
	for (int i = nwhole * per_byte; i < dim; i++)
		code[nwhole] |= u[i] << ((i % per_byte) * bits);
}

/* The same, with a loop of its own for each number of bits. */
static pg_attribute_always_inline void
pack_code(int bits, int dim, const uint8 *u, uint8 *code)
{
	switch (bits)
	{
		case 2:
			pack_bits(2, dim, u, code);
			break;
		case 4:
			pack_bits(4, dim, u, code);
			break;
		case 8:
			pack_bits(8, dim, u, code);
			break;
	}
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
		float		dist;

		if (codec->estimate == VS_ESTIMATE_L2_SQ)
			dist = vs_kernel->f32_f16_l2_sq(codec->dim, query->rotated, halves,
											scale);
		else
			dist = -vs_kernel->f32_f16_ip(codec->dim, query->rotated, halves,
										  scale);
		estimates[i] = isnan(dist) ? INFINITY : dist;
	}
}

void
vs_rabitq_rotate(const VsRabitq *codec, const float *x, float *rotated)
{
	vs_rabitq_scale(codec, x, rotated);
	vs_rotation_apply(&codec->rotation, rotated);
}

void
vs_rabitq_encode(const VsRabitq *codec, const float *x, float *scratch,
				 uint8 *code, VsCodeFactors *factors, uint8 *centroid)
{
	if (codec->bits == VS_RABITQ_FLOAT16_BITS)
	{
		encode_float16(codec, x, code, factors, centroid);
		return;
	}
	vs_rabitq_rotate(codec, x, scratch);
	vs_rabitq_encode_rotated(codec, scratch, scratch, code, factors, centroid);
}

VS_CLONES void
vs_rabitq_encode_rotated(const VsRabitq *codec, const float *rotated,
						 float *scratch, uint8 *code, VsCodeFactors *factors,
						 uint8 *centroid)
{
	int			dim = codec->dim;
	float	   *residual = scratch;
	const float *center;
	float		norm_sq;
	float		mean_term = 0.0f;
	float		along;			/* <level, r> */
	float		ratio;
	uint8		u[VS_CODE_MAX_DIM];

	Assert(dim <= VS_CODE_MAX_DIM);
	Assert(codec->bits != VS_RABITQ_FLOAT16_BITS);
	*centroid = (uint8) nearest_centroid(codec, rotated);
	center = codec->centroids + (size_t) *centroid * dim;

	for (int i = 0; i < dim; i++)
		residual[i] = rotated[i] - center[i];
	norm_sq = fixed_ip(dim, residual, residual);
	if (codec->estimate == VS_ESTIMATE_NEGATIVE_IP)
		mean_term = fixed_ip(dim, residual, codec->mean);

	/*
	 * <level, r> and <level, center - mean> need both the residual and its
	 * levels: keep <level, r> by summing over the rotated residual before the
	 * levels replace it.
	 */
	memset(code, 0, vs_code_nbytes(codec->bits, dim));
	if (codec->bits == 1)
	{
		along = 0.5f * fixed_abs_sum(dim, residual);
		quantize_signs(dim, residual, code);
	}
	else
	{
		float	   *levels = residual;
		float		copy[VS_CODE_MAX_DIM];

		memcpy(copy, residual, sizeof(float) * dim);
		quantize_residual(codec->bits, dim, levels, sqrtf(norm_sq), u);
		pack_code(codec->bits, dim, u, code);
		along = fixed_ip(dim, levels, copy);
	}

	/* A residual of zero is its own centroid: nothing to add. */
	ratio = along > 0.0f ? norm_sq / along : 0.0f;
	if (codec->estimate == VS_ESTIMATE_L2_SQ)
	{
		/* <level, center - mean> */
		float		level_term = fixed_ip(dim, residual, center) -
			fixed_ip(dim, residual, codec->mean);

		factors->mul = encode_factor(-2.0f * ratio);
		factors->add = encode_factor(norm_sq + 2.0f * ratio * level_term);
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

/*
 * The power of two that brings the mean length of (x - mean) near
 * 2^RESIDUAL_EXPONENT, where float16 factors have room on both sides.
 * Computed in double: samples may be of any magnitude.
 */
static int
choose_exponent(int dim, int n, const float *samples)
{
	double	   *mean = palloc0(sizeof(double) * dim);
	double		sum_sq = 0.0;
	int			exponent = 0;

	for (int i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
			mean[d] += (double) samples[(size_t) i * dim + d] / n;
	for (int i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
		{
			double		r = samples[(size_t) i * dim + d] - mean[d];

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

void
vs_rabitq_train(VsRabitq *codec, float *samples, int n, int ncentroids,
				uint64 seed, float *mean, float *centroids)
{
	int			dim = codec->dim;
	float	   *dist = palloc(sizeof(float) * n);
	int		   *assignment = palloc(sizeof(int) * n);

	Assert(n >= 1 && ncentroids >= 1);
	Assert(ncentroids <= VS_RABITQ_MAX_CENTROIDS);

	codec->exponent = choose_exponent(dim, n, samples);
	for (int i = 0; i < n; i++)
	{
		float	   *sample = samples + (size_t) i * dim;

		vs_rabitq_scale(codec, sample, sample);
		vs_rotation_apply(&codec->rotation, sample);
	}

	mean_of_rows(dim, n, samples, mean);
	vs_kmeans(dim, n, samples, ncentroids, seed, centroids, dist, assignment);
	codec->mean = mean;
	codec->centroids = centroids;
	codec->ncentroids = ncentroids;

	pfree(dist);
	pfree(assignment);
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

/* Quantize the query minus the mean to 8 bits with one step. */
static pg_attribute_always_inline void
quantize_query(VsRabitqQuery *query)
{
	const VsRabitq *codec = query->codec;
	int			dim = codec->dim;
	float	   *x = query->rotated;
	const float *mean = codec->mean;
	int8	   *quantized = query->quantized;
	float		inverse;
	int			sum = 0;

	for (int i = 0; i < dim; i++)
		x[i] -= mean[i];
	query->step = largest_abs(dim, x) / 127.0f;
	inverse = query->step > 0.0f ? 1.0f / query->step : 0.0f;
	if (!isfinite(inverse))
		inverse = 0.0f;

	for (int i = 0; i < dim; i++)
	{
		float		q = x[i] * inverse;

		quantized[i] = (int8) (int) (q + (q < 0.0f ? -0.5f : 0.5f));
	}
	for (int i = 0; i < dim; i++)
		sum += quantized[i];
	query->offset = query->step * half_range(codec->bits) * sum;
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
 * does not see points anywhere, and so does the query's.  The typical residual
 * is that of training's scale.
 */
static float
estimate_noise(const VsRabitqQuery *query)
{
	const VsRabitq *codec = query->codec;
	float		residual = (float) (1 << RESIDUAL_EXPONENT) * 0.6f;
	float		nearest = INFINITY;
	float		noise;

	if (codec->estimate != VS_ESTIMATE_L2_SQ)
		return code_tangent(codec->bits) * residual *
			sqrtf(vs_kernel->f32_l2_sq(codec->dim, query->rotated, codec->mean) /
				  codec->dim);
	for (int c = 0; c < codec->ncentroids; c++)
		nearest = Min(nearest, query->centroid_terms[c]);
	noise = 2.0f * code_tangent(codec->bits) * residual *
		sqrtf(nearest / codec->dim);
	return isfinite(noise) ? noise : 0.0f;
}

/* Bind to what query->rotated holds. */
static VS_CLONES void
bind_rotated(VsRabitqQuery *query)
{
	const VsRabitq *codec = query->codec;
	int			dim = codec->dim;

	for (int c = 0; c < codec->ncentroids; c++)
	{
		const float *center = codec->centroids + (size_t) c * dim;

		query->centroid_terms[c] = codec->estimate == VS_ESTIMATE_L2_SQ ?
			vs_kernel->f32_l2_sq(dim, query->rotated, center) :
			-vs_kernel->f32_ip(dim, query->rotated, center);
	}

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

	vs_rabitq_scale(codec, x, query->rotated);
	query->noise = 0.0f;
	if (codec->bits == VS_RABITQ_FLOAT16_BITS)
		return;
	vs_rotation_apply(&codec->rotation, query->rotated);
	bind_rotated(query);
}

void
vs_rabitq_query_bind_rotated(VsRabitqQuery *query, const float *rotated)
{
	Assert(query->codec->bits != VS_RABITQ_FLOAT16_BITS);
	memcpy(query->rotated, rotated, sizeof(float) * query->codec->dim);
	bind_rotated(query);
}

/* Twice the levels of a code; returns their sum. */
static pg_attribute_always_inline int
levels_of_code(int bits, int dim, const uint8 *code, int8 *levels)
{
	const int	per_byte = 8 / bits;
	const int	top = (1 << bits) - 1;
	int			nwhole = dim / per_byte;
	int			sum = 0;

	for (int i = 0; i < nwhole; i++)
		for (int j = 0; j < per_byte; j++)
			levels[i * per_byte + j] = 2 * ((code[i] >> (j * bits)) & top) - top;
	for (int i = nwhole * per_byte; i < dim; i++)
		levels[i] = 2 * ((code[nwhole] >> ((i % per_byte) * bits)) & top) - top;
	for (int i = 0; i < dim; i++)
		sum += levels[i];
	return sum;
}

VS_CLONES void
vs_rabitq_query_bind_code(VsRabitqQuery *query, const uint8 *code, float add,
						  float mul)
{
	const VsRabitq *codec = query->codec;
	int			bits = codec->bits;
	int			sum = 0;

	Assert(codec->ncentroids == 1);
	Assert(bits <= 4);

	/* The residual is about ratio * level, and the level (2u - top) / 2. */
	switch (bits)
	{
		case 1:
			sum = levels_of_code(1, codec->dim, code, query->quantized);
			break;
		case 2:
			sum = levels_of_code(2, codec->dim, code, query->quantized);
			break;
		case 4:
			sum = levels_of_code(4, codec->dim, code, query->quantized);
			break;
	}

	if (codec->estimate == VS_ESTIMATE_L2_SQ)
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
	query->offset = query->step * half_range(bits) * sum;
	query->kernel = vs_kernel;
	query->kernel->prepare_code_query(bits, codec->dim, query->quantized,
									  query->prepared);
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

			estimates[begin + i] = query->centroid_terms[centroids[begin + i]] +
				pairs[2 * i] + pairs[2 * i + 1] * product;
		}
	}
}
