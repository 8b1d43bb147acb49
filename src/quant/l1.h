/*
 * l1.h
 *		What makes an L2 distance stand for an L1 distance.
 *
 * Elements are clamped to what is usual in their dimension, and dimensions are
 * weighted: see README.md, "L1".
 */
#ifndef VS_L1_H
#define VS_L1_H

#include "c.h"

/* Arrays of dim floats, in the unit of the vectors. */
typedef struct VsL1
{
	const float *weights;		/* positive */
	const float *low;			/* elements are clamped to low .. high */
	const float *high;
	const float *near_dist;		/* one: L1 distance of near clamped vectors */
} VsL1;

/* Floats of all arrays together. */
#define vs_l1_nfloats(dim) (3 * (size_t) (dim) + 1)

/* The arrays' places in vs_l1_nfloats(dim) floats. */
static inline VsL1
vs_l1_arrays(int dim, const float *floats)
{
	VsL1		l1 = {floats, floats + dim, floats + 2 * (size_t) dim,
	floats + 3 * (size_t) dim};

	return l1;
}

/* An element, clamped. */
static inline float
vs_l1_clamp(const VsL1 *l1, int i, float x)
{
	x = x < l1->low[i] ? l1->low[i] : x;
	return x > l1->high[i] ? l1->high[i] : x;
}

/*
 * Train from n >= 1 samples (n x dim, row-major), which are clamped in place.
 * Writes vs_l1_nfloats(dim) floats such that for near clamped vectors x and y
 *
 *		sqrt(sum over i of (weights[i] * (x[i] - y[i]))^2)
 *
 * is about their L1 distance.
 */
extern void vs_l1_train(int dim, int n, float *samples, float *floats);

#endif							/* VS_L1_H */
