/*
 * blas.h
 *		Products of large matrices, by OpenBLAS.
 *
 * For batches, such as k-means.  The library is loaded by the process that
 * first needs it, and by no other: see README.md, "OpenBLAS".
 */
#ifndef VS_BLAS_H
#define VS_BLAS_H

#include "c.h"

/*
 * Load OpenBLAS, or raise an error where there is none.  Cheap once it is
 * loaded.  Call it before a long preparation that would else be in vain.
 */
extern void vs_blas_load(void);

/*
 * c = a times b transposed, for row-major a (m x dim), b (n x dim) and
 * c (m x n): c[i * n + j] is the inner product of row i of a and row j of b.
 * Loads the library if it must.  Does not check for interrupts.
 */
extern void vs_blas_products(int m, int n, int dim, const float *a,
							 const float *b, float *c);

#endif							/* VS_BLAS_H */
