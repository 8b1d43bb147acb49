/*
 * bm25_runcode.h
 *		The bytes of a build's runs; needs no server.
 *
 *	run:		lexeme*
 *	lexeme:		nbytes  byte{nbytes}  npieces  piece{npieces}
 *	piece:		base  npostings  nbytes  posting{npostings}
 *	posting:	delta * 2 + 1  len				one position, of label D
 *	posting:	delta * 2  len  tf + 1			of label D alone
 *	posting:	delta * 2  len  0  tf{4}		of labels D, C, B, A
 *
 * Lexemes ascend.  A piece's postings have documents from its base on: each delta
 * is from the one before, the first from the base.  nbytes are those of all
 * postings.  Numbers are varints: 7 bits a byte, the lowest first, all bytes but
 * the last with the high bit set.
 *
 * A piece can be moved to other document numbers by its base alone.
 */
#ifndef VS_BM25_RUNCODE_H
#define VS_BM25_RUNCODE_H

#include "c.h"

#include "bm25/bm25_posting.h"

/* The most bytes that numbers and postings take. */
#define BM25_RUN_NUMBER_NBYTES	10
#define BM25_RUN_POSTING_NBYTES	24

static inline uint8 *
vs_bm25_run_put_number(uint8 *bytes, uint64 number)
{
	while (number >= 0x80)
	{
		*bytes++ = (uint8) number | 0x80;
		number >>= 7;
	}
	*bytes++ = (uint8) number;
	return bytes;
}

static inline const uint8 *
vs_bm25_run_get_number(const uint8 *bytes, uint64 *number)
{
	uint64		value = *bytes & 0x7F;

	for (int shift = 7; *bytes++ & 0x80; shift += 7)
		value |= (uint64) (*bytes & 0x7F) << shift;
	*number = value;
	return bytes;
}

/* Write a posting; returns the end, at most BM25_RUN_POSTING_NBYTES on. */
static inline uint8 *
vs_bm25_run_put_posting(uint8 *bytes, uint32 delta, uint32 len,
						const uint16 tfs[BM25_LABELS])
{
	bool		is_labelled = (tfs[1] | tfs[2] | tfs[3]) != 0;
	bool		is_one = tfs[0] == 1 && !is_labelled;

	bytes = vs_bm25_run_put_number(bytes, (uint64) delta * 2 + is_one);
	bytes = vs_bm25_run_put_number(bytes, len);
	if (is_one)
		return bytes;
	if (!is_labelled)
		return vs_bm25_run_put_number(bytes, (uint64) tfs[0] + 1);
	*bytes++ = 0;
	for (int i = 0; i < BM25_LABELS; i++)
		bytes = vs_bm25_run_put_number(bytes, tfs[i]);
	return bytes;
}

/*
 * Read a posting into number "i" of a block, its document from the one before;
 * returns the end.
 */
static inline const uint8 *
vs_bm25_run_get_posting(const uint8 *bytes, uint32 previous, VsBm25Block *block,
						int i)
{
	uint64		number;
	bool		is_one;

	bytes = vs_bm25_run_get_number(bytes, &number);
	is_one = number & 1;
	block->docs[i] = previous + (uint32) (number >> 1);
	bytes = vs_bm25_run_get_number(bytes, &number);
	block->lens[i] = (uint32) number;
	for (int label = 0; label < BM25_LABELS; label++)
		block->tfs[label][i] = 0;
	block->tfs[0][i] = 1;
	if (is_one)
		return bytes;

	bytes = vs_bm25_run_get_number(bytes, &number);
	if (number > 0)
		block->tfs[0][i] = (uint16) (number - 1);
	else
		for (int label = 0; label < BM25_LABELS; label++)
		{
			bytes = vs_bm25_run_get_number(bytes, &number);
			block->tfs[label][i] = (uint16) number;
		}
	return bytes;
}

#endif							/* VS_BM25_RUNCODE_H */
