/*
 * rotation.c
 *		A pseudo-random orthogonal transform of any number of dimensions.
 *
 * Each round flips signs at random and applies a normalised Walsh-Hadamard
 * transform to the first "block" elements, then the same to the last "block"
 * elements (unless these are all, where dim is a power of two), and mixes the
 * two halves pairwise.  The signs in between matter: where the two blocks are
 * nearly the same elements the second transform would undo the first.  Additions
 * and multiplications run in a fixed order and are never fused, so that every
 * machine computes the same bits; see README.md, "Rotation".
 */
#include "c.h"

#include <math.h>

#include "kernel/kernel.h"
#include "quant/rotation.h"

/* One step of Steele, Lea and Flood's SplitMix64 generator. */
static uint64
next_random(uint64 *state)
{
	uint64		z = (*state += UINT64CONST(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

void
vs_rotation_init(VsRotation *rotation, int dim, uint64 seed, float *signs)
{
	uint64		state = seed;
	uint64		bits = 0;

	rotation->dim = dim;
	rotation->block = 1;
	while (rotation->block * 2 <= dim)
		rotation->block *= 2;
	rotation->signs = signs;

	for (int i = 0; i < VS_ROTATION_FLIPS * dim; i++)
	{
		if (i % 64 == 0)
			bits = next_random(&state);
		signs[i] = (bits & 1) ? -1.0f : 1.0f;
		bits >>= 1;
	}
}

void
vs_rotation_apply(const VsRotation *rotation, float *x)
{
	int			dim = rotation->dim;
	int			block = rotation->block;
	int			half = dim / 2;
	float		norm = 1.0f / sqrtf((float) block);

	for (int round = 0; round < VS_ROTATION_ROUNDS; round++)
	{
		const float *signs = rotation->signs + 2 * round * dim;

		vs_kernel->multiply(dim, signs, x);
		vs_kernel->hadamard(block, norm, x);
		if (block < dim)
		{
			vs_kernel->multiply(dim, signs + dim, x);
			vs_kernel->hadamard(block, norm, x + dim - block);
			vs_kernel->mix(half, (float) M_SQRT1_2, x, x + half);
		}
	}
}
