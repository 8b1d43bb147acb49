/*
 * hnsw_numbers.h
 *		Lists of numbers of nodes, upper records or blocks.
 */
#ifndef VS_HNSW_NUMBERS_H
#define VS_HNSW_NUMBERS_H

#include "postgres.h"

/* A list of numbers, in the current memory context of its first addition. */
typedef struct VsHnswNumbers
{
	uint32		n;
	uint32		capacity;
	uint32	   *items;
} VsHnswNumbers;

extern void vs_hnsw_numbers_add(VsHnswNumbers *numbers, uint32 number);

/* Whether a list in ascending order holds a number. */
extern bool vs_hnsw_numbers_contain(const VsHnswNumbers *numbers, uint32 number);

#endif							/* VS_HNSW_NUMBERS_H */
