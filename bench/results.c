/*
 * results.c
 *		The figures of a run, as they were measured.
 */
#include "results.h"

#include "driver.h"
#include "samples.h"

#include <stdlib.h>

static const VsFigureInfo figure_table[VS_NFIGURES] = {
	[VS_LOAD_ROWS_PER_S] = {"load", "rows_per_s", "load, rows/s", VS_HIGHER, 0},
	[VS_BUILD_S] = {"build", "seconds", "build, s", VS_LOWER, 2},
	[VS_BUILD_CPU_S] = {"build", "backend_cpu_seconds",
	"  processor of the backend, s", VS_LOWER, 2},
	[VS_BUILD_WORKERS] = {"build", "workers", "  workers seen", VS_NEITHER, 0},
	[VS_BUILD_PEAK_MB] = {"build", "peak_mb", "  peak memory, MB", VS_LOWER, 1},
	[VS_BUILD_PRIVATE_MB] = {"build", "peak_private_mb",
	"    private, MB", VS_NEITHER, 1},
	[VS_BUILD_SHARED_MB] = {"build", "peak_shared_mb",
	"    shared, MB", VS_NEITHER, 1},
	[VS_BUILD_TOUCHED_MB] = {"build", "peak_shared_touched_mb",
	"      of which touched, MB", VS_NEITHER, 1},
	[VS_BUILD_TEMP_MB] = {"build", "temp_files_mb",
	"  temporary files, MB", VS_NEITHER, 1},
	[VS_BUILD_WAL_MB] = {"build", "wal_mb", "  WAL, MB", VS_LOWER, 1},
	[VS_INDEX_MB] = {"build", "index_mb", "index, MB", VS_LOWER, 1},
	[VS_RECALL] = {"search", "recall", "recall", VS_DIFFERENCE, 4},
	[VS_ROWS] = {"search", "rows_per_query", "rows a query", VS_NEITHER, 2},
	[VS_QPS] = {"search", "qps", "queries/s", VS_HIGHER, 0},
	[VS_MEAN_MS] = {"search", "mean_ms", "mean, ms", VS_LOWER, 3},
	[VS_P50_MS] = {"search", "p50_ms", "p50, ms", VS_LOWER, 3},
	[VS_P95_MS] = {"search", "p95_ms", "p95, ms", VS_LOWER, 3},
	[VS_P99_MS] = {"search", "p99_ms", "p99, ms", VS_LOWER, 3},
	[VS_CPU_MS] = {"search", "backend_cpu_ms",
	"processor of the backend, ms", VS_LOWER, 3},
	[VS_BUFFERS] = {"search", "buffers_per_query",
	"buffers a query", VS_LOWER, 0},
	[VS_AGREEMENT] = {"search", "agreement",
	"share of the exact top k", VS_DIFFERENCE, 4},
	[VS_CLIENTS_QPS] = {"clients", "qps", "queries/s", VS_HIGHER, 0},
	[VS_CLIENTS_P50_MS] = {"clients", "p50_ms", "p50, ms", VS_LOWER, 3},
	[VS_CLIENTS_P99_MS] = {"clients", "p99_ms", "p99, ms", VS_LOWER, 3},
	[VS_FIRST_VECTOR_MS] = {"connect", "first_vector_ms",
	"first vector query, ms", VS_LOWER, 3},
	[VS_FIRST_BTREE_MS] = {"connect", "first_btree_ms",
	"first btree query, ms", VS_LOWER, 3},
	[VS_FIRST_VECTOR_CPU_MS] = {"connect", "first_vector_cpu_ms",
	"  processor, vector, ms", VS_LOWER, 3},
	[VS_FIRST_BTREE_CPU_MS] = {"connect", "first_btree_cpu_ms",
	"  processor, btree, ms", VS_LOWER, 3},
	[VS_SECOND_VECTOR_MS] = {"connect", "second_vector_ms",
	"second vector query, ms", VS_LOWER, 3},
	[VS_SECOND_BTREE_MS] = {"connect", "second_btree_ms",
	"second btree query, ms", VS_LOWER, 3},
	[VS_INSERT_ROWS_PER_S] = {"insert", "rows_per_s",
	"inserts/s", VS_HIGHER, 0},
	[VS_INSERT_CPU_MS] = {"insert", "backend_cpu_ms",
	"  processor of the backend, ms", VS_LOWER, 3},
	[VS_INSERT_P50_MS] = {"insert", "p50_ms", "  p50, ms", VS_LOWER, 3},
	[VS_INSERT_P99_MS] = {"insert", "p99_ms", "  p99, ms", VS_LOWER, 3},
	[VS_INSERT_MAX_MS] = {"insert", "max_ms", "  slowest, ms", VS_LOWER, 3},
	[VS_INSERT_WAL_BYTES] = {"insert", "wal_bytes",
	"  WAL an insert, bytes", VS_LOWER, 0},
	[VS_INSERT_WAL_DELTA_BYTES] = {"insert", "wal_bytes_without_images",
	"    without page images", VS_LOWER, 0},
	[VS_INSERT_WAL_INDEX_BYTES] = {"insert", "wal_bytes_generic",
	"    of these, generic WAL", VS_LOWER, 0},
	[VS_UPDATE_ROWS_PER_S] = {"update", "rows_per_s",
	"updates/s, vector unchanged", VS_HIGHER, 0},
	[VS_UPDATE_CPU_MS] = {"update", "backend_cpu_ms",
	"  processor of the backend, ms", VS_LOWER, 3},
	[VS_UPDATE_WAL_BYTES] = {"update", "wal_bytes",
	"  WAL an update, bytes", VS_LOWER, 0},
	[VS_DELETE_S] = {"vacuum", "delete_seconds", "delete, s", VS_NEITHER, 2},
	[VS_VACUUM_S] = {"vacuum", "seconds", "vacuum, s", VS_LOWER, 2},
	[VS_VACUUM_CPU_S] = {"vacuum", "backend_cpu_seconds",
	"  processor of the backend, s", VS_LOWER, 2},
	[VS_VACUUM_WAL_MB] = {"vacuum", "wal_mb", "  WAL, MB", VS_LOWER, 1},
	[VS_VACUUM_INDEX_MB] = {"vacuum", "index_mb",
	"  index after it, MB", VS_LOWER, 1},
	[VS_VACUUM_RECALL] = {"vacuum", "recall",
	"  recall after it", VS_DIFFERENCE, 4},
};

/* What there is to know of a figure. */
const VsFigureInfo *
vs_bench_figure_info(VsFigure figure)
{
	return &figure_table[figure];
}

/* Keep a number. */
void
vs_bench_record(VsResults *results, VsMeasurement measurement)
{
	if (results->n == results->room)
	{
		results->room = results->room == 0 ? 256 : results->room * 2;
		results->measurements =
			vs_bench_realloc(results->measurements,
							 results->room * sizeof(VsMeasurement));
	}
	results->measurements[results->n++] = measurement;
}

/* The median over the runs of a figure; 0 where it was not measured. */
int
vs_bench_median(const VsResults *results, VsFigure figure, int variant,
				int knob, int clients, double *median)
{
	double	   *values = vs_bench_alloc(results->n * sizeof(double));
	int			n = 0;

	for (long i = 0; i < results->n; i++)
	{
		const VsMeasurement *one = &results->measurements[i];

		if (one->figure == figure && one->variant == variant &&
			one->knob == knob && one->clients == clients)
			values[n++] = one->value;
	}
	if (n > 0)
		*median = vs_bench_quantile(values, n, 0.5);
	free(values);
	return n > 0;
}
