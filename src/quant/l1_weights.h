/*
 * l1_weights.h
 *		Weights of dimensions by which L2 distances stand for L1 distances.
 */
#ifndef VS_L1_WEIGHTS_H
#define VS_L1_WEIGHTS_H

#include "c.h"

/*
 * Find weights (dim of them, positive and finite) from n >= 1 samples (n x dim,
 * row-major), such that for near vectors x and y
 *
 *		sqrt(sum over i of (weights[i] * (x[i] - y[i]))^2)
 *
 * is about their L1 distance.
 */
extern void vs_l1_weights_train(int dim, int n, const float *samples,
								float *weights);

#endif							/* VS_L1_WEIGHTS_H */
