/*
 * bm25_tsvector.h
 *		A tsvector as an index sees it.
 */
#ifndef VS_BM25_TSVECTOR_H
#define VS_BM25_TSVECTOR_H

#include "postgres.h"

#include "bm25/bm25_posting.h"
#include "tsearch/ts_type.h"

/* Bytes of the longest lexeme: MAXSTRLEN is a mask, 11 bits. */
#define BM25_LEXEME_MAX_NBYTES MAXSTRLEN

/* A lexeme of a document.  Bytes are in the tsvector, without an end. */
typedef struct VsBm25Term
{
	const char *lexeme;
	int			nbytes;			/* at most BM25_LEXEME_MAX_NBYTES */
	uint16		tfs[BM25_LABELS];	/* all 0: stripped of positions */
} VsBm25Term;

/*
 * The tsvector of a value, detoasted, with each lexeme once: one that was received
 * in binary form may have it several times.
 */
extern TSVector vs_bm25_get_tsvector(Datum value);

/* The i-th lexeme; they ascend by vs_bm25_compare_lexemes. */
extern void vs_bm25_get_term(TSVector tsv, int i, VsBm25Term *term);

/* Positions of a term, 1 if it is stripped of them. */
extern uint32 vs_bm25_term_len(const uint16 tfs[BM25_LABELS]);

/* Length of a document: positions of all its lexemes. */
extern uint32 vs_bm25_tsvector_len(TSVector tsv);

/*
 * Digest of what an index holds for a document: that of no lexeme is 0, and each
 * lexeme adds its own, in whatever order.
 */
extern uint64 vs_bm25_term_digest(const VsBm25Term *term);

/* Order of lexemes: by bytes, as in a tsvector. */
static inline int
vs_bm25_compare_lexemes(const char *a, int a_nbytes, const char *b, int b_nbytes)
{
	int			order = memcmp(a, b, Min(a_nbytes, b_nbytes));

	return order != 0 ? order : a_nbytes - b_nbytes;
}

#endif							/* VS_BM25_TSVECTOR_H */
