/*
 * levels.c
 *		What codes and queries are quantized to.
 *
 * Codes must be the same bits everywhere: see rabitq.c.
 */
#include "c.h"

#include <math.h>

#include "kernel/kernel.h"
#include "quant/levels.h"

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
	float		widest = largest / vs_levels_half_range(bits);
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
 * u minus half the range in the residual's place.
 */
static void
quantize_residual(int bits, int dim, float *restrict residual, float length,
				  uint8 *restrict u)
{
	float		top = (float) ((1 << bits) - 1);
	float		half = vs_levels_half_range(bits);
	float		step = quantizer_step(bits, dim, length,
									  vs_kernel->max_abs(dim, residual));
	float		inverse;

	inverse = step > 0.0f ? 1.0f / step : 0.0f;
	if (!isfinite(inverse))
		inverse = 0.0f;

	for (int i = 0; i < dim; i++)
	{
		/* Levels are half-integers: floor(x) + 1/2 is the nearest one. */
		float		level = residual[i] * inverse + (half + 0.5f);
		int			code;

		level = level > 0.0f ? level : 0.0f;
		code = (int) (level < top ? level : top);
		u[i] = (uint8) code;
		residual[i] = (float) code - half;
	}
}

/* Pack u (one byte an element, zeros up to a whole code) into a code. */
static pg_attribute_always_inline void
pack_elements(int bits, int dim, const uint8 *restrict u, uint8 *restrict code)
{
	const int	per_byte = 8 / bits;
	int			nbytes = (int) vs_code_nbytes(bits, dim);

	for (int i = 0; i < nbytes; i++)
	{
		unsigned	byte = 0;

		for (int j = 0; j < per_byte; j++)
			byte |= u[i * per_byte + j] << (j * bits);
		code[i] = (uint8) byte;
	}
}

/* A loop of its own for each number of bits. */
static void
pack_code(int bits, int dim, const uint8 *u, uint8 *code)
{
	switch (bits)
	{
		case 2:
			pack_elements(2, dim, u, code);
			break;
		case 4:
			pack_elements(4, dim, u, code);
			break;
		default:
			pack_elements(8, dim, u, code);
			break;
	}
}

float
vs_levels_encode_signs(int dim, const float *residual, uint8 *code)
{
	vs_kernel->encode_signs(dim, residual, code);
	return 0.5f * vs_kernel->exact_sum_abs(dim, residual);
}

float
vs_levels_encode(int bits, int dim, float *residual, float length_sq, uint8 *code)
{
	float		along;			/* <levels, residual> */
	float		copy[VS_CODE_MAX_DIM];
	uint8		u[VS_CODE_MAX_DIM + 8];

	Assert(dim <= VS_CODE_MAX_DIM);
	if (bits == 1)
	{
		along = vs_levels_encode_signs(dim, residual, code);
		for (int i = 0; i < dim; i++)
			residual[i] = residual[i] > 0.0f ? 0.5f : -0.5f;
		return along;
	}
	memcpy(copy, residual, sizeof(float) * dim);
	quantize_residual(bits, dim, residual, sqrtf(length_sq), u);
	along = vs_kernel->exact_ip(dim, residual, copy);
	memset(u + dim, 0, 8);
	pack_code(bits, dim, u, code);
	return along;
}

/* Quantize a query by a step, of which none of its elements has more than 127. */
static int
quantize_by_step(int dim, const float *restrict q, float step,
				 int8 *restrict quantized)
{
	float		inverse = step > 0.0f ? 1.0f / step : 0.0f;
	int			total = 0;

	if (!isfinite(inverse))
		inverse = 0.0f;
	for (int i = 0; i < dim; i++)
	{
		float		scaled = q[i] * inverse;
		int			rounded = (int) (scaled + (scaled < 0.0f ? -0.5f : 0.5f));

		quantized[i] = (int8) rounded;
		total += rounded;
	}
	return total;
}

float
vs_levels_quantize_query(int dim, const float *q, int8 *quantized, int *sum)
{
	float		step = vs_kernel->max_abs(dim, q) / 127.0f;

	*sum = quantize_by_step(dim, q, step, quantized);
	return step;
}

float
vs_levels_quantize_packed_query(int bits, int dim, const float *q,
								int8 *quantized, int *sum)
{
	float		step = vs_kernel->max_abs(dim, q) / 127.0f;

	/* Rounding adds a half to each element of a group, at most. */
	if (bits == 1)
		step = Max(step, vs_kernel->max_sum_abs(dim, 4, q) / (255.0f - 2.0f));
	else if (bits == 2)
		step = Max(step, vs_kernel->max_sum_abs(dim, 2, q) / (85.0f - 1.0f));
	*sum = quantize_by_step(dim, q, step, quantized);
	return step;
}
