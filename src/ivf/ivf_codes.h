/*
 * ivf_codes.h
 *		The codes of a list page, packed or not (ivf_page.h).
 *
 * The page is locked by the caller, exclusively where it is changed.
 */
#ifndef VS_IVF_CODES_H
#define VS_IVF_CODES_H

#include "postgres.h"

#include "ivf/ivf_page.h"
#include "kernel/packed.h"
#include "quant/residual.h"

/* Slots that are scored together: those of a block, or as many. */
#define VS_IVF_BLOCK_SLOTS VS_PACKED_NCODES

/* Read the code of a slot (code_nbytes). */
extern void vs_ivf_get_code(const VsIvfGeometry *g, const VsIvfSlots *slots,
							int i, uint8 *code);

/*
 * Write the code of a slot before the header counts it as used; the code that
 * completes a block packs it.
 */
extern void vs_ivf_set_code(const VsIvfGeometry *g, VsIvfSlots *slots, int i,
							const uint8 *code);

/*
 * Bounds of the n rows from slot "first" on, which begins a block; returns the
 * lowest.
 */
extern float vs_ivf_score_block(const VsIvfGeometry *g, const VsIvfSlots *slots,
								int first, int n, VsResidualQuery *query,
								float *bounds);

#endif							/* VS_IVF_CODES_H */
