/*
 * rotation.h
 *		A pseudo-random orthogonal transform of any number of dimensions.
 *
 * See README.md, "Rotation".
 */
#ifndef VS_ROTATION_H
#define VS_ROTATION_H

#include "c.h"

#define VS_ROTATION_ROUNDS 2

/* Signs of a vector are flipped twice a round. */
#define VS_ROTATION_FLIPS (2 * VS_ROTATION_ROUNDS)

typedef struct VsRotation
{
	int			dim;
	int			block;			/* largest power of two <= dim */
	float	   *signs;			/* VS_ROTATION_FLIPS * dim times 1 or -1 */
} VsRotation;

/* Bytes that the signs of a rotation take. */
#define vs_rotation_signs_nbytes(dim) \
	(sizeof(float) * VS_ROTATION_FLIPS * (size_t) (dim))

/*
 * Set up the rotation that "seed" determines.  signs is the caller's memory
 * of vs_rotation_signs_nbytes(dim) bytes and must outlive the rotation.
 */
extern void vs_rotation_init(VsRotation *rotation, int dim, uint64 seed,
							 float *signs);

/* Rotate x in place.  Bit-identical on every instruction set. */
extern void vs_rotation_apply(const VsRotation *rotation, float *x);

#endif							/* VS_ROTATION_H */
