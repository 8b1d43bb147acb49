/*
 * candidate.h
 *		Candidates of a nearest neighbour search, and heaps of them.
 *
 * Binary heaps over growable arrays, inline because searches spend a good
 * part of their time here.  Memory belongs to the context in which a heap was
 * initialised.
 */
#ifndef VS_CANDIDATE_H
#define VS_CANDIDATE_H

#include "postgres.h"

#include "utils/memutils.h"

typedef struct VsCandidate
{
	float		dist;
	uint32		id;
	uint32		tag;			/* the owner's, carried along */
} VsCandidate;

typedef struct VsCandidateHeap
{
	VsCandidate *items;
	Size		n;
	Size		capacity;
} VsCandidateHeap;

/* Set up an empty heap or list. */
static inline void
vs_candidates_init(VsCandidateHeap *heap, Size capacity)
{
	heap->items = palloc(sizeof(VsCandidate) * capacity);
	heap->n = 0;
	heap->capacity = capacity;
}

/* Append without order; the list is no heap afterwards. */
static inline void
vs_candidates_append(VsCandidateHeap *heap, VsCandidate candidate)
{
	if (unlikely(heap->n == heap->capacity))
	{
		heap->capacity *= 2;
		heap->items = repalloc_huge(heap->items,
									sizeof(VsCandidate) * heap->capacity);
	}
	heap->items[heap->n++] = candidate;
}

/* Add to a heap whose root is its smallest distance. */
static inline void
vs_minheap_push(VsCandidateHeap *heap, VsCandidate candidate)
{
	Size		i = heap->n;

	vs_candidates_append(heap, candidate);
	while (i > 0)
	{
		Size		parent = (i - 1) / 2;

		if (heap->items[parent].dist <= candidate.dist)
			break;
		heap->items[i] = heap->items[parent];
		i = parent;
	}
	heap->items[i] = candidate;
}

/* Let candidate sink from the root of a heap whose root is its smallest. */
static inline void
vs_minheap_replace(VsCandidateHeap *heap, VsCandidate candidate)
{
	Size		i = 0;

	for (;;)
	{
		Size		child = 2 * i + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n &&
			heap->items[child + 1].dist < heap->items[child].dist)
			child++;
		if (heap->items[child].dist >= candidate.dist)
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = candidate;
}

/* Remove and return the smallest; the heap must not be empty. */
static inline VsCandidate
vs_minheap_pop(VsCandidateHeap *heap)
{
	VsCandidate root = heap->items[0];

	heap->n--;
	vs_minheap_replace(heap, heap->items[heap->n]);
	return root;
}

/* Let candidate sink from the root of a heap whose root is its largest. */
static inline void
vs_maxheap_replace(VsCandidateHeap *heap, VsCandidate candidate)
{
	Size		i = 0;

	for (;;)
	{
		Size		child = 2 * i + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n &&
			heap->items[child + 1].dist > heap->items[child].dist)
			child++;
		if (heap->items[child].dist <= candidate.dist)
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = candidate;
}

/* Add to a heap whose root is its largest distance. */
static inline void
vs_maxheap_push(VsCandidateHeap *heap, VsCandidate candidate)
{
	Size		i = heap->n;

	vs_candidates_append(heap, candidate);
	while (i > 0)
	{
		Size		parent = (i - 1) / 2;

		if (heap->items[parent].dist >= candidate.dist)
			break;
		heap->items[i] = heap->items[parent];
		i = parent;
	}
	heap->items[i] = candidate;
}

/* Sort ascending by distance, ties by id. */
extern void vs_candidates_sort(VsCandidate *items, Size n);

#endif							/* VS_CANDIDATE_H */
