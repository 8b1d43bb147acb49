/*
 * training_private.h
 *		What the files of a training share.
 */
#ifndef VS_TRAINING_PRIVATE_H
#define VS_TRAINING_PRIVATE_H

#include "postgres.h"

#include "common/pg_prng.h"
#include "index/training.h"
#include "port/atomics.h"

/* What participants do with a chunk. */
typedef enum VsTrainingStep
{
	STEP_COMPARE,				/* samples with the centroids drawn last */
	STEP_ASSIGN,				/* samples to their nearest centroid */
	STEP_MOVE					/* centroids to the mean of their samples */
} VsTrainingStep;

/* Places are relative to the struct. */
struct VsTraining
{
	int			dim;
	int			k;				/* centroids wanted */
	bool		spherical;
	uint64		seed;

	int			n;				/* samples in use */
	int			ntotal;			/* once some are left out */
	int			nfound;			/* centroids so far */
	int			exponent;		/* samples are multiplied by 2^-exponent */
	double		sum_dist_sq;	/* over all samples, in that unit */

	VsTrainingStep step;
	int			nchunks;
	int			ndrawn;			/* STEP_COMPARE: the last centroids */
	pg_atomic_uint32 next;		/* chunk that nobody has taken */

	Size		samples;		/* n x dim floats */
	Size		norms_sq;		/* a float a sample */
	Size		dists_sq;		/* to the nearest centroid, likewise */
	Size		nearest;		/* uint32 a sample */
	Size		members;		/* samples by centroid, uint32 */
	Size		first_members;	/* k + 1 uint32, where in members each begins */
	Size		centroids;		/* k x dim floats */
	Size		offsets;		/* k floats: see VsCentroids */
	Size		mean;			/* dim floats that all samples are less by */
};

/* What lies at a place. */
static inline float *
floats_at(const VsTraining *t, Size place)
{
	return (float *) ((char *) t + place);
}

static inline uint32 *
numbers_at(const VsTraining *t, Size place)
{
	return (uint32 *) ((char *) t + place);
}

static inline float *
sample_at(const VsTraining *t, uint32 i)
{
	return floats_at(t, t->samples) + (Size) i * t->dim;
}

static inline float *
centroid_at(const VsTraining *t, int c)
{
	return floats_at(t, t->centroids) + (Size) c * t->dim;
}

/*
 * Bring a vector, which is less by the mean, to unit length; false if it is
 * zero.
 */
extern bool vs_training_normalize(const VsTraining *t, float *x);

/*
 * Make samples what all steps take them for, in random order: without those
 * that are left out, below 1, less by their mean.
 */
extern void vs_training_prepare_samples(VsTraining *t, pg_prng_state *prng);

#endif							/* VS_TRAINING_PRIVATE_H */
