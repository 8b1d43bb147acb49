/*
 * server_stubs.c
 *		The few functions of the server that tested code calls, without one.
 *
 * Declares them itself: their declarations differ between PostgreSQL versions,
 * but not in what is used of them here.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

volatile	sig_atomic_t InterruptPending = 0;

void		ProcessInterrupts(void);
void		ExceptionalCondition(const char *condition);
void	   *palloc(size_t nbytes);
void	   *palloc0(size_t nbytes);
void	   *repalloc_huge(void *memory, size_t nbytes);
void		pfree(void *memory);

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
