/*
 * ivf_measure.h
 *		How far rows typically are from their centroids.
 */
#ifndef VS_IVF_MEASURE_H
#define VS_IVF_MEASURE_H

#include "postgres.h"

/*
 * The mean of n distances, of which those that are zero and those that are far
 * beyond all others count little: a row of garbage would be all of it.  Sorts
 * them; 0 if there are none above zero.
 */
extern double vs_ivf_typical(int n, double *dists);

/*
 * The same of the distances of n samples to their centroids, nearest[i] being
 * that of sample i.
 */
extern double vs_ivf_typical_distance(int dim, int n, const float *samples,
									  const uint32 *nearest,
									  const float *centroids);

/*
 * How long samples typically are along their centroids, which are of unit
 * length; 1 if that says nothing.
 */
extern double vs_ivf_typical_length(int dim, int n, const float *samples,
									const uint32 *nearest,
									const float *centroids);

#endif							/* VS_IVF_MEASURE_H */
