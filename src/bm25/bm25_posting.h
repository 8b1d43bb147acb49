/*
 * bm25_posting.h
 *		Blocks of postings as bytes; needs no server.
 *
 * A posting says that a lexeme occurs in a document: how often with each label,
 * and how long the document is.  A block holds up to 128 of one list.
 */
#ifndef VS_BM25_POSTING_H
#define VS_BM25_POSTING_H

#include "c.h"

#define BM25_BLOCK_POSTINGS 128

/* Labels, as a tsvector numbers them: D is that of unlabelled positions. */
#define BM25_LABELS 4

/*
 * Term frequencies by label are all 0 where the tsvector was stripped of this
 * lexeme's positions: it then counts as one of label D.
 */
typedef struct VsBm25Block
{
	int			n;
	uint32		docs[BM25_BLOCK_POSTINGS];	/* ascending */
	uint32		lens[BM25_BLOCK_POSTINGS];
	uint16		tfs[BM25_LABELS][BM25_BLOCK_POSTINGS];
} VsBm25Block;

/* The most bytes that a block can take; less than a page. */
#define BM25_BLOCK_MAX_NBYTES 2080

/*
 * Encode a block whose docs are above previous_doc (the last of the block before,
 * -1 for none).  Returns the number of bytes, at most BM25_BLOCK_MAX_NBYTES.
 */
extern int	vs_bm25_block_encode(const VsBm25Block *block, int64 previous_doc,
								 uint8 *bytes);

/*
 * Decode in parts: docs always first.  False if the bytes are not those of a
 * block.  decode_rest needs the n that decode_docs has set, and fills in lens and
 * tfs.
 */
extern bool vs_bm25_block_decode_docs(const uint8 *bytes, int nbytes,
									  int64 previous_doc, VsBm25Block *block);
extern bool vs_bm25_block_decode_rest(const uint8 *bytes, int nbytes,
									  VsBm25Block *block);

/* Term frequencies of a block's i-th posting. */
static inline void
vs_bm25_block_get_tfs(const VsBm25Block *block, int i, uint16 tfs[BM25_LABELS])
{
	for (int label = 0; label < BM25_LABELS; label++)
		tfs[label] = block->tfs[label][i];
}

#endif							/* VS_BM25_POSTING_H */
