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

#include "quant/clones.h"
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
vs_rotation_init(VsRotation *rotation, int dim, uint64 seed, uint32 *signs)
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
		signs[i] = (bits & 1) ? 0x80000000 : 0;
		bits >>= 1;
	}
}

/* Flip the sign of each element whose mask is set. */
static pg_attribute_always_inline void
flip_signs(int dim, float *restrict x, const uint32 *restrict signs)
{
	for (int i = 0; i < dim; i++)
	{
		union
		{
			float		f;
			uint32		u;
		}			v;

		v.f = x[i];
		v.u ^= signs[i];
		x[i] = v.f;
	}
}

/* Butterflies between two runs of n elements. */
static pg_attribute_always_inline void
butterfly(int n, float *restrict a, float *restrict b)
{
	for (int i = 0; i < n; i++)
	{
		float		sum = a[i] + b[i];
		float		difference = a[i] - b[i];

		a[i] = sum;
		b[i] = difference;
	}
}

/* Multiply n elements by a factor. */
static pg_attribute_always_inline void
scale(int n, float *x, float factor)
{
	for (int i = 0; i < n; i++)
		x[i] *= factor;
}

/* Walsh-Hadamard transform of n elements, n a power of two, normalised. */
static pg_attribute_always_inline void
hadamard(int n, float *x)
{
	int			width = 1;

	/* The two narrowest stages at once, four elements at a time. */
	if (n >= 4)
	{
		for (int i = 0; i < n; i += 4)
		{
			float		s0 = x[i] + x[i + 1];
			float		d0 = x[i] - x[i + 1];
			float		s1 = x[i + 2] + x[i + 3];
			float		d1 = x[i + 2] - x[i + 3];

			x[i] = s0 + s1;
			x[i + 1] = d0 + d1;
			x[i + 2] = s0 - s1;
			x[i + 3] = d0 - d1;
		}
		width = 4;
	}

	for (; width < n; width *= 2)
		for (int i = 0; i < n; i += 2 * width)
			butterfly(width, x + i, x + i + width);

	scale(n, x, 1.0f / sqrtf((float) n));
}

VS_CLONES void
vs_rotation_apply(const VsRotation *rotation, float *x)
{
	int			dim = rotation->dim;
	int			block = rotation->block;
	int			half = dim / 2;

	for (int round = 0; round < VS_ROTATION_ROUNDS; round++)
	{
		const uint32 *signs = rotation->signs + 2 * round * dim;

		flip_signs(dim, x, signs);
		hadamard(block, x);
		if (block < dim)
		{
			flip_signs(dim, x, signs + dim);
			hadamard(block, x + dim - block);
			butterfly(half, x, x + half);
			scale(2 * half, x, (float) M_SQRT1_2);
		}
	}
}
