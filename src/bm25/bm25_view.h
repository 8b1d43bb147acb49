/*
 * bm25_view.h
 *		What an index holds at one moment: for scans and statistics.
 */
#ifndef VS_BM25_VIEW_H
#define VS_BM25_VIEW_H

#include "postgres.h"

#include "bm25/bm25_buffer.h"
#include "bm25/bm25_page.h"
#include "bm25/bm25_segment.h"
#include "utils/rel.h"

typedef struct VsBm25View
{
	Relation	rel;
	int			nsegments;		/* live ones */
	VsBm25Segment **segments;	/* opened; the largest first */
	VsBm25BufferCopy buffer;	/* the write buffer's records */

	/* Sums over segments and buffer, rows deleted or dead included. */
	double		ndocs;
	double		nnulls;
	double		total_len;
} VsBm25View;

/*
 * Look at an index now, in the current memory context.  What the rows inserted
 * and the segments are is of one moment.  ERROR if the metapage is not that of a
 * bm25 index of this version.
 */
extern VsBm25View *vs_bm25_view_open(Relation rel);

/* Whether something of it has been replaced meanwhile: look again. */
extern bool vs_bm25_view_is_stale(const VsBm25View *view);
extern void vs_bm25_view_close(VsBm25View *view);

#endif							/* VS_BM25_VIEW_H */
