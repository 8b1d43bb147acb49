/*
 * plan.h
 *		Plans as EXPLAIN shows them: which index, how many buffers.
 */
#ifndef VS_BENCH_PLAN_H
#define VS_BENCH_PLAN_H

#include "session.h"

extern char *vs_bench_explain(VsSession *session, const char *sql,
							  const char *value);
extern char *vs_bench_explain_vector(VsSession *session, const char *sql,
									 const VsWireVector *vector);
extern double vs_bench_plan_buffers(const char *plan);

#endif							/* VS_BENCH_PLAN_H */
