/*
 * exact.c
 *		Exact nearest neighbours by brute force, on all processors.
 *
 * Each thread takes blocks of queries, so that a base row is read from memory
 * once a block rather than once a query.
 */
#include "exact.h"

#include "driver.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK 32				/* queries that share a pass over the base */
#define MAX_THREADS 64

typedef struct ExactJob
{
	const VsMetric *metric;
	const VsVectors *base;
	const uint8_t *is_gone;		/* rows to leave out; may be NULL */
	const VsVectors *queries;
	VsNeighbours result;
	long		next_query;		/* first query that nobody has taken */
	pthread_mutex_t lock;
} ExactJob;

/* The nearest rows of one query so far, nearest first. */
typedef struct Nearest
{
	int			n;
	double	   *rank;
	int32_t    *ids;			/* points into the result */
} Nearest;

/* Put a row where it belongs; among equals the one that came first wins. */
static void
offer(Nearest *nearest, int k, double rank, int32_t id)
{
	int			i;

	if (nearest->n == k && !(rank < nearest->rank[k - 1]))
		return;
	i = nearest->n < k ? nearest->n++ : k - 1;
	for (; i > 0 && nearest->rank[i - 1] > rank; i--)
	{
		nearest->rank[i] = nearest->rank[i - 1];
		nearest->ids[i] = nearest->ids[i - 1];
	}
	nearest->rank[i] = rank;
	nearest->ids[i] = id;
}

/* Answer the queries first .. first + n - 1. */
static void
answer_block(ExactJob *job, long first, int n, double *ranks)
{
	int			k = job->result.width;
	Nearest		nearest[BLOCK];

	for (int i = 0; i < n; i++)
	{
		nearest[i].n = 0;
		nearest[i].rank = ranks + (size_t) i * k;
		nearest[i].ids = job->result.ids + (first + i) * k;
		for (int j = 0; j < k; j++)
			nearest[i].ids[j] = -1;
	}
	for (long id = 0; id < job->base->n; id++)
	{
		const float *row = vs_bench_row(job->base, id);

		if (job->is_gone != NULL && job->is_gone[id])
			continue;
		for (int i = 0; i < n; i++)
			offer(&nearest[i], k,
				  job->metric->rank(job->base->dim, row,
									vs_bench_row(job->queries, first + i)),
				  id);
	}
}

/* A thread: take blocks of queries until there are none left. */
static void *
answer_blocks(void *arg)
{
	ExactJob   *job = arg;
	double	   *ranks = vs_bench_alloc(sizeof(double) * BLOCK *
									   job->result.width);

	for (;;)
	{
		long		first;
		long		left;

		pthread_mutex_lock(&job->lock);
		first = job->next_query;
		job->next_query += BLOCK;
		pthread_mutex_unlock(&job->lock);
		left = job->result.n - first;
		if (left <= 0)
			return ranks;
		answer_block(job, first, left < BLOCK ? left : BLOCK, ranks);
	}
}

/*
 * The k nearest base rows of each of the first nqueries queries, nearest
 * first, ties in favour of the smaller row number, -1 where there are fewer
 * than k.  Rows whose is_gone is set do not count.
 */
VsNeighbours
vs_bench_find_exact(const VsMetric *metric, const VsVectors *base,
					const uint8_t *is_gone, const VsVectors *queries,
					long nqueries, int k)
{
	ExactJob	job = {metric, base, is_gone, queries, {k, nqueries, NULL}, 0};
	pthread_t	threads[MAX_THREADS];
	long		nthreads = sysconf(_SC_NPROCESSORS_ONLN);

	if (nthreads < 1)
		nthreads = 1;
	if (nthreads > MAX_THREADS)
		nthreads = MAX_THREADS;
	job.result.ids = vs_bench_alloc(sizeof(int32_t) * nqueries * k);
	pthread_mutex_init(&job.lock, NULL);
	for (int i = 0; i < nthreads; i++)
		if (pthread_create(&threads[i], NULL, answer_blocks, &job) != 0)
			vs_bench_fail("cannot start a thread");
	for (int i = 0; i < nthreads; i++)
	{
		void	   *ranks;

		pthread_join(threads[i], &ranks);
		free(ranks);
	}
	pthread_mutex_destroy(&job.lock);
	return job.result;
}
