/*
 * random.h
 *		A small random number generator: the same numbers everywhere.
 *
 * Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014.
 */
#ifndef VS_BENCH_RANDOM_H
#define VS_BENCH_RANDOM_H

#include <stdint.h>

/* The next 64 random bits. */
static inline uint64_t
vs_bench_next_random(uint64_t *state)
{
	uint64_t	bits = (*state += UINT64_C(0x9e3779b97f4a7c15));

	bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	return bits ^ (bits >> 31);
}

/* Uniform in [0, 1). */
static inline double
vs_bench_next_uniform(uint64_t *state)
{
	return (vs_bench_next_random(state) >> 11) / 9007199254740992.0;
}

#endif							/* VS_BENCH_RANDOM_H */
