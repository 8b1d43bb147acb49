/*
 * sample.h
 *		An even random sample of a stream of vectors.
 */
#ifndef VS_SAMPLE_H
#define VS_SAMPLE_H

#include "postgres.h"

#include "common/pg_prng.h"

typedef struct VsSample
{
	int			dim;
	int			capacity;
	int			n;				/* rows held: min(nseen, capacity) */
	uint64		nseen;
	float	   *rows;			/* n x dim, row-major */
	pg_prng_state prng;
} VsSample;

/*
 * Create a sample of up to nrows rows, fewer if they would take more than
 * nbytes, in the current memory context.
 */
extern VsSample *vs_sample_create(int dim, int nrows, Size nbytes);

/* Show the sample the next vector of the stream. */
extern void vs_sample_add(VsSample *sample, const float *x);

extern void vs_sample_free(VsSample *sample);

#endif							/* VS_SAMPLE_H */
