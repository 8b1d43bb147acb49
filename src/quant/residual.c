/*
 * residual.c
 *		RaBitQ codes of vectors around a center, with a bound of their error.
 *
 * Encoding must give the same bits everywhere: see rabitq.c.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "kernel/half.h"
#include "kernel/kernel.h"
#include "quant/levels.h"
#include "quant/residual.h"

/* Largest float16. */
#define MAX_HALF 65504.0f

/* Codes whose factors are decoded at a time. */
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
	query->difference = palloc(sizeof(float) * dim);
	query->quantized = palloc(dim);
	query->prepared = (uint8 *)
		TYPEALIGN(VS_CODE_QUERY_ALIGN, palloc(nprepared + VS_CODE_QUERY_ALIGN));
	return query;
}

void
vs_residual_query_bind(VsResidualQuery *query, const float *restrict x,
					   const float *restrict center)
{
	int			dim = query->dim;
	float	   *restrict difference = query->difference;
	float		dist_sq;
	int			sum;

	for (int i = 0; i < dim; i++)
		difference[i] = x[i] - center[i];
	dist_sq = vs_kernel->f32_ip(dim, difference, difference);
	query->center_dist = sqrtf(dist_sq);
	query->center_term = query->estimate == VS_ESTIMATE_NEGATIVE_IP ?
		-vs_kernel->f32_ip(dim, x, center) : dist_sq;

	query->step = vs_levels_quantize_query(dim, difference, query->quantized, &sum);
	query->offset = query->step * vs_levels_half_range(query->bits) * sum;
	query->kernel = vs_kernel;
	query->kernel->prepare_code_query(query->bits, dim, query->quantized,
									  query->prepared);
}

/* Bounds from the dot products and the decoded factors of n codes. */
static void
combine(const VsResidualQuery *query, int n, const int32 *restrict dots,
		const float *restrict add, const float *restrict mul,
		const float *restrict error, float *restrict bounds)
{
	float		room = VS_RESIDUAL_EPSILON * query->center_dist;
	bool		is_ip = query->estimate == VS_ESTIMATE_NEGATIVE_IP;

	for (int i = 0; i < n; i++)
	{
		float		product = query->step * dots[i] - query->offset;
		float		base = is_ip ? add[i] : add[i] * add[i];
		float		bound = query->center_term + base + mul[i] * product -
			room * error[i];

		/* Not a number: nothing is known. */
		bounds[i] = bound >= -FLT_MAX ? bound : -FLT_MAX;
	}
}

void
vs_residual_bounds(const VsResidualQuery *query, int n, const uint8 *codes,
				   size_t stride, const uint16 *add, const uint16 *mul,
				   const uint16 *error, float *bounds)
{
	for (int begin = 0; begin < n; begin += BATCH)
	{
		int			count = Min(BATCH, n - begin);
		int32		dots[BATCH];
		float		adds[BATCH];
		float		muls[BATCH];
		float		errors[BATCH];

		query->kernel->code_dots(query->bits, query->dim, query->prepared,
								 codes + begin * stride, stride, count, dots);
		vs_kernel->f16_to_f32(count, add + begin, 1.0f, adds);
		vs_kernel->f16_to_f32(count, mul + begin, 1.0f, muls);
		vs_kernel->f16_to_f32(count, error + begin, 1.0f, errors);
		combine(query, count, dots, adds, muls, errors, bounds + begin);
	}
}
