/*
 * kernel_avx512.c
 *		The kernel for AVX-512 F, BW, DQ, VL with VNNI (Cascade Lake, Zen 4
 *		and later).
 */
#include "c.h"

#ifdef __x86_64__

#include <immintrin.h>

#include "kernel/kernel_private.h"

/* Parameters of kernel_template.h */

#define VEC_LANES			16
#define VEC_ACCUMULATORS	4

typedef __m512 Vec;

static inline Vec
vec_set(float value)
{
	return _mm512_set1_ps(value);
}

/* The first n of 16 lanes. */
static inline __mmask16
first_lanes(int n)
{
	return (__mmask16) ((1 << n) - 1);
}

static inline Vec
vec_load_f32(const float *p)
{
	return _mm512_loadu_ps(p);
}

static inline Vec
vec_load_i32(const int32 *p)
{
	return _mm512_cvtepi32_ps(_mm512_loadu_si512(p));
}

static inline Vec
vec_load_f32_partial(const float *p, int n)
{
	return _mm512_maskz_loadu_ps(first_lanes(n), p);
}

static inline Vec
vec_load_f16(const uint16 *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p));
}

static inline Vec
vec_load_f16_partial(const uint16 *p, int n)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p));
}

static inline void
vec_store_f32(float *p, Vec v)
{
	_mm512_storeu_ps(p, v);
}

static inline void
vec_store_f32_partial(float *p, int n, Vec v)
{
	_mm512_mask_storeu_ps(p, first_lanes(n), v);
}

static inline void
vec_store_f16(uint16 *p, Vec v)
{
	_mm256_storeu_si256((__m256i *) p,
						_mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline void
vec_store_f16_partial(uint16 *p, int n, Vec v)
{
	_mm256_mask_storeu_epi16(p, first_lanes(n),
							 _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline Vec
vec_add(Vec a, Vec b)
{
	return _mm512_add_ps(a, b);
}

static inline Vec
vec_sub(Vec a, Vec b)
{
	return _mm512_sub_ps(a, b);
}

static inline Vec
vec_mul(Vec a, Vec b)
{
	return _mm512_mul_ps(a, b);
}

static inline Vec
vec_abs(Vec v)
{
	return _mm512_abs_ps(v);
}

static inline Vec
vec_max(Vec a, Vec b)
{
	return _mm512_max_ps(a, b);
}

static inline uint32
vec_positive(Vec v)
{
	return _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ);
}

static inline Vec
vec_butterflies(int width, Vec v)
{
	Vec			other;
	__mmask16	upper;

	switch (width)
	{
		case 1:
			other = _mm512_permute_ps(v, _MM_SHUFFLE(2, 3, 0, 1));
			upper = 0xaaaa;
			break;
		case 2:
			other = _mm512_permute_ps(v, _MM_SHUFFLE(1, 0, 3, 2));
			upper = 0xcccc;
			break;
		case 4:
			other = _mm512_shuffle_f32x4(v, v, _MM_SHUFFLE(2, 3, 0, 1));
			upper = 0xf0f0;
			break;
		default:
			other = _mm512_shuffle_f32x4(v, v, _MM_SHUFFLE(1, 0, 3, 2));
			upper = 0xff00;
			break;
	}
	return _mm512_mask_sub_ps(vec_add(v, other), upper, other, v);
}

static inline Vec
vec_fma(Vec a, Vec b, Vec c)
{
	return _mm512_fmadd_ps(a, b, c);
}

static inline float
vec_sum(Vec v)
{
	return _mm512_reduce_add_ps(v);
}

/* Parameters of code_template.h */

#define CODE_BLOCK_NBYTES	64
#define CODE_ACCUMULATORS	2

/*
 * Sums of products; those of odd planes, where planes go in pairs, are 2^bits
 * times too large.
 */
typedef struct CodeSum
{
	__m512i		even;
	__m512i		odd;
} CodeSum;

static inline CodeSum
code_sum_zero(void)
{
	CodeSum		sum = {_mm512_setzero_si512(), _mm512_setzero_si512()};

	return sum;
}

static inline CodeSum
code_sum_add(CodeSum a, CodeSum b)
{
	a.even = _mm512_add_epi32(a.even, b.even);
	a.odd = _mm512_add_epi32(a.odd, b.odd);
	return a;
}

static inline int32
code_sum_total(int bits, CodeSum sum)
{
	return _mm512_reduce_add_epi32(_mm512_add_epi32(sum.even,
													_mm512_srai_epi32(sum.odd, bits)));
}

/* The n bytes of a code that is shorter than a block, the others zero. */
static inline __m512i
load_bytes_partial(const uint8 *p, int n)
{
	return _mm512_maskz_loadu_epi8(((__mmask64) 1 << n) - 1, p);
}

/*
 * vpdpbusd adds the products of four unsigned and four signed bytes to an int32
 * lane; it does not saturate, so 8 bits need no way of their own.
 */
static inline __m512i
add_products(__m512i sum, __m512i u, char mask, const int8 *query)
{
	return _mm512_dpbusd_epi32(sum, _mm512_and_si512(u, _mm512_set1_epi8(mask)),
							   _mm512_loadu_si512(query));
}

/*
 * Planes go in pairs, for half the shifts; not those of 2 bits, whose codes are
 * short: shifting the sum would cost as much.
 */
static inline CodeSum
code_block_accumulate(int bits, CodeSum sum, const uint8 *code, int n,
					  const int8 *query)
{
	const int	elements = (1 << bits) - 1;
	const int	step = bits == 1 || bits == 4 ? 2 : 1;
	__m512i		u;

	u = n == CODE_BLOCK_NBYTES ? _mm512_loadu_si512(code) :
		load_bytes_partial(code, n);
	for (int plane = 0; plane < 8 / bits; plane += step)
	{
		sum.even = add_products(sum.even, u, (char) elements, query);
		if (step == 2)
			sum.odd = add_products(sum.odd, u, (char) (elements << bits),
								   query + CODE_BLOCK_NBYTES);
		u = _mm512_srli_epi16(u, step * bits);
		query += step * CODE_BLOCK_NBYTES;
	}

	return sum;
}

/* Parameters of packed_template.h */

#define PACKED_MAX_NBYTES	128

#include "kernel/packed_x86.h"
#include "kernel/code_template.h"
#include "kernel/kernel_template.h"
#include "kernel/exact_template.h"
#include "kernel/packed_template.h"
#include "kernel/bound_template.h"

const VsKernel vs_kernel_avx512 = {
	.name = "avx512",
	.bytes = &vs_bytes_avx512,
	VS_KERNEL_FUNCTIONS
};

#endif							/* __x86_64__ */
