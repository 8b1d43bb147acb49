/*
 * kernel_private.h
 *		The kernels compiled into this library, for the files of this directory.
 *
 * A kernel being present does not mean that the processor can run it.
 */
#ifndef VS_KERNEL_PRIVATE_H
#define VS_KERNEL_PRIVATE_H

#include "kernel/kernel.h"

extern const VsKernel vs_kernel_scalar;

#ifdef __x86_64__
extern const VsKernel vs_kernel_avx2;
extern const VsKernel vs_kernel_avx512;
extern const VsByteKernel vs_bytes_avx512;
#endif

#ifdef __aarch64__
extern const VsKernel vs_kernel_neon;
extern const VsKernel vs_kernel_neon_dotprod;
#endif

/* Eight halves, the first in the lowest bits. */
typedef struct VsEightHalves
{
	uint64		low;
	uint64		high;
} VsEightHalves;

/*
 * Load n halves, 0 < n < 8, the others zero, where there are no masked loads:
 * join two loads that overlap.  For little-endian processors.
 */
static inline VsEightHalves
vs_load_halves_partial(const uint16 *p, int n)
{
	VsEightHalves halves;

	if (n >= 4)
	{
		memcpy(&halves.low, p, sizeof(halves.low));
		memcpy(&halves.high, p + n - 4, sizeof(halves.high));
		halves.high = halves.high >> (7 - n) * 16 >> 16;
	}
	else
	{
		halves.low = p[0] | (uint64) p[n / 2] << n / 2 * 16 |
			(uint64) p[n - 1] << (n - 1) * 16;
		halves.high = 0;
	}
	return halves;
}

/*
 * The static functions that the templates define, as
 * initialisers of the VsKernel of the file that included them.
 */
#define VS_KERNEL_FUNCTIONS \
	.f32_l2_sq = f32_l2_sq, \
	.f32_ip = f32_ip, \
	.f32_l1 = f32_l1, \
	.f32_cosine = f32_cosine, \
	.f16_l2_sq = f16_l2_sq, \
	.f16_ip = f16_ip, \
	.f16_l1 = f16_l1, \
	.f16_cosine = f16_cosine, \
	.f32_f16_l2_sq = f32_f16_l2_sq, \
	.f32_f16_ip = f32_f16_ip, \
	.f32_f16_l1 = f32_f16_l1, \
	.f16_to_f32 = f16_to_f32, \
	.f32_to_f16 = f32_to_f16, \
	.f32_add = f32_add, \
	.exact_ip = exact_ip, \
	.exact_l2_sq = exact_l2_sq, \
	.exact_sum_abs = exact_sum_abs, \
	.max_abs = max_abs, \
	.hadamard = hadamard, \
	.multiply = multiply, \
	.mix = mix, \
	.scale_clamped = scale_clamped, \
	.subtract = subtract, \
	.encode_signs = encode_signs, \
	.prepare_code_query = prepare_code_query, \
	.prepare_code = prepare_code, \
	.code_dots = code_dots, \
	.prepare_tables = prepare_tables, \
	.packed_dots = packed_dots, \
	.code_bounds = code_bounds, \
	.max_sum_abs = max_sum_abs

#endif							/* VS_KERNEL_PRIVATE_H */
