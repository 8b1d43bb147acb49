/*
 * arena.h
 *		Memory between two pages that cannot be touched, for tests of kernels.
 */
#ifndef VS_UNIT_ARENA_H
#define VS_UNIT_ARENA_H

#include "c.h"

#include <sys/mman.h>
#include <unistd.h>

/* The server's own printf is in a library that these programs do without. */
#undef printf

typedef struct Arena
{
	char	   *begin;
	char	   *end;
} Arena;

static inline Arena
create_arena(size_t nbytes)
{
	size_t		page = sysconf(_SC_PAGESIZE);
	size_t		size = (nbytes + page - 1) / page * page;
	Arena		arena;
	char	   *p = mmap(NULL, size + 2 * page, PROT_NONE,
						 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED ||
		mprotect(p + page, size, PROT_READ | PROT_WRITE) != 0)
	{
		printf("Bail out! no memory\n");
		exit(1);
	}
	arena.begin = p + page;
	arena.end = p + page + size;
	return arena;
}

/* Where in its arena an array of a test lies. */
typedef enum Placement
{
	AT_END,						/* overruns crash */
	AT_BEGIN,					/* underruns crash, aligned */
	AT_BEGIN_UNALIGNED,			/* off by one element */
	NPLACEMENTS
} Placement;

static inline void *
place(Arena arena, Placement placement, size_t nelements, size_t element_size)
{
	switch (placement)
	{
		case AT_END:
			return arena.end - nelements * element_size;
		case AT_BEGIN_UNALIGNED:
			return arena.begin + element_size;
		default:
			return arena.begin;
	}
}

#endif							/* VS_UNIT_ARENA_H */
