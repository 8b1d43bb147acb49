/*
 * hnsw.h
 *		What the rest of vsearch may know of the hnsw access method.
 */
#ifndef VS_HNSW_H
#define VS_HNSW_H

#include "postgres.h"

#include "utils/guc.h"

/* Rows up to which an index that starts on an empty table stays flat. */
#define HNSW_DEFAULT_FLAT_ROWS 1000

/* Settings; their names, ranges and help are in settings.c. */
extern int	vs_hnsw_ef_search;
extern int	vs_hnsw_iterative_scan;
extern int	vs_hnsw_max_scan_tuples;
extern double vs_hnsw_scan_mem_multiplier;
extern int	vs_hnsw_flat_rows;

extern bool vs_hnsw_check_ef_search(int *newval, void **extra, GucSource source);
extern void vs_hnsw_assign_ef_search(int newval, void *extra);

typedef enum VsHnswIterativeScan
{
	HNSW_ITERATIVE_OFF,
	HNSW_ITERATIVE_RELAXED,
	HNSW_ITERATIVE_STRICT
} VsHnswIterativeScan;

/* Called once when the library is loaded. */
extern void vs_hnsw_init(void);

#endif							/* VS_HNSW_H */
