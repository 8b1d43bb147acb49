/*
 * results.h
 *		The figures of a run, as they were measured.
 */
#ifndef VS_BENCH_RESULTS_H
#define VS_BENCH_RESULTS_H

/* What is measured; figure_table in results.c says the rest of each. */
typedef enum VsFigure
{
	VS_LOAD_ROWS_PER_S,
	VS_BUILD_S,
	VS_BUILD_CPU_S,
	VS_BUILD_WORKERS,
	VS_BUILD_PEAK_MB,
	VS_BUILD_PRIVATE_MB,
	VS_BUILD_SHARED_MB,
	VS_BUILD_TOUCHED_MB,
	VS_BUILD_TEMP_MB,
	VS_BUILD_WAL_MB,
	VS_INDEX_MB,
	VS_RECALL,
	VS_ROWS,
	VS_QPS,
	VS_MEAN_MS,
	VS_P50_MS,
	VS_P95_MS,
	VS_P99_MS,
	VS_CPU_MS,
	VS_BUFFERS,
	VS_AGREEMENT,
	VS_CLIENTS_QPS,
	VS_CLIENTS_P50_MS,
	VS_CLIENTS_P99_MS,
	VS_FIRST_VECTOR_MS,
	VS_FIRST_BTREE_MS,
	VS_FIRST_VECTOR_CPU_MS,
	VS_FIRST_BTREE_CPU_MS,
	VS_SECOND_VECTOR_MS,
	VS_SECOND_BTREE_MS,
	VS_INSERT_ROWS_PER_S,
	VS_INSERT_CPU_MS,
	VS_INSERT_P50_MS,
	VS_INSERT_P99_MS,
	VS_INSERT_MAX_MS,
	VS_INSERT_WAL_BYTES,
	VS_INSERT_WAL_DELTA_BYTES,
	VS_INSERT_WAL_INDEX_BYTES,
	VS_UPDATE_ROWS_PER_S,
	VS_UPDATE_CPU_MS,
	VS_UPDATE_WAL_BYTES,
	VS_DELETE_S,
	VS_VACUUM_S,
	VS_VACUUM_CPU_S,
	VS_VACUUM_WAL_MB,
	VS_VACUUM_INDEX_MB,
	VS_VACUUM_RECALL,
	VS_NFIGURES
} VsFigure;

typedef enum VsBetter
{
	VS_NEITHER,
	VS_HIGHER,
	VS_LOWER,
	VS_DIFFERENCE				/* compare by difference, as recall */
} VsBetter;

typedef struct VsFigureInfo
{
	const char *phase;
	const char *name;			/* in the CSV; its unit is part of it */
	const char *label;			/* in the report */
	VsBetter	better;
	int			decimals;
} VsFigureInfo;

/* One measured number.  knob and clients are 0 where they do not apply. */
typedef struct VsMeasurement
{
	VsFigure	figure;
	int			variant;
	int			knob;
	int			clients;
	int			run;
	double		value;
} VsMeasurement;

typedef struct VsResults
{
	VsMeasurement *measurements;
	long		n;
	long		room;
} VsResults;

extern const VsFigureInfo *vs_bench_figure_info(VsFigure figure);
extern void vs_bench_record(VsResults *results, VsMeasurement measurement);
extern int	vs_bench_median(const VsResults *results, VsFigure figure,
							int variant, int knob, int clients, double *median);

#endif							/* VS_BENCH_RESULTS_H */
