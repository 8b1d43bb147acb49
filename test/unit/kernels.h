/*
 * kernels.h
 *		The names of all kernels; a processor has some of them.
 */
#ifndef VS_UNIT_KERNELS_H
#define VS_UNIT_KERNELS_H

static const char *const kernel_names[] = {
	"scalar", "avx2", "avx512", "neon", "neon_dotprod"
};

#endif							/* VS_UNIT_KERNELS_H */
