/* stub_query.c: to be replaced; functions that are not written yet. */
#include "postgres.h"

extern void vs_bm25_query_make(void);
extern void vs_bm25_query_bind(void);
extern void vs_bm25_forget_statistics(void);
extern void vs_bm25_leaf_matches(void);
extern void vs_bm25_leaf_score(void);
extern void vs_bm25_query_evaluate(void);
extern void vs_bm25_query_score_tsvector(void);

void
vs_bm25_query_make(void)
{
	elog(ERROR, "vs_bm25_query_make is not written yet");
}

void
vs_bm25_query_bind(void)
{
	elog(ERROR, "vs_bm25_query_bind is not written yet");
}

void
vs_bm25_forget_statistics(void)
{
	elog(ERROR, "vs_bm25_forget_statistics is not written yet");
}

void
vs_bm25_leaf_matches(void)
{
	elog(ERROR, "vs_bm25_leaf_matches is not written yet");
}

void
vs_bm25_leaf_score(void)
{
	elog(ERROR, "vs_bm25_leaf_score is not written yet");
}

void
vs_bm25_query_evaluate(void)
{
	elog(ERROR, "vs_bm25_query_evaluate is not written yet");
}

void
vs_bm25_query_score_tsvector(void)
{
	elog(ERROR, "vs_bm25_query_score_tsvector is not written yet");
}

