/*
 * dataset.h
 *		The data of a run: rows, queries, exact answers, order of loading.
 */
#ifndef VS_BENCH_DATASET_H
#define VS_BENCH_DATASET_H

#include "options.h"
#include "vectors.h"

typedef struct VsDataset
{
	const VsMetric *metric;
	int			k;
	VsVectors	base;			/* rows to load; a row's number is its id */
	VsVectors	spare;			/* rows to insert; they follow the base in
								 * memory, and their ids follow, too */
	VsVectors	queries;
	VsNeighbours truth;			/* exact answers to the queries */
	const char *truth_origin;	/* "given" or "computed" */
	int32_t    *load_order;		/* ids */
} VsDataset;

/* The answers to a set of queries: up to width ids of each. */
typedef struct VsAnswers
{
	int			width;
	int32_t    *ids;
	int		   *n;				/* of each query */
} VsAnswers;

extern VsDataset vs_bench_read_dataset(const VsOptions *options);
extern void vs_bench_shuffle(int32_t *items, long n, uint64_t seed);
extern double vs_bench_recall(const VsDataset *dataset,
							  const VsNeighbours *truth,
							  const VsAnswers *answers);

#endif							/* VS_BENCH_DATASET_H */
