/*
 * bm25_view.c
 *		What an index holds at one moment: for scans and statistics.
 *
 * The metapage is copied first, then what it led to is looked up.  Where that is
 * gone already, the metapage says what there is instead.
 */
#include "postgres.h"

#include "bm25/bm25_meta.h"
#include "bm25/bm25_view.h"
#include "miscadmin.h"

/* The larger one first; of two alike the older. */
static int
compare_entries(const void *a, const void *b)
{
	const VsBm25SegmentEntry *left = a;
	const VsBm25SegmentEntry *right = b;

	if (left->ndocs != right->ndocs)
		return left->ndocs > right->ndocs ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* Sum up what there is. */
static void
sum_up(VsBm25View *view, const VsBm25Meta *meta,
	   const VsBm25BufferTotals *totals)
{
	view->ndocs = totals->ndocs;
	view->nnulls = totals->nnulls;
	view->total_len = totals->total_len;
	for (uint32 i = 0; i < meta->nsegments; i++)
	{
		view->ndocs += meta->segments[i].ndocs;
		view->nnulls += meta->segments[i].nnulls;
		view->total_len += meta->segments[i].total_len;
	}
}

/* Look at what a metapage says. */
static VsBm25View *
open_view(Relation rel, VsBm25Meta *meta, const VsBm25BufferTotals *totals)
{
	VsBm25View *view = palloc0(sizeof(VsBm25View));

	view->rel = rel;
	view->segments = palloc(sizeof(VsBm25Segment *) * Max(meta->nsegments, 1));
	sum_up(view, meta, totals);
	vs_bm25_buffer_copy(rel, &meta->buffer, totals, &view->buffer);
	qsort(meta->segments, meta->nsegments, sizeof(VsBm25SegmentEntry),
		  compare_entries);
	for (uint32 i = 0; i < meta->nsegments; i++)
		view->segments[view->nsegments++] =
			vs_bm25_segment_open(rel, &meta->segments[i]);
	return view;
}

/*
 * Whether the metapage still knows what was found to be gone: then it is not
 * that we came too late.
 */
static bool
is_still_known(const VsBm25View *view)
{
	VsBm25Meta *meta = vs_bm25_read_meta(view->rel);
	bool		known = view->buffer.is_stale &&
		meta->buffer.generation == view->buffer.generation;

	for (int i = 0; i < view->nsegments; i++)
		if (vs_bm25_segment_is_stale(view->segments[i]) &&
			vs_bm25_find_segment(meta, view->segments[i]->entry.id) != NULL)
			known = true;
	pfree(meta);
	return known;
}

bool
vs_bm25_view_is_stale(const VsBm25View *view)
{
	bool		is_stale = view->buffer.is_stale;

	for (int i = 0; i < view->nsegments; i++)
		is_stale |= vs_bm25_segment_is_stale(view->segments[i]);
	if (likely(!is_stale))
		return false;

	/* What replaced it was logged after the metapage. */
	if (is_still_known(view))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has pages that belong to something else",
						RelationGetRelationName(view->rel)),
				 errhint("Please REINDEX it.")));
	return true;
}

VsBm25View *
vs_bm25_view_open(Relation rel)
{
	for (;;)
	{
		VsBm25BufferTotals totals;
		VsBm25Meta *meta = vs_bm25_read_all_meta(rel, &totals);
		VsBm25View *view = open_view(rel, meta, &totals);

		pfree(meta);
		if (!vs_bm25_view_is_stale(view))
			return view;
		vs_bm25_view_close(view);
		CHECK_FOR_INTERRUPTS();
	}
}

void
vs_bm25_view_close(VsBm25View *view)
{
	for (int i = 0; i < view->nsegments; i++)
		vs_bm25_segment_close(view->segments[i]);
	pfree(view->segments);
	pfree(view->buffer.bytes);
	pfree(view);
}
