/*
 * bm25_score.h
 *		The arithmetic of BM25; needs no server.
 *
 * Every score, whichever plan computes it, goes through these: the same numbers
 * give the same bits.  README.md, "Scores".
 */
#ifndef VS_BM25_SCORE_H
#define VS_BM25_SCORE_H

#include "c.h"

#include <math.h>

#include "bm25/bm25_posting.h"

/* Weight of a lexeme that df of ndocs documents have. */
static inline double
vs_bm25_idf(double ndocs, double df)
{
	return log(1.0 + (ndocs - df + 0.5) / (df + 0.5));
}

typedef struct VsBm25Params
{
	double		k1;
	double		b;
	double		average_len;	/* above 0 */
	double		weights[BM25_LABELS];
} VsBm25Params;

/* The part of the denominator that a document's length decides. */
static inline double
vs_bm25_len_norm(const VsBm25Params *params, double len)
{
	return params->k1 * (1.0 - params->b + params->b * len / params->average_len);
}

/* What a lexeme adds to a document's score: 0 if tf, weighted, is 0. */
static inline double
vs_bm25_score(const VsBm25Params *params, double idf, double tf, double len_norm)
{
	return tf <= 0.0 ? 0.0 : idf * tf * (params->k1 + 1.0) / (tf + len_norm);
}

/*
 * Weighted term frequency, of the labels in a mask (bit 0 is D).  Without
 * positions: that of one of label D, if the query says nothing of labels or as
 * tsvector's match operator has it.
 */
static inline double
vs_bm25_weighted_tf(const VsBm25Params *params, unsigned int labels,
					const uint16 tfs[BM25_LABELS])
{
	double		tf = 0.0;

	for (int i = 0; i < BM25_LABELS; i++)
		if (labels & (1 << i))
			tf += params->weights[i] * tfs[i];
	return tf;
}

#endif							/* VS_BM25_SCORE_H */
