/*
 * vsearch.c
 *		Module entry.
 */
#include "postgres.h"

#include "bm25/bm25.h"
#include "fmgr.h"
#include "hnsw/hnsw.h"
#include "ivf/ivf.h"
#include "kernel/kernel.h"
#include "planner/planner.h"
#include "settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Called when the library is loaded into a process. */
void
_PG_init(void)
{
	vs_kernel_init();
	vs_settings_define();
	vs_hnsw_init();
	vs_ivf_init();
	vs_bm25_init();
	vs_planner_init();
}
