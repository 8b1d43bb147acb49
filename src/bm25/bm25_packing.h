/*
 * bm25_packing.h
 *		Arrays of small numbers, packed with as many bits each as the largest
 *		needs; needs no server.
 *
 * 128 numbers lie in lanes, for processors that work on several numbers at once:
 * of 32 bits (number i in lane i % 4) or of 16 (in lane i % 8); a lane's numbers
 * follow one another bit by bit in words of its width.  Fewer numbers follow one
 * another over the bytes, the lowest bits first.  Either takes as many bytes.
 */
#ifndef VS_BM25_PACKING_H
#define VS_BM25_PACKING_H

#include "c.h"

#include "bm25/bm25_posting.h"
#include "port/pg_bitutils.h"

/* Bits that numbers up to "largest" need: 0 to 32. */
static inline int
vs_bm25_width(uint32 largest)
{
	return largest == 0 ? 0 : pg_leftmost_one_pos32(largest) + 1;
}

/* Bytes that n numbers take. */
static inline int
vs_bm25_packed_nbytes(int n, int width)
{
	return (n * width + 7) / 8;
}

/* Pack n numbers, 1 to 128, less base; each is below base + 2^width. */
extern void vs_bm25_pack32(const uint32 *numbers, int n, uint32 base, int width,
						   uint8 *bytes);
extern void vs_bm25_pack16(const uint16 *numbers, int n, uint16 base, int width,
						   uint8 *bytes);

/* The reverse; reads vs_bm25_packed_nbytes and no more. */
extern void vs_bm25_unpack32(const uint8 *bytes, int n, uint32 base, int width,
							 uint32 *numbers);
extern void vs_bm25_unpack16(const uint8 *bytes, int n, uint16 base, int width,
							 uint16 *numbers);

/* Replace gaps by what they lead to from "previous": sums modulo 2^32. */
extern void vs_bm25_add_up(uint32 *numbers, int n, uint32 previous);

#endif							/* VS_BM25_PACKING_H */
