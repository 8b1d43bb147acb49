/*
 * residual.c
 *		RaBitQ codes of vectors around a center, with a bound of their error.
 *
 * Encoding must give the same bits everywhere: see rabitq.c.
 */
#include "postgres.h"

#include <math.h>

#include "kernel/half.h"
#include "kernel/kernel.h"
#include "kernel/packed.h"
#include "quant/levels.h"
#include "quant/residual.h"

/* Largest float16. */
#define MAX_HALF 65504.0f

/* Codes whose dot products are computed at a time. */
#define BATCH 64

/* The largest float16 that is not above a value, maybe minus infinity. */
static uint16
round_down(float value)
{
	uint16		half = vs_float_to_half(Min(value, MAX_HALF));

	if (vs_half_to_float(half) <= value)
		return half;
	if (half == 0)
		return 0x8001;
	return half & 0x8000 ? half + 1 : half - 1;
}

/* The smallest float16 that is not below a value >= 0, maybe infinite. */
static uint16
round_up(float value)
{
	uint16		half = vs_float_to_half(value);

	return vs_half_to_float(half) < value ? half + 1 : half;
}

/*
 * The part of a bound that is the center's: by L2 the residual's length, which
 * is squared when it is used.
 */
static float
form_add(VsEstimate estimate, int dim, const float *residual, float length_sq,
		 const float *center)
{
	if (estimate == VS_ESTIMATE_NEGATIVE_IP)
		return -vs_kernel->exact_ip(dim, residual, center);
	return sqrtf(length_sq);
}

void
vs_residual_encode(VsEstimate estimate, int bits, int dim, const float *x,
				   const float *center, float *scratch, uint8 *code,
				   VsResidualFactors *factors)
{
	float	   *residual = scratch;
	float		twice = estimate == VS_ESTIMATE_NEGATIVE_IP ? 1.0f : 2.0f;
	float		length_sq;
	float		along;			/* <levels, residual> */
	float		levels_sq;
	float		ratio;
	float		unseen_sq;
	float		mul;
	float		lost;
	float		error;

	vs_kernel->subtract(dim, x, center, residual);
	length_sq = vs_kernel->exact_ip(dim, residual, residual);
	factors->add = round_down(form_add(estimate, dim, residual, length_sq, center));

	if (bits == 1)
	{
		along = vs_levels_encode_signs(dim, residual, code);
		levels_sq = 0.25f * dim;
	}
	else
	{
		/* From here on the residual's levels are in its place. */
		along = vs_levels_encode(bits, dim, residual, length_sq, code);
		levels_sq = vs_kernel->exact_ip(dim, residual, residual);
	}

	/* ratio * levels is the residual and, at a right angle, what is unseen. */
	ratio = along > 0.0f ? length_sq / along : 0.0f;
	unseen_sq = along > 0.0f ? ratio * ratio * levels_sq - length_sq : length_sq;
	error = twice * sqrtf(Max(unseen_sq, 0.0f)) / sqrtf((float) Max(dim - 1, 1));

	/* What rounding takes off the factor counts in full. */
	mul = -twice * ratio;
	factors->mul = vs_float_to_half(Max(mul, -MAX_HALF));
	lost = fabsf(mul - vs_half_to_float(factors->mul)) * sqrtf(levels_sq);
	factors->error = round_up(error + lost / VS_RESIDUAL_EPSILON);
}

VsResidualQuery *
vs_residual_query_create(VsEstimate estimate, int bits, int dim)
{
	VsResidualQuery *query = palloc0(sizeof(VsResidualQuery));
	size_t		nprepared = vs_code_query_nbytes(bits, dim);

	Assert(estimate != VS_ESTIMATE_L1);
	query->estimate = estimate;
	query->bits = bits;
	query->dim = dim;
	query->terms.squares = estimate == VS_ESTIMATE_L2_SQ;
	query->difference = palloc(sizeof(float) * dim);
	query->quantized = palloc(dim);
	query->prepared = (uint8 *)
		TYPEALIGN(VS_CODE_QUERY_ALIGN, palloc(nprepared + VS_CODE_QUERY_ALIGN));
	if (bits <= 4)
		query->tables = (uint8 *)
			TYPEALIGN(VS_CODE_QUERY_ALIGN,
					  palloc(vs_code_tables_nbytes(bits, dim) +
							 VS_CODE_QUERY_ALIGN));
	return query;
}

/*
 * Sine of the angle between a Gaussian vector and its code: the share of it that
 * the code does not see.
 */
static float
code_sine(int bits)
{
	switch (bits)
	{
		case 1:
			return 0.6028f;
		case 2:
			return 0.3448f;
		case 4:
			return 0.0989f;
		default:
			return 0.0065f;
	}
}

/*
 * Room for errors, times what a code has as error: for what it does not see,
 * that is by the query's distance to the center, and for the steps in which the
 * query was quantized.  These change the dot product with all of a code, whose
 * unseen part is a share of it.
 */
static float
room_for_errors(const VsResidualQuery *query, float center_dist, float step)
{
	float		rounding = step * sqrtf(query->dim / 12.0f) /
		code_sine(query->bits);

	return VS_RESIDUAL_EPSILON * sqrtf(center_dist * center_dist +
									   rounding * rounding);
}

void
vs_residual_query_bind(VsResidualQuery *query, const float *restrict x,
					   const float *restrict center)
{
	int			dim = query->dim;
	float	   *restrict difference = query->difference;
	VsBoundTerms *terms = &query->terms;
	float		dist_sq;
	int			sum;

	for (int i = 0; i < dim; i++)
		difference[i] = x[i] - center[i];
	dist_sq = vs_kernel->f32_ip(dim, difference, difference);
	terms->center = query->estimate == VS_ESTIMATE_NEGATIVE_IP ?
		-vs_kernel->f32_ip(dim, x, center) : dist_sq;
	terms->step = vs_levels_quantize_packed_query(query->bits, dim, difference,
												  query->quantized, &sum);
	terms->offset = terms->step * vs_levels_half_range(query->bits) * sum;
	terms->room = room_for_errors(query, sqrtf(dist_sq), terms->step);

	query->kernel = vs_kernel;
	query->is_prepared = false;
	query->has_tables = false;
}

float
vs_residual_bounds(VsResidualQuery *query, int n, const uint8 *codes,
				   size_t stride, const uint16 *add, const uint16 *mul,
				   const uint16 *error, float *bounds)
{
	float		lowest = INFINITY;

	if (!query->is_prepared)
	{
		query->kernel->prepare_code_query(query->bits, query->dim,
										  query->quantized, query->prepared);
		query->is_prepared = true;
	}
	for (int begin = 0; begin < n; begin += BATCH)
	{
		int			count = Min(BATCH, n - begin);
		int32		dots[BATCH];
		float		low;

		query->kernel->code_dots(query->bits, query->dim, query->prepared,
								 codes + begin * stride, stride, count, dots);
		low = query->kernel->code_bounds(&query->terms, count, dots, add + begin,
										 mul + begin, error + begin,
										 bounds + begin);
		lowest = Min(lowest, low);
	}
	return lowest;
}

float
vs_residual_bounds_packed(VsResidualQuery *query, int n, const uint8 *block,
						  const uint16 *add, const uint16 *mul,
						  const uint16 *error, float *bounds)
{
	int32		dots[VS_PACKED_NCODES];

	Assert(query->bits <= 4 && n <= VS_PACKED_NCODES);
	if (!query->has_tables)
	{
		query->bias = query->kernel->prepare_tables(query->bits, query->dim,
													query->quantized,
													query->tables);
		query->has_tables = true;
	}
	query->kernel->packed_dots(query->bits, query->dim, query->tables,
							   query->bias, block, dots);
	return query->kernel->code_bounds(&query->terms, n, dots, add, mul, error,
									  bounds);
}
