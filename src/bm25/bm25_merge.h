/*
 * bm25_merge.h
 *		Writing one segment from several sources of documents and postings.
 *
 * A source is a segment, the write buffer, or a run of a build.  Sources keep
 * their order: the documents of the first come first.  Deleted rows are left out.
 */
#ifndef VS_BM25_MERGE_H
#define VS_BM25_MERGE_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "bm25/bm25_posting.h"
#include "bm25/bm25_segment.h"
#include "storage/edit.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

typedef struct VsBm25Source VsBm25Source;

/*
 * What a kind of source does.  Rows are numbered as in a segment: documents, then
 * NULLs.
 */
typedef struct VsBm25SourceMethods
{
	/*
	 * Step to the next lexeme, in order: sets source->lexeme and nbytes,
	 * valid until the next call; false at the end.
	 */
	bool		(*next_lexeme) (VsBm25Source *source);

	/* The next postings of the current lexeme, 1 to 128; false at the end. */
	bool		(*next_block) (VsBm25Source *source, VsBm25Block *block);

	/*
	 * The TIDs of n rows from "first" on; rows are asked for in order.  A TID
	 * that is not valid is that of a deleted row.
	 */
	void		(*read_tids) (VsBm25Source *source, uint32 first, uint32 n,
							  ItemPointerData *tids);
} VsBm25SourceMethods;

struct VsBm25Source
{
	const VsBm25SourceMethods *methods;
	uint32		ndocs;
	uint32		nnulls;
	const char *lexeme;
	int			nbytes;
};

/* A segment as a source; the caller opens and closes it. */
extern VsBm25Source *vs_bm25_segment_source(VsBm25Segment *segment);

/* Called now and then with how many postings have been merged. */
typedef void (*VsBm25MergeProgress) (void *state, uint64 npostings);

/*
 * Write a segment from n sources; fills in its entry.  Checks for interrupts.
 * Memory: 4 bytes a document of the sources, and some pages each.  progress may
 * be NULL.  ERROR if the lexemes of a source are too long or not in order.
 */
extern void vs_bm25_merge(Relation index, uint32 id, VsEditMode mode,
						  VsBm25Source **sources, int n,
						  VsBm25MergeProgress progress, void *progress_state,
						  VsBm25SegmentEntry *entry);

#endif							/* VS_BM25_MERGE_H */
