/*
 * bytes_avx512.c
 *		Products of matrices of bytes by AVX-512 with VNNI.
 */
#include "c.h"

#ifdef __x86_64__

#include <immintrin.h>

#include "kernel/kernel_private.h"

#define LANES 16

/* Groups of a tile: its sums and a vector of each group fill the registers. */
#define TILE_GROUPS 3

/* Lanes of the elements from i on. */
static inline __mmask16
lanes_left(int n, int i)
{
	return n - i >= LANES ? 0xffff : (__mmask16) ((1 << (n - i)) - 1);
}

static VsByteSums
quantize(int dim, const float *x, float inverse, const float *dither, int8 *bytes)
{
	__m512i		sum = _mm512_setzero_si512();
	__m512i		sum_sq = _mm512_setzero_si512();
	VsByteSums	sums;

	for (int i = 0; i < dim; i += LANES)
	{
		__mmask16	lanes = lanes_left(dim, i);
		__m512		scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + i),
										   _mm512_set1_ps(inverse));
		__m512		dithered = _mm512_add_ps(scaled,
											 _mm512_maskz_loadu_ps(lanes, dither + i));
		__m512i		rounded = _mm512_cvt_roundps_epi32(dithered,
													   _MM_FROUND_TO_NEG_INF |
													   _MM_FROUND_NO_EXC);

		sum = _mm512_add_epi32(sum, rounded);
		sum_sq = _mm512_add_epi32(sum_sq, _mm512_mullo_epi32(rounded, rounded));
		_mm_mask_storeu_epi8(bytes + i, lanes, _mm512_cvtepi32_epi8(rounded));
	}
	sums.sum = _mm512_reduce_add_epi32(sum);
	sums.sum_sq = _mm512_reduce_add_epi32(sum_sq);
	return sums;
}

/* Products of VS_BYTES_ROWS rows with some groups; "ld" is a row of dots. */
static pg_attribute_always_inline void
multiply_tile(const int ngroups, int nquads, const int8 *rows, size_t stride,
			  const uint8 *packed, int32 *dots, int ld)
{
	__m512i		sums[VS_BYTES_ROWS][TILE_GROUPS];

#pragma GCC unroll 8
	for (int r = 0; r < VS_BYTES_ROWS; r++)
#pragma GCC unroll 3
		for (int g = 0; g < ngroups; g++)
			sums[r][g] = _mm512_setzero_si512();
	for (int q = 0; q < nquads; q++)
	{
		__m512i		columns[TILE_GROUPS];

#pragma GCC unroll 3
		for (int g = 0; g < ngroups; g++)
			columns[g] = _mm512_loadu_si512(packed +
											((size_t) g * nquads + q) * 64);
#pragma GCC unroll 8
		for (int r = 0; r < VS_BYTES_ROWS; r++)
		{
			int32		quad;
			__m512i		row;

			memcpy(&quad, rows + r * stride + 4 * q, sizeof(quad));
			row = _mm512_set1_epi32(quad);
#pragma GCC unroll 3
			for (int g = 0; g < ngroups; g++)
				sums[r][g] = _mm512_dpbusd_epi32(sums[r][g], columns[g], row);
		}
	}
#pragma GCC unroll 8
	for (int r = 0; r < VS_BYTES_ROWS; r++)
#pragma GCC unroll 3
		for (int g = 0; g < ngroups; g++)
			_mm512_storeu_si512(dots + (size_t) r * ld + g * LANES, sums[r][g]);
}

static void
products(int nrows, int ngroups, int nquads, const int8 *rows, size_t stride,
		 const uint8 *packed, int32 *dots)
{
	int			ld = ngroups * LANES;

	/* Some groups stay in the cache while all rows meet them. */
	for (int g = 0; g < ngroups; g += TILE_GROUPS)
	{
		const uint8 *columns = packed + (size_t) g * nquads * 64;

		for (int r = 0; r < nrows; r += VS_BYTES_ROWS)
		{
			const int8 *tile = rows + r * stride;
			int32	   *out = dots + (size_t) r * ld + g * LANES;

			if (ngroups - g >= 3)
				multiply_tile(3, nquads, tile, stride, columns, out, ld);
			else if (ngroups - g == 2)
				multiply_tile(2, nquads, tile, stride, columns, out, ld);
			else
				multiply_tile(1, nquads, tile, stride, columns, out, ld);
		}
	}
}

static float
bound(int ngroups, const int32 *dots, VsByteRow row, VsByteColumns columns,
	  float *lower)
{
	__m512		least = _mm512_set1_ps(__builtin_inff());

	for (int i = 0; i < ngroups * LANES; i += LANES)
	{
		__m512		steps = _mm512_loadu_ps(columns.steps + i);
		__m512i		dot = _mm512_sub_epi32(_mm512_loadu_si512(dots + i),
										   _mm512_set1_epi32(row.excess));
		__m512		product = _mm512_mul_ps(_mm512_mul_ps(steps,
														  _mm512_set1_ps(row.step)),
											_mm512_cvtepi32_ps(dot));
		__m512		score = _mm512_sub_ps(_mm512_loadu_ps(columns.offsets + i),
										  product);
		__m512		room = _mm512_fmadd_ps(_mm512_loadu_ps(columns.norms + i),
										   _mm512_set1_ps(row.norm_room),
										   _mm512_mul_ps(steps,
														 _mm512_set1_ps(row.step_room)));

		least = _mm512_min_ps(least, _mm512_add_ps(score, room));
		_mm512_storeu_ps(lower + i, _mm512_sub_ps(score, room));
	}
	return _mm512_reduce_min_ps(least);
}

static int
find(int n, const float *lower, float limit, uint32 *found)
{
	const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
											12, 13, 14, 15);
	int			nfound = 0;

	for (int i = 0; i < n; i += LANES)
	{
		__mmask16	hits = _mm512_mask_cmp_ps_mask(lanes_left(n, i),
												   _mm512_maskz_loadu_ps(lanes_left(n, i),
																		 lower + i),
												   _mm512_set1_ps(limit),
												   _CMP_NGT_UQ);

		if (likely(hits == 0))
			continue;
		_mm512_storeu_si512(found + nfound,
							_mm512_maskz_compress_epi32(hits,
														_mm512_add_epi32(lanes,
																		 _mm512_set1_epi32(i))));
		nfound += __builtin_popcount(hits);
	}
	return nfound;
}

const VsByteKernel vs_bytes_avx512 = {
	.quantize = quantize,
	.products = products,
	.bound = bound,
	.find = find
};

#endif							/* __x86_64__ */
