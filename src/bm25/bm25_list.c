/*
 * bm25_list.c
 *		What the dictionary says of a lexeme, as bytes.
 */
#include "postgres.h"

#include "bm25/bm25_bounds.h"
#include "bm25/bm25_dict.h"
#include "bm25/bm25_varint.h"

static uint8 *
form_bounds(uint8 *p, const VsBm25Bounds *bounds)
{
	p = vs_bm25_put_varint(p, bounds->tf[0]);
	p = vs_bm25_put_varint(p, bounds->min_len[0]);
	for (int i = 1; i < BM25_BOUNDS; i++)
	{
		p = vs_bm25_put_varint(p, bounds->tf[i] - bounds->tf[i - 1]);
		if (bounds->tf[i] == bounds->tf[i - 1])
			break;
		p = vs_bm25_put_varint(p, bounds->min_len[i] - bounds->min_len[i - 1]);
	}
	return p;
}

static const uint8 *
deform_bounds(const uint8 *p, const uint8 *end, VsBm25Bounds *bounds)
{
	uint32		tf = 0;
	uint32		len = 0;
	int			i = 0;

	for (; i < BM25_BOUNDS; i++)
	{
		uint32		more_tf;
		uint32		more_len;

		p = vs_bm25_get_varint(p, end, &more_tf);
		if (i > 0 && more_tf == 0)
			break;
		p = vs_bm25_get_varint(p, end, &more_len);
		if (p == NULL || more_tf > PG_UINT16_MAX - tf ||
			more_len > PG_UINT16_MAX - len)
			return NULL;
		bounds->tf[i] = tf += more_tf;
		bounds->min_len[i] = len += more_len;
	}
	for (; i < BM25_BOUNDS; i++)
	{
		bounds->tf[i] = tf;
		bounds->min_len[i] = len;
	}
	return p;
}

uint8 *
vs_bm25_form_list(uint8 *p, const VsBm25List *list, const uint8 *block)
{
	const VsBm25Place *place = &list->only.place;

	p = vs_bm25_put_varint(p, list->df);
	if (list->nblocks > 1)
		return vs_bm25_put_varint(p, list->first_skip);
	p = vs_bm25_put_varint(p, place->nbytes * 2 +
						   (block == NULL ? BM25_LIST_PLACED : 0));
	if (block != NULL)
	{
		memcpy(p, block, place->nbytes);
		return p + place->nbytes;
	}
	p = vs_bm25_put_varint(p, place->page);
	p = vs_bm25_put_varint(p, place->offset);
	p = vs_bm25_put_varint(p, list->only.last_doc);
	return form_bounds(p, &list->only.bounds);
}

/* What is known of a block in the dictionary follows from it. */
static bool
inspect_block(const uint8 *bytes, int nbytes, VsBm25List *list)
{
	VsBm25Block block;

	if (!vs_bm25_block_decode_docs(bytes, nbytes, -1, &block) ||
		!vs_bm25_block_decode_rest(bytes, nbytes, &block) ||
		block.n != list->df)
		return false;
	list->only.last_doc = block.docs[block.n - 1];
	vs_bm25_block_bounds(&block, &list->only.bounds);
	return true;
}

const uint8 *
vs_bm25_deform_list(const uint8 *p, const uint8 *end, const char *records,
					uint32 page, VsBm25List *list)
{
	VsBm25Place *place = &list->only.place;
	uint32		nbytes;
	uint32		offset;

	memset(list, 0, sizeof(*list));
	p = vs_bm25_get_varint(p, end, &list->df);
	if (p == NULL || list->df == 0)
		return NULL;
	list->nblocks = (list->df - 1) / BM25_BLOCK_POSTINGS + 1;
	if (list->nblocks > 1)
		return vs_bm25_get_varint(p, end, &list->first_skip);
	p = vs_bm25_get_varint(p, end, &nbytes);
	if (p == NULL)
		return NULL;
	place->nbytes = nbytes / 2;
	if (nbytes & BM25_LIST_PLACED)
	{
		p = vs_bm25_get_varint(p, end, &place->page);
		p = vs_bm25_get_varint(p, end, &offset);
		p = vs_bm25_get_varint(p, end, &list->only.last_doc);
		place->offset = offset;
		return deform_bounds(p, end, &list->only.bounds);
	}
	if (nbytes / 2 > end - p || !inspect_block(p, nbytes / 2, list))
		return NULL;
	place->page = page | BM25_PLACE_LEXEMES;
	place->offset = (const char *) p - records;
	return p + nbytes / 2;
}
