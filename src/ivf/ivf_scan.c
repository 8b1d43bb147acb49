/*
 * ivf_scan.c
 *		Scans: the nearest rows of the nearest lists.
 *
 * A scan probes some lists and returns their rows in order of distance; then, if
 * more are wanted and the settings allow, the rows of the next nearest lists.
 * See README.md, "Scan".
 */
#include "postgres.h"

#include <math.h>

#include "index/rowsort.h"
#include "index/scan.h"
#include "ivf/ivf_lists.h"
#include "ivf/ivf_search.h"
#include "miscadmin.h"

/*
 * An iterative scan has read so many times as many rows' codes as it has returned
 * rows: rows of lists to come may be nearer than the farthest ones of those that
 * were read.
 */
#define ROWS_AHEAD 10

typedef struct VsIvfScan
{
	VsIvfIndex *index;
	VsIvfProbe *probe;			/* NULL if the query has no direction */
	VsIvfLists *lists;
	VsIvfSearch *rows;
	uint32		nprobed;		/* lists so far */
	uint64		ntaken;			/* rows taken out of "rows" */
	float		last_dist;		/* of the last row returned */
	VsRowSort  *late;			/* rows found after farther ones; NULL while
								 * there are none */
	bool		is_late;		/* they are being returned */
} VsIvfScan;

/* The next nearest list; false if there is none. */
static bool
next_list(VsIvfScan *state, uint32 *list)
{
	if (state->probe != NULL)
		return vs_ivf_lists_next(state->lists, list);

	/* Without a direction they come by number. */
	*list = state->nprobed;
	return state->nprobed < state->index->meta.nlists;
}

/* Add the rows of up to n further lists; false if there are none. */
static bool
probe_lists(VsIvfScan *state, uint32 n)
{
	uint32	   *lists;
	uint32		nlists = 0;

	n = Min(n, state->index->meta.nlists);
	lists = palloc(sizeof(uint32) * n);
	while (nlists < n && next_list(state, &lists[nlists]))
	{
		nlists++;
		state->nprobed++;
	}
	vs_ivf_search_add_lists(state->rows, lists, nlists);
	pfree(lists);
	return nlists > 0;
}

/* VsScanMethod.start: bind the query, and probe the first lists. */
static void
start_scan(IndexScanDesc scan, void *arg)
{
	VsIvfScan  *state = arg;
	VsIvfIndex *index = vs_ivf_open(scan->indexRelation);
	float	   *x = vs_scan_read_query(scan, index->opclass, index->geometry.dim);

	state->index = index;
	state->last_dist = -INFINITY;
	if (x != NULL)
	{
		state->probe = vs_ivf_probe_create(index, x);
		state->lists = vs_ivf_lists_create(index, state->probe);
	}
	state->rows = vs_ivf_search_create(index, state->probe, false);
	probe_lists(state, vs_ivf_effective_probes(index->rel));
}

/* VsScanMethod.end */
static void
end_scan(void *arg)
{
	VsIvfScan  *state = arg;

	if (state->late != NULL)
		vs_rowsort_end(state->late);
	state->late = NULL;
}

/* Probe the next lists, if the settings allow. */
static bool
probe_next(VsIvfScan *state)
{
	uint32		probes = vs_ivf_effective_probes(state->index->rel);
	uint32		max_probes = Max(vs_ivf_max_probes, probes);

	if (vs_ivf_iterative_scan == VS_ITERATIVE_OFF ||
		state->nprobed >= max_probes)
		return false;
	return probe_lists(state, Min(probes, max_probes - state->nprobed));
}

/* Probe lists ahead of need, as far as memory allows. */
static void
probe_ahead(VsIvfScan *state)
{
	while (state->ntaken * ROWS_AHEAD >= state->rows->nrows &&
		   vs_ivf_search_nbytes(state->rows) < (Size) work_mem * 1024 &&
		   probe_next(state))
		continue;
}

/* Begin with the next lists, when no row of those before is left. */
static bool
next_batch(VsIvfScan *state)
{
	vs_ivf_search_clear(state->rows);
	state->ntaken = 0;
	return probe_next(state);
}

/* Advance to the next row that the lists have in its place. */
static bool
next_row(VsIvfScan *state, ItemPointer tid)
{
	float		dist;

	for (;;)
	{
		if (state->ntaken > 0)
			probe_ahead(state);
		if (!vs_ivf_search_next(state->rows, tid, &dist))
		{
			if (!next_batch(state))
				return false;
			continue;
		}
		state->ntaken++;
		if (dist < state->last_dist &&
			vs_ivf_iterative_scan == VS_ITERATIVE_STRICT)
		{
			if (state->late == NULL)
				state->late = vs_rowsort_begin();
			vs_rowsort_add(state->late, dist, 0, tid);
			continue;
		}
		state->last_dist = dist;
		return true;
	}
}

/* VsScanMethod.next */
static bool
next_tid(void *arg, ItemPointer tid)
{
	VsIvfScan  *state = arg;
	uint32		key;

	if (!state->is_late)
	{
		if (next_row(state, tid))
			return true;
		state->is_late = true;
		if (state->late != NULL)
			vs_rowsort_perform(state->late);
	}
	return state->late != NULL && vs_rowsort_next(state->late, &key, tid);
}

IndexScanDesc
vs_ivf_beginscan(Relation index, int nkeys, int norderbys)
{
	static const VsScanMethod method = {
		.name = "ivfflat",
		.state_nbytes = sizeof(VsIvfScan),
		.start = start_scan,
		.next = next_tid,
		.end = end_scan,
	};

	return vs_scan_begin(index, nkeys, norderbys, &method);
}
