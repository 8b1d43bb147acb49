/*
 * exact_template.h
 *		What encoding computes: the same bits on every instruction set.
 *
 * Included after kernel_template.h, with its parameters.  Nothing here is
 * fused, and sums run over EXACT_LANES lanes in a fixed order, however many a
 * vector has.
 *
 * Parameters beyond those:
 *	Vec vec_max(Vec, Vec)				of numbers that are not NaN
 *	uint32 vec_positive(Vec)			bit i is set if lane i is above 0
 *	Vec vec_butterflies(int width, Vec)	of lanes i and i + width their sum and
 *						difference, for each i without the bit width, a power of two
 *						below VEC_LANES
 */
#include "kernel/kernel.h"

#define EXACT_LANES 16
#define EXACT_VECS (EXACT_LANES / VEC_LANES)

/* Elements i to dim - 1, at most a vector of them, then zeros. */
static pg_attribute_always_inline Vec
load_rest(int dim, int i, const float *x)
{
	if (i + VEC_LANES <= dim)
		return vec_load_f32(x + i);
	return i < dim ? vec_load_f32_partial(x + i, dim - i) : vec_set(0);
}

/* A term of a sum; |a| for METRIC_L1. */
static pg_attribute_always_inline Vec
exact_term(Metric metric, Vec a, Vec b)
{
	Vec			diff = vec_sub(a, b);

	switch (metric)
	{
		case METRIC_L2_SQ:
			return vec_mul(diff, diff);
		case METRIC_L1:
			return vec_abs(a);
		default:
			return vec_mul(a, b);
	}
}

/*
 * Sum of terms: element i is added in lane i % EXACT_LANES, and lanes are added
 * pairwise.  The zeros that follow the last element change no lane.
 */
static pg_attribute_always_inline float
exact_sum(Metric metric, int dim, const float *a, const float *b)
{
	Vec			sums[EXACT_VECS];
	float		lanes[EXACT_LANES];
	int			i = 0;

#pragma GCC unroll 16
	for (int k = 0; k < EXACT_VECS; k++)
		sums[k] = vec_set(0);
	for (; i + EXACT_LANES <= dim; i += EXACT_LANES)
	{
#pragma GCC unroll 16
		for (int k = 0; k < EXACT_VECS; k++)
			sums[k] = vec_add(sums[k],
							  exact_term(metric,
										 vec_load_f32(a + i + k * VEC_LANES),
										 vec_load_f32(b + i + k * VEC_LANES)));
	}
	if (i < dim)
		for (int k = 0; k < EXACT_VECS; k++)
			sums[k] = vec_add(sums[k],
							  exact_term(metric,
										 load_rest(dim, i + k * VEC_LANES, a),
										 load_rest(dim, i + k * VEC_LANES, b)));

	for (int k = 0; k < EXACT_VECS; k++)
		vec_store_f32(lanes + k * VEC_LANES, sums[k]);
	for (int width = EXACT_LANES / 2; width > 0; width /= 2)
		for (int j = 0; j < width; j++)
			lanes[j] += lanes[j + width];
	return lanes[0];
}

static float
exact_ip(int dim, const float *a, const float *b)
{
	return exact_sum(METRIC_IP, dim, a, b);
}

static float
exact_l2_sq(int dim, const float *a, const float *b)
{
	return exact_sum(METRIC_L2_SQ, dim, a, b);
}

static float
exact_sum_abs(int dim, const float *x)
{
	return exact_sum(METRIC_L1, dim, x, x);
}

static float
max_abs(int dim, const float *x)
{
	Vec			max = vec_set(0);
	float		lanes[VEC_LANES];

	for (int i = 0; i < dim; i += VEC_LANES)
		max = vec_max(max, vec_abs(load_rest(dim, i, x)));
	vec_store_f32(lanes, max);
	for (int j = 1; j < VEC_LANES; j++)
		if (lanes[j] > lanes[0])
			lanes[0] = lanes[j];
	return lanes[0];
}

/* The stages that are narrower than a vector. */
static pg_attribute_always_inline void
hadamard_narrow_stages(int n, float *x)
{
	for (int i = 0; i < n; i += VEC_LANES)
	{
		Vec			v = vec_load_f32(x + i);

#pragma GCC unroll 4
		for (int width = 1; width < VEC_LANES; width *= 2)
			v = vec_butterflies(width, v);
		vec_store_f32(x + i, v);
	}
}

/* A wider stage; what comes out is scaled. */
static pg_attribute_always_inline void
hadamard_stage(int width, int n, float scale, float *x)
{
	for (int i = 0; i < n; i += 2 * width)
		for (int j = i; j < i + width; j += VEC_LANES)
		{
			Vec			a = vec_load_f32(x + j);
			Vec			b = vec_load_f32(x + j + width);

			vec_store_f32(x + j, vec_mul(vec_add(a, b), vec_set(scale)));
			vec_store_f32(x + j + width, vec_mul(vec_sub(a, b), vec_set(scale)));
		}
}

/* The same of a stage and the next: half the loads and stores. */
static pg_attribute_always_inline void
hadamard_two_stages(int width, int n, float scale, float *x)
{
	for (int i = 0; i < n; i += 4 * width)
		for (int j = i; j < i + width; j += VEC_LANES)
		{
			Vec			a = vec_load_f32(x + j);
			Vec			b = vec_load_f32(x + j + width);
			Vec			c = vec_load_f32(x + j + 2 * width);
			Vec			d = vec_load_f32(x + j + 3 * width);
			Vec			s0 = vec_add(a, b);
			Vec			d0 = vec_sub(a, b);
			Vec			s1 = vec_add(c, d);
			Vec			d1 = vec_sub(c, d);
			Vec			factor = vec_set(scale);

			vec_store_f32(x + j, vec_mul(vec_add(s0, s1), factor));
			vec_store_f32(x + j + width, vec_mul(vec_add(d0, d1), factor));
			vec_store_f32(x + j + 2 * width, vec_mul(vec_sub(s0, s1), factor));
			vec_store_f32(x + j + 3 * width, vec_mul(vec_sub(d0, d1), factor));
		}
}

/* The transform of fewer elements than a vector has. */
static void
hadamard_short(int n, float scale, float *x)
{
	for (int width = 1; width < n; width *= 2)
		for (int i = 0; i < n; i++)
			if ((i & width) == 0)
			{
				float		a = x[i];
				float		b = x[i + width];

				x[i] = a + b;
				x[i + width] = a - b;
			}
	for (int i = 0; i < n; i++)
		x[i] *= scale;
}

static void
hadamard(int n, float scale, float *x)
{
	int			width = VEC_LANES;

	if (n < VEC_LANES)
	{
		hadamard_short(n, scale, x);
		return;
	}
	hadamard_narrow_stages(n, x);

	/* The last stages scale, too. */
	for (; 4 * width < n; width *= 4)
		hadamard_two_stages(width, n, 1.0f, x);
	if (4 * width == n)
		hadamard_two_stages(width, n, scale, x);
	else if (2 * width == n)
		hadamard_stage(width, n, scale, x);
	else
		for (int i = 0; i < n; i += VEC_LANES)
			vec_store_f32(x + i, vec_mul(vec_load_f32(x + i), vec_set(scale)));
}

/* Multiply by factors. */
static void
multiply(int dim, const float *factors, float *x)
{
	int			i = 0;

	for (; i + VEC_LANES <= dim; i += VEC_LANES)
		vec_store_f32(x + i, vec_mul(vec_load_f32(x + i),
									 vec_load_f32(factors + i)));
	for (; i < dim; i++)
		x[i] *= factors[i];
}

static void
mix(int n, float scale, float *a, float *b)
{
	int			i = 0;

	for (; i + VEC_LANES <= n; i += VEC_LANES)
	{
		Vec			left = vec_load_f32(a + i);
		Vec			right = vec_load_f32(b + i);

		vec_store_f32(a + i, vec_mul(vec_add(left, right), vec_set(scale)));
		vec_store_f32(b + i, vec_mul(vec_sub(left, right), vec_set(scale)));
	}
	for (; i < n; i++)
	{
		float		left = a[i];
		float		right = b[i];

		a[i] = (left + right) * scale;
		b[i] = (left - right) * scale;
	}
}

/* The smallest of two is the largest of their negatives, and keeps zeros. */
static void
scale_clamped(int dim, const float *x, float scale, float limit, float *out)
{
	int			i = 0;

	for (; i + VEC_LANES <= dim; i += VEC_LANES)
	{
		Vec			v = vec_mul(vec_load_f32(x + i), vec_set(scale));

		v = vec_max(vec_mul(v, vec_set(-1)), vec_set(-limit));
		v = vec_max(vec_mul(v, vec_set(-1)), vec_set(-limit));
		vec_store_f32(out + i, v);
	}
	for (; i < dim; i++)
	{
		float		v = x[i] * scale;

		v = v > limit ? limit : v;
		out[i] = v < -limit ? -limit : v;
	}
}

static void
subtract(int dim, const float *a, const float *b, float *out)
{
	int			i = 0;

	for (; i + VEC_LANES <= dim; i += VEC_LANES)
		vec_store_f32(out + i, vec_sub(vec_load_f32(a + i), vec_load_f32(b + i)));
	for (; i < dim; i++)
		out[i] = a[i] - b[i];
}

static void
encode_signs(int dim, const float *x, uint8 *code)
{
	for (int i = 0; i < dim; i += EXACT_LANES)
	{
		uint32		bits = 0;

#pragma GCC unroll 16
		for (int k = 0; k < EXACT_VECS; k++)
			bits |= vec_positive(load_rest(dim, i + k * VEC_LANES, x)) <<
				(k * VEC_LANES);
		code[i / 8] = (uint8) bits;
		if (i + 8 < dim)
			code[i / 8 + 1] = (uint8) (bits >> 8);
	}
}
