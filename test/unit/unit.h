/*
 * unit.h
 *		What the unit tests that came after test_kernel.c share: TAP and random
 *		numbers.
 */
#ifndef VS_UNIT_H
#define VS_UNIT_H

#include "c.h"

#include <math.h>

/* The server's own printf is in a library that these programs do without. */
#undef printf
#undef vprintf

static int	ntests = 0;
static int	nfailed = 0;

/* Report one test by its name, which is formatted. */
static inline void ok(bool passed, const char *name,...) pg_attribute_printf(2, 3);

static inline void
ok(bool passed, const char *name,...)
{
	va_list		args;

	ntests++;
	if (!passed)
		nfailed++;
	printf("%sok %d - ", passed ? "" : "not ", ntests);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	printf("\n");
}

/* Print the plan; returns the program's exit status. */
static inline int
finish(void)
{
	printf("1..%d\n", ntests);
	return nfailed > 0;
}

/*
 * Random numbers, the same in every run (splitmix64).
 */
static uint64 random_state = 20240229;

static inline uint64
next_random(void)
{
	uint64		z = (random_state += UINT64CONST(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Uniform in 0..1, 1 excluded. */
static inline double
next_uniform(void)
{
	return (double) (next_random() >> 11) / (UINT64CONST(1) << 53);
}

#endif							/* VS_UNIT_H */
