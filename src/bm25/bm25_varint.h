/*
 * bm25_varint.h
 *		Numbers that take as many bytes as they need: 7 bits each, the lowest
 *		first, and a bit that says whether more follow; needs no server.
 */
#ifndef VS_BM25_VARINT_H
#define VS_BM25_VARINT_H

#include "c.h"

#define BM25_VARINT_MAX_NBYTES 10

/* Returns the byte behind what it wrote. */
static inline uint8 *
vs_bm25_put_varint(uint8 *p, uint64 number)
{
	for (; number >= 0x80; number >>= 7)
		*p++ = (uint8) number | 0x80;
	*p++ = (uint8) number;
	return p;
}

/*
 * Returns the byte behind what it read, which lies before "end"; NULL if there is
 * no number of 32 bits.  A "p" of NULL is passed on.
 */
static inline const uint8 *
vs_bm25_get_varint(const uint8 *p, const uint8 *end, uint32 *number)
{
	uint64		result = 0;

	if (likely(p != NULL && p < end && *p < 0x80))
	{
		*number = *p;
		return p + 1;
	}
	*number = 0;
	if (p == NULL)
		return NULL;
	for (int shift = 0; p < end && shift < 35; shift += 7)
	{
		result |= (uint64) (*p & 0x7f) << shift;
		if (*p++ >= 0x80)
			continue;
		*number = (uint32) result;
		return result <= PG_UINT32_MAX ? p : NULL;
	}
	return NULL;
}

#endif							/* VS_BM25_VARINT_H */
