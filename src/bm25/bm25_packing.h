/*
 * bm25_packing.h
 *		Arrays of small numbers, packed with few bits each; needs no server.
 *
 *	array:	uint8 width, | BM25_PATCHED if there are patches
 *			the lowest bits of all numbers, less a base
 *			uint8 bytes of patches, if there are any
 *			patches, for numbers that have more bits:
 *				uint8 which number
 *				varint of its higher bits
 *
 * The lowest bits of 128 numbers lie in lanes, for processors that work on several
 * numbers at once: lanes of 32 bits (number i is in lane i % 4) or of 16 (in lane
 * i % 8); a lane's numbers follow one another bit by bit in words as wide.  Those
 * of fewer numbers follow one another over the bytes, the lowest bits first.
 * Either takes as many bytes.
 */
#ifndef VS_BM25_PACKING_H
#define VS_BM25_PACKING_H

#include "c.h"

#include "bm25/bm25_posting.h"

#define BM25_PATCHED 0x80

/* The most bytes that an array of numbers of so many bits takes. */
#define BM25_ARRAY_MAX_NBYTES(nbits) (1 + BM25_BLOCK_POSTINGS * (nbits) / 8)

/* Put n numbers, 1 to 128 and none below base; returns the byte behind them. */
extern uint8 *vs_bm25_put_array32(uint8 *p, const uint32 *numbers, int n,
								  uint32 base);
extern uint8 *vs_bm25_put_array16(uint8 *p, const uint16 *numbers, int n,
								  uint16 base);

/*
 * The reverse; returns the byte behind them, NULL if they do not end before "end"
 * or make no sense.  Numbers are taken modulo what their type holds.
 */
extern const uint8 *vs_bm25_get_array32(const uint8 *p, const uint8 *end, int n,
										uint32 base, uint32 *numbers);
extern const uint8 *vs_bm25_get_array16(const uint8 *p, const uint8 *end, int n,
										uint16 base, uint16 *numbers);

/* Step over an array of n numbers, of 32 bits at most. */
extern const uint8 *vs_bm25_skip_array(const uint8 *p, const uint8 *end, int n);

/*
 * Replace gaps, less 1, by what they lead to from "previous" on; false if that is
 * beyond 32 bits.
 */
extern bool vs_bm25_add_up(uint32 *numbers, int n, int64 previous);

#endif							/* VS_BM25_PACKING_H */
