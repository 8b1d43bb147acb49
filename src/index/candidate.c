/*
 * candidate.c
 *		Candidates of a nearest neighbour search: the part that is not inline.
 */
#include "postgres.h"

#include "index/candidate.h"

static inline int
compare_candidates(const VsCandidate *a, const VsCandidate *b)
{
	if (a->dist != b->dist)
		return a->dist < b->dist ? -1 : 1;
	return a->id < b->id ? -1 : (a->id > b->id ? 1 : 0);
}

#define ST_SORT sort_candidates
#define ST_ELEMENT_TYPE VsCandidate
#define ST_COMPARE(a, b) compare_candidates(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
vs_candidates_sort(VsCandidate *items, Size n)
{
	sort_candidates(items, n);
}
