/*
 * samples.c
 *		Arithmetic on measured numbers: quantiles, reading a curve.
 */
#include "samples.h"

#include <math.h>
#include <stdlib.h>

/* For qsort. */
static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The mean of n > 0 samples. */
double
vs_bench_mean(const double *samples, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += samples[i];
	return sum / n;
}

/*
 * The quantile of n > 0 samples, interpolated between neighbours (0.5 is the
 * median).  Sorts the samples.
 */
double
vs_bench_quantile(double *samples, int n, double quantile)
{
	double		at = quantile * (n - 1);
	int			low = (int) at;

	qsort(samples, n, sizeof(double), compare_doubles);
	if (low >= n - 1)
		return samples[n - 1];
	return samples[low] + (at - low) * (samples[low + 1] - samples[low]);
}

/*
 * The index of the first point, knobs ascending, whose recall is enough; -1
 * where there is none.
 */
int
vs_bench_smallest_knob(const VsCurvePoint *points, int n, double recall)
{
	for (int i = 0; i < n; i++)
		if (points[i].recall >= recall)
			return i;
	return -1;
}

/*
 * The speed at a recall, by a straight line in log(speed) over recall between
 * the smallest knob that reaches it and the one before.
 */
VsCurveReading
vs_bench_read_curve(const VsCurvePoint *points, int n, double recall,
					double *speed)
{
	int			i = vs_bench_smallest_knob(points, n, recall);
	double		share;

	if (i < 0)
		return VS_CURVE_NOT_REACHED;
	*speed = points[i].speed;
	if (i == 0)
		return VS_CURVE_AT_LOWEST;
	share = (recall - points[i - 1].recall) /
		(points[i].recall - points[i - 1].recall);
	*speed = exp((1 - share) * log(points[i - 1].speed) + share * log(*speed));
	return VS_CURVE_BETWEEN;
}
