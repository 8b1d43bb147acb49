/*
 * bm25_reader.h
 *		Pages of a segment, for those who read its sections.
 */
#ifndef VS_BM25_READER_H
#define VS_BM25_READER_H

#include "postgres.h"

#include "bm25/bm25_segment.h"
#include "compat.h"

/*
 * Read and lock a page of a section; returns its records and how many bytes they
 * are.  NULL if the segment is stale; ERROR if it has no such page.
 */
extern const char *vs_bm25_lock_page(VsBm25Segment *segment,
									 VsBm25Section section, uint32 page,
									 int *nbytes);

/* Unlock it; it stays pinned, but for a temporary table. */
extern void vs_bm25_unlock_page(VsBm25Segment *segment, VsBm25Section section);

/* ERROR: the page of a section makes no sense. */
pg_noreturn extern void vs_bm25_report_page(const VsBm25Segment *segment,
											VsBm25Section section, uint32 page);

/*
 * What header pages say, read from them or remembered: header, runs and
 * section_runs of the segment, or is_stale.
 */
extern void vs_bm25_read_header(VsBm25Segment *segment);

/* Forget what is remembered of a segment of this id. */
extern void vs_bm25_forget_header(Relation rel, uint32 id);

#endif							/* VS_BM25_READER_H */
