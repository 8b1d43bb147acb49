/*
 * bm25_output.h
 *		The pages of a segment that is being written.
 *
 *		output = vs_bm25_output_begin(index, id, mode)
 *		for each page of a section, in order:
 *			bytes = vs_bm25_output_begin_page(output, section)
 *			... fill them in ...
 *			vs_bm25_output_end_page(output, section, nbytes)
 *		header = vs_bm25_output_end(output, &segment_header, &npages)
 */
#ifndef VS_BM25_OUTPUT_H
#define VS_BM25_OUTPUT_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "storage/edit.h"
#include "utils/rel.h"

typedef struct VsBm25Output VsBm25Output;

/* Begin the pages of segment id, in the current memory context. */
extern VsBm25Output *vs_bm25_output_begin(Relation index, uint32 id,
										  VsEditMode mode);

/*
 * Begin a section's next page: VS_PAGE_CAPACITY bytes of zeroes, valid until the
 * section's next one begins.  All sections may have a page begun.
 */
extern char *vs_bm25_output_begin_page(VsBm25Output *output,
									   VsBm25Section section);

/* The page has nbytes; returns its number within the section. */
extern uint32 vs_bm25_output_end_page(VsBm25Output *output,
									  VsBm25Section section, Size nbytes);

/* Pages of a section that have been ended. */
extern uint32 vs_bm25_output_npages(const VsBm25Output *output,
									VsBm25Section section);

/*
 * Write what has not been written, and the header pages: header has all but link
 * and npages.  Returns the first one's block, and how many pages all of it takes.
 */
extern BlockNumber vs_bm25_output_end(VsBm25Output *output,
									  VsBm25SegmentHeader *header,
									  uint32 *npages);

#endif							/* VS_BM25_OUTPUT_H */
