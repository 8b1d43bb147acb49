/*
 * dataset.c
 *		The data of a run: rows, queries, exact answers, order of loading.
 */
#include "dataset.h"

#include "driver.h"
#include "exact.h"
#include "generate.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHUFFLE_SEED 20240901

/* The path, begun at --data where it is relative, %m being the metric. */
static char *
data_path(const VsOptions *options, const char *path)
{
	const char *mark = strstr(path, "%m");
	char	   *full;

	if (mark != NULL)
		full = vs_bench_format("%.*s%s%s", (int) (mark - path), path,
							   options->metric->name, mark + 2);
	else
		full = vs_bench_format("%s", path);
	if (full[0] == '/' || options->data_dir == NULL)
		return full;
	return vs_bench_format("%s/%s", options->data_dir, full);
}

/* Exchange items at random, the same way for the same seed. */
void
vs_bench_shuffle(int32_t *items, long n, uint64_t seed)
{
	for (long i = n - 1; i > 0; i--)
	{
		long		j = vs_bench_next_random(&seed) % (i + 1);
		int32_t		item = items[i];

		items[i] = items[j];
		items[j] = item;
	}
}

/* The ids in the order in which they are loaded. */
static int32_t *
make_load_order(const VsOptions *options, long n)
{
	int32_t    *order = vs_bench_alloc(n * sizeof(int32_t));
	uint8_t    *labels;
	long		at = 0;

	for (long i = 0; i < n; i++)
		order[i] = i;
	if (strcmp(options->order, "random") == 0)
		vs_bench_shuffle(order, n, SHUFFLE_SEED);
	else if (strcmp(options->order, "label") == 0)
	{
		if (options->label_path == NULL)
			vs_bench_fail("--order label wants --labels");
		labels = vs_bench_read_labels(data_path(options, options->label_path),
									  n);
		for (int label = 0; label <= UINT8_MAX; label++)
			for (long i = 0; i < n; i++)
				if (labels[i] == label)
					order[at++] = i;
		free(labels);
	}
	else if (strcmp(options->order, "file") != 0)
		vs_bench_fail("unknown order \"%s\": file, random or label",
					  options->order);
	return order;
}

/*
 * Set aside nspare rows for inserts: what the queries leave over, and the last
 * rows of the base where that is too little.  Both are new to the index and of
 * the queries' or the rows' own distribution.
 */
static void
make_spare_rows(VsDataset *data, const VsVectors *unasked, long nspare)
{
	size_t		row_size = sizeof(float) * data->base.dim;
	long		from_queries = unasked->n < nspare ? unasked->n : nspare;
	long		from_base = nspare - from_queries;

	if (from_base * 2 > data->base.n)
		vs_bench_fail("too few rows to set %ld aside for inserts", from_base);
	data->base.data = vs_bench_realloc(data->base.data, row_size *
									   (data->base.n + from_queries));
	memcpy(data->base.data + data->base.n * data->base.dim, unasked->data,
		   row_size * from_queries);
	data->base.n -= from_base;
	data->spare.dim = data->base.dim;
	data->spare.n = nspare;
	data->spare.data = data->base.data + data->base.n * data->base.dim;
}

/*
 * Read or make base and queries; returns how many of the queries to ask.  Made
 * up data come with nspare queries more than that.
 */
static long
read_vectors(VsDataset *data, const VsOptions *options, long nspare)
{
	long		nqueries = options->nqueries;

	if (options->generate != NULL)
	{
		VsGeneratorShape shape = vs_bench_parse_shape(options->generate);

		if (nqueries == 0 || nqueries > shape.nqueries)
			nqueries = shape.nqueries;
		shape.nqueries += nspare;
		vs_bench_say("generating %ld rows of %d dimensions", shape.nrows,
					 shape.dim);
		vs_bench_generate(&shape, &data->base, &data->queries);
		return nqueries;
	}
	vs_bench_say("reading %s", options->base_path);
	data->base = vs_bench_read_vectors(data_path(options, options->base_path),
									   options->limit);
	data->queries = vs_bench_read_vectors(data_path(options,
													options->query_path), 0);
	if (data->queries.dim != data->base.dim)
		vs_bench_fail("queries have %d dimensions, rows %d",
					  data->queries.dim, data->base.dim);
	if (nqueries == 0 || nqueries > data->queries.n)
		return data->queries.n;
	return nqueries;
}

/* Read the exact answers; 0 where there are none that fit the data. */
static int
read_truth(VsDataset *data, const VsOptions *options, long nrows_in_file)
{
	char	   *path;

	if (options->truth_path == NULL || data->base.n != nrows_in_file ||
		options->limit != 0)
		return 0;
	path = data_path(options, options->truth_path);
	if (access(path, R_OK) != 0)
		return 0;
	data->truth = vs_bench_read_neighbours(path, data->queries.n);
	data->truth_origin = "given";
	return data->truth.n == data->queries.n && data->truth.width >= data->k;
}

/* Everything a run needs to know of its data. */
VsDataset
vs_bench_read_dataset(const VsOptions *options)
{
	VsDataset	data = {options->metric, options->k};
	VsVectors	unasked;
	long		nspare = 0;
	long		nasked;
	long		nrows;

	if (vs_bench_has_phase(options, "insert"))
		nspare = (long) options->insert_rows * options->insert_repeats;
	nasked = read_vectors(&data, options, nspare);
	nrows = data.base.n;
	unasked = data.queries;
	data.queries.n = nasked;
	unasked.data += data.queries.n * data.queries.dim;
	unasked.n -= data.queries.n;
	make_spare_rows(&data, &unasked, nspare);
	data.load_order = make_load_order(options, data.base.n);
	if (!read_truth(&data, options, nrows))
	{
		vs_bench_say("computing exact answers to %ld queries", data.queries.n);
		data.truth = vs_bench_find_exact(data.metric, &data.base, NULL,
										 &data.queries, data.queries.n,
										 data.k);
		data.truth_origin = "computed";
	}
	return data;
}

/* Is the id one of those? */
static int
contains(const int32_t *ids, int n, int32_t id)
{
	for (int i = 0; i < n; i++)
		if (ids[i] == id)
			return 1;
	return 0;
}

/*
 * The share of the exact answers that were found.  A row as near as the last
 * exact answer counts, too: which of several rows at the same distance is
 * named is chance.
 */
double
vs_bench_recall(const VsDataset *data, const VsNeighbours *truth,
				const VsAnswers *answers)
{
	long		hits = 0;
	long		wanted = 0;

	for (long q = 0; q < data->queries.n; q++)
	{
		const float *query = vs_bench_row(&data->queries, q);
		const int32_t *exact = truth->ids + q * truth->width;
		const int32_t *ids = answers->ids + q * answers->width;
		int			nexact = data->k;
		double		limit;

		while (nexact > 0 && exact[nexact - 1] < 0)
			nexact--;
		if (nexact == 0)
			continue;
		wanted += nexact;
		limit = data->metric->rank(data->base.dim, query,
								   vs_bench_row(&data->base,
												exact[nexact - 1]));
		for (int i = 0; i < answers->n[q]; i++)
			if (!contains(ids, i, ids[i]) &&
				(contains(exact, nexact, ids[i]) ||
				 data->metric->rank(data->base.dim, query,
									vs_bench_row(&data->base, ids[i])) <=
				 limit))
				hits++;
	}
	return wanted > 0 ? (double) hits / wanted : 1;
}
