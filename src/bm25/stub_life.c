/* stub_life.c: to be replaced; functions that are not written yet. */
#include "postgres.h"

extern void vs_bm25_check(void);
extern void vs_bm25_digest_value(void);
extern void vs_bm25_stats(void);

void
vs_bm25_check(void)
{
	elog(ERROR, "vs_bm25_check is not written yet");
}

void
vs_bm25_digest_value(void)
{
	elog(ERROR, "vs_bm25_digest_value is not written yet");
}

void
vs_bm25_stats(void)
{
	elog(ERROR, "vs_bm25_stats is not written yet");
}

