/*
 * levels.h
 *		What codes and queries are quantized to.
 *
 * Element u of a code, an integer of some bits, stands for the level u - half
 * the range; a vector is a multiple of its levels, more or less.
 */
#ifndef VS_LEVELS_H
#define VS_LEVELS_H

#include "c.h"

/* Half of a code's range. */
static inline float
vs_levels_half_range(int bits)
{
	return ((1 << bits) - 1) * 0.5f;
}

/*
 * Quantize a residual (dim floats) of this squared length into a code of
 * vs_code_nbytes(bits, dim) bytes, 1, 2, 4 or 8 bits a dimension.  Leaves the
 * levels in the residual's place; returns their product with it.
 */
extern float vs_levels_encode(int bits, int dim, float *residual,
							  float length_sq, uint8 *code);

/*
 * The same for 1 bit a dimension, whose levels are -1/2 and 1/2, where nobody
 * needs them: the residual stays as it is.
 */
extern float vs_levels_encode_signs(int dim, const float *residual,
									uint8 *code);

/*
 * Quantize a query (dim floats) to dim integers of 8 bits, from -127 to 127.
 * Returns what one unit is worth, and in *sum the sum of the integers.
 */
extern float vs_levels_quantize_query(int dim, const float *q, int8 *quantized,
									  int *sum);

/*
 * The same for a query that codes of so many bits, packed ones too, are
 * multiplied with: what kernel.h asks of it holds.
 */
extern float vs_levels_quantize_packed_query(int bits, int dim, const float *q,
											 int8 *quantized, int *sum);

#endif							/* VS_LEVELS_H */
