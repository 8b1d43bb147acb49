/*
 * packed.c
 *		Blocks of 32 codes, packed so that they are scored together.
 *
 * Where the bits lie is in packed.h; scoring is in packed_template.h.
 */
#include "c.h"

#include "kernel/packed.h"

/* Codes whose bits lie side by side in the bytes of a chunk. */
#define HALF (VS_PACKED_NCODES / 2)

void
vs_packed_fill(size_t nbytes, const uint8 *restrict codes,
			   uint8 *restrict block)
{
	for (size_t b = 0; b < nbytes; b++)
		for (int j = 0; j < HALF; j++)
		{
			uint8		first = codes[j * nbytes + b];
			uint8		second = codes[(j + HALF) * nbytes + b];

			block[b * VS_PACKED_NCODES + j] = (first & 0x0f) | second << 4;
			block[b * VS_PACKED_NCODES + HALF + j] = first >> 4 | (second & 0xf0);
		}
}

void
vs_packed_set(size_t nbytes, uint8 *block, int i, const uint8 *code)
{
	int			shift = i < HALF ? 0 : 4;
	uint8		others = 0xf0 >> shift;

	for (size_t b = 0; b < nbytes; b++)
	{
		uint8	   *chunk = block + b * VS_PACKED_NCODES + i % HALF;

		chunk[0] = (chunk[0] & others) | (code[b] & 0x0f) << shift;
		chunk[HALF] = (chunk[HALF] & others) | (code[b] >> 4) << shift;
	}
}

void
vs_packed_get(size_t nbytes, const uint8 *block, int i, uint8 *code)
{
	int			shift = i < HALF ? 0 : 4;

	for (size_t b = 0; b < nbytes; b++)
	{
		const uint8 *chunk = block + b * VS_PACKED_NCODES + i % HALF;

		code[b] = ((chunk[0] >> shift) & 0x0f) |
			((chunk[HALF] >> shift) & 0x0f) << 4;
	}
}
