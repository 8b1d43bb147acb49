/*
 * svd.c
 *		Truncated singular value decomposition of a sparse matrix.
 *
 * Subspace iteration: a random block of columns, somewhat more than wanted, is
 * multiplied by A'A and made orthonormal again, a few times over; it turns
 * towards the leading right singular vectors.  They are then read off from
 * the eigenvectors of the small matrix (AQ)'(AQ).  See Halko, Martinsson,
 * Tropp, "Finding structure with randomness", SIAM Review 53 (2011).
 *
 * Dense matrices are stored by rows.  LAPACK reads the same memory as the
 * transposed matrix, stored by columns.
 */
#include "svd.h"

#include <cblas.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "copy_binary.h"

#define OVERSAMPLING 32
#define NUM_ITERATIONS 6

/* LAPACK's own interface: sizes of strings come last. */
extern void sgelqf_(const int *m, const int *n, float *a, const int *lda,
					float *tau, float *work, const int *lwork, int *info);
extern void sorglq_(const int *m, const int *n, const int *k, float *a,
					const int *lda, const float *tau, float *work,
					const int *lwork, int *info);
extern void ssyevd_(const char *jobz, const char *uplo, const int *n, float *a,
					const int *lda, float *w, float *work, const int *lwork,
					int *iwork, const int *liwork, int *info,
					size_t jobz_len, size_t uplo_len);

/* out = A * in: nrows x width from ncols x width. */
static void
multiply(const SparseMatrix *matrix, const float *in, int width, float *out)
{
	memset(out, 0, sizeof(float) * width * matrix->nrows);
	for (int row = 0; row < matrix->nrows; row++)
	{
		float	   *target = out + (size_t) row * width;

		for (size_t i = matrix->row_start[row];
			 i < matrix->row_start[row + 1]; i++)
		{
			const float *source = in + (size_t) matrix->col[i] * width;
			float		value = matrix->value[i];

			for (int j = 0; j < width; j++)
				target[j] += value * source[j];
		}
	}
}

/* out = A' * in: ncols x width from nrows x width. */
static void
multiply_transposed(const SparseMatrix *matrix, const float *in, int width,
					float *out)
{
	memset(out, 0, sizeof(float) * width * matrix->ncols);
	for (int row = 0; row < matrix->nrows; row++)
	{
		const float *source = in + (size_t) row * width;

		for (size_t i = matrix->row_start[row];
			 i < matrix->row_start[row + 1]; i++)
		{
			float	   *target = out + (size_t) matrix->col[i] * width;
			float		value = matrix->value[i];

			for (int j = 0; j < width; j++)
				target[j] += value * source[j];
		}
	}
}

/*
 * Make the columns of a nrows x width block orthonormal.  To LAPACK they are
 * the rows of a matrix of "width" rows, hence LQ instead of QR.
 */
static void
orthonormalize(int nrows, int width, float *block)
{
	int			lwork = 64 * width;
	float	   *tau = allocate(width, sizeof(float));
	float	   *work = allocate(lwork, sizeof(float));
	int			info;

	sgelqf_(&width, &nrows, block, &width, tau, work, &lwork, &info);
	if (info == 0)
		sorglq_(&width, &nrows, &width, block, &width, tau, work, &lwork,
				&info);
	if (info != 0)
		fail("LQ decomposition failed (%d)", info);
	free(tau);
	free(work);
}

/*
 * Eigenvalues (ascending) of a symmetric matrix, which is replaced by the
 * eigenvectors, one a row.
 */
static void
decompose_symmetric(int n, float *matrix, float *eigenvalues)
{
	int			lwork = 1 + 6 * n + 2 * n * n;
	int			liwork = 3 + 5 * n;
	float	   *work = allocate(lwork, sizeof(float));
	int		   *iwork = allocate(liwork, sizeof(int));
	int			info;

	ssyevd_("V", "U", &n, matrix, &n, eigenvalues, work, &lwork, iwork,
			&liwork, &info, 1, 1);
	if (info != 0)
		fail("eigenvalue decomposition failed (%d)", info);
	free(work);
	free(iwork);
}

/* Fill a block with random numbers of mean 0, the same in every run. */
static void
randomize(float *block, size_t n)
{
	uint64_t	state = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < n; i++)
	{
		state = state * UINT64_C(6364136223846793005) +
			UINT64_C(1442695040888963407);
		block[i] = (float) (int32_t) (state >> 32) / 2147483648.0f;
	}
}

/* See svd.h. */
void
svd_truncated(const SparseMatrix *matrix, int rank, float *singular_values,
			  float *right_vectors)
{
	int			width = rank + OVERSAMPLING;
	float	   *basis = allocate((size_t) matrix->ncols * width, sizeof(float));
	float	   *image = allocate((size_t) matrix->nrows * width, sizeof(float));
	float	   *gram = allocate((size_t) width * width, sizeof(float));
	float	   *eigenvalues = allocate(width, sizeof(float));

	randomize(basis, (size_t) matrix->ncols * width);
	orthonormalize(matrix->ncols, width, basis);
	for (int i = 0; i < NUM_ITERATIONS; i++)
	{
		multiply(matrix, basis, width, image);
		multiply_transposed(matrix, image, width, basis);
		orthonormalize(matrix->ncols, width, basis);
	}

	multiply(matrix, basis, width, image);
	cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, width,
				matrix->nrows, 1.0f, image, width, image, width,
				0.0f, gram, width);
	decompose_symmetric(width, gram, eigenvalues);

	/* The largest come last; take them from there, in descending order. */
	for (int i = 0; i < rank; i++)
	{
		const float *vector = gram + (size_t) (width - 1 - i) * width;

		singular_values[i] = sqrtf(fmaxf(eigenvalues[width - 1 - i], 0.0f));
		cblas_sgemv(CblasRowMajor, CblasNoTrans, matrix->ncols, width, 1.0f,
					basis, width, vector, 1, 0.0f, right_vectors + i, rank);
	}

	free(basis);
	free(image);
	free(gram);
	free(eigenvalues);
}
