/*
 * report.h
 *		What a run found, for people and for programs.
 */
#ifndef VS_BENCH_REPORT_H
#define VS_BENCH_REPORT_H

#include "run.h"
#include "samples.h"

#include <stdio.h>

extern void vs_bench_write_surroundings(FILE *to, VsRun *run, int argc,
										char **argv);
extern void vs_bench_write_table(FILE *to, const VsRun *run);
extern void vs_bench_draw_curve(const char *path, const VsRun *run);
extern int	vs_bench_curve(const VsRun *run, int variant, VsFigure speed,
						   VsCurvePoint *points);

#endif							/* VS_BENCH_REPORT_H */
