/* stub_search.c: to be replaced; functions that are not written yet. */
#include "postgres.h"

extern void vs_bm25_beginscan(void);
extern void vs_bm25_rescan(void);
extern void vs_bm25_gettuple(void);
extern void vs_bm25_getbitmap(void);
extern void vs_bm25_endscan(void);
extern void vs_bm25_costestimate(void);

void
vs_bm25_beginscan(void)
{
	elog(ERROR, "vs_bm25_beginscan is not written yet");
}

void
vs_bm25_rescan(void)
{
	elog(ERROR, "vs_bm25_rescan is not written yet");
}

void
vs_bm25_gettuple(void)
{
	elog(ERROR, "vs_bm25_gettuple is not written yet");
}

void
vs_bm25_getbitmap(void)
{
	elog(ERROR, "vs_bm25_getbitmap is not written yet");
}

void
vs_bm25_endscan(void)
{
	elog(ERROR, "vs_bm25_endscan is not written yet");
}

void
vs_bm25_costestimate(void)
{
	elog(ERROR, "vs_bm25_costestimate is not written yet");
}

