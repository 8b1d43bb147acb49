/*
 * centroids.h
 *		The nearest of many centroids, for many rows.
 *
 * What takes one row at a time is better off with kernels.
 */
#ifndef VS_CENTROIDS_H
#define VS_CENTROIDS_H

#include "c.h"

#include "index/screen.h"

/*
 * Work space of a search: the products of a block of rows and a block of
 * centroids.
 */
#define VS_CENTROIDS_BLOCK_ROWS 256
#define VS_CENTROIDS_BLOCK_CENTROIDS 1024
#define VS_CENTROIDS_WORK_FLOATS \
	(VS_CENTROIDS_BLOCK_ROWS * VS_CENTROIDS_BLOCK_CENTROIDS)

/*
 * k vectors (k x dim, row-major) and a number for each: the one nearest to x is
 * that with the least offset - <x, vector>.
 */
typedef struct VsCentroids
{
	int			dim;
	int			k;
	const float *vectors;
	const float *offsets;
	VsScreen   *screen;			/* NULL: products of floats are as fast */
} VsCentroids;

/*
 * Prepare centroids (k x dim, row-major) for searches: by L2 distance or, with
 * by_ip, by inner product.  The result, of vs_centroids_nbytes beside its screen,
 * is palloc'd and does not point to what was given.  Any finite elements will do.
 */
extern VsCentroids *vs_centroids_create(int dim, int k, const float *centroids,
										bool by_ip);
extern Size vs_centroids_nbytes(int dim, int k);

/*
 * The same for vectors and offsets that are what a search takes already.  They
 * are not copied.
 */
extern VsCentroids *vs_centroids_take(int dim, int k, const float *vectors,
									  const float *offsets);
extern void vs_centroids_free(VsCentroids *centroids);

/*
 * Find the nearest centroid of each of n rows (n x dim, row-major; any finite
 * elements), and, unless "scores" is NULL, that least offset - <x, vector>.
 * "work" has VS_CENTROIDS_WORK_FLOATS elements.  Checks for interrupts.
 *
 * Where two centroids are equally near but for rounding, which one is found may
 * depend on the processor and on the row's place among the rows: for results
 * that are the same however many processes share the work, give rows in the
 * same groups.  A multiple of VS_CENTROIDS_BLOCK_ROWS is fastest.
 */
extern void vs_centroids_nearest(const VsCentroids *centroids, int n,
								 const float *rows, float *work,
								 uint32 *nearest, float *scores);

#endif							/* VS_CENTROIDS_H */
