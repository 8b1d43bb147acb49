/*
 * bm25_posting.c
 *		Blocks of postings as bytes.
 *
 *	block:	uint8 n - 1
 *			uint8 width of gaps: a doc less the one before, less 1
 *			packed gaps
 *			uint8 flags
 *			uint8 for each label that the flags have: tf's width, and its base
 *			uint8 width of lengths, unless LENS_EQUAL
 *			varint of the least length
 *			packed tfs, less base, for each label that the flags have
 *			packed lengths, less the least
 *
 * "Packed" is of bm25_packing.h.
 */
#include "c.h"

#include "bm25/bm25_packing.h"
#include "bm25/bm25_posting.h"
#include "bm25/bm25_varint.h"

/* Flags: the lowest BM25_LABELS bits are labels that occur. */
#define ONES		0x10		/* none of them; tf of label D is always 1 */
#define LENS_EQUAL	0x20
#define ALL_FLAGS	0x3F

/* With a label's width: its base is 1, and not 0. */
#define BASE_ONE	0x80

/* What precedes the packed numbers behind the docs. */
typedef struct RestHeader
{
	uint8		flags;
	uint8		tf_width[BM25_LABELS];
	uint8		tf_base[BM25_LABELS];
	uint8		len_width;
	uint32		min_len;
} RestHeader;

static int
encode_docs(const VsBm25Block *block, int64 previous_doc, uint8 *bytes)
{
	uint32		gaps[BM25_BLOCK_POSTINGS];
	uint32		bits = 0;
	int			width;

	for (int i = 0; i < block->n; i++)
	{
		Assert((int64) block->docs[i] > previous_doc);
		gaps[i] = (uint32) (block->docs[i] - previous_doc - 1);
		bits |= gaps[i];
		previous_doc = block->docs[i];
	}
	width = vs_bm25_width(bits);
	bytes[0] = block->n - 1;
	bytes[1] = width;
	vs_bm25_pack32(gaps, block->n, 0, width, bytes + 2);
	return 2 + vs_bm25_packed_nbytes(block->n, width);
}

/* Choose how the tfs of a label are packed. */
static void
measure_label(const VsBm25Block *block, int label, RestHeader *header)
{
	uint16		least = PG_UINT16_MAX;
	uint16		largest = 0;

	for (int i = 0; i < block->n; i++)
	{
		least = Min(least, block->tfs[label][i]);
		largest = Max(largest, block->tfs[label][i]);
	}
	if (largest > 0)
		header->flags |= 1 << label;
	header->tf_base[label] = Min(least, 1);
	header->tf_width[label] = vs_bm25_width(largest - header->tf_base[label]);
}

static void
measure_rest(const VsBm25Block *block, RestHeader *header)
{
	uint32		largest = 0;

	header->flags = 0;
	for (int label = 0; label < BM25_LABELS; label++)
		measure_label(block, label, header);
	if (header->flags == 1 && header->tf_base[0] == 1 && header->tf_width[0] == 0)
		header->flags = ONES;

	header->min_len = PG_UINT32_MAX;
	for (int i = 0; i < block->n; i++)
	{
		header->min_len = Min(header->min_len, block->lens[i]);
		largest = Max(largest, block->lens[i]);
	}
	header->len_width = vs_bm25_width(largest - header->min_len);
	if (header->len_width == 0)
		header->flags |= LENS_EQUAL;
}

static uint8 *
put_rest_header(const RestHeader *header, uint8 *p)
{
	*p++ = header->flags;
	for (int label = 0; label < BM25_LABELS; label++)
		if (header->flags & (1 << label))
			*p++ = header->tf_width[label] |
				(header->tf_base[label] == 1 ? BASE_ONE : 0);
	if (!(header->flags & LENS_EQUAL))
		*p++ = header->len_width;
	return vs_bm25_put_varint(p, header->min_len);
}

int
vs_bm25_block_encode(const VsBm25Block *block, int64 previous_doc, uint8 *bytes)
{
	uint8	   *p = bytes + encode_docs(block, previous_doc, bytes);
	int			n = block->n;
	RestHeader	header;

	Assert(n >= 1 && n <= BM25_BLOCK_POSTINGS);
	measure_rest(block, &header);
	p = put_rest_header(&header, p);
	for (int label = 0; label < BM25_LABELS; label++)
		if (header.flags & (1 << label))
		{
			vs_bm25_pack16(block->tfs[label], n, header.tf_base[label],
						   header.tf_width[label], p);
			p += vs_bm25_packed_nbytes(n, header.tf_width[label]);
		}
	vs_bm25_pack32(block->lens, n, header.min_len, header.len_width, p);
	p += vs_bm25_packed_nbytes(n, header.len_width);
	Assert(p - bytes <= BM25_BLOCK_MAX_NBYTES);
	return (int) (p - bytes);
}

/* Read n and the width of gaps; the bytes they take in all, or 0 if corrupt. */
static int
get_docs_header(const uint8 *bytes, int nbytes, int *n, int *width)
{
	int			docs_nbytes;

	if (nbytes < 2)
		return 0;
	*n = bytes[0] + 1;
	*width = bytes[1];
	if (*n > BM25_BLOCK_POSTINGS || *width > 32)
		return 0;
	docs_nbytes = 2 + vs_bm25_packed_nbytes(*n, *width);
	return docs_nbytes <= nbytes ? docs_nbytes : 0;
}

bool
vs_bm25_block_decode_docs(const uint8 *bytes, int nbytes, int64 previous_doc,
						  VsBm25Block *block)
{
	int			n;
	int			width;

	block->n = 0;
	if (get_docs_header(bytes, nbytes, &n, &width) == 0)
		return false;
	vs_bm25_unpack32(bytes + 2, n, 1, width, block->docs);
	vs_bm25_add_up(block->docs, n, (uint32) previous_doc);

	/* Sums begin anew at 2^32. */
	if (previous_doc + ((int64) n << width) > PG_UINT32_MAX)
		for (int i = 0; i < n; i++)
		{
			if ((int64) block->docs[i] <= previous_doc)
				return false;
			previous_doc = block->docs[i];
		}
	block->n = n;
	return true;
}

/* Returns the byte behind it, NULL if corrupt. */
static const uint8 *
get_rest_header(const uint8 *p, const uint8 *end, RestHeader *header)
{
	if (p >= end)
		return NULL;
	header->flags = *p++;
	if (header->flags & ~ALL_FLAGS)
		return NULL;
	for (int label = 0; label < BM25_LABELS; label++)
	{
		header->tf_width[label] = 0;
		header->tf_base[label] = 0;
		if (!(header->flags & (1 << label)))
			continue;
		if (p >= end)
			return NULL;
		header->tf_base[label] = *p & BASE_ONE ? 1 : 0;
		header->tf_width[label] = *p++ & ~BASE_ONE;
		if (header->tf_width[label] > 16)
			return NULL;
	}
	if (header->flags & ONES)
		header->tf_base[0] = 1;
	header->len_width = 0;
	if (!(header->flags & LENS_EQUAL))
	{
		if (p >= end || *p > 32)
			return NULL;
		header->len_width = *p++;
	}
	return vs_bm25_get_varint(p, end, &header->min_len);
}

bool
vs_bm25_block_decode_rest(const uint8 *bytes, int nbytes, VsBm25Block *block)
{
	const uint8 *end = bytes + nbytes;
	const uint8 *p;
	RestHeader	header;
	int			n;
	int			width;
	int			packed_nbytes;

	packed_nbytes = get_docs_header(bytes, nbytes, &n, &width);
	if (packed_nbytes == 0 || n != block->n)
		return false;
	p = get_rest_header(bytes + packed_nbytes, end, &header);
	if (p == NULL)
		return false;
	packed_nbytes = vs_bm25_packed_nbytes(n, header.len_width);
	for (int label = 0; label < BM25_LABELS; label++)
		packed_nbytes += vs_bm25_packed_nbytes(n, header.tf_width[label]);
	if (packed_nbytes != end - p)
		return false;

	for (int label = 0; label < BM25_LABELS; label++)
	{
		vs_bm25_unpack16(p, n, header.tf_base[label], header.tf_width[label],
						 block->tfs[label]);
		p += vs_bm25_packed_nbytes(n, header.tf_width[label]);
	}
	vs_bm25_unpack32(p, n, header.min_len, header.len_width, block->lens);
	return true;
}
