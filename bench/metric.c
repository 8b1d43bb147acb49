/*
 * metric.c
 *		The metrics: their SQL names and their arithmetic in double precision.
 *
 * Exact answers are what results are judged by, so nothing here trades
 * precision for speed; LANES independent sums let the compiler use vector
 * instructions all the same.
 */
#include "metric.h"

#include "driver.h"

#include <math.h>
#include <string.h>

#define LANES 16

/* The sum of LANES partial sums. */
static double
total(const double *lanes)
{
	double		sum = 0;

	for (int i = 0; i < LANES; i++)
		sum += lanes[i];
	return sum;
}

/* Squared L2 distance. */
static double
rank_l2(int dim, const float *a, const float *b)
{
	double		lanes[LANES] = {0};
	int			i = 0;

	for (; i + LANES <= dim; i += LANES)
		for (int j = 0; j < LANES; j++)
		{
			double		diff = (double) a[i + j] - b[i + j];

			lanes[j] += diff * diff;
		}
	for (; i < dim; i++)
		lanes[0] += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return total(lanes);
}

/* L1 distance. */
static double
rank_l1(int dim, const float *a, const float *b)
{
	double		lanes[LANES] = {0};
	int			i = 0;

	for (; i + LANES <= dim; i += LANES)
		for (int j = 0; j < LANES; j++)
			lanes[j] += fabs((double) a[i + j] - b[i + j]);
	for (; i < dim; i++)
		lanes[0] += fabs((double) a[i] - b[i]);
	return total(lanes);
}

/* Inner product. */
static double
inner_product(int dim, const float *a, const float *b)
{
	double		lanes[LANES] = {0};
	int			i = 0;

	for (; i + LANES <= dim; i += LANES)
		for (int j = 0; j < LANES; j++)
			lanes[j] += (double) a[i + j] * b[i + j];
	for (; i < dim; i++)
		lanes[0] += (double) a[i] * b[i];
	return total(lanes);
}

/* Negative inner product. */
static double
rank_ip(int dim, const float *a, const float *b)
{
	return -inner_product(dim, a, b);
}

/* Negative cosine; a zero vector, which no index holds, is farthest. */
static double
rank_cosine(int dim, const float *a, const float *b)
{
	double		norms_sq = inner_product(dim, a, a) * inner_product(dim, b, b);

	if (norms_sq == 0)
		return INFINITY;
	return -inner_product(dim, a, b) / sqrt(norms_sq);
}

static const VsMetric metrics[] = {
	{"l2", "<->", "vector_l2_ops", rank_l2},
	{"ip", "<#>", "vector_ip_ops", rank_ip},
	{"cosine", "<=>", "vector_cosine_ops", rank_cosine},
	{"l1", "<+>", "vector_l1_ops", rank_l1},
};

/* The metric of that name; an unknown one ends the run. */
const VsMetric *
vs_bench_find_metric(const char *name)
{
	for (int i = 0; i < VS_BENCH_COUNT(metrics); i++)
		if (strcmp(metrics[i].name, name) == 0)
			return &metrics[i];
	vs_bench_fail("unknown metric \"%s\": l2, ip, cosine or l1", name);
}
