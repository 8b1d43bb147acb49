/*
 * hnsw.h
 *		What the rest of vsearch may know of the hnsw access method.
 */
#ifndef VS_HNSW_H
#define VS_HNSW_H

#include "postgres.h"

#include "index/option.h"

/* Rows up to which an index that starts on an empty table stays flat. */
#define HNSW_DEFAULT_FLAT_ROWS 1000

/* Settings; their names, ranges and help are in settings.c. */
extern VsOption vs_hnsw_ef_search;
extern int	vs_hnsw_iterative_scan; /* a VsIterativeScan */
extern int	vs_hnsw_max_scan_tuples;
extern double vs_hnsw_scan_mem_multiplier;
extern int	vs_hnsw_flat_rows;

extern void vs_hnsw_assign_ef_search(int newval, void *extra);

/* Called once when the library is loaded. */
extern void vs_hnsw_init(void);

#endif							/* VS_HNSW_H */
