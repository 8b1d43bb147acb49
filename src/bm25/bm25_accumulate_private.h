/*
 * bm25_accumulate_private.h
 *		What adding rows to an inverted index and producing a run from it share.
 *
 * A hash table of lexemes, each with the bytes of its postings.  Most lexemes have
 * one or two: what each of them takes is what decides how many rows have room.
 * So lexemes and their bytes lie in an arena, where 4 bytes are an address.
 */
#ifndef VS_BM25_ACCUMULATE_PRIVATE_H
#define VS_BM25_ACCUMULATE_PRIVATE_H

#include "postgres.h"

#include "bm25/bm25_accumulate.h"

/* Addresses in the arena are those of its blocks, one after the other. */
#define BM25_ARENA_BLOCK_BITS	15
#define BM25_ARENA_BLOCK_NBYTES	(1 << BM25_ARENA_BLOCK_BITS)

typedef uint32 VsBm25Address;	/* 0 is none */

/* A lexeme.  Bytes of postings follow it, and then fill a chain of chunks. */
typedef struct VsBm25Entry
{
	VsBm25Address end;			/* where the next byte goes, if there is room */
	VsBm25Address chunks;		/* the first, or 0 */
	uint32		last_doc;
	uint32		npostings;
	uint16		nbytes;			/* of the lexeme */
	uint16		room;			/* bytes behind "end" */
	uint8		level;			/* of the last chunk; 0: there is none */
	char		lexeme[FLEXIBLE_ARRAY_MEMBER];
} VsBm25Entry;

/* Begins with the address of the next chunk, or 0. */
#define BM25_CHUNK_HEADER_NBYTES sizeof(VsBm25Address)

/* Bytes of a chunk by level; all that follow the last level are like it. */
#define BM25_MAX_LEVEL 13

extern const uint16 vs_bm25_chunk_nbytes[BM25_MAX_LEVEL + 1];

/* Bytes of postings that an entry has room for: so many to so many + 3. */
#define BM25_ENTRY_ROOM 5

typedef struct VsBm25Slot
{
	uint32		hash;
	VsBm25Address entry;		/* 0: the slot is free */
} VsBm25Slot;

/* A lexeme to sort: its first bytes as numbers that compare like them. */
typedef struct VsBm25SortKey
{
	uint64		first;
	uint32		second;
	VsBm25Address entry;
} VsBm25SortKey;

typedef struct VsBm25TidArray
{
	ItemPointerData *tids;
	uint32		n;
	uint32		capacity;
} VsBm25TidArray;

/* Bytes of a list's postings that lie together, and what follows them. */
typedef struct VsBm25Extent
{
	const uint8 *bytes;
	uint32		nbytes;
	VsBm25Address next;			/* chunk */
	int			level;			/* of the extent */
} VsBm25Extent;

struct VsBm25Accumulator
{
	MemoryContext rows;			/* of all that adding rows allocates */
	Size		memory;

	char	  **blocks;			/* the arena */
	uint32		nblocks;
	uint32		max_blocks;
	uint32		block_used;		/* bytes of the last block */

	VsBm25Slot *slots;
	uint32		nslots;			/* a power of two */
	uint32		nlexemes;

	VsBm25TidArray docs;
	VsBm25TidArray nulls;
	uint64		npostings;

	/* While the run is produced. */
	VsBm25SortKey *keys;
	uint32		next_key;
	const VsBm25Entry *entry;	/* the current lexeme, or NULL */
	VsBm25Extent extent;		/* what is still to come of the current one */
};

static inline char *
vs_bm25_address_bytes(const VsBm25Accumulator *a, VsBm25Address address)
{
	return a->blocks[address >> BM25_ARENA_BLOCK_BITS] +
		(address & (BM25_ARENA_BLOCK_NBYTES - 1));
}

static inline VsBm25Entry *
vs_bm25_get_entry(const VsBm25Accumulator *a, VsBm25Address address)
{
	return (VsBm25Entry *) vs_bm25_address_bytes(a, address);
}

/* Room of an entry, and the bytes of postings in it. */
static inline uint32
vs_bm25_entry_nbytes(uint32 nbytes)
{
	return TYPEALIGN(sizeof(VsBm25Address),
					 offsetof(VsBm25Entry, lexeme) + nbytes + BM25_ENTRY_ROOM);
}

static inline uint32
vs_bm25_entry_room(uint32 nbytes)
{
	return vs_bm25_entry_nbytes(nbytes) - offsetof(VsBm25Entry, lexeme) - nbytes;
}

#endif							/* VS_BM25_ACCUMULATE_PRIVATE_H */
