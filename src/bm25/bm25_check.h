/*
 * bm25_check.h
 *		What the parts of vsearch_check share.
 */
#ifndef VS_BM25_CHECK_H
#define VS_BM25_CHECK_H

#include "postgres.h"

#include "bm25/bm25_meta.h"
#include "bm25/bm25_segment.h"
#include "index/check.h"

/*
 * Whether what was found of a segment is to be reported: not if it is on a standby
 * where the segment has changed since its entry was read.
 */
extern bool vs_bm25_check_counts(Relation rel, const VsBm25SegmentEntry *entry);

/* Check a segment: its dictionary, postings, rows and delete bitmap. */
extern void vs_bm25_check_segment(Relation rel, VsCheck *check,
								  const VsBm25SegmentEntry *entry);

#endif							/* VS_BM25_CHECK_H */
