/*
 * kernel_neon_dotprod.c
 *		The kernel for AArch64 with the dot product instructions (Neoverse N1,
 *		Apple M1 and later).
 */
#include "c.h"

#ifdef __aarch64__

#include "kernel/kernel_private.h"
#include "kernel/neon.h"

/*
 * Where elements are bits, a lane of a comparison is -1 where the bit is set:
 * the products come out negative.
 */
static inline CodeSum
accumulate_bits(CodeSum sum, uint8x16_t u, const int8 *query)
{
	CodeSum		negative = code_sum_zero();

	for (int plane = 0; plane < 8; plane++)
	{
		uint8x16_t	chosen = vtstq_u8(u, vdupq_n_u8(1 << plane));

		negative = vdotq_s32(negative, vreinterpretq_s8_u8(chosen),
							 vld1q_s8(query + plane * CODE_BLOCK_NBYTES));
	}

	return vsubq_s32(sum, negative);
}

/*
 * Both factors of sdot are signed.  A byte of a code is, when 128 is taken
 * away; what is missing is 128 times the query, added in two halves.
 */
static inline CodeSum
multiply_bytes(CodeSum sum, uint8x16_t u, int8x16_t q)
{
	int8x16_t	less_128 = vreinterpretq_s8_u8(veorq_u8(u, vdupq_n_u8(128)));

	sum = vdotq_s32(sum, less_128, q);
	sum = vdotq_s32(sum, vdupq_n_s8(64), q);
	return vdotq_s32(sum, vdupq_n_s8(64), q);
}

static inline CodeSum
code_block_accumulate(int bits, CodeSum sum, const uint8 *code, int n,
					  const int8 *query)
{
	const		uint8x16_t mask = vdupq_n_u8((1 << bits) - 1);
	uint8x16_t	u = load_code_block(code, n);

	if (bits == 1)
		return accumulate_bits(sum, u, query);
	if (bits == 8)
		return multiply_bytes(sum, u, vld1q_s8(query));

	for (int plane = 0; plane < 8 / bits; plane++)
	{
		sum = vdotq_s32(sum, vreinterpretq_s8_u8(vandq_u8(u, mask)),
						vld1q_s8(query));
		u = vshlq_u8(u, vdupq_n_s8(-bits));
		query += CODE_BLOCK_NBYTES;
	}

	return sum;
}

#include "kernel/code_template.h"
#include "kernel/kernel_template.h"
#include "kernel/exact_template.h"
#include "kernel/packed_template.h"
#include "kernel/bound_template.h"

const VsKernel vs_kernel_neon_dotprod = {
	.name = "neon_dotprod",
	VS_KERNEL_FUNCTIONS
};

#endif							/* __aarch64__ */
