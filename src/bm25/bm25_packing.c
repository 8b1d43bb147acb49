/*
 * bm25_packing.c
 *		Arrays of small numbers, packed with as many bits each as the largest
 *		needs.
 *
 * Vectors are the compilers' own (gcc and clang): any processor has them.
 */
#include "c.h"

#include "bm25/bm25_packing.h"

typedef uint32 Lanes32 __attribute__((vector_size(16)));
typedef uint16 Lanes16 __attribute__((vector_size(16)));

#define PACK pack_lanes32
#define UNPACK unpack_lanes32
#define UNPACK_ROW unpack_row32
#define NUMBER uint32
#define LANES Lanes32
#define NBITS 32
#include "bm25/bm25_lanes_template.h"

#define PACK pack_lanes16
#define UNPACK unpack_lanes16
#define UNPACK_ROW unpack_row16
#define NUMBER uint16
#define LANES Lanes16
#define NBITS 16
#include "bm25/bm25_lanes_template.h"

/* Put a number at a bit; bytes that it reaches first are zeroed. */
static void
put_bits(uint8 *bytes, int bit, int width, uint32 number)
{
	uint64		rest = (uint64) number << (bit % 8);
	int			end = vs_bm25_packed_nbytes(1, bit + width);

	for (int i = bit / 8; i < end; i++)
	{
		if (i > bit / 8 || bit % 8 == 0)
			bytes[i] = 0;
		bytes[i] |= (uint8) rest;
		rest >>= 8;
	}
}

/* The 8 bytes from "offset" on, or as many as there are. */
static inline uint64
get_last_bytes(const uint8 *bytes, int nbytes, int offset)
{
	uint64		result = 0;

	for (int i = Min(nbytes - offset, (int) sizeof(result)) - 1; i >= 0; i--)
		result = result << 8 | bytes[offset + i];
	return result;
}

/* 8 bytes as a number. */
static inline uint64
get_bytes(const uint8 *bytes)
{
	uint64		result;

#ifdef WORDS_BIGENDIAN
	return get_last_bytes(bytes, sizeof(result), 0);
#else
	memcpy(&result, bytes, sizeof(result));
	return result;
#endif
}

/* How many of the first numbers have 8 bytes from the one where they begin on. */
static inline int
count_far_from_end(int n, int width)
{
	int			nbits = vs_bm25_packed_nbytes(n, width) * 8 - 64;

	return nbits < 0 ? 0 : Min(nbits / width + 1, n);
}

void
vs_bm25_pack32(const uint32 *numbers, int n, uint32 base, int width, uint8 *bytes)
{
	Assert(n >= 1 && n <= BM25_BLOCK_POSTINGS && width <= 32);
	if (n == BM25_BLOCK_POSTINGS)
		pack_lanes32(numbers, base, width, bytes);
	else
		for (int i = 0; i < n; i++)
			put_bits(bytes, i * width, width, numbers[i] - base);
}

void
vs_bm25_pack16(const uint16 *numbers, int n, uint16 base, int width, uint8 *bytes)
{
	Assert(n >= 1 && n <= BM25_BLOCK_POSTINGS && width <= 16);
	if (n == BM25_BLOCK_POSTINGS)
		pack_lanes16(numbers, base, width, bytes);
	else
		for (int i = 0; i < n; i++)
			put_bits(bytes, i * width, width, (uint16) (numbers[i] - base));
}

void
vs_bm25_unpack32(const uint8 *bytes, int n, uint32 base, int width,
				 uint32 *numbers)
{
	uint64		mask = (UINT64CONST(1) << width) - 1;
	int			i = 0;

	Assert(n >= 1 && n <= BM25_BLOCK_POSTINGS && width <= 32);
	if (n == BM25_BLOCK_POSTINGS)
		unpack_lanes32(bytes, base, width, numbers);
	else if (width == 0)
		for (; i < n; i++)
			numbers[i] = base;
	else
	{
		int			nfar = count_far_from_end(n, width);
		int			nbytes = vs_bm25_packed_nbytes(n, width);

		for (; i < nfar; i++)
			numbers[i] = base +
				(get_bytes(bytes + i * width / 8) >> i * width % 8 & mask);
		for (; i < n; i++)
			numbers[i] = base + (get_last_bytes(bytes, nbytes, i * width / 8) >>
								 i * width % 8 & mask);
	}
}

void
vs_bm25_unpack16(const uint8 *bytes, int n, uint16 base, int width,
				 uint16 *numbers)
{
	uint64		mask = (UINT64CONST(1) << width) - 1;
	int			i = 0;

	Assert(n >= 1 && n <= BM25_BLOCK_POSTINGS && width <= 16);
	if (n == BM25_BLOCK_POSTINGS)
		unpack_lanes16(bytes, base, width, numbers);
	else if (width == 0)
		for (; i < n; i++)
			numbers[i] = base;
	else
	{
		int			nfar = count_far_from_end(n, width);
		int			nbytes = vs_bm25_packed_nbytes(n, width);

		for (; i < nfar; i++)
			numbers[i] = base +
				(get_bytes(bytes + i * width / 8) >> i * width % 8 & mask);
		for (; i < n; i++)
			numbers[i] = base + (get_last_bytes(bytes, nbytes, i * width / 8) >>
								 i * width % 8 & mask);
	}
}

/* A vector whose lanes are moved up by one or two; or are all the last one. */
#if defined(__clang__) || __GNUC__ >= 12
#define move_up_1(x) __builtin_shufflevector((Lanes32) {0}, x, 0, 4, 5, 6)
#define move_up_2(x) __builtin_shufflevector((Lanes32) {0}, x, 0, 1, 4, 5)
#define last_lane(x) __builtin_shufflevector(x, x, 3, 3, 3, 3)
#else
#define move_up_1(x) __builtin_shuffle((Lanes32) {0}, x, (Lanes32) {0, 4, 5, 6})
#define move_up_2(x) __builtin_shuffle((Lanes32) {0}, x, (Lanes32) {0, 1, 4, 5})
#define last_lane(x) __builtin_shuffle(x, (Lanes32) {3, 3, 3, 3})
#endif

void
vs_bm25_add_up(uint32 *numbers, int n, uint32 previous)
{
	Lanes32		last = {previous, previous, previous, previous};
	int			i = 0;

	for (; i + 4 <= n; i += 4)
	{
		Lanes32		sums;

		memcpy(&sums, numbers + i, sizeof(sums));
		sums += move_up_1(sums);
		sums += move_up_2(sums);
		sums += last;
		memcpy(numbers + i, &sums, sizeof(sums));
		last = last_lane(sums);
	}
	for (previous = last[0]; i < n; i++)
		previous = numbers[i] += previous;
}
