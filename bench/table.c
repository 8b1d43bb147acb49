/*
 * table.c
 *		Variants side by side, with ratios to the last one.
 *
 * A ratio says how many times better a variant is than the last one named:
 * above 1 is better, whether more or less of the figure is wanted.  Recall is
 * compared by difference.
 */
#include "table.h"

#include <math.h>

#define LABEL_WIDTH 34
#define VALUE_WIDTH 14

/* Write the line above all others. */
void
vs_bench_begin_table(const VsTable *table)
{
	int			last = table->variants->n - 1;

	fprintf(table->to, "\n  %-*s", LABEL_WIDTH, "medians");
	for (int i = 0; i <= last; i++)
		fprintf(table->to, "%*s", VALUE_WIDTH, table->variants->item[i].label);
	for (int i = 0; i < last; i++)
		fprintf(table->to, "%*s", VALUE_WIDTH, "times better");
	fputc('\n', table->to);
}

/* How a value compares to that of the last variant. */
static void
write_comparison(FILE *to, VsBetter better, double value, double reference)
{
	if (better == VS_NEITHER || isnan(value) || isnan(reference))
		fprintf(to, "%*s", VALUE_WIDTH, "");
	else if (better == VS_DIFFERENCE)
		fprintf(to, "%+*.4f", VALUE_WIDTH, value - reference);
	else if (value <= 0 || reference <= 0)
		fprintf(to, "%*s", VALUE_WIDTH, "-");
	else
		fprintf(to, "%*.2fx", VALUE_WIDTH - 1, better == VS_HIGHER ?
				value / reference : reference / value);
}

/* Write a line, under its heading, unless no variant has a value. */
void
vs_bench_write_line(VsTable *table, const VsTableLine *line)
{
	FILE	   *to = table->to;
	int			n = table->variants->n;
	int			nvalues = 0;

	for (int i = 0; i < n; i++)
		nvalues += !isnan(line->value[i]);
	if (nvalues == 0)
		return;
	if (table->heading != NULL)
		fprintf(to, "\n%s\n", table->heading);
	table->heading = NULL;
	fprintf(to, "  %-*s", LABEL_WIDTH, line->label);
	for (int i = 0; i < n; i++)
		if (isnan(line->value[i]))
			fprintf(to, "%*s", VALUE_WIDTH, "-");
		else
			fprintf(to, "%*.*f", VALUE_WIDTH, line->decimals, line->value[i]);
	for (int i = 0; i < n - 1; i++)
		write_comparison(to, line->better, line->value[i],
						 line->value[n - 1]);
	fputc('\n', to);
}

/* Write the medians of figures first to last. */
void
vs_bench_write_figures(VsTable *table, VsFigure first, VsFigure last, int knob,
					   int clients)
{
	for (int figure = first; figure <= (int) last; figure++)
	{
		const VsFigureInfo *info = vs_bench_figure_info(figure);
		VsTableLine line = {info->label, info->better, info->decimals};

		for (int i = 0; i < table->variants->n; i++)
			if (!vs_bench_median(table->results, figure, i, knob,
								 clients, &line.value[i]))
				line.value[i] = NAN;
		vs_bench_write_line(table, &line);
	}
}
