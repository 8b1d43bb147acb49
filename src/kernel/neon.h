/*
 * neon.h
 *		Operations for kernel_template.h in NEON, which every AArch64 has.
 *
 * Shared by the kernels for AArch64, which differ in how they multiply codes.
 * Empty for other processors.
 */
#ifndef VS_NEON_H
#define VS_NEON_H

#include "c.h"

#ifdef __aarch64__

#include <arm_neon.h>

#include "kernel/kernel_private.h"

#define VEC_LANES			8
#define VEC_ACCUMULATORS	4

/*
 * Two registers: that is how many floats a register of halves becomes, and it
 * makes as many independent sums as additions are under way at a time.
 */
typedef struct Vec
{
	float32x4_t low;
	float32x4_t high;
} Vec;

static inline Vec
vec_make(float32x4_t low, float32x4_t high)
{
	Vec			v = {low, high};

	return v;
}

static inline Vec
vec_set(float value)
{
	return vec_make(vdupq_n_f32(value), vdupq_n_f32(value));
}

static inline Vec
vec_load_f32(const float *p)
{
	return vec_make(vld1q_f32(p), vld1q_f32(p + 4));
}

static inline Vec
vec_load_i32(const int32 *p)
{
	return vec_make(vcvtq_f32_s32(vld1q_s32(p)), vcvtq_f32_s32(vld1q_s32(p + 4)));
}

/*
 * The last n floats, n < 4, of the four that end at p, then zeros: a table
 * lookup whose indexes are out of range gives zeros.
 */
static inline float32x4_t
last_floats(const float *p, int n)
{
	static const uint8 indexes[32] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		255, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255, 255, 255, 255
	};
	uint8x16_t	four = vreinterpretq_u8_f32(vld1q_f32(p - 4));
	uint8x16_t	wanted = vld1q_u8(indexes + (4 - n) * sizeof(float));

	return vreinterpretq_f32_u8(vqtbl1q_u8(four, wanted));
}

/* There are no masked loads: the last four overlap the first ones. */
static inline Vec
vec_load_f32_partial(const float *p, int n)
{
	Vec			v = vec_set(0);

	if (n >= 4)
		return vec_make(vld1q_f32(p), last_floats(p + n, n - 4));

	v.low = vld1q_lane_f32(p, v.low, 0);
	if (n > 1)
		v.low = vld1q_lane_f32(p + 1, v.low, 1);
	if (n > 2)
		v.low = vld1q_lane_f32(p + 2, v.low, 2);
	return v;
}

/* Eight halves as floats. */
static inline Vec
vec_from_halves(uint16x8_t halves)
{
	float16x8_t f16 = vreinterpretq_f16_u16(halves);

	return vec_make(vcvt_f32_f16(vget_low_f16(f16)), vcvt_high_f32_f16(f16));
}

/* The nearest halves, ties to even. */
static inline uint16x8_t
vec_to_halves(Vec v)
{
	return vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(v.low),
												   v.high));
}

static inline Vec
vec_load_f16(const uint16 *p)
{
	return vec_from_halves(vld1q_u16(p));
}

static inline Vec
vec_load_f16_partial(const uint16 *p, int n)
{
	VsEightHalves halves = vs_load_halves_partial(p, n);

	return vec_from_halves(vcombine_u16(vcreate_u16(halves.low),
										vcreate_u16(halves.high)));
}

static inline void
vec_store_f32(float *p, Vec v)
{
	vst1q_f32(p, v.low);
	vst1q_f32(p + 4, v.high);
}

static inline void
vec_store_f32_partial(float *p, int n, Vec v)
{
	float		floats[VEC_LANES];

	vec_store_f32(floats, v);
	for (int i = 0; i < n; i++)
		p[i] = floats[i];
}

static inline void
vec_store_f16(uint16 *p, Vec v)
{
	vst1q_u16(p, vec_to_halves(v));
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
	return vec_make(vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high));
}

static inline Vec
vec_sub(Vec a, Vec b)
{
	return vec_make(vsubq_f32(a.low, b.low), vsubq_f32(a.high, b.high));
}

static inline Vec
vec_mul(Vec a, Vec b)
{
	return vec_make(vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high));
}

static inline Vec
vec_abs(Vec v)
{
	return vec_make(vabsq_f32(v.low), vabsq_f32(v.high));
}

/* Where one of two is not a number, the other. */
static inline Vec
vec_max(Vec a, Vec b)
{
	return vec_make(vmaxnmq_f32(a.low, b.low), vmaxnmq_f32(a.high, b.high));
}

/* Bit i is set if lane i is above 0; only the lowest four may be. */
static inline uint32
positive(float32x4_t v)
{
	static const uint32 bits[4] = {1, 2, 4, 8};

	return vaddvq_u32(vandq_u32(vcgtzq_f32(v), vld1q_u32(bits)));
}

static inline uint32
vec_positive(Vec v)
{
	return positive(v.low) | positive(v.high) << 4;
}

/* Butterflies within a register. */
static inline float32x4_t
butterflies(int width, float32x4_t v)
{
	float32x4_t other = width == 1 ? vrev64q_f32(v) : vextq_f32(v, v, 2);
	float32x4_t sum = vaddq_f32(v, other);
	float32x4_t difference = vsubq_f32(v, other);

	return width == 1 ? vtrn1q_f32(sum, difference) :
		vcombine_f32(vget_low_f32(sum), vget_low_f32(difference));
}

static inline Vec
vec_butterflies(int width, Vec v)
{
	if (width == 4)
		return vec_make(vaddq_f32(v.low, v.high), vsubq_f32(v.low, v.high));
	return vec_make(butterflies(width, v.low), butterflies(width, v.high));
}

static inline Vec
vec_fma(Vec a, Vec b, Vec c)
{
	return vec_make(vfmaq_f32(c.low, a.low, b.low),
					vfmaq_f32(c.high, a.high, b.high));
}

static inline float
vec_sum(Vec v)
{
	return vaddvq_f32(vaddq_f32(v.low, v.high));
}

/* For both kernels' code_template.h */

#define CODE_BLOCK_NBYTES	16
#define CODE_ACCUMULATORS	4

typedef int32x4_t CodeSum;

static inline CodeSum
code_sum_zero(void)
{
	return vdupq_n_s32(0);
}

static inline CodeSum
code_sum_add(CodeSum a, CodeSum b)
{
	return vaddq_s32(a, b);
}

static inline int32
code_sum_total(int bits, CodeSum sum)
{
	return vaddvq_s32(sum);
}

/*
 * A block of a code; of one that is shorter than a block its n bytes, the
 * others zero.
 */
static inline uint8x16_t
load_code_block(const uint8 *p, int n)
{
	uint8		bytes[CODE_BLOCK_NBYTES] = {0};

	if (n == CODE_BLOCK_NBYTES)
		return vld1q_u8(p);
	memcpy(bytes, p, n);
	return vld1q_u8(bytes);
}

/* For both kernels' packed_template.h */

#define PACKED_MAX_NBYTES	128

/* Add the bytes that 16 codes look up in two tables to their 16-bit sums. */
static inline void
add_entries(uint16x8_t * sums, uint8x16_t a, uint8x16_t b)
{
	sums[0] = vaddq_u16(sums[0], vaddl_u8(vget_low_u8(a), vget_low_u8(b)));
	sums[1] = vaddq_u16(sums[1], vaddl_high_u8(a, b));
}

/* Add 8 numbers of 16 bits to those of 32. */
static inline void
add_wide(uint16x8_t v, int32 *sums)
{
	int32x4_t	low = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(v)));
	int32x4_t	high = vreinterpretq_s32_u32(vmovl_high_u16(v));

	vst1q_s32(sums, vaddq_s32(vld1q_s32(sums), low));
	vst1q_s32(sums + 4, vaddq_s32(vld1q_s32(sums + 4), high));
}

static void
packed_sums(int nbytes, const uint8 *tables, const uint8 *block, int32 *sums)
{
	const		uint8x16_t mask = vdupq_n_u8(0x0f);
	uint16x8_t	totals[4] = {vdupq_n_u16(0), vdupq_n_u16(0), vdupq_n_u16(0),
	vdupq_n_u16(0)};

	for (int b = 0; b < nbytes; b++)
	{
		uint8x16_t	low = vld1q_u8(block + b * 32);
		uint8x16_t	high = vld1q_u8(block + b * 32 + 16);
		uint8x16_t	low_table = vld1q_u8(tables + b * 32);
		uint8x16_t	high_table = vld1q_u8(tables + b * 32 + 16);

		add_entries(totals, vqtbl1q_u8(low_table, vandq_u8(low, mask)),
					vqtbl1q_u8(high_table, vandq_u8(high, mask)));
		add_entries(totals + 2, vqtbl1q_u8(low_table, vshrq_n_u8(low, 4)),
					vqtbl1q_u8(high_table, vshrq_n_u8(high, 4)));
	}
	for (int k = 0; k < 4; k++)
		add_wide(totals[k], sums + 8 * k);
}

static inline void
packed_tables(const uint8 *weights, const uint8 *negatives, uint8 *tables)
{
	static const uint8 numbers[16] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	};

	for (int half = 0; half < 8; half += 4)
	{
		uint8x16_t	entries = vdupq_n_u8(0);

		for (int k = 0; k < 4; k++)
		{
			uint8x16_t	has_bit = vtstq_u8(vld1q_u8(numbers), vdupq_n_u8(1 << k));

			entries = vaddq_u8(entries, vld1q_dup_u8(negatives + half + k));
			entries = vaddq_u8(entries, vandq_u8(has_bit,
												 vld1q_dup_u8(weights + half + k)));
		}
		vst1q_u8(tables + half * 4, entries);
	}
}

#endif							/* __aarch64__ */

#endif							/* VS_NEON_H */
