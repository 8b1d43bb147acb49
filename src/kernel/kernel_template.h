/*
 * kernel_template.h
 *		The loops over float4 and float16 arrays, written once.
 *
 * A file per instruction set defines the parameters below and includes this
 * file, which then defines static functions of the names in VsKernel.  Loops
 * take what they work on (metric, element type) as arguments that are
 * constants wherever they are called; they are always inlined, so each caller
 * becomes a loop of its own without a test in it.
 *
 * Parameters:
 *	VEC_LANES			floats in a Vec
 *	VEC_ACCUMULATORS	independent sums of a loop, as many as hide an
 *						addition's latency; up to 4, which loops unroll to
 *	Vec					a vector of floats
 *	Vec vec_set(float)						the same value in all lanes
 *	Vec vec_load_f32(const float *)			VEC_LANES elements, any alignment
 *	Vec vec_load_f16(const uint16 *)
 *	Vec vec_load_f32_partial(const float *, int n)	0 < n < VEC_LANES elements,
 *	Vec vec_load_f16_partial(const uint16 *, int n)	the other lanes zero
 *	void vec_store_f32(float *, Vec)		and the same for stores; to float16
 *	void vec_store_f16(uint16 *, Vec)		they round to nearest, ties to even
 *	void vec_store_f32_partial(float *, int n, Vec)
 *	void vec_store_f16_partial(uint16 *, int n, Vec)
 *	Vec vec_add(Vec, Vec), vec_sub(Vec, Vec), vec_mul(Vec, Vec), vec_abs(Vec)
 *	Vec vec_fma(Vec a, Vec b, Vec c)		a * b + c
 *	float vec_sum(Vec)						sum of all lanes
 *
 * Nothing is undefined at the end: a file has room for one instruction set.
 */
#include "kernel/kernel.h"

typedef enum Metric
{
	METRIC_L2_SQ,
	METRIC_IP,
	METRIC_L1,
	METRIC_COSINE
} Metric;

typedef enum Element
{
	ELEMENT_F32,
	ELEMENT_F16,
	ELEMENT_F16_SCALED
} Element;

/* An array to read. */
typedef struct Operand
{
	Element		element;
	const void *array;
	Vec			scale;			/* for ELEMENT_F16_SCALED */
} Operand;

/* Sums under way; the norms are those of METRIC_COSINE. */
typedef struct Sums
{
	Vec			total;
	Vec			norm_a_sq;
	Vec			norm_b_sq;
} Sums;

static pg_attribute_always_inline Operand
f32_operand(const float *array)
{
	Operand		operand = {ELEMENT_F32, array, vec_set(1)};

	return operand;
}

static pg_attribute_always_inline Operand
f16_operand(const uint16 *array)
{
	Operand		operand = {ELEMENT_F16, array, vec_set(1)};

	return operand;
}

static pg_attribute_always_inline Operand
f16_scaled_operand(const uint16 *array, float scale)
{
	Operand		operand = {ELEMENT_F16_SCALED, array, vec_set(scale)};

	return operand;
}

/* Elements i to i + VEC_LANES - 1 of an operand. */
static pg_attribute_always_inline Vec
load(Operand from, size_t i)
{
	Vec			v;

	if (from.element == ELEMENT_F32)
		v = vec_load_f32((const float *) from.array + i);
	else
		v = vec_load_f16((const uint16 *) from.array + i);
	return from.element == ELEMENT_F16_SCALED ? vec_mul(v, from.scale) : v;
}

/* Elements i to i + n - 1 of an operand, n < VEC_LANES, then zeros. */
static pg_attribute_always_inline Vec
load_partial(Operand from, size_t i, int n)
{
	Vec			v;

	if (from.element == ELEMENT_F32)
		v = vec_load_f32_partial((const float *) from.array + i, n);
	else
		v = vec_load_f16_partial((const uint16 *) from.array + i, n);
	return from.element == ELEMENT_F16_SCALED ? vec_mul(v, from.scale) : v;
}

/*
 * The number of elements before the first that begins an aligned vector.  For
 * halves and short arrays 0: aligning does not pay.  It does for float4, where
 * all vectors of 64 bytes, or every other of 32, straddle two cache lines.
 */
static pg_attribute_always_inline int
count_unaligned(Operand from, size_t n)
{
	const size_t vec_nbytes = VEC_LANES * sizeof(float);

	if (from.element != ELEMENT_F32 || n < 4 * VEC_LANES * VEC_ACCUMULATORS)
		return 0;
	return (-(uintptr_t) from.array % vec_nbytes) / sizeof(float);
}

/* Add a vector of pairs to the sums; pairs of zeros add nothing. */
static pg_attribute_always_inline Sums
accumulate(Metric metric, Sums sums, Vec a, Vec b)
{
	Vec			diff;

	switch (metric)
	{
		case METRIC_L2_SQ:
			diff = vec_sub(a, b);
			sums.total = vec_fma(diff, diff, sums.total);
			break;
		case METRIC_IP:
			sums.total = vec_fma(a, b, sums.total);
			break;
		case METRIC_L1:
			sums.total = vec_add(sums.total, vec_abs(vec_sub(a, b)));
			break;
		case METRIC_COSINE:
			/* In this order gcc 12 loads nothing twice. */
			sums.norm_a_sq = vec_fma(a, a, sums.norm_a_sq);
			sums.norm_b_sq = vec_fma(b, b, sums.norm_b_sq);
			sums.total = vec_fma(a, b, sums.total);
			break;
	}

	return sums;
}

/* The loop behind every distance: the metric's sums, a lane each. */
static pg_attribute_always_inline Sums
sum_pairs(Metric metric, int dim, Operand a, Operand b)
{
	const size_t step = VEC_LANES * VEC_ACCUMULATORS;
	size_t		n = dim;
	size_t		i = count_unaligned(a, n);
	Sums		sums[VEC_ACCUMULATORS];

#pragma GCC unroll 4
	for (int k = 0; k < VEC_ACCUMULATORS; k++)
		sums[k].total = sums[k].norm_a_sq = sums[k].norm_b_sq = vec_set(0);

	if (i > 0)
		sums[0] = accumulate(metric, sums[0],
							 load_partial(a, 0, i), load_partial(b, 0, i));
	for (; i + step <= n; i += step)
	{
#pragma GCC unroll 4
		for (int k = 0; k < VEC_ACCUMULATORS; k++)
			sums[k] = accumulate(metric, sums[k],
								 load(a, i + k * VEC_LANES),
								 load(b, i + k * VEC_LANES));
	}
	for (; i + VEC_LANES <= n; i += VEC_LANES)
		sums[0] = accumulate(metric, sums[0], load(a, i), load(b, i));
	if (i < n)
		sums[0] = accumulate(metric, sums[0],
							 load_partial(a, i, n - i),
							 load_partial(b, i, n - i));

#pragma GCC unroll 4
	for (int k = 1; k < VEC_ACCUMULATORS; k++)
	{
		sums[0].total = vec_add(sums[0].total, sums[k].total);
		sums[0].norm_a_sq = vec_add(sums[0].norm_a_sq, sums[k].norm_a_sq);
		sums[0].norm_b_sq = vec_add(sums[0].norm_b_sq, sums[k].norm_b_sq);
	}

	return sums[0];
}

/* A distance that is one sum. */
static pg_attribute_always_inline float
distance(Metric metric, int dim, Operand a, Operand b)
{
	return vec_sum(sum_pairs(metric, dim, a, b).total);
}

/* The three sums of a cosine. */
static pg_attribute_always_inline VsCosineSums
cosine(int dim, Operand a, Operand b)
{
	Sums		sums = sum_pairs(METRIC_COSINE, dim, a, b);
	VsCosineSums result;

	result.ip = vec_sum(sums.total);
	result.norm_a_sq = vec_sum(sums.norm_a_sq);
	result.norm_b_sq = vec_sum(sums.norm_b_sq);
	return result;
}

/* Functions of VsKernel: float4 against float4 */

static float
f32_l2_sq(int dim, const float *a, const float *b)
{
	return distance(METRIC_L2_SQ, dim, f32_operand(a), f32_operand(b));
}

static float
f32_ip(int dim, const float *a, const float *b)
{
	return distance(METRIC_IP, dim, f32_operand(a), f32_operand(b));
}

static float
f32_l1(int dim, const float *a, const float *b)
{
	return distance(METRIC_L1, dim, f32_operand(a), f32_operand(b));
}

static VsCosineSums
f32_cosine(int dim, const float *a, const float *b)
{
	return cosine(dim, f32_operand(a), f32_operand(b));
}

/* float16 against float16 */

static float
f16_l2_sq(int dim, const uint16 *a, const uint16 *b)
{
	return distance(METRIC_L2_SQ, dim, f16_operand(a), f16_operand(b));
}

static float
f16_ip(int dim, const uint16 *a, const uint16 *b)
{
	return distance(METRIC_IP, dim, f16_operand(a), f16_operand(b));
}

static float
f16_l1(int dim, const uint16 *a, const uint16 *b)
{
	return distance(METRIC_L1, dim, f16_operand(a), f16_operand(b));
}

static VsCosineSums
f16_cosine(int dim, const uint16 *a, const uint16 *b)
{
	return cosine(dim, f16_operand(a), f16_operand(b));
}

/* float4 against scaled float16 */

static float
f32_f16_l2_sq(int dim, const float *a, const uint16 *b, float scale)
{
	return distance(METRIC_L2_SQ, dim,
					f32_operand(a), f16_scaled_operand(b, scale));
}

static float
f32_f16_ip(int dim, const float *a, const uint16 *b, float scale)
{
	return distance(METRIC_IP, dim,
					f32_operand(a), f16_scaled_operand(b, scale));
}

static float
f32_f16_l1(int dim, const float *a, const uint16 *b, float scale)
{
	return distance(METRIC_L1, dim,
					f32_operand(a), f16_scaled_operand(b, scale));
}

/* Conversions */

static void
f16_to_f32(int dim, const uint16 *in, float scale, float *out)
{
	Operand		from = f16_scaled_operand(in, scale);
	size_t		n = dim;
	size_t		i = 0;

	for (; i + VEC_LANES <= n; i += VEC_LANES)
		vec_store_f32(out + i, load(from, i));
	if (i < n)
		vec_store_f32_partial(out + i, n - i, load_partial(from, i, n - i));
}

static void
f32_to_f16(int dim, const float *in, float scale, uint16 *out)
{
	Operand		from = f32_operand(in);
	Vec			factor = vec_set(scale);
	size_t		n = dim;
	size_t		i = 0;

	for (; i + VEC_LANES <= n; i += VEC_LANES)
		vec_store_f16(out + i, vec_mul(load(from, i), factor));
	if (i < n)
		vec_store_f16_partial(out + i, n - i,
							  vec_mul(load_partial(from, i, n - i), factor));
}

/* Sums of vectors */

static void
f32_add(int dim, const float *x, float *sum)
{
	int			i = 0;

	for (; i + VEC_LANES <= dim; i += VEC_LANES)
		vec_store_f32(sum + i, vec_add(vec_load_f32(sum + i),
									   vec_load_f32(x + i)));
	for (; i < dim; i++)
		sum[i] += x[i];
}
