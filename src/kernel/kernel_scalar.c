/*
 * kernel_scalar.c
 *		The kernel in plain C, for every processor.
 *
 * One element at a time in the order of the arrays: the loop that the other
 * kernels are measured against, compiled without vectorisation (kernel.mk).
 */
#include "c.h"

#include "kernel/half.h"
#include "kernel/kernel_private.h"

/* Parameters of kernel_template.h; a vector of one lane is never partial. */

#define VEC_LANES			1
#define VEC_ACCUMULATORS	1

typedef float Vec;

static inline Vec
vec_set(float value)
{
	return value;
}

static inline Vec
vec_load_f32(const float *p)
{
	return *p;
}

static inline Vec
vec_load_f16(const uint16 *p)
{
	return vs_half_to_float(*p);
}

static inline Vec
vec_load_i32(const int32 *p)
{
	return (float) *p;
}

static inline void
vec_store_f32(float *p, Vec v)
{
	*p = v;
}

static inline void
vec_store_f16(uint16 *p, Vec v)
{
	*p = vs_float_to_half(v);
}

#define vec_load_f32_partial(p, n)		vec_load_f32(p)
#define vec_load_f16_partial(p, n)		vec_load_f16(p)
#define vec_store_f32_partial(p, n, v)	vec_store_f32(p, v)
#define vec_store_f16_partial(p, n, v)	vec_store_f16(p, v)

static inline Vec
vec_add(Vec a, Vec b)
{
	return a + b;
}

static inline Vec
vec_sub(Vec a, Vec b)
{
	return a - b;
}

static inline Vec
vec_mul(Vec a, Vec b)
{
	return a * b;
}

static inline Vec
vec_abs(Vec v)
{
	return __builtin_fabsf(v);
}

static inline Vec
vec_max(Vec a, Vec b)
{
	return a > b ? a : b;
}

static inline uint32
vec_positive(Vec v)
{
	return v > 0.0f;
}

static inline Vec
vec_butterflies(int width, Vec v)
{
	return v;
}

static inline Vec
vec_fma(Vec a, Vec b, Vec c)
{
	return a * b + c;
}

static inline float
vec_sum(Vec v)
{
	return v;
}

/* Parameters of code_template.h */

#define CODE_BLOCK_NBYTES	1
#define CODE_ACCUMULATORS	1

typedef int32 CodeSum;

static inline CodeSum
code_sum_zero(void)
{
	return 0;
}

static inline CodeSum
code_sum_add(CodeSum a, CodeSum b)
{
	return a + b;
}

static inline int32
code_sum_total(int bits, CodeSum sum)
{
	return sum;
}

static inline CodeSum
code_block_accumulate(int bits, CodeSum sum, const uint8 *code, int n,
					  const int8 *query)
{
	for (int shift = 0; shift < 8; shift += bits)
		sum += ((*code >> shift) & ((1 << bits) - 1)) * *query++;

	return sum;
}

/* Parameters of packed_template.h */

#define PACKED_MAX_NBYTES	VS_CODE_MAX_DIM

static void
packed_sums(int nbytes, const uint8 *tables, const uint8 *block, int32 *sums)
{
	for (int b = 0; b < 2 * nbytes; b++)
		for (int j = 0; j < 16; j++)
		{
			const uint8 *table = tables + b * 16;
			uint8		indexes = block[b * 16 + j];

			sums[j] += table[indexes & 15];
			sums[j + 16] += table[indexes >> 4];
		}
}

static void
packed_tables(const uint8 *weights, const uint8 *negatives, uint8 *tables)
{
	for (int half = 0; half < 2; half++)
	{
		uint8		sum = 0;

		for (int k = 0; k < 4; k++)
			sum += *negatives++;
		tables[0] = sum;
		for (int k = 0; k < 4; k++)
		{
			for (int u = 0; u < 1 << k; u++)
				tables[u + (1 << k)] = tables[u] + *weights;
			weights++;
		}
		tables += 16;
	}
}

#include "kernel/code_template.h"
#include "kernel/kernel_template.h"
#include "kernel/exact_template.h"
#include "kernel/packed_template.h"
#include "kernel/bound_template.h"

const VsKernel vs_kernel_scalar = {
	.name = "scalar",
	VS_KERNEL_FUNCTIONS
};
