/*
 * f16vec.h
 *		A vector as float16 elements with one power-of-two scale.
 *
 * Element i is halves[i] * 2^exponent.  The exponent is chosen so that the
 * largest element, rounded, lies in [2^14, 2^15): integers up to 2048 stay
 * exact, and elements down to 2^-28 of the largest keep full precision.
 */
#ifndef VS_F16VEC_H
#define VS_F16VEC_H

#include "c.h"

/* Range of exponents: 2^exponent and 2^-exponent are normal float4. */
#define VS_F16VEC_MIN_EXPONENT	(-126)
#define VS_F16VEC_MAX_EXPONENT	113

/*
 * Encode dim finite floats; returns the exponent, 0 for a zero vector.  What
 * is decoded is finite, and encodes to the same bits again.
 */
extern int	vs_f16vec_encode(int dim, const float *x, uint16 *halves);

/* 2^exponent as float4, 0 or the largest power where it has no float4. */
extern float vs_f16vec_scale(int exponent);

#endif							/* VS_F16VEC_H */
