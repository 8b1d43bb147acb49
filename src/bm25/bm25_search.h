/*
 * bm25_search.h
 *		Searching a view: its segments and its buffer are the parts.
 */
#ifndef VS_BM25_SEARCH_H
#define VS_BM25_SEARCH_H

#include "postgres.h"

#include "bm25/bm25_hits.h"
#include "bm25/bm25_match.h"
#include "bm25/bm25_query.h"
#include "bm25/bm25_view.h"
#include "storage/itemptr.h"

typedef struct VsBm25Part
{
	uint32		number;			/* in order of the view */
	uint32		ndocs;
	uint32		nrows;			/* documents, then NULLs */
	uint8	   *returned;		/* a bit for each document that a stream
								 * leaves out; NULL: none */

	/* Of a segment. */
	VsBm25Segment *segment;		/* NULL: the buffer */
	VsBm25Cursor **cursors;		/* by leaf; opened at first need */
	uint8	   *deletes;		/* a copy of the delete bitmap, NULL: none */

	/* Of the buffer: a row is a record that is not dead. */
	const VsBm25RecordHeader **records;
} VsBm25Part;

typedef struct VsBm25Search
{
	const VsBm25Query *query;	/* bound */
	VsBm25View *view;
	uint32		nparts;
	VsBm25Part *parts;			/* in order of the view */
} VsBm25Search;

/* Prepare, in the current memory context, to search for parts of a query. */
extern VsBm25Search *vs_bm25_search_begin(const VsBm25Query *query,
										  VsBm25View *view);

/* The cursors of the leaves that a goal uses, in a segment. */
extern VsBm25Cursor **vs_bm25_part_cursors(VsBm25Search *search,
										   VsBm25Part *part,
										   const VsBm25Goal *goal);

/* Find the documents that the query ranks best and that match all its filters. */
extern void vs_bm25_search_top(VsBm25Search *search, VsBm25Hits *hits);

/* Whether a row of a part is gone. */
static inline bool
vs_bm25_part_is_deleted(const VsBm25Part *part, uint32 row)
{
	return part->deletes != NULL &&
		(part->deletes[row / 8] & (1 << (row % 8))) != 0;
}

/* Add a document to the hits if it matches, is among the best, and not gone. */
extern void vs_bm25_part_add_hit(const VsBm25Part *part, uint32 doc,
								 const VsBm25Verdict *verdict,
								 VsBm25Hits *hits);

/* The TIDs of n rows of a part from "first" on. */
extern void vs_bm25_part_read_tids(VsBm25Part *part, uint32 first, uint32 n,
								   ItemPointerData *tids);

#endif							/* VS_BM25_SEARCH_H */
