/*
 * bm25_posting.c
 *		Blocks of postings as bytes.
 *
 *	block:	uint8 n - 1
 *			array of n gaps, less 1: a doc less the one before
 *			uint8 flags
 *			array of n tfs, less their base, for each label that the flags say
 *			varint of the least length
 *			array of n lengths, less the least, if n is above 1
 *
 * Arrays are those of bm25_packing.h.  Bit i of the flags says that there are tfs
 * of label i, bit BM25_LABELS + i that their base is 1, and not 0.  Where there
 * are none, all are the base.
 */
#include "c.h"

#include "bm25/bm25_packing.h"
#include "bm25/bm25_posting.h"
#include "bm25/bm25_varint.h"

StaticAssertDecl(BM25_BLOCK_MAX_NBYTES >= 2 +
				 2 * BM25_ARRAY_MAX_NBYTES(32) +
				 BM25_LABELS * BM25_ARRAY_MAX_NBYTES(16) +
				 BM25_VARINT_MAX_NBYTES, "a block's largest parts");

static uint8 *
put_docs(uint8 *p, const VsBm25Block *block, int64 previous_doc)
{
	uint32		gaps[BM25_BLOCK_POSTINGS];

	for (int i = 0; i < block->n; i++)
	{
		Assert((int64) block->docs[i] > previous_doc);
		gaps[i] = (uint32) (block->docs[i] - previous_doc - 1);
		previous_doc = block->docs[i];
	}
	return vs_bm25_put_array32(p, gaps, block->n, 0);
}

/* What the flags say of a label. */
static uint8
label_flags(const VsBm25Block *block, int label)
{
	uint16		least = PG_UINT16_MAX;
	uint16		largest = 0;
	int			base;

	for (int i = 0; i < block->n; i++)
	{
		least = Min(least, block->tfs[label][i]);
		largest = Max(largest, block->tfs[label][i]);
	}
	base = Min(least, 1);
	return base << (BM25_LABELS + label) | (largest > base ? 1 << label : 0);
}

static uint8 *
put_tfs(uint8 *p, const VsBm25Block *block)
{
	uint8	   *flags = p++;

	*flags = 0;
	for (int label = 0; label < BM25_LABELS; label++)
	{
		*flags |= label_flags(block, label);
		if (*flags & (1 << label))
			p = vs_bm25_put_array16(p, block->tfs[label], block->n,
									*flags >> (BM25_LABELS + label) & 1);
	}
	return p;
}

static uint8 *
put_lens(uint8 *p, const VsBm25Block *block)
{
	uint32		least = PG_UINT32_MAX;

	for (int i = 0; i < block->n; i++)
		least = Min(least, block->lens[i]);
	p = vs_bm25_put_varint(p, least);
	return block->n == 1 ? p : vs_bm25_put_array32(p, block->lens, block->n, least);
}

int
vs_bm25_block_encode(const VsBm25Block *block, int64 previous_doc, uint8 *bytes)
{
	uint8	   *p = bytes;

	Assert(block->n >= 1 && block->n <= BM25_BLOCK_POSTINGS);
	*p++ = block->n - 1;
	p = put_docs(p, block, previous_doc);
	p = put_tfs(p, block);
	p = put_lens(p, block);
	Assert(p - bytes <= BM25_BLOCK_MAX_NBYTES);
	return (int) (p - bytes);
}

bool
vs_bm25_block_decode_docs(const uint8 *bytes, int nbytes, int64 previous_doc,
						  VsBm25Block *block)
{
	int			n;

	block->n = 0;
	if (nbytes < 1 || bytes[0] >= BM25_BLOCK_POSTINGS)
		return false;
	n = bytes[0] + 1;
	if (vs_bm25_get_array32(bytes + 1, bytes + nbytes, n, 0, block->docs) == NULL ||
		!vs_bm25_add_up(block->docs, n, previous_doc))
		return false;
	block->n = n;
	return true;
}

/* Returns the byte behind them, NULL if corrupt. */
static const uint8 *
get_tfs(const uint8 *p, const uint8 *end, VsBm25Block *block)
{
	uint8		flags;

	if (p >= end)
		return NULL;
	flags = *p++;
	for (int label = 0; label < BM25_LABELS && p != NULL; label++)
	{
		uint16	   *tfs = block->tfs[label];
		uint16		base = flags >> (BM25_LABELS + label) & 1;

		if (flags & (1 << label))
			p = vs_bm25_get_array16(p, end, block->n, base, tfs);
		else
			for (int i = 0; i < BM25_BLOCK_POSTINGS; i++)
				tfs[i] = base;
	}
	return p;
}

bool
vs_bm25_block_decode_rest(const uint8 *bytes, int nbytes, VsBm25Block *block)
{
	const uint8 *end = bytes + nbytes;
	const uint8 *p;
	uint32		least;

	if (nbytes < 1 || bytes[0] + 1 != block->n)
		return false;
	p = vs_bm25_skip_array(bytes + 1, end, block->n);
	if (p == NULL)
		return false;
	p = get_tfs(p, end, block);
	p = vs_bm25_get_varint(p, end, &least);
	if (p == NULL)
		return false;
	if (block->n == 1)
		block->lens[0] = least;
	else
		p = vs_bm25_get_array32(p, end, block->n, least, block->lens);
	return p == end;
}
