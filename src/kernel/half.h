/*
 * half.h
 *		Conversion of one IEEE half (float16) to and from float4.
 *
 * Portable C with integers only, so the result depends on no compiler flag
 * and no rounding mode; it equals what F16C and NEON instructions give, NaN
 * payloads included.  Whole arrays go through VsKernel's conversions instead.
 *
 *				sign	exponent (bias)		fraction
 *	float16		1		5 (15)				10
 *	float4		1		8 (127)				23
 */
#ifndef VS_HALF_H
#define VS_HALF_H

#include "c.h"

/* What separates the two formats. */
#define VS_HALF_FRACTION_SHIFT	(23 - 10)
#define VS_HALF_BIAS_SHIFT		((uint32) (127 - 15) << 23)

/* The value of a half; exact, except that signalling NaNs become quiet. */
static inline float
vs_half_to_float(uint16 half)
{
	uint32		sign = (uint32) (half & 0x8000) << 16;
	uint32		magnitude = half & 0x7fff;
	uint32		bits;
	float		result;

	if (magnitude > 0x7c00)		/* NaN */
		bits = 0x7fc00000 | (magnitude << VS_HALF_FRACTION_SHIFT);
	else if (magnitude == 0x7c00)	/* infinity */
		bits = 0x7f800000;
	else if (magnitude >= 0x0400)	/* normal */
		bits = (magnitude << VS_HALF_FRACTION_SHIFT) + VS_HALF_BIAS_SHIFT;
	else if (magnitude == 0)
		bits = 0;
	else
	{
		/* Subnormal: move the leading one to where float4 implies it. */
		bits = VS_HALF_BIAS_SHIFT + (1 << 23);
		for (; (magnitude & 0x0400) == 0; magnitude <<= 1)
			bits -= 1 << 23;
		bits |= (magnitude & 0x03ff) << VS_HALF_FRACTION_SHIFT;
	}

	bits |= sign;
	memcpy(&result, &bits, sizeof(result));
	return result;
}

/*
 * The half nearest to a float4, ties to even.  From 65520 on that is infinity,
 * up to 2^-25 it is zero; signs are kept, NaNs become quiet.
 */
static inline uint16
vs_float_to_half(float value)
{
	uint32		bits;
	uint32		magnitude;
	uint32		half;
	uint32		rest;
	uint32		tie;
	uint16		sign;
	int			shift;

	memcpy(&bits, &value, sizeof(bits));
	sign = (bits >> 16) & 0x8000;
	magnitude = bits & 0x7fffffff;

	if (magnitude > 0x7f800000) /* NaN */
		return sign | 0x7e00 |
			((magnitude >> VS_HALF_FRACTION_SHIFT) & 0x03ff);
	if (magnitude >= 0x47800000)	/* 2^16 and above, infinity */
		return sign | 0x7c00;

	if (magnitude >= 0x38800000)	/* 2^-14 and above: a normal half */
	{
		magnitude -= VS_HALF_BIAS_SHIFT;
		shift = VS_HALF_FRACTION_SHIFT;
	}
	else
	{
		/*
		 * A multiple of 2^-24, the unit of subnormal halves.  A float4 is its
		 * fraction, with the implied one, times 2^(exponent - 150).
		 */
		shift = (150 - 24) - (int) (magnitude >> 23);
		if (shift > 24)
			return sign;		/* less than half the unit */
		magnitude = (magnitude & 0x007fffff) | 0x00800000;
	}

	/* A carry out of the fraction rightly increments the exponent. */
	half = magnitude >> shift;
	rest = magnitude & (((uint32) 1 << shift) - 1);
	tie = (uint32) 1 << (shift - 1);
	if (rest > tie || (rest == tie && (half & 1) != 0))
		half++;
	return sign | (uint16) half;
}

#endif							/* VS_HALF_H */
