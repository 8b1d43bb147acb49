/*
 * bm25_search.c
 *		Searching a view: its segments and its buffer are the parts.
 */
#include "postgres.h"

#include <math.h>

#include "bm25/bm25_maxscore.h"
#include "bm25/bm25_search.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Collect the buffer's records that are not dead: documents, then NULLs. */
static void
open_buffer(const VsBm25View *view, VsBm25Part *part)
{
	uint32		offset = 0;
	uint32		nallocated = 256;
	const VsBm25RecordHeader **nulls = NULL;
	uint32		nnulls = 0;

	if (view->buffer.nbytes == 0)
		return;
	part->records = palloc(sizeof(void *) * nallocated);
	nulls = palloc(sizeof(void *) * nallocated);
	while (offset < view->buffer.nbytes)
	{
		const VsBm25RecordHeader *record =
			vs_bm25_buffer_record(view->rel, &view->buffer, &offset);

		if (record->flags & BM25_RECORD_DEAD)
			continue;
		if (part->ndocs + nnulls == nallocated)
		{
			nallocated *= 2;
			part->records = repalloc(part->records,
									 sizeof(void *) * nallocated);
			nulls = repalloc(nulls, sizeof(void *) * nallocated);
		}
		if (record->flags & BM25_RECORD_NULL)
			nulls[nnulls++] = record;
		else
			part->records[part->ndocs++] = record;
	}
	memcpy(part->records + part->ndocs, nulls, sizeof(void *) * nnulls);
	pfree(nulls);
	part->nrows = part->ndocs + nnulls;
}

/* Prepare to search a segment. */
static void
open_segment(VsBm25Segment *segment, VsBm25Part *part)
{
	part->segment = segment;
	part->ndocs = segment->header.ndocs;
	part->nrows = part->ndocs + segment->header.nnulls;
	if (segment->entry.ndeleted > 0 && part->nrows > 0)
	{
		part->deletes = MemoryContextAllocHuge(CurrentMemoryContext,
											   (part->nrows + 7) / 8);
		vs_bm25_segment_read_deletes(segment, part->deletes);
	}
}

VsBm25Search *
vs_bm25_search_begin(const VsBm25Query *query, VsBm25View *view)
{
	VsBm25Search *search = palloc(sizeof(VsBm25Search));

	search->query = query;
	search->view = view;
	search->nparts = view->nsegments + 1;
	search->parts = palloc0(sizeof(VsBm25Part) * search->nparts);
	for (uint32 i = 0; i < search->nparts; i++)
		search->parts[i].number = i;
	for (int i = 0; i < view->nsegments; i++)
		open_segment(view->segments[i], &search->parts[i]);
	open_buffer(view, &search->parts[view->nsegments]);
	return search;
}

VsBm25Cursor **
vs_bm25_part_cursors(VsBm25Search *search, VsBm25Part *part,
					 const VsBm25Goal *goal)
{
	const VsBm25Query *query = search->query;

	if (part->cursors == NULL)
		part->cursors = palloc0(sizeof(VsBm25Cursor *) * Max(query->nleaves, 1));
	for (int i = 0; i < query->nleaves; i++)
		if (goal->is_used[i] && part->cursors[i] == NULL)
			part->cursors[i] = vs_bm25_cursor_open(part->segment, query,
												   &query->leaves[i]);
	return part->cursors;
}

void
vs_bm25_part_read_tids(VsBm25Part *part, uint32 first, uint32 n,
					   ItemPointerData *tids)
{
	if (part->segment != NULL)
		vs_bm25_segment_read_tids(part->segment, first, n, tids);
	else
		for (uint32 i = 0; i < n; i++)
			tids[i] = part->records[first + i]->tid;
}

void
vs_bm25_part_add_hit(const VsBm25Part *part, uint32 doc,
					 const VsBm25Verdict *verdict, VsBm25Hits *hits)
{
	VsBm25Hit	hit = {
		.score = verdict->score,
		.part = part->number,
		.doc = doc,
		.recheck = verdict->match == BM25_MATCH_MAYBE,
		.recheck_score = verdict->is_bound,
	};

	if (verdict->match != BM25_MATCH_NO && vs_bm25_hits_want(hits, &hit) &&
		!vs_bm25_part_is_deleted(part, doc))
		vs_bm25_hits_add(hits, &hit);
}

/*
 * Judge each document that may match, but where bounds say that none is wanted.
 * The bound of a tree is that of the blocks in which its leaves are.
 */
static void
judge_all(VsBm25Matcher *matcher, const VsBm25Part *part, VsBm25Hits *hits)
{
	double		bound = INFINITY;	/* from here to "last" */
	int64		last = -1;
	uint32		doc = vs_bm25_matcher_next(matcher, 0);

	while (doc != BM25_NO_DOC)
	{
		if ((int64) doc > last && hits->n == hits->k)
		{
			uint32		end;

			bound = vs_bm25_matcher_bound(matcher, doc, &end);
			last = end;
		}
		if (bound < hits->threshold)
			doc = last + 1;
		else
		{
			VsBm25Verdict verdict = vs_bm25_matcher_judge(matcher, doc);

			vs_bm25_part_add_hit(part, doc, &verdict, hits);
			doc++;
		}
		doc = vs_bm25_matcher_next(matcher, doc);
	}
}

/* Search in the way that is likely to take less time. */
static void
search_segment(VsBm25Search *search, const VsBm25Goal *goal, VsBm25Part *part,
			   VsBm25Hits *hits)
{
	VsBm25Matcher *matcher =
		vs_bm25_matcher_make(goal, part->segment,
							 vs_bm25_part_cursors(search, part, goal));

	if (vs_bm25_maxscore_is_better(matcher, hits->k))
		vs_bm25_maxscore_search(matcher, part, hits);
	else
		judge_all(matcher, part, hits);
}

/* Judge each document of the buffer. */
static void
search_buffer(const VsBm25Goal *goal, const VsBm25Part *part, VsBm25Hits *hits)
{
	VsBm25LeafState *states =
		palloc(sizeof(VsBm25LeafState) * Max(goal->query->nleaves, 1));

	for (uint32 i = 0; i < part->ndocs; i++)
	{
		VsBm25Verdict verdict = vs_bm25_judge_record(goal, part->records[i],
													 states);

		CHECK_FOR_INTERRUPTS();
		vs_bm25_part_add_hit(part, i, &verdict, hits);
	}
	pfree(states);
}

void
vs_bm25_search_top(VsBm25Search *search, VsBm25Hits *hits)
{
	const VsBm25Query *query = search->query;
	VsBm25Goal *goal = vs_bm25_goal_make(query, query->nfilters,
										 query->filters, query->rank);

	for (uint32 i = 0; i < search->nparts; i++)
	{
		VsBm25Part *part = &search->parts[i];

		if (part->segment == NULL)
			search_buffer(goal, part, hits);
		else
			search_segment(search, goal, part, hits);
	}
}
