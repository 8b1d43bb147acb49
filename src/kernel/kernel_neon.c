/*
 * kernel_neon.c
 *		The kernel for any AArch64 processor.
 */
#include "c.h"

#ifdef __aarch64__

#include "kernel/kernel_private.h"
#include "kernel/neon.h"

/* Products of 16 unsigned with 16 signed bytes, in int32 sums of four. */
static inline CodeSum
multiply_bytes(CodeSum sum, uint8x16_t u, int8x16_t q)
{
	int16x8_t	u_low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(u)));
	int16x8_t	u_high = vreinterpretq_s16_u16(vmovl_high_u8(u));
	int16x8_t	q_low = vmovl_s8(vget_low_s8(q));
	int16x8_t	q_high = vmovl_high_s8(q);

	sum = vmlal_s16(sum, vget_low_s16(u_low), vget_low_s16(q_low));
	sum = vmlal_high_s16(sum, u_low, q_low);
	sum = vmlal_s16(sum, vget_low_s16(u_high), vget_low_s16(q_high));
	return vmlal_high_s16(sum, u_high, q_high);
}

/*
 * Where elements are bits, a product is the query's element or nothing: no
 * shift and no multiplication.  Sums of 16 products fit in 16 bits.
 */
static inline CodeSum
accumulate_bits(CodeSum sum, uint8x16_t u, const int8 *query)
{
	int16x8_t	products = vdupq_n_s16(0);

	for (int plane = 0; plane < 8; plane++)
	{
		uint8x16_t	chosen = vtstq_u8(u, vdupq_n_u8(1 << plane));
		int8x16_t	q = vld1q_s8(query + plane * CODE_BLOCK_NBYTES);

		products = vpadalq_s8(products,
							  vandq_s8(q, vreinterpretq_s8_u8(chosen)));
	}

	return vpadalq_s16(sum, products);
}

/*
 * Of 2 and 4 bits the products of all planes are summed in 16 bits before they
 * are widened: at most 4 planes * 2 * 3 * 127, or 2 * 2 * 15 * 127, which is
 * 7620.
 */
static inline CodeSum
code_block_accumulate(int bits, CodeSum sum, const uint8 *code, int n,
					  const int8 *query)
{
	const		uint8x16_t mask = vdupq_n_u8((1 << bits) - 1);
	uint8x16_t	u = load_code_block(code, n);
	int16x8_t	products = vdupq_n_s16(0);

	if (bits == 1)
		return accumulate_bits(sum, u, query);
	if (bits == 8)
		return multiply_bytes(sum, u, vld1q_s8(query));

	for (int plane = 0; plane < 8 / bits; plane++)
	{
		int8x16_t	elements = vreinterpretq_s8_u8(vandq_u8(u, mask));
		int8x16_t	q = vld1q_s8(query);

		products = vmlal_s8(products, vget_low_s8(elements), vget_low_s8(q));
		products = vmlal_high_s8(products, elements, q);
		u = vshlq_u8(u, vdupq_n_s8(-bits));
		query += CODE_BLOCK_NBYTES;
	}

	return vpadalq_s16(sum, products);
}

#include "kernel/code_template.h"
#include "kernel/kernel_template.h"
#include "kernel/exact_template.h"
#include "kernel/packed_template.h"
#include "kernel/bound_template.h"

const VsKernel vs_kernel_neon = {
	.name = "neon",
	VS_KERNEL_FUNCTIONS
};

#endif							/* __aarch64__ */
