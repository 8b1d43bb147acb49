/*
 * bm25_write.h
 *		Writing a segment: from documents and sorted postings to pages.
 *
 *		writer = vs_bm25_writer_begin(index, id, mode)
 *		vs_bm25_writer_add_document(writer, tid) for each document, then
 *		vs_bm25_writer_add_null(writer, tid) for each row with a NULL
 *		for each lexeme, ascending:
 *			vs_bm25_writer_begin_lexeme(writer, lexeme, nbytes)
 *			vs_bm25_writer_add(writer, doc, len, tfs) for its postings, ascending
 *			vs_bm25_writer_end_lexeme(writer)
 *		vs_bm25_writer_end(writer, &entry)
 *
 * Rows and lexemes may be added in any order among one another.  The segment is
 * complete on its pages then, and WAL-logged, but nobody knows of it before its
 * entry is in the metapage's directory.
 */
#ifndef VS_BM25_WRITE_H
#define VS_BM25_WRITE_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "bm25/bm25_posting.h"
#include "storage/edit.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

typedef struct VsBm25Writer VsBm25Writer;

/*
 * Begin to write the segment of this id, in a memory context of its own.  The
 * mode VS_EDIT_BUILD is for an index whose file nobody else knows: it adds pages
 * at the end, and does not log.  Otherwise pages come from the free space map,
 * as far as it has any, and id is in the metapage as what is being written.
 */
extern VsBm25Writer *vs_bm25_writer_begin(Relation index, uint32 id,
										  VsEditMode mode);
extern void vs_bm25_writer_add_document(VsBm25Writer *writer, ItemPointer tid);
extern void vs_bm25_writer_add_null(VsBm25Writer *writer, ItemPointer tid);
extern void vs_bm25_writer_begin_lexeme(VsBm25Writer *writer,
										const char *lexeme, int nbytes);
extern void vs_bm25_writer_add(VsBm25Writer *writer, uint32 doc, uint32 len,
							   const uint16 tfs[BM25_LABELS]);

/* A lexeme without postings is left out. */
extern void vs_bm25_writer_end_lexeme(VsBm25Writer *writer);

/*
 * Finish; fills in the segment's entry (state BM25_SEGMENT_LIVE) and frees the
 * writer.  total_len is the sum over postings.
 */
extern void vs_bm25_writer_end(VsBm25Writer *writer, VsBm25SegmentEntry *entry);

#endif							/* VS_BM25_WRITE_H */
