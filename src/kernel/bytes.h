/*
 * bytes.h
 *		Products of matrices of bytes, and the bounds that they give.
 *
 * Several times as fast as products of floats where the processor multiplies
 * bytes and adds up their products in one instruction; other kernels have none of
 * this (VsKernel.bytes is NULL).  What it is for: index/screen.h.
 *
 * Rows are of signed bytes.  The matrix that they are multiplied by has its columns
 * packed in groups of VS_BYTES_GROUP: of each group the first four elements of each
 * column, then the next four, and so on; elements are unsigned bytes, which are
 * VS_BYTES_ZERO more than what they stand for.  Results are integers, identical
 * everywhere.
 */
#ifndef VS_BYTES_H
#define VS_BYTES_H

#include "c.h"

/* Rows come in multiples of this, columns in groups of that. */
#define VS_BYTES_ROWS	8
#define VS_BYTES_GROUP	16

/* Zero, as an element of a column. */
#define VS_BYTES_ZERO	128

/* Elements are taken four at a time. */
#define vs_bytes_nquads(dim) (((dim) + 3) / 4)

/* Sums over the elements of a row. */
typedef struct VsByteSums
{
	int32		sum;
	int32		sum_sq;
} VsByteSums;

/* What scores need of a row. */
typedef struct VsByteRow
{
	int32		excess;			/* of all its products, as columns are not
								 * signed */
	float		step;			/* value of a unit of its elements */
	float		norm_room;		/* room for error: this times a column's norm, */
	float		step_room;		/* and this times a column's step */
} VsByteRow;

/* Numbers of columns, an array each. */
typedef struct VsByteColumns
{
	const float *offsets;
	const float *steps;
	const float *norms;
} VsByteColumns;

typedef struct VsByteKernel
{
	/*
	 * bytes[i] = floor(x[i] * inverse + dither[i]), which must be within
	 * -127..127.
	 */
	VsByteSums	(*quantize) (int dim, const float *x, float inverse,
							 const float *dither, int8 *bytes);

	/*
	 * Products of nrows rows, which begin stride bytes apart, with ngroups
	 * groups of columns: dots[i * ngroups * VS_BYTES_GROUP + j].
	 */
	void		(*products) (int nrows, int ngroups, int nquads,
							 const int8 *rows, size_t stride,
							 const uint8 *packed, int32 *dots);

	/*
	 * The score of a row with column j is offset - product, give or take the
	 * room for error.  Puts what scores of ngroups groups are not below in
	 * "lower", which may be the memory of "dots"; returns what the least is
	 * not above.
	 */
	float		(*bound) (int ngroups, const int32 *dots, VsByteRow row,
						  VsByteColumns columns, float *lower);

	/*
	 * Which of the first n numbers are not above a limit, in order; returns
	 * how many.  "found" has room for VS_BYTES_GROUP more than n.
	 */
	int			(*find) (int n, const float *lower, float limit, uint32 *found);
} VsByteKernel;

#endif							/* VS_BYTES_H */
