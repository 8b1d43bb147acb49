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
#endif

/*
 * The static functions that kernel_template.h and code_template.h define, as
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
	.prepare_code_query = prepare_code_query, \
	.code_dots = code_dots

#endif							/* VS_KERNEL_PRIVATE_H */
