/* stub_make.c: to be replaced; functions that are not written yet. */
#include "postgres.h"

extern void vs_bm25_build(void);
extern void vs_bm25_buildempty(void);
extern void vs_bm25_buildphasename(void);

void
vs_bm25_build(void)
{
	elog(ERROR, "vs_bm25_build is not written yet");
}

void
vs_bm25_buildempty(void)
{
	elog(ERROR, "vs_bm25_buildempty is not written yet");
}

void
vs_bm25_buildphasename(void)
{
	elog(ERROR, "vs_bm25_buildphasename is not written yet");
}

