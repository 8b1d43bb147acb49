/*
 * kernel.h
 *		Distance arithmetic on raw arrays, chosen at run time.
 *
 * This layer knows arrays and numbers, nothing of PostgreSQL beyond c.h: it
 * can be tested without a server.  It does no checks, allocates nothing and
 * raises no errors.
 *
 * Shapes: "dim" is the number of elements of each array; arrays need no
 * particular alignment unless stated.  float16 elements are IEEE half bits in
 * uint16.  "_sq" results are squared.  Sums accumulate in float4 lanes, so the
 * last bits differ between instruction sets; integer results (code_dots) and
 * conversions are identical on all of them.
 */
#ifndef VS_KERNEL_H
#define VS_KERNEL_H

#include "c.h"

#include "kernel/bytes.h"

/* The three sums from which a cosine is formed. */
typedef struct VsCosineSums
{
	float		ip;				/* <a, b> */
	float		norm_a_sq;		/* <a, a> */
	float		norm_b_sq;		/* <b, b> */
} VsCosineSums;

/* Bits per dimension that a code may have: 1, 2, 4 or 8. */
#define VS_CODE_MAX_BITS 8

/* Dimensions that a code may have. */
#define VS_CODE_MAX_DIM 16000

/*
 * A code of "bits" bits per dimension packs unsigned integers u[i] without
 * gaps, least significant bit first: element i sits in byte i*bits/8 at bit
 * i*bits%8.  Unused bits of the last byte are zero.
 */
#define vs_code_nbytes(bits, dim) (((size_t) (dim) * (bits) + 7) / 8)

/*
 * Upper bound for the bytes of a query prepared for code_dots; the buffer must
 * be aligned to VS_CODE_QUERY_ALIGN.
 */
#define VS_CODE_QUERY_ALIGN 64
#define vs_code_query_nbytes(bits, dim) \
	((((size_t) (dim) + 511) / 512) * 512 + 8 * 64)

/*
 * Bytes of the tables that packed codes look up; bits are at most 4, and of 4
 * there are two sets of tables.
 */
#define vs_code_tables_nbytes(bits, dim) \
	(vs_code_nbytes(bits, dim) * ((bits) == 4 ? 64 : 32))

/*
 * What bounds are formed from: center + add (its square where "squares" is set)
 * + mul * (step * dot - offset) - room * error, the numbers beside a code being
 * add, mul and error.
 */
typedef struct VsBoundTerms
{
	float		center;
	float		step;
	float		offset;
	float		room;
	bool		squares;
} VsBoundTerms;

typedef struct VsKernel
{
	const char *name;			/* as vsearch.kernel takes it */

	/* float4 against float4 */
	float		(*f32_l2_sq) (int dim, const float *a, const float *b);
	float		(*f32_ip) (int dim, const float *a, const float *b);
	float		(*f32_l1) (int dim, const float *a, const float *b);
	VsCosineSums (*f32_cosine) (int dim, const float *a, const float *b);

	/* sum[i] += x[i] */
	void		(*f32_add) (int dim, const float *x, float *sum);

	/* float16 against float16 */
	float		(*f16_l2_sq) (int dim, const uint16 *a, const uint16 *b);
	float		(*f16_ip) (int dim, const uint16 *a, const uint16 *b);
	float		(*f16_l1) (int dim, const uint16 *a, const uint16 *b);
	VsCosineSums (*f16_cosine) (int dim, const uint16 *a, const uint16 *b);

	/* float4 against float16 times a finite scale: a[i] and b[i] * scale */
	float		(*f32_f16_l2_sq) (int dim, const float *a, const uint16 *b,
								  float scale);
	float		(*f32_f16_ip) (int dim, const float *a, const uint16 *b,
							   float scale);
	float		(*f32_f16_l1) (int dim, const float *a, const uint16 *b,
							   float scale);

	/*
	 * out[i] = in[i] * scale; to float16 by rounding to nearest, ties to
	 * even, overflow to infinity, subnormals kept.  Identical everywhere.
	 */
	void		(*f16_to_f32) (int dim, const uint16 *in, float scale,
							   float *out);
	void		(*f32_to_f16) (int dim, const float *in, float scale,
							   uint16 *out);

	/*
	 * What encoding needs, identical everywhere: sums of a[i] * b[i], of
	 * (a[i] - b[i])^2 and of |x[i]|, term i in lane i % 16, lanes then added
	 * pairwise (0 and 8, 1 and 9, ...); the largest |x[i]|; and the
	 * Walsh-Hadamard transform of n elements, a power of two, narrow stages
	 * first, times a scale.
	 */
	float		(*exact_ip) (int dim, const float *a, const float *b);
	float		(*exact_l2_sq) (int dim, const float *a, const float *b);
	float		(*exact_sum_abs) (int dim, const float *x);
	float		(*max_abs) (int dim, const float *x);
	void		(*hadamard) (int n, float scale, float *x);

	/*
	 * Likewise: x[i] *= factors[i]; a[i] and b[i] become their sum and their
	 * difference times scale; out[i] = x[i] * scale, clamped to the limit on
	 * both sides (out may be x); out[i] = a[i] - b[i] (out may be either);
	 * and a code of 1 bit a dimension, set where x[i] is above 0.
	 */
	void		(*multiply) (int dim, const float *factors, float *x);
	void		(*mix) (int n, float scale, float *a, float *b);
	void		(*scale_clamped) (int dim, const float *x, float scale,
								  float limit, float *out);
	void		(*subtract) (int dim, const float *a, const float *b,
							 float *out);
	void		(*encode_signs) (int dim, const float *x, uint8 *code);

	/*
	 * Dot products of one int8 query (values -127..127) with many codes:
	 * dots[j] = sum over i of u_j[i] * query[i].  prepare_code_query puts the
	 * query into the layout that this kernel's code_dots wants; a prepared
	 * query must only meet the kernel and the bits it was prepared for. Code
	 * j begins at codes + j * stride, at any alignment.  No byte outside the
	 * codes is read.
	 */
	void		(*prepare_code_query) (int bits, int dim, const int8 *query,
									   uint8 *prepared);
	void		(*code_dots) (int bits, int dim, const uint8 *prepared,
							  const uint8 *codes, size_t stride, int ncodes,
							  int32 *dots);

	/*
	 * Prepare a code to be the query: element i is 2 * u[i] - (2^bits - 1).
	 * Bits are at most 4; returns the sum of the elements.
	 */
	int32		(*prepare_code) (int bits, int dim, const uint8 *code,
								 uint8 *prepared);

	/*
	 * The same dot products for 32 codes that are packed as in packed.h, of
	 * 1, 2 or 4 bits.  prepare_tables writes what they look up and returns a
	 * number that packed_dots takes away from each sum.  No entry is larger
	 * than 255: the query's |elements| sum up to 255 at most in groups of 4
	 * for 1 bit, and to 85 in pairs for 2.
	 */
	int32		(*prepare_tables) (int bits, int dim, const int8 *query,
								   uint8 *tables);
	void		(*packed_dots) (int bits, int dim, const uint8 *tables, int32 bias,
								const uint8 *block, int32 *dots);

	/*
	 * Bounds for n codes from their dot products and the numbers beside them,
	 * float16; returns the lowest.  None is NaN: what is not a number becomes
	 * -FLT_MAX.
	 */
	float		(*code_bounds) (const VsBoundTerms *terms, int n,
								const int32 *dots, const uint16 *add,
								const uint16 *mul, const uint16 *error,
								float *bounds);

	/* The largest sum of |x[i]| over neighbours, 1, 2 or 4 of them. */
	float		(*max_sum_abs) (int dim, int width, const float *x);

	/* Products of bytes; NULL where those of floats are as fast. */
	const VsByteKernel *bytes;
} VsKernel;

/* The kernel in force; never NULL, the scalar one before vs_kernel_init. */
extern const VsKernel *vs_kernel;

/* Choose the best kernel for this processor.  Cheap; may be called again. */
extern void vs_kernel_init(void);

/*
 * Look up a kernel by name ("auto" is the best one); NULL where it is unknown
 * or this processor cannot run it.
 */
extern const VsKernel *vs_kernel_find(const char *name);

#endif							/* VS_KERNEL_H */
