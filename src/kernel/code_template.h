/*
 * code_template.h
 *		Dot products of an int8 query with packed codes, written once.
 *
 * Companion of kernel_template.h, included the same way.  A code is read in
 * blocks as wide as a vector; README.md, "Prepared queries", pictures how the
 * query is arranged so that a block needs no more than shifts and masks.
 *
 * Parameters:
 *	CODE_BLOCK_NBYTES		bytes of a code in a block, up to 64
 *	CODE_ACCUMULATORS		independent sums of a loop, up to 4
 *	CodeSum					sums of products in int32 lanes
 *	CodeSum code_sum_zero(void)
 *	CodeSum code_sum_add(CodeSum, CodeSum)
 *	int32 code_sum_total(int bits, CodeSum)	sum of all lanes
 *	CodeSum code_block_accumulate(int bits, CodeSum, const uint8 *code, int n,
 *								  const int8 *query)
 *						add the products of a block and its part of the query;
 *						n is CODE_BLOCK_NBYTES, or less where the whole code is
 */
#include "kernel/kernel.h"

/* Elements of a query that meet one block, in planes of CODE_BLOCK_NBYTES. */
static pg_attribute_always_inline void
prepare_block(int bits, const int8 *query, int8 *prepared)
{
	const int	nplanes = 8 / bits;

	for (int plane = 0; plane < nplanes; plane++)
		for (int i = 0; i < CODE_BLOCK_NBYTES; i++)
			*prepared++ = query[i * nplanes + plane];
}

/* Arrange a query: its blocks one after another. */
static pg_attribute_always_inline void
prepare_query_of_bits(int bits, int dim, const int8 *query, int8 *prepared)
{
	const int	nplanes = 8 / bits;
	const int	block_dim = CODE_BLOCK_NBYTES * nplanes;
	int			i = 0;

	for (; i + block_dim <= dim; i += block_dim)
		prepare_block(bits, query + i, prepared + i);
	if (i < dim)
	{
		int8		rest[CODE_BLOCK_NBYTES * 8] = {0};
		int			nbytes = (int) vs_code_nbytes(bits, dim);
		int			nrepeated = 0;

		/* The last block ends where the code ends, repeating some bytes. */
		if (nbytes >= CODE_BLOCK_NBYTES)
			nrepeated = i / nplanes + CODE_BLOCK_NBYTES - nbytes;
		memcpy(rest + nrepeated * nplanes, query + i, dim - i);
		prepare_block(bits, rest, prepared + i);
	}
}

/*
 * The query that a block of a code becomes, without a permutation: elements of
 * a plane are where the query's are.
 */
static pg_attribute_always_inline void
prepare_code_block(int bits, const uint8 *code, int8 *prepared)
{
	const int	top = (1 << bits) - 1;

	for (int shift = 0; shift < 8; shift += bits)
		for (int i = 0; i < CODE_BLOCK_NBYTES; i++)
			*prepared++ = (int8) (2 * ((code[i] >> shift) & top) - top);
}

/*
 * Arrange a code as a query.  Elements beyond dim are not zero, but meet those
 * of codes, which are.
 */
static pg_attribute_always_inline void
prepare_code_of_bits(int bits, int dim, const uint8 *code, int8 *prepared)
{
	const int	nplanes = 8 / bits;
	int			nbytes = (int) vs_code_nbytes(bits, dim);
	int			i = 0;

	for (; i + CODE_BLOCK_NBYTES <= nbytes; i += CODE_BLOCK_NBYTES)
		prepare_code_block(bits, code + i, prepared + i * nplanes);
	if (i < nbytes)
	{
		uint8		rest[CODE_BLOCK_NBYTES] = {0};
		int			nrepeated = 0;

		/* As in prepare_query_of_bits. */
		prepared += i * nplanes;
		if (nbytes >= CODE_BLOCK_NBYTES)
			nrepeated = i + CODE_BLOCK_NBYTES - nbytes;
		memcpy(rest + nrepeated, code + i, nbytes - i);
		prepare_code_block(bits, rest, prepared);
		for (int plane = 0; plane < nplanes; plane++)
			memset(prepared + plane * CODE_BLOCK_NBYTES, 0, nrepeated);
	}
}

/* Sum of the elements in eight bytes of a code. */
static pg_attribute_always_inline int32
sum_of_word(int bits, uint64 u)
{
	/* Neighbours are added up until there is one sum in each byte. */
	if (bits == 1)
		u = (u & UINT64CONST(0x5555555555555555)) +
			((u >> 1) & UINT64CONST(0x5555555555555555));
	if (bits <= 2)
		u = (u & UINT64CONST(0x3333333333333333)) +
			((u >> 2) & UINT64CONST(0x3333333333333333));
	u = (u & UINT64CONST(0x0f0f0f0f0f0f0f0f)) +
		((u >> 4) & UINT64CONST(0x0f0f0f0f0f0f0f0f));
	return (u * UINT64CONST(0x0101010101010101)) >> 56;
}

/* Sum of a code's elements. */
static pg_attribute_always_inline int32
sum_of_code(int bits, size_t nbytes, const uint8 *code)
{
	uint64		u;
	int32		sum = 0;
	size_t		i = 0;

	for (; i + sizeof(u) <= nbytes; i += sizeof(u))
	{
		memcpy(&u, code + i, sizeof(u));
		sum += sum_of_word(bits, u);
	}
	u = 0;
	memcpy(&u, code + i, nbytes - i);
	return sum + sum_of_word(bits, u);
}

/* Dot product with one code of nbytes bytes. */
static pg_attribute_always_inline int32
code_dot(int bits, size_t nbytes, const int8 *query, const uint8 *code)
{
	const int	nplanes = 8 / bits;
	const size_t width = CODE_BLOCK_NBYTES;
	const size_t step = width * CODE_ACCUMULATORS;
	CodeSum		sums[CODE_ACCUMULATORS];
	size_t		i = 0;

#pragma GCC unroll 4
	for (int k = 0; k < CODE_ACCUMULATORS; k++)
		sums[k] = code_sum_zero();

	for (; i + step <= nbytes; i += step)
	{
#pragma GCC unroll 4
		for (int k = 0; k < CODE_ACCUMULATORS; k++)
		{
			size_t		at = i + k * width;

			sums[k] = code_block_accumulate(bits, sums[k], code + at, width,
											query + at * nplanes);
		}
	}
	for (; i + width <= nbytes; i += width)
		sums[0] = code_block_accumulate(bits, sums[0], code + i, width,
										query + i * nplanes);
	if (i < nbytes && nbytes >= width)
		sums[CODE_ACCUMULATORS - 1] =
			code_block_accumulate(bits, sums[CODE_ACCUMULATORS - 1],
								  code + nbytes - width, width,
								  query + i * nplanes);
	else if (i < nbytes)
		sums[0] = code_block_accumulate(bits, sums[0], code, nbytes, query);

#pragma GCC unroll 4
	for (int k = 1; k < CODE_ACCUMULATORS; k++)
		sums[0] = code_sum_add(sums[0], sums[k]);

	return code_sum_total(bits, sums[0]);
}

/* Dot products with all codes. */
static pg_attribute_always_inline void
code_dots_of_bits(int bits, int dim, const int8 *query, const uint8 *codes,
				  size_t stride, int ncodes, int32 *dots)
{
	size_t		nbytes = vs_code_nbytes(bits, dim);

	for (int j = 0; j < ncodes; j++)
		dots[j] = code_dot(bits, nbytes, query, codes + j * stride);
}

/* Functions of VsKernel: a loop of its own for each number of bits */

static void
prepare_code_query(int bits, int dim, const int8 *query, uint8 *prepared)
{
	int8	   *out = (int8 *) prepared;

	switch (bits)
	{
		case 1:
			prepare_query_of_bits(1, dim, query, out);
			break;
		case 2:
			prepare_query_of_bits(2, dim, query, out);
			break;
		case 4:
			prepare_query_of_bits(4, dim, query, out);
			break;
		case 8:
			prepare_query_of_bits(8, dim, query, out);
			break;
	}
}

static pg_attribute_always_inline int32
prepare_and_sum(int bits, int dim, const uint8 *code, int8 *prepared)
{
	prepare_code_of_bits(bits, dim, code, prepared);
	return 2 * sum_of_code(bits, vs_code_nbytes(bits, dim), code) -
		((1 << bits) - 1) * dim;
}

static int32
prepare_code(int bits, int dim, const uint8 *code, uint8 *prepared)
{
	int8	   *out = (int8 *) prepared;

	switch (bits)
	{
		case 1:
			return prepare_and_sum(1, dim, code, out);
		case 2:
			return prepare_and_sum(2, dim, code, out);
		default:
			return prepare_and_sum(4, dim, code, out);
	}
}

static void
code_dots(int bits, int dim, const uint8 *prepared, const uint8 *codes,
		  size_t stride, int ncodes, int32 *dots)
{
	const int8 *query = (const int8 *) prepared;

	switch (bits)
	{
		case 1:
			code_dots_of_bits(1, dim, query, codes, stride, ncodes, dots);
			break;
		case 2:
			code_dots_of_bits(2, dim, query, codes, stride, ncodes, dots);
			break;
		case 4:
			code_dots_of_bits(4, dim, query, codes, stride, ncodes, dots);
			break;
		case 8:
			code_dots_of_bits(8, dim, query, codes, stride, ncodes, dots);
			break;
	}
}
