/*
 * bound_template.h
 *		Bounds from dot products and the numbers beside codes, written once.
 *
 * Companion of kernel_template.h, included after it.  quant/README.md, "Bounds",
 * says what is computed.
 *
 * Parameters, beside those of kernel_template.h:
 *	Vec vec_load_i32(const int32 *p)	as floats
 */
#include <float.h>
#include <math.h>

#include "kernel/kernel.h"

/* The bounds of a vector of codes. */
static pg_attribute_always_inline Vec
form_bounds(const VsBoundTerms *terms, Vec dots, Vec add, Vec mul, Vec error)
{
	Vec			product = vec_sub(vec_mul(vec_set(terms->step), dots),
								  vec_set(terms->offset));
	Vec			base = terms->squares ? vec_mul(add, add) : add;
	Vec			bound = vec_add(vec_add(vec_set(terms->center), base),
								vec_sub(vec_mul(mul, product),
										vec_mul(vec_set(terms->room), error)));

	/* Not a number: nothing is known. */
	return vec_max(bound, vec_set(-FLT_MAX));
}

/* The lowest of the bounds that are left after whole vectors. */
static float
lowest_bound(int n, const float *bounds, float lowest)
{
	for (int i = 0; i < n; i++)
		lowest = bounds[i] < lowest ? bounds[i] : lowest;
	return lowest;
}

static float
code_bounds(const VsBoundTerms *terms, int n, const int32 *dots,
			const uint16 *add, const uint16 *mul, const uint16 *error,
			float *bounds)
{
	Vec			highest = vec_set(-INFINITY);	/* of bounds times -1 */
	float		lanes[VEC_LANES];
	float		lowest;
	int			i = 0;

	for (; i + VEC_LANES <= n; i += VEC_LANES)
	{
		Vec			v = form_bounds(terms, vec_load_i32(dots + i),
									vec_load_f16(add + i), vec_load_f16(mul + i),
									vec_load_f16(error + i));

		vec_store_f32(bounds + i, v);
		highest = vec_max(highest, vec_sub(vec_set(0.0f), v));
	}
	vec_store_f32(lanes, vec_sub(vec_set(0.0f), highest));
	lowest = lowest_bound(VEC_LANES, lanes, INFINITY);
	if (i < n)
	{
		int32		rest[VEC_LANES] = {0};

		memcpy(rest, dots + i, sizeof(int32) * (n - i));
		vec_store_f32_partial(bounds + i, n - i,
							  form_bounds(terms, vec_load_i32(rest),
										  vec_load_f16_partial(add + i, n - i),
										  vec_load_f16_partial(mul + i, n - i),
										  vec_load_f16_partial(error + i, n - i)));
		lowest = lowest_bound(n - i, bounds + i, lowest);
	}
	return lowest;
}

/*
 * Elements next to each other add up in butterflies: of the lanes of a group
 * its sum is the largest.
 */
static float
max_sum_abs(int dim, int width, const float *x)
{
	Vec			max = vec_set(0);
	float		lanes[VEC_LANES];

	if (VEC_LANES == 1)
	{
		float		largest = 0.0f;

		for (int i = 0; i < dim; i += width)
		{
			float		sum = 0.0f;

			for (int j = i; j < dim && j < i + width; j++)
				sum += x[j] < 0.0f ? -x[j] : x[j];
			largest = sum > largest ? sum : largest;
		}
		return largest;
	}

	for (int i = 0; i < dim; i += VEC_LANES)
	{
		Vec			v = vec_abs(load_rest(dim, i, x));

		if (width >= 2)
			v = vec_butterflies(1, v);
		if (width >= 4)
			v = vec_butterflies(2, v);
		max = vec_max(max, v);
	}
	vec_store_f32(lanes, vec_sub(vec_set(0.0f), max));
	return -lowest_bound(VEC_LANES, lanes, 0.0f);
}
