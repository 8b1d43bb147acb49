/*
 * search.h
 *		Asking queries: one by one, timed.
 */
#ifndef VS_BENCH_SEARCH_H
#define VS_BENCH_SEARCH_H

#include "run.h"

extern void vs_bench_prepare_search(const VsRun *run, VsSession *session,
									int knob);
extern int	vs_bench_ask(VsSession *session, const VsWireVector *query,
						 int32_t *ids, int width);
extern double vs_bench_ask_all(const VsRun *run, VsSession *session,
							   VsAnswers *answers, double *latencies_ms);
extern VsAnswers vs_bench_make_answers(const VsRun *run);
extern void vs_bench_free_answers(VsAnswers *answers);

#endif							/* VS_BENCH_SEARCH_H */
