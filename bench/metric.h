/*
 * metric.h
 *		The metrics, by the names that the command line uses.
 */
#ifndef VS_BENCH_METRIC_H
#define VS_BENCH_METRIC_H

typedef struct VsMetric
{
	const char *name;			/* l2, ip, cosine, l1 */
	const char *op;				/* the SQL operator */
	const char *opclass;		/* the operator class of vector */

	/* A value that orders rows as the operator does; no more than that. */
	double		(*rank) (int dim, const float *a, const float *b);
} VsMetric;

extern const VsMetric *vs_bench_find_metric(const char *name);

#endif							/* VS_BENCH_METRIC_H */
