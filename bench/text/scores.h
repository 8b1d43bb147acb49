/*
 * scores.h
 *		Exact BM25 scores of all documents, to hold answers against.
 */
#ifndef VS_BENCH_TEXT_SCORES_H
#define VS_BENCH_TEXT_SCORES_H

#include "corpus.h"

typedef struct VsScores VsScores;

extern VsScores *vs_text_read_scores(VsSession *session,
									 const VsTextQueries *queries);
extern void vs_text_score(VsScores *scores, const VsTextQuery *query, int k);
extern double vs_text_agreement(const VsScores *scores, const int32_t *ids,
								int n);
extern void vs_text_free_scores(VsScores *scores);

#endif							/* VS_BENCH_TEXT_SCORES_H */
