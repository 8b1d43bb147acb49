/*
 * samples.c
 *		Arithmetic on measured numbers: quantiles, reading a curve.
 */
#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static int
compare_recalls(const void *a, const void *b)
{
	double		x = ((const VsCurvePoint *) a)->recall;
	double		y = ((const VsCurvePoint *) b)->recall;

	return (x > y) - (x < y);
}

/*
 * Keep, by ascending recall, the points that no other beats in recall and in
 * speed; returns their number.  Nobody would choose another knob.
 */
int
vs_bench_keep_best_points(VsCurvePoint *points, int n)
{
	int			first = n;

	qsort(points, n, sizeof(VsCurvePoint), compare_recalls);
	for (int i = n - 1; i >= 0; i--)
		if (first == n || points[i].speed > points[first].speed)
			points[--first] = points[i];
	memmove(points, points + first, sizeof(VsCurvePoint) * (n - first));
	return n - first;
}

/*
 * The index of the fastest of the best points whose recall is enough; -1 where
 * there is none.
 */
int
vs_bench_fastest_knob(const VsCurvePoint *points, int n, double recall)
{
	for (int i = 0; i < n; i++)
		if (points[i].recall >= recall)
			return i;
	return -1;
}

/*
 * The speed at a recall, by a straight line in log(speed) over recall between
 * the fastest of the best points that reaches it and the one before.
 */
VsCurveReading
vs_bench_read_curve(const VsCurvePoint *points, int n, double recall,
					double *speed)
{
	int			i = vs_bench_fastest_knob(points, n, recall);
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
