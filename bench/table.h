/*
 * table.h
 *		Variants side by side, a figure a line.
 */
#ifndef VS_BENCH_TABLE_H
#define VS_BENCH_TABLE_H

#include "arguments.h"
#include "results.h"

#include <stdio.h>

typedef struct VsTable
{
	FILE	   *to;
	const VsVariantList *variants;
	const VsResults *results;
	const char *heading;		/* of lines to come; none written yet */
} VsTable;

/* A line of the table: NAN where a variant has no such figure. */
typedef struct VsTableLine
{
	const char *label;
	VsBetter	better;
	int			decimals;
	double		value[VS_BENCH_MAX_VARIANTS];
} VsTableLine;

extern void vs_bench_begin_table(const VsTable *table);
extern void vs_bench_write_line(VsTable *table, const VsTableLine *line);
extern void vs_bench_write_figures(VsTable *table, VsFigure first,
								   VsFigure last, int knob, int clients);

#endif							/* VS_BENCH_TABLE_H */
