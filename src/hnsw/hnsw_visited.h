/*
 * hnsw_visited.h
 *		The nodes that a search has met.
 *
 * A hash table of node numbers with open addressing: as small as the search, so
 * that it stays in the processor's cache however large the graph is.  A note can
 * be kept of each, which linking asks for again.  Memory belongs to the context
 * in which it was initialised.
 */
#ifndef VS_HNSW_VISITED_H
#define VS_HNSW_VISITED_H

#include "postgres.h"

#include "utils/memutils.h"

/* The number that no node has. */
#define VISITED_NONE PG_UINT32_MAX

typedef union VsHnswVisitedNote
{
	float		dist;			/* to the query */
	uint32		code;			/* the number of what is kept of it */
} VsHnswVisitedNote;

typedef struct VsHnswVisited
{
	uint32		n;
	uint32		capacity;		/* a power of two */
	int			shift;			/* 32 - log2(capacity) */
	uint32	   *ids;
	VsHnswVisitedNote *notes;	/* of the node in the same place, or NULL */
} VsHnswVisited;

/* Forget all nodes. */
static inline void
vs_visited_reset(VsHnswVisited *visited)
{
	visited->n = 0;
	memset(visited->ids, 0xFF, sizeof(uint32) * visited->capacity);
}

/* Set up an empty table of 2^log2_capacity places. */
static inline void
vs_visited_init(VsHnswVisited *visited, int log2_capacity, bool with_notes)
{
	visited->capacity = 1U << log2_capacity;
	visited->shift = 32 - log2_capacity;
	visited->ids = palloc_extended(sizeof(uint32) * visited->capacity,
								   MCXT_ALLOC_HUGE);
	visited->notes = NULL;
	if (with_notes)
		visited->notes = palloc_extended(sizeof(VsHnswVisitedNote) *
										 visited->capacity, MCXT_ALLOC_HUGE);
	vs_visited_reset(visited);
}

/* The place of a node: where it is, or where it would be. */
static inline uint32
vs_visited_place(const VsHnswVisited *visited, uint32 id)
{
	uint32		place = (id * 0x9E3779B1U) >> visited->shift;

	while (visited->ids[place] != id && visited->ids[place] != VISITED_NONE)
		place = (place + 1) & (visited->capacity - 1);
	return place;
}

/* Make the table twice as large. */
static inline void
vs_visited_grow(VsHnswVisited *visited)
{
	VsHnswVisited old = *visited;
	MemoryContext caller =
		MemoryContextSwitchTo(GetMemoryChunkContext(old.ids));

	vs_visited_init(visited, 33 - old.shift, old.notes != NULL);
	MemoryContextSwitchTo(caller);
	for (uint32 i = 0; i < old.capacity; i++)
		if (old.ids[i] != VISITED_NONE)
		{
			uint32		place = vs_visited_place(visited, old.ids[i]);

			visited->ids[place] = old.ids[i];
			if (old.notes != NULL)
				visited->notes[place] = old.notes[i];
		}
	visited->n = old.n;
	pfree(old.ids);
	if (old.notes != NULL)
		pfree(old.notes);
}

/* Make sure that n more nodes move none of those that are there. */
static inline void
vs_visited_reserve(VsHnswVisited *visited, uint32 n)
{
	while (visited->n + n > visited->capacity / 2)
		vs_visited_grow(visited);
}

/*
 * Add a node, for which there must be room.  Returns false if it was there; its
 * place is valid until the table grows.
 */
static inline bool
vs_visited_add(VsHnswVisited *visited, uint32 id, uint32 *place)
{
	*place = vs_visited_place(visited, id);
	if (visited->ids[*place] == id)
		return false;
	visited->ids[*place] = id;
	visited->n++;
	return true;
}

#endif							/* VS_HNSW_VISITED_H */
