/*
 * phases.h
 *		The phases of a run.  Each function takes one variant's turn.
 */
#ifndef VS_BENCH_PHASES_H
#define VS_BENCH_PHASES_H

#include "run.h"

extern void vs_bench_load(VsRun *run, VsTurn turn);
extern void vs_bench_build(VsRun *run, VsTurn turn);
extern void vs_bench_warm(VsRun *run, int variant);
extern void vs_bench_search(VsRun *run, VsTurn turn);
extern void vs_bench_search_by_clients(VsRun *run, VsTurn turn);
extern void vs_bench_connect(VsRun *run, VsTurn turn);
extern void vs_bench_insert(VsRun *run, VsTurn turn);
extern void vs_bench_update(VsRun *run, VsTurn turn);
extern void vs_bench_vacuum(VsRun *run, VsTurn turn);

#endif							/* VS_BENCH_PHASES_H */
