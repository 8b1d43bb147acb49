/*
 * bm25_buffer.h
 *		The write buffer: rows that were inserted last, as a stream of records.
 *
 *	record:	VsBm25RecordHeader
 *			uint32 hashes[nlexemes]		of the lexemes, in their order
 *			nlexemes times, in order:
 *				uint16 nbytes | BM25_RECORD_LABELS if labelled
 *				bytes of the lexeme
 *				uint16 tf of label D if not labelled, or
 *				uint16 tfs[4] if labelled (all 0: no positions)
 *			zeroes up to a multiple of 4 bytes
 *
 * Records follow one another over the pages' bytes as if these were one piece.
 */
#ifndef VS_BM25_BUFFER_H
#define VS_BM25_BUFFER_H

#include "postgres.h"

#include "bm25/bm25_page.h"
#include "bm25/bm25_tsvector.h"
#include "compat.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

/* Larger ones do not go into the buffer, but become segments by themselves. */
#define BM25_RECORD_MAX_NBYTES 65536

#define BM25_RECORD_NULL	1	/* a row with a NULL: no lexemes */
#define BM25_RECORD_DEAD	2	/* vacuum removed the row */

#define BM25_RECORD_LABELS	0x8000

typedef struct VsBm25RecordHeader
{
	uint32		nbytes;			/* of the record, this included */
	uint32		len;			/* of the document */
	uint32		nlexemes;
	ItemPointerData tid;
	uint16		flags;
} VsBm25RecordHeader;

StaticAssertDecl(sizeof(VsBm25RecordHeader) == 20, "part of the format");

/* The hash by which a lexeme is looked for in records. */
extern uint32 vs_bm25_lexeme_hash(const char *lexeme, int nbytes);

/* The stream at one moment, in one piece. */
typedef struct VsBm25BufferCopy
{
	uint32		generation;
	uint32		nbytes;
	char	   *bytes;			/* 4-byte aligned */
	bool		is_stale;		/* it was sealed and begun anew meanwhile */
} VsBm25BufferCopy;

/* Copy what the buffer held, into the current memory context. */
extern void vs_bm25_buffer_copy(Relation rel, const VsBm25BufferMeta *meta,
								const VsBm25BufferTotals *totals,
								VsBm25BufferCopy *copy);

/*
 * The record at an offset, which moves to the next one: from 0 on, until NULL.
 * ERROR if the bytes make no record.
 */
extern const VsBm25RecordHeader *vs_bm25_buffer_record(Relation rel,
													   const VsBm25BufferCopy *copy,
													   uint32 *offset);

static inline const uint32 *
vs_bm25_record_hashes(const VsBm25RecordHeader *record)
{
	return (const uint32 *) (record + 1);
}

/*
 * Walk a record's lexemes in order: *position is 0 at first.  ERROR for one that
 * does not fit, or is longer than a lexeme can be.
 */
extern bool vs_bm25_record_next_term(const VsBm25RecordHeader *record,
									 uint32 *position, VsBm25Term *term);

/* ERROR for a record whose lexemes make no sense. */
pg_noreturn extern void vs_bm25_report_record(const VsBm25RecordHeader *record);

/* Look for a lexeme with this hash; false if the document does not have it. */
extern bool vs_bm25_record_find(const VsBm25RecordHeader *record, uint32 hash,
								const char *lexeme, int nbytes,
								VsBm25Term *term);

/* Form the record of a row (tsv NULL: of a NULL); palloc'd. */
extern VsBm25RecordHeader *vs_bm25_form_record(ItemPointer tid, TSVector tsv);

#endif							/* VS_BM25_BUFFER_H */
