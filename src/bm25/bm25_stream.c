/*
 * bm25_stream.c
 *		The rows of a view one after the other, in no order that means anything.
 *
 * Rows are found a batch at a time.  Their TIDs are read together: where rows are
 * near each other with those between them.
 */
#include "postgres.h"

#include "bm25/bm25_stream.h"
#include "miscadmin.h"

/* Rows of a batch. */
#define BATCH_ROWS 256

/* Rows are near each other up to so many that are read for one. */
#define NEAR_ROWS 4

struct VsBm25Stream
{
	VsBm25Search *search;
	const VsBm25Goal *goal;		/* NULL: rows with a NULL */

	/* Where it is. */
	uint32		number;			/* of the part */
	bool		is_begun;
	uint32		row;			/* the next one to look at */
	VsBm25Matcher *matcher;		/* in a segment, with filters */
	VsBm25LeafState *states;	/* room for vs_bm25_judge_record */

	/* What it has found, all in one part. */
	int			n;
	int			at;
	uint32		rows[BATCH_ROWS];
	bool		recheck[BATCH_ROWS];
	ItemPointerData tids[BATCH_ROWS];
	ItemPointerData near[BATCH_ROWS * NEAR_ROWS];
};

VsBm25Stream *
vs_bm25_stream_documents(VsBm25Search *search, const VsBm25Goal *goal)
{
	VsBm25Stream *stream = palloc0(sizeof(VsBm25Stream));

	stream->search = search;
	stream->goal = goal;
	stream->states = palloc(sizeof(VsBm25LeafState) *
							Max(search->query->nleaves, 1));
	return stream;
}

VsBm25Stream *
vs_bm25_stream_nulls(VsBm25Search *search)
{
	VsBm25Stream *stream = palloc0(sizeof(VsBm25Stream));

	stream->search = search;
	return stream;
}

/* Begin with a part. */
static void
begin_part(VsBm25Stream *stream)
{
	VsBm25Part *part = &stream->search->parts[stream->number];

	stream->is_begun = true;
	stream->row = stream->goal == NULL ? part->ndocs : 0;
	stream->matcher = NULL;
	if (stream->goal != NULL && stream->goal->nfilters > 0 &&
		part->segment != NULL)
		stream->matcher =
			vs_bm25_matcher_make(stream->goal, part->segment,
								 vs_bm25_part_cursors(stream->search, part,
													  stream->goal));
}

/* Advance to the next row of the part that may match; false at its end. */
static bool
advance(VsBm25Stream *stream, const VsBm25Part *part, VsBm25Match *match)
{
	uint32		end = stream->goal == NULL ? part->nrows : part->ndocs;

	*match = BM25_MATCH_YES;
	if (stream->matcher != NULL)
		stream->row = vs_bm25_matcher_next(stream->matcher, stream->row);
	if (stream->row >= end)
		return false;

	if (stream->matcher != NULL)
		*match = vs_bm25_matcher_judge(stream->matcher, stream->row).match;
	else if (stream->goal != NULL && stream->goal->nfilters > 0)
		*match = vs_bm25_judge_record(stream->goal, part->records[stream->row],
									  stream->states).match;
	return true;
}

/* Whether a row is to be left out. */
static bool
is_left_out(const VsBm25Part *part, uint32 row)
{
	return vs_bm25_part_is_deleted(part, row) ||
		(part->returned != NULL && row < part->ndocs &&
		 (part->returned[row / 8] & (1 << (row % 8))) != 0);
}

/* Read the TIDs of the rows found. */
static void
read_tids(VsBm25Stream *stream, VsBm25Part *part)
{
	for (int i = 0; i < stream->n;)
	{
		uint32		first = stream->rows[i];
		int			n = 1;		/* rows found */
		uint32		span;

		while (i + n < stream->n &&
			   stream->rows[i + n] - stream->rows[i + n - 1] <= NEAR_ROWS)
			n++;
		span = stream->rows[i + n - 1] - first + 1;
		vs_bm25_part_read_tids(part, first, span, stream->near);
		for (int j = i; j < i + n; j++)
			stream->tids[j] = stream->near[stream->rows[j] - first];
		i += n;
	}
}

/* Find the next rows; false if there are none. */
static bool
fill_batch(VsBm25Stream *stream)
{
	stream->n = 0;
	stream->at = 0;
	while (stream->n == 0 && stream->number < stream->search->nparts)
	{
		VsBm25Part *part = &stream->search->parts[stream->number];
		VsBm25Match match;

		CHECK_FOR_INTERRUPTS();
		if (!stream->is_begun)
			begin_part(stream);
		while (stream->n < BATCH_ROWS && advance(stream, part, &match))
		{
			if (match != BM25_MATCH_NO && !is_left_out(part, stream->row))
			{
				stream->rows[stream->n] = stream->row;
				stream->recheck[stream->n] = match == BM25_MATCH_MAYBE;
				stream->n++;
			}
			stream->row++;
		}
		if (stream->n > 0)
			read_tids(stream, part);
		else
		{
			stream->number++;
			stream->is_begun = false;
		}
	}
	return stream->n > 0 && !vs_bm25_view_is_stale(stream->search->view);
}

bool
vs_bm25_stream_next(VsBm25Stream *stream, ItemPointer tid, bool *recheck)
{
	if (stream->at == stream->n && !fill_batch(stream))
		return false;
	*tid = stream->tids[stream->at];
	*recheck = stream->recheck[stream->at];
	stream->at++;
	return true;
}
