/*
 * hnsw_probe.h
 *		A query's vector, and exact distances of stored vectors to it.
 */
#ifndef VS_HNSW_PROBE_H
#define VS_HNSW_PROBE_H

#include "postgres.h"

#include "hnsw/hnsw_private.h"

typedef struct VsHnswProbe
{
	const VsHnswIndex *index;
	int			dim;
	VsEstimate	estimate;		/* what a distance is */
	float	   *raw;			/* dim elements, as given */
	float	   *scaled;			/* the same divided by 2^exponent */
	int			exponent;
} VsHnswProbe;

/* Create a probe in the current memory context. */
extern VsHnswProbe *vs_hnsw_probe_create(const VsHnswIndex *index);

/* Make x (dim floats) the query. */
extern void vs_hnsw_probe_bind(VsHnswProbe *probe, const float *x);

/*
 * Exact distance of a vector to the query in the units of the query's bits:
 * comparable with other results of this function only.  Never NaN.
 */
extern double vs_hnsw_probe_distance(const VsHnswProbe *probe,
									 const VsHnswVector *vector);

#endif							/* VS_HNSW_PROBE_H */
