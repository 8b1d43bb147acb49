/*
 * bm25_hits.c
 *		The best documents of a search so far.
 */
#include "postgres.h"

#include "bm25/bm25_hits.h"
#include "utils/memutils.h"

/* Hits that there is room for at first. */
#define FIRST_ALLOCATED 64

void
vs_bm25_hits_begin(VsBm25Hits *hits, uint64 k)
{
	Assert(k > 0);
	memset(hits, 0, sizeof(*hits));
	hits->k = k;
	hits->nallocated = Min(k, FIRST_ALLOCATED);
	hits->hits = palloc(sizeof(VsBm25Hit) * hits->nallocated);
}

/* Put a hit where i is, which may be too high in the heap for it. */
static void
sift_down(VsBm25Hits *hits, uint64 i, VsBm25Hit hit)
{
	VsBm25Hit  *heap = hits->hits;

	for (;;)
	{
		uint64		child = 2 * i + 1;

		if (child >= hits->n)
			break;
		if (child + 1 < hits->n &&
			vs_bm25_hit_is_after(&heap[child + 1], &heap[child]))
			child++;
		if (!vs_bm25_hit_is_after(&heap[child], &hit))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = hit;
}

/* Append while there are less than k; then make a heap of them. */
static void
append_hit(VsBm25Hits *hits, const VsBm25Hit *hit)
{
	if (hits->n == hits->nallocated)
	{
		hits->nallocated = Min(hits->nallocated * 2, hits->k);
		hits->hits = repalloc_huge(hits->hits,
								   sizeof(VsBm25Hit) * hits->nallocated);
	}
	hits->hits[hits->n++] = *hit;
	if (hits->n < hits->k)
		return;
	for (uint64 i = hits->n / 2; i > 0; i--)
		sift_down(hits, i - 1, hits->hits[i - 1]);
	hits->threshold = hits->hits[0].score;
}

void
vs_bm25_hits_add(VsBm25Hits *hits, const VsBm25Hit *hit)
{
	if (!vs_bm25_hits_want(hits, hit))
		return;
	if (hits->n < hits->k)
		append_hit(hits, hit);
	else
	{
		sift_down(hits, 0, *hit);
		hits->threshold = hits->hits[0].score;
	}
}

static int
compare_hits(const void *a, const void *b)
{
	return vs_bm25_hit_is_after(a, b) ? 1 : -1;
}

void
vs_bm25_hits_sort(VsBm25Hits *hits)
{
	qsort(hits->hits, hits->n, sizeof(VsBm25Hit), compare_hits);
}

void
vs_bm25_hits_end(VsBm25Hits *hits)
{
	pfree(hits->hits);
	hits->hits = NULL;
}
