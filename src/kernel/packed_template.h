/*
 * packed_template.h
 *		Dot products of an int8 query with packed codes, written once.
 *
 * Companion of code_template.h, included the same way.  README.md, "Packed
 * codes", has the idea.
 *
 * Parameters:
 *	PACKED_MAX_NBYTES	bytes of codes that packed_sums takes at once, so many
 *						that its 16-bit sums hold
 *	void packed_sums(int nbytes, const uint8 *tables, const uint8 *block,
 *					 int32 *sums)
 *						add to the sums of 32 codes what nbytes chunks look up
 *	void packed_tables(const uint8 *weights, const uint8 *negatives,
 *					   uint8 *tables)
 *						the two tables of a byte whose bits weigh so much,
 *						modulo 256: entry u is the sum of the weights of its
 *						bits, and of all four negatives
 */
#include "kernel/kernel.h"
#include "kernel/packed.h"

/* Bytes of the two tables that a byte of a code looks up. */
#define TABLES_NBYTES 32

/* Bytes of codes whose tables are prepared at a time. */
#define PREPARED_NBYTES 64

/*
 * What the bits of elements weigh, and what must be added lest an entry is
 * negative, for a multiple of 8 bits: elements from n on weigh nothing.
 */
static pg_attribute_always_inline void
weigh_bits(int bits, int n, const int8 *restrict query,
		   uint8 *restrict weights, uint8 *restrict negatives)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < bits; k++)
		{
			weights[i * bits + k] = (uint8) (query[i] << k);
			negatives[i * bits + k] = (uint8) (Max(-query[i], 0) << k);
		}
	for (int i = n * bits; i % 8 != 0; i++)
		weights[i] = negatives[i] = 0;
}

/* Prepare the tables of all bytes of a code; returns what they have too much. */
static pg_attribute_always_inline int32
prepare_tables_of_bits(int bits, int dim, const int8 *query, uint8 *tables)
{
	const int	step = PREPARED_NBYTES * 8 / bits;
	int32		negative = 0;

	for (int begin = 0; begin < dim; begin += step)
	{
		int			n = Min(step, dim - begin);
		uint8		weights[PREPARED_NBYTES * 8];
		uint8		negatives[PREPARED_NBYTES * 8];

		weigh_bits(bits, n, query + begin, weights, negatives);
		for (int b = 0; b * 8 < n * bits; b++)
		{
			packed_tables(weights + b * 8, negatives + b * 8, tables);
			tables += TABLES_NBYTES;
		}
		for (int i = begin; i < begin + n; i++)
			negative += Max(-query[i], 0);
	}
	return negative * ((1 << bits) - 1);
}

/*
 * Of 4 bits products take more than a byte.  An element is split into 16 * a + b,
 * |b| at most 8, and there are tables of all b, then of all a.
 */
static int32
prepare_split_tables(int dim, const int8 *query, uint8 *tables)
{
	int8		a[VS_CODE_MAX_DIM];
	int8		b[VS_CODE_MAX_DIM];
	int32		bias;

	for (int i = 0; i < dim; i++)
	{
		a[i] = (int8) ((query[i] + 8) >> 4);
		b[i] = (int8) (query[i] - 16 * a[i]);
	}
	bias = prepare_tables_of_bits(4, dim, b, tables);
	return bias + 16 * prepare_tables_of_bits(4, dim, a, tables +
											  vs_code_nbytes(4, dim) * TABLES_NBYTES);
}

/* Add what all chunks of a block look up. */
static inline void
sum_chunks(int nbytes, const uint8 *tables, const uint8 *block, int32 *sums)
{
	for (int b = 0; b < nbytes; b += PACKED_MAX_NBYTES)
		packed_sums(Min(nbytes - b, PACKED_MAX_NBYTES),
					tables + (size_t) b * TABLES_NBYTES,
					block + vs_packed_nbytes(b), sums);
}

/* Functions of VsKernel */

static int32
prepare_tables(int bits, int dim, const int8 *query, uint8 *tables)
{
	switch (bits)
	{
		case 1:
			return prepare_tables_of_bits(1, dim, query, tables);
		case 2:
			return prepare_tables_of_bits(2, dim, query, tables);
		default:
			return prepare_split_tables(dim, query, tables);
	}
}

static void
packed_dots(int bits, int dim, const uint8 *tables, int32 bias,
			const uint8 *block, int32 *dots)
{
	int			nbytes = (int) vs_code_nbytes(bits, dim);

	for (int j = 0; j < VS_PACKED_NCODES; j++)
		dots[j] = 0;
	if (bits == 4)
	{
		sum_chunks(nbytes, tables + (size_t) nbytes * TABLES_NBYTES, block, dots);
		for (int j = 0; j < VS_PACKED_NCODES; j++)
			dots[j] *= 16;
	}
	sum_chunks(nbytes, tables, block, dots);
	for (int j = 0; j < VS_PACKED_NCODES; j++)
		dots[j] -= bias;
}
