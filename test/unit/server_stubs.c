/*
 * server_stubs.c
 *		The few functions of the server that tested code calls, without one.
 *
 * Declares them itself: their declarations differ between PostgreSQL versions,
 * but not in what is used of them here.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

volatile	sig_atomic_t InterruptPending = 0;

void		ProcessInterrupts(void);
void		ExceptionalCondition(const char *condition);
void	   *palloc(size_t nbytes);
void	   *palloc0(size_t nbytes);
void	   *palloc_extended(size_t nbytes, int flags);
void	   *repalloc_huge(void *memory, size_t nbytes);
void		pfree(void *memory);
void		pg_prng_seed(uint64_t *state, uint64_t seed);
uint64_t	pg_prng_uint64_range(uint64_t *state, uint64_t low, uint64_t high);
double		pg_prng_double(uint64_t *state);

/* Nothing interrupts a test. */
void
ProcessInterrupts(void)
{
}

/* A failed Assert(). */
void
ExceptionalCondition(const char *condition)
{
	printf("Bail out! assertion failed: %s\n", condition);
	exit(1);
}

void *
palloc(size_t nbytes)
{
	void	   *memory = malloc(nbytes > 0 ? nbytes : 1);

	if (memory == NULL)
	{
		printf("Bail out! no memory\n");
		exit(1);
	}
	return memory;
}

void *
palloc0(size_t nbytes)
{
	return memset(palloc(nbytes), 0, nbytes);
}

/* Flags say what may be huge, which anything here may. */
void *
palloc_extended(size_t nbytes, int flags)
{
	(void) flags;
	return palloc(nbytes);
}

void *
repalloc_huge(void *memory, size_t nbytes)
{
	memory = realloc(memory, nbytes);
	if (memory == NULL)
	{
		printf("Bail out! no memory\n");
		exit(1);
	}
	return memory;
}

void
pfree(void *memory)
{
	free(memory);
}

/*
 * Random numbers, not those that the server draws.  The state has room for
 * more than the one number that this generator (splitmix64) keeps.
 */
void
pg_prng_seed(uint64_t *state, uint64_t seed)
{
	*state = seed;
}

static uint64_t
next_random(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Uniform among low..high; with 64 bits to draw from, nearly so. */
uint64_t
pg_prng_uint64_range(uint64_t *state, uint64_t low, uint64_t high)
{
	return low + next_random(state) % (high - low + 1);
}

/* Uniform in 0..1, 1 excluded. */
double
pg_prng_double(uint64_t *state)
{
	return (double) (next_random(state) >> 11) / (UINT64_C(1) << 53);
}
