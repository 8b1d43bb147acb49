/*
 * codec.h
 *		What tests of the codec share: dimensions, codecs and codes.
 *
 * Nothing here depends on what the C library computes: numbers are drawn as
 * multiples of a power of two.
 */
#ifndef VS_UNIT_CODEC_H
#define VS_UNIT_CODEC_H

#include "unit.h"

#include "quant/rabitq.h"

#define MAX_DIM 2050

/* Dimensions around powers of two and lanes, and usual ones. */
static const int dims[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64,
	65, 96, 100, 127, 128, 129, 255, 257, 384, 511, 513, 768, 784, 1000, 1023,
1025, 1536, 2047, 2048, 2049, 2050};

/* Numbers in -1..1. */
static inline void
fill_plain(int dim, float *x)
{
	for (int i = 0; i < dim; i++)
		x[i] = (float) (next_uniform() + next_uniform() - 1.0);
}

/* A codec with a mean and centroids of its own, for vectors like those. */
static inline VsRabitq
make_codec(int dim, int bits, VsEstimate estimate, int ncentroids, uint64 seed)
{
	VsRabitq	codec = {0};
	float	   *mean = malloc(sizeof(float) * dim);
	float	   *centroids = malloc(sizeof(float) * dim * ncentroids);

	codec.dim = dim;
	codec.bits = bits;
	codec.estimate = estimate;
	codec.exponent = -1;
	codec.ncentroids = ncentroids;
	vs_rotation_init(&codec.rotation, dim, seed,
					 malloc(vs_rotation_signs_nbytes(dim)));
	fill_plain(dim, mean);
	for (int c = 0; c < ncentroids; c++)
		for (int d = 0; d < dim; d++)
			centroids[c * dim + d] = ncentroids == 1 ? mean[d] :
				mean[d] + (float) (next_uniform() - 0.5);
	codec.mean = mean;
	codec.centroids = centroids;
	return codec;
}

/* One code with what belongs to it. */
typedef struct Code
{
	uint8		bytes[2 * MAX_DIM];
	VsCodeFactors factors;
	uint8		centroid;
} Code;

static inline void
encode(const VsRabitq *codec, const float *x, Code *code)
{
	static float scratch[MAX_DIM];

	memset(code, 0, sizeof(Code));
	vs_rabitq_encode(codec, x, scratch, code->bytes, &code->factors,
					 &code->centroid);
}

#endif							/* VS_UNIT_CODEC_H */
