/*
 * bm25_packing.c
 *		Arrays of small numbers, packed with few bits each.
 *
 * Vectors are the compilers' own (gcc and clang): any processor has them.
 */
#include "c.h"

#include "bm25/bm25_packing.h"
#include "bm25/bm25_varint.h"
#include "port/pg_bitutils.h"

/*
 * A patch has to save so many bits more than it takes, as it costs time: about as
 * much as unpacking eight numbers does.
 */
#define PATCH_PENALTY 8

typedef uint32 Lanes32 __attribute__((vector_size(16)));
typedef uint16 Lanes16 __attribute__((vector_size(16)));

/* Bytes of the lowest bits of n numbers. */
static inline int
packed_nbytes(int n, int width)
{
	return (n * width + 7) / 8;
}

/* Bits that a number takes. */
static inline int
width_of(uint32 number)
{
	return number == 0 ? 0 : pg_leftmost_one_pos32(number) + 1;
}

/*
 * The width at which n numbers take least, patches included; counts[] says how
 * many have each width.
 */
static int
choose_width(const int *counts, int largest, int n)
{
	int			best = largest;
	int			best_cost = largest * n;
	int			npatches = 0;

	for (int width = largest - 1; width >= 0; width--)
	{
		int			cost = width * n + 8;
		int			nbytes = 0;

		/* There will not be fewer patches, and each has two bytes or more. */
		npatches += counts[width + 1];
		if (npatches * (16 + PATCH_PENALTY) >= best_cost)
			break;
		for (int above = width + 1; above <= largest; above++)
			nbytes += counts[above] * (1 + (above - width + 6) / 7);
		cost += 8 * nbytes + PATCH_PENALTY * npatches;
		if (nbytes <= PG_UINT8_MAX && cost < best_cost)
		{
			best_cost = cost;
			best = width;
		}
	}
	return best;
}

/* Numbers follow one another over the bytes, the lowest bits first. */
typedef struct BitWriter
{
	uint8	   *p;
	uint64		bits;			/* that are not written yet */
	int			nbits;
} BitWriter;

static inline void
put_bits(BitWriter *writer, uint32 number, int width)
{
	writer->bits |= (uint64) number << writer->nbits;
	for (writer->nbits += width; writer->nbits >= 8; writer->nbits -= 8)
	{
		*writer->p++ = (uint8) writer->bits;
		writer->bits >>= 8;
	}
}

static inline void
put_last_bits(BitWriter *writer)
{
	if (writer->nbits > 0)
		*writer->p++ = (uint8) writer->bits;
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
#ifdef WORDS_BIGENDIAN
	return get_last_bytes(bytes, sizeof(uint64), 0);
#else
	uint64		result;

	memcpy(&result, bytes, sizeof(result));
	return result;
#endif
}

/* How many of the first numbers have 8 bytes from the one where they begin on. */
static inline int
count_far_from_end(int n, int width)
{
	int			nbits = packed_nbytes(n, width) * 8 - 64;

	return nbits < 0 ? 0 : Min(nbits / width + 1, n);
}

#define NUMBER uint32
#define NUMBERS Lanes32
#define NBITS 32
#define PUT_ARRAY vs_bm25_put_array32
#define GET_ARRAY vs_bm25_get_array32
#define NAME(function) function##32
#include "bm25/bm25_packing_template.h"

#define NUMBER uint16
#define NUMBERS Lanes16
#define NBITS 16
#define PUT_ARRAY vs_bm25_put_array16
#define GET_ARRAY vs_bm25_get_array16
#define NAME(function) function##16
#include "bm25/bm25_packing_template.h"

const uint8 *
vs_bm25_skip_array(const uint8 *p, const uint8 *end, int n)
{
	int			width;
	bool		is_patched;

	if (p >= end)
		return NULL;
	width = *p & ~BM25_PATCHED;
	is_patched = (*p++ & BM25_PATCHED) != 0;
	if (width > 32 || packed_nbytes(n, width) + is_patched > end - p)
		return NULL;
	p += packed_nbytes(n, width);
	if (is_patched)
		p += 1 + *p;
	return p <= end ? p : NULL;
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

/* Whether numbers ascend from "previous" on. */
static bool
is_ascending(const uint32 *numbers, int n, int64 previous)
{
	for (int i = 0; i < n; i++)
	{
		if ((int64) numbers[i] <= previous)
			return false;
		previous = numbers[i];
	}
	return true;
}

bool
vs_bm25_add_up(uint32 *numbers, int n, int64 previous)
{
	Lanes32		last = {0};
	Lanes32		bits = {0};
	uint32		sum;
	int			i = 0;

	last += (uint32) previous;
	for (; i + 4 <= n; i += 4)
	{
		Lanes32		sums;

		memcpy(&sums, numbers + i, sizeof(sums));
		bits |= sums;
		sums += 1;
		sums += move_up_1(sums);
		sums += move_up_2(sums);
		sums += last;
		memcpy(numbers + i, &sums, sizeof(sums));
		last = last_lane(sums);
	}
	sum = last[0];
	for (; i < n; i++)
	{
		bits |= numbers[i];
		sum = numbers[i] += sum + 1;
	}

	/* Gaps that are small enough cannot have gone beyond. */
	if (previous + n * (1 + (int64) (bits[0] | bits[1] | bits[2] | bits[3])) <=
		PG_UINT32_MAX)
		return true;
	return is_ascending(numbers, n, previous);
}
