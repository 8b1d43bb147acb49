/*
 * kmeans.h
 *		Small k-means for codebooks of a few centroids.
 *
 * Training of the many centroids that an inverted file needs is another
 * matter and goes through blocked matrix products.
 */
#ifndef VS_KMEANS_H
#define VS_KMEANS_H

#include "c.h"

/*
 * Lloyd's algorithm over n samples (n x dim, row-major) from a k-means++
 * start that "seed" determines.  Writes k x dim centroids; with n < k the
 * surplus repeats samples.  n must be at least 1.
 *
 * The centroids may come beside others, which stay where they are: then
 * settled_sq holds each sample's squared distance to the nearest of those,
 * else it is NULL.
 */
extern void vs_kmeans(int dim, int n, const float *samples,
					  const float *settled_sq, int k, uint64 seed,
					  float *centroids);

#endif							/* VS_KMEANS_H */
