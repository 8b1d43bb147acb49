/*
 * exact.h
 *		Exact nearest neighbours by brute force.
 */
#ifndef VS_BENCH_EXACT_H
#define VS_BENCH_EXACT_H

#include "metric.h"
#include "vectors.h"

extern VsNeighbours vs_bench_find_exact(const VsMetric *metric,
										const VsVectors *base,
										const uint8_t *is_gone,
										const VsVectors *queries,
										long nqueries, int k);

#endif							/* VS_BENCH_EXACT_H */
