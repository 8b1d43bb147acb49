/*
 * ivf_codes.c
 *		The codes of a list page, packed or not (ivf_page.h).
 */
#include "postgres.h"

#include "ivf/ivf_codes.h"

/* The first slot behind the block of slot i. */
static int
end_of_block(const VsIvfGeometry *g, int i)
{
	return Min((i / VS_PACKED_NCODES + 1) * VS_PACKED_NCODES, g->nslots);
}

/* Whether the block of slot i is packed. */
static bool
is_packed(const VsIvfGeometry *g, const VsIvfSlots *slots, int i)
{
	return g->nblocks > 0 && slots->header->nused >= end_of_block(g, i);
}

/* The block of slot i. */
static uint8 *
block_of(const VsIvfGeometry *g, const VsIvfSlots *slots, int i)
{
	return slots->codes +
		i / VS_PACKED_NCODES * vs_packed_nbytes(g->code_nbytes);
}

/* Pack a block whose codes are row-major, those that it lacks zero. */
static void
pack_block(const VsIvfGeometry *g, uint8 *block)
{
	Size		nbytes = vs_packed_nbytes(g->code_nbytes);
	uint8		codes[BLCKSZ];

	Assert(nbytes <= BLCKSZ);
	memcpy(codes, block, nbytes);
	vs_packed_fill(g->code_nbytes, codes, block);
}

void
vs_ivf_get_code(const VsIvfGeometry *g, const VsIvfSlots *slots, int i, uint8 *code)
{
	if (is_packed(g, slots, i))
		vs_packed_get(g->code_nbytes, block_of(g, slots, i), i % VS_PACKED_NCODES,
					  code);
	else
		memcpy(code, slots->codes + i * g->code_nbytes, g->code_nbytes);
}

void
vs_ivf_set_code(const VsIvfGeometry *g, VsIvfSlots *slots, int i,
				const uint8 *code)
{
	uint8	   *block = block_of(g, slots, i);

	if (is_packed(g, slots, i))
	{
		vs_packed_set(g->code_nbytes, block, i % VS_PACKED_NCODES, code);
		return;
	}
	memcpy(slots->codes + i * g->code_nbytes, code, g->code_nbytes);
	if (g->nblocks > 0 && i + 1 == end_of_block(g, i))
		pack_block(g, block);
}

float
vs_ivf_score_block(const VsIvfGeometry *g, const VsIvfSlots *slots, int first,
				   int n, VsResidualQuery *query, float *bounds)
{
	const uint16 *add = slots->add + first;
	const uint16 *mul = slots->mul + first;
	const uint16 *error = slots->error + first;

	Assert(first % VS_PACKED_NCODES == 0 && n <= VS_PACKED_NCODES);
	if (is_packed(g, slots, first))
		return vs_residual_bounds_packed(query, n, block_of(g, slots, first), add,
										 mul, error, bounds);
	return vs_residual_bounds(query, n, slots->codes + first * g->code_nbytes,
							  g->code_nbytes, add, mul, error, bounds);
}
