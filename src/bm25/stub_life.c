/* stub_life.c: to be replaced; functions that are not written yet. */
#include "postgres.h"

extern void vs_bm25_stats(void);

void
vs_bm25_stats(void)
{
	elog(ERROR, "vs_bm25_stats is not written yet");
}

