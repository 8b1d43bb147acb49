/*
 * report_common.h
 *		What the reports of every driver hold: the machine, every number.
 */
#ifndef VS_BENCH_REPORT_COMMON_H
#define VS_BENCH_REPORT_COMMON_H

#include "arguments.h"
#include "results.h"
#include "session.h"

#include <stdio.h>

extern FILE *vs_bench_create_report(const char *prefix);
extern void vs_bench_write_machine(FILE *to, VsSession *session,
								   double load_average, int argc, char **argv);
extern void vs_bench_write_version(FILE *to, VsSession *session,
								   const VsVariant *variant,
								   const char *extension);
extern void vs_bench_write_csv(const char *path, const char *dataset,
							   const VsVariantList *variants,
							   const VsResults *results, const char *knob,
							   const char *clients);

#endif							/* VS_BENCH_REPORT_COMMON_H */
