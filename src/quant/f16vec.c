/*
 * f16vec.c
 *		A vector as float16 elements with one power-of-two scale.
 *
 * Identical on every instruction set: scaling by a power of two is exact and
 * the kernels' conversion to float16 is defined to the bit.
 */
#include "c.h"

#include <math.h>

#include "kernel/kernel.h"
#include "quant/f16vec.h"

/* The binary exponent that the largest element is brought to. */
#define TOP_EXPONENT 15

/* Fractions from here on are rounded up to 1 by float16's eleven bits. */
#define ROUNDED_UP_FRACTION (1.0f - 1.0f / 4096)

/* 2^TOP_EXPONENT as float16, and the number before it. */
#define HALF_TOP		0x7800
#define HALF_BELOW_TOP	0x77FF

float
vs_f16vec_scale(int exponent)
{
	if (exponent > 127)
		exponent = 127;
	return ldexpf(1.0f, exponent);
}

/* Take back a rounding up to 2^128, which float4 does not have. */
static void
keep_finite(int dim, uint16 *halves)
{
	for (int i = 0; i < dim; i++)
		if ((halves[i] & 0x7FFF) == HALF_TOP)
			halves[i] -= HALF_TOP - HALF_BELOW_TOP;
}

int
vs_f16vec_encode(int dim, const float *x, uint16 *halves)
{
	float		largest = vs_kernel->max_abs(dim, x);
	int			exponent = 0;

	if (largest > 0.0f)
	{
		/* largest = fraction * 2^exponent with fraction in [0.5, 1) */
		float		fraction = frexpf(largest, &exponent);

		/* What is read back has to give the same bits when encoded again. */
		if (fraction >= ROUNDED_UP_FRACTION)
			exponent++;
		exponent -= TOP_EXPONENT;
		exponent = Max(exponent, VS_F16VEC_MIN_EXPONENT);
		exponent = Min(exponent, VS_F16VEC_MAX_EXPONENT);
	}

	vs_kernel->f32_to_f16(dim, x, vs_f16vec_scale(-exponent), halves);
	if (exponent == VS_F16VEC_MAX_EXPONENT)
		keep_finite(dim, halves);
	return exponent;
}
