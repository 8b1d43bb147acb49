/*
 * bm25_seal.h
 *		Sealing: the records of the write buffer become a segment.
 *
 * Both take the insert lock, and return false where the directory has no room for
 * a segment: see vs_bm25_make_room.
 */
#ifndef VS_BM25_SEAL_H
#define VS_BM25_SEAL_H

#include "postgres.h"

#include "bm25/bm25_buffer.h"
#include "bm25/bm25_page.h"
#include "utils/rel.h"

/* Whether a buffer has room for a record of so many bytes. */
static inline bool
vs_bm25_buffer_has_room(const VsBm25BufferTotals *totals, Size nbytes)
{
	return totals->nbytes + nbytes <= BM25_BUFFER_CAPACITY;
}

/*
 * Seal the buffer, unless somebody has done so meanwhile and there is room for a
 * record of so many bytes; BM25_BUFFER_CAPACITY: unless it is empty.
 */
extern bool vs_bm25_seal_buffer(Relation rel, Size nbytes);

/* Make a segment of one record that is not in the buffer. */
extern bool vs_bm25_seal_record(Relation rel, const VsBm25RecordHeader *record);

#endif							/* VS_BM25_SEAL_H */
