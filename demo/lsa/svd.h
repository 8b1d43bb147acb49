/*
 * svd.h
 *		Truncated singular value decomposition of a sparse matrix.
 */
#ifndef SVD_H
#define SVD_H

#include <stddef.h>

/* A sparse matrix by rows: row i has entries row_start[i] .. row_start[i+1]. */
typedef struct SparseMatrix
{
	int			nrows;
	int			ncols;
	size_t	   *row_start;		/* nrows + 1 */
	int		   *col;			/* of each entry */
	float	   *value;			/* of each entry */
} SparseMatrix;

/*
 * Find the "rank" largest singular values of the matrix (descending) and the
 * right singular vectors that belong to them: ncols x rank, by rows.  rank
 * must not exceed half the number of columns or rows.
 */
extern void svd_truncated(const SparseMatrix *matrix, int rank,
						  float *singular_values, float *right_vectors);

#endif							/* SVD_H */
