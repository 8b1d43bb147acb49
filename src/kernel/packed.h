/*
 * packed.h
 *		Blocks of 32 codes, packed so that they are scored together.
 *
 * Byte b of all codes becomes chunk b of the block, 32 bytes.  Its halves hold
 * the low and the high four bits of these bytes, each byte those of two codes:
 *
 *	chunk[j]		low bits of code j | low bits of code j + 16, shifted by 4
 *	chunk[16 + j]	high bits of code j | high bits of code j + 16, likewise
 *
 * Four bits are an index into a table of 16 bytes, which is what one
 * instruction looks up for 16 or more codes.  See README.md, "Packed codes".
 */
#ifndef VS_PACKED_H
#define VS_PACKED_H

#include "c.h"

#define VS_PACKED_NCODES 32

/* Bytes of a block of codes of nbytes bytes each. */
#define vs_packed_nbytes(nbytes) ((size_t) VS_PACKED_NCODES * (nbytes))

/* Pack 32 codes, row-major, into a block, which must not overlap them. */
extern void vs_packed_fill(size_t nbytes, const uint8 *codes, uint8 *block);

/* Write code i of a block, and read it. */
extern void vs_packed_set(size_t nbytes, uint8 *block, int i,
						  const uint8 *code);
extern void vs_packed_get(size_t nbytes, const uint8 *block, int i,
						  uint8 *code);

#endif							/* VS_PACKED_H */
