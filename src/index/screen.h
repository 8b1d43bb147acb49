/*
 * screen.h
 *		The nearest of many centroids by products of bytes, verified.
 *
 * See README.md, "Nearest centroids".
 */
#ifndef VS_SCREEN_H
#define VS_SCREEN_H

#include "c.h"

typedef struct VsScreen VsScreen;

/*
 * Prepare centroids (k x dim, row-major, finite) and an offset for each; both are
 * not copied.  NULL where the processor is no faster with bytes.  palloc'd.
 */
extern VsScreen *vs_screen_create(int dim, int k, const float *vectors,
								  const float *offsets);
extern void vs_screen_free(VsScreen *screen);

/* Bytes that it takes, about. */
extern Size vs_screen_nbytes(int dim, int k);

/*
 * Find which centroid has the least offset - <x, vector> for each of n rows
 * (n x dim, row-major; finite) and, unless "scores" is NULL, that least number.
 * Checks for interrupts.
 */
extern void vs_screen_nearest(VsScreen *screen, int n, const float *rows,
							  uint32 *nearest, float *scores);

#endif							/* VS_SCREEN_H */
