/*
 * bench.h
 *		What the benchmarks share: how long they measure, and the clock.
 */
#ifndef VS_UNIT_BENCH_H
#define VS_UNIT_BENCH_H

#include <time.h>

/* The best of some rounds counts, as anything slower was disturbed. */
#define NROUNDS 15
#define ROUND_NS 500000

static inline double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

#endif							/* VS_UNIT_BENCH_H */
