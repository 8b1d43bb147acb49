/*
 * bm25_rewrite.c
 *		Planner support: scores take the index of their column.
 */
#include "postgres.h"

#include "fmgr.h"

PG_FUNCTION_INFO_V1(vs_bm25_support);

Datum
vs_bm25_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}
