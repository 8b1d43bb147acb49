/*
 * residual.h
 *		RaBitQ codes of vectors around a center, with a bound of their error.
 *
 * Where rabitq.h has one codec with a few centroids of its own, here everybody
 * who encodes or asks names the center.  What is estimated is never far below
 * what a code says: the bound lets a search leave out the vectors that cannot
 * be near.  See README.md, "Bounds".
 *
 * Vectors and centers are rotated and in one unit, which is the caller's affair,
 * as is any other number of bits than 1, 2, 4 and 8.
 */
#ifndef VS_RESIDUAL_H
#define VS_RESIDUAL_H

#include "c.h"

#include "kernel/kernel.h"
#include "quant/rabitq.h"

/*
 * An estimate's typical error times this is what bounds leave room for: they
 * hold for all but one code in 30,000.
 */
#define VS_RESIDUAL_EPSILON 4.0f

/* The numbers beside a code, as float16 bits. */
typedef struct VsResidualFactors
{
	uint16		add;
	uint16		mul;
	uint16		error;
} VsResidualFactors;

/*
 * Encode x (dim floats) around a center into vs_code_nbytes(bits, dim) bytes.
 * scratch is dim floats and may be x.  VS_ESTIMATE_L2_SQ or
 * VS_ESTIMATE_NEGATIVE_IP.
 */
extern void vs_residual_encode(VsEstimate estimate, int bits, int dim,
							   const float *x, const float *center,
							   float *scratch, uint8 *code,
							   VsResidualFactors *factors);

/* A query bound to a center, for the codes around it. */
typedef struct VsResidualQuery
{
	VsEstimate	estimate;
	int			bits;
	int			dim;
	const VsKernel *kernel;		/* the one that was in force when bound */
	VsBoundTerms terms;
	float	   *difference;		/* dim floats of work space */
	int8	   *quantized;		/* dim bytes of work space */

	/* What codes meet, prepared when the first of their kind comes. */
	bool		is_prepared;
	uint8	   *prepared;		/* row-major ones */
	bool		has_tables;
	uint8	   *tables;			/* packed ones */
	int32		bias;
} VsResidualQuery;

/* Allocate a query in the current memory context; free with the context. */
extern VsResidualQuery *vs_residual_query_create(VsEstimate estimate, int bits,
												 int dim);

/* Bind the query to a vector and a center (dim floats each). */
extern void vs_residual_query_bind(VsResidualQuery *query, const float *x,
								   const float *center);

/*
 * Bound what is estimated from below for n codes that begin stride bytes apart,
 * with their factors, an array each.  Writes n floats, finite or infinite, never
 * NaN; returns the lowest.
 */
extern float vs_residual_bounds(VsResidualQuery *query, int n,
								const uint8 *codes, size_t stride,
								const uint16 *add, const uint16 *mul,
								const uint16 *error, float *bounds);

/*
 * The same for the first n codes of a block of 32 packed ones (kernel/packed.h),
 * of at most 4 bits.  Bounds are the same to the bit.
 */
extern float vs_residual_bounds_packed(VsResidualQuery *query, int n,
									   const uint8 *block, const uint16 *add,
									   const uint16 *mul, const uint16 *error,
									   float *bounds);

#endif							/* VS_RESIDUAL_H */
