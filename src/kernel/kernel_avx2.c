/*
 * kernel_avx2.c
 *		The kernel for AVX2 with FMA and F16C (Haswell, Zen and later).
 */
#include "c.h"

#ifdef __x86_64__

#include <immintrin.h>

#include "kernel/kernel_private.h"

/* Parameters of kernel_template.h */

#define VEC_LANES			8
#define VEC_ACCUMULATORS	4

typedef __m256 Vec;

static inline Vec
vec_set(float value)
{
	return _mm256_set1_ps(value);
}

/* All bits set in the first n lanes. */
static inline __m256i
first_lanes(int n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n),
							  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline Vec
vec_load_f32(const float *p)
{
	return _mm256_loadu_ps(p);
}

static inline Vec
vec_load_i32(const int32 *p)
{
	return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *) p));
}

static inline Vec
vec_load_f32_partial(const float *p, int n)
{
	return _mm256_maskload_ps(p, first_lanes(n));
}

static inline Vec
vec_load_f16(const uint16 *p)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) p));
}

static inline Vec
vec_load_f16_partial(const uint16 *p, int n)
{
	VsEightHalves halves = vs_load_halves_partial(p, n);

	return _mm256_cvtph_ps(_mm_set_epi64x(halves.high, halves.low));
}

static inline void
vec_store_f32(float *p, Vec v)
{
	_mm256_storeu_ps(p, v);
}

static inline void
vec_store_f32_partial(float *p, int n, Vec v)
{
	_mm256_maskstore_ps(p, first_lanes(n), v);
}

static inline void
vec_store_f16(uint16 *p, Vec v)
{
	_mm_storeu_si128((__m128i *) p,
					 _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline void
vec_store_f16_partial(uint16 *p, int n, Vec v)
{
	uint16		halves[VEC_LANES];

	vec_store_f16(halves, v);
	for (int i = 0; i < n; i++)
		p[i] = halves[i];
}

static inline Vec
vec_add(Vec a, Vec b)
{
	return _mm256_add_ps(a, b);
}

static inline Vec
vec_sub(Vec a, Vec b)
{
	return _mm256_sub_ps(a, b);
}

static inline Vec
vec_mul(Vec a, Vec b)
{
	return _mm256_mul_ps(a, b);
}

static inline Vec
vec_abs(Vec v)
{
	return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
}

static inline Vec
vec_max(Vec a, Vec b)
{
	return _mm256_max_ps(a, b);
}

static inline uint32
vec_positive(Vec v)
{
	return _mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ));
}

static inline Vec
vec_butterflies(int width, Vec v)
{
	Vec			other;

	switch (width)
	{
		case 1:
			other = _mm256_permute_ps(v, _MM_SHUFFLE(2, 3, 0, 1));
			return _mm256_blend_ps(vec_add(v, other), vec_sub(other, v), 0xaa);
		case 2:
			other = _mm256_permute_ps(v, _MM_SHUFFLE(1, 0, 3, 2));
			return _mm256_blend_ps(vec_add(v, other), vec_sub(other, v), 0xcc);
		default:
			other = _mm256_permute2f128_ps(v, v, 1);
			return _mm256_blend_ps(vec_add(v, other), vec_sub(other, v), 0xf0);
	}
}

static inline Vec
vec_fma(Vec a, Vec b, Vec c)
{
	return _mm256_fmadd_ps(a, b, c);
}

static inline float
vec_sum(Vec v)
{
	__m128		sum = _mm_add_ps(_mm256_castps256_ps128(v),
								 _mm256_extractf128_ps(v, 1));

	sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
	sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
	return _mm_cvtss_f32(sum);
}

/* Parameters of code_template.h */

#define CODE_BLOCK_NBYTES	32
#define CODE_ACCUMULATORS	2

typedef __m256i CodeSum;

static inline CodeSum
code_sum_zero(void)
{
	return _mm256_setzero_si256();
}

static inline CodeSum
code_sum_add(CodeSum a, CodeSum b)
{
	return _mm256_add_epi32(a, b);
}

static inline int32
code_sum_total(int bits, CodeSum v)
{
	__m128i		sum = _mm_add_epi32(_mm256_castsi256_si128(v),
									_mm256_extracti128_si256(v, 1));

	sum = _mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum));
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 1, 1, 1)));
	return _mm_cvtsi128_si32(sum);
}

static inline __m256i
load_bytes(const void *p)
{
	return _mm256_loadu_si256((const __m256i *) p);
}

/* The n bytes of a code that is shorter than a block, the others zero. */
static inline __m256i
load_bytes_partial(const uint8 *p, int n)
{
	uint8		bytes[CODE_BLOCK_NBYTES] = {0};

	memcpy(bytes, p, n);
	return load_bytes(bytes);
}

/* Products of 16 unsigned with 16 signed bytes, in int32 sums of two. */
static inline __m256i
multiply_half(__m128i u, __m128i q)
{
	return _mm256_madd_epi16(_mm256_cvtepu8_epi16(u), _mm256_cvtepi8_epi16(q));
}

/*
 * Products of 32 unsigned with 32 signed bytes, in int32 sums of four.  The
 * 16-bit sums of vpmaddubsw would saturate.
 */
static inline __m256i
multiply_bytes(__m256i u, __m256i q)
{
	return _mm256_add_epi32(multiply_half(_mm256_castsi256_si128(u),
										  _mm256_castsi256_si128(q)),
							multiply_half(_mm256_extracti128_si256(u, 1),
										  _mm256_extracti128_si256(q, 1)));
}

/*
 * Below 8 bits the products of all planes are summed in 16 bits before they
 * are widened: at most 8 planes * 2 * 1 * 127 for 1 bit, 4 * 2 * 3 * 127 for
 * 2, 2 * 2 * 15 * 127 for 4, which is 7620.
 */
static inline CodeSum
code_block_accumulate(int bits, CodeSum sum, const uint8 *code, int n,
					  const int8 *query)
{
	const __m256i mask = _mm256_set1_epi8((char) ((1 << bits) - 1));
	const __m256i ones = _mm256_set1_epi16(1);
	__m256i		products = _mm256_setzero_si256();
	__m256i		u;

	u = n == CODE_BLOCK_NBYTES ? load_bytes(code) :
		load_bytes_partial(code, n);
	if (bits == 8)
		return _mm256_add_epi32(sum, multiply_bytes(u, load_bytes(query)));

	for (int plane = 0; plane < 8 / bits; plane++)
	{
		__m256i		elements = _mm256_and_si256(u, mask);

		products = _mm256_add_epi16(products,
									_mm256_maddubs_epi16(elements,
														 load_bytes(query)));
		u = _mm256_srli_epi16(u, bits);
		query += CODE_BLOCK_NBYTES;
	}

	return _mm256_add_epi32(sum, _mm256_madd_epi16(products, ones));
}

/* Parameters of packed_template.h */

#define PACKED_MAX_NBYTES	128

#include "kernel/packed_x86.h"
#include "kernel/code_template.h"
#include "kernel/kernel_template.h"
#include "kernel/exact_template.h"
#include "kernel/packed_template.h"
#include "kernel/bound_template.h"

const VsKernel vs_kernel_avx2 = {
	.name = "avx2",
	VS_KERNEL_FUNCTIONS
};

#endif							/* __x86_64__ */
