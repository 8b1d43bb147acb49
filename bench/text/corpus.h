/*
 * corpus.h
 *		Texts to load and to insert, and queries.
 */
#ifndef VS_BENCH_TEXT_CORPUS_H
#define VS_BENCH_TEXT_CORPUS_H

#include "../session.h"

/* The text search configuration of documents and queries. */
#define VS_TEXT_CONFIG "english"

/* The lines of a file, without their ends. */
typedef struct VsLines
{
	long		n;
	char	  **line;
} VsLines;

/* Paragraphs.  Those to insert later are taken evenly from all over. */
typedef struct VsCorpus
{
	VsLines		base;			/* a paragraph's number is its id */
	VsLines		spare;			/* their ids follow */
} VsCorpus;

/* A query, in the two forms in which a contestant may want it. */
typedef struct VsTextQuery
{
	int			nterms;
	char	   *words;
	char	   *tsquery;		/* 'term' | 'term' ... */
	char	  **term;			/* its lexemes */
} VsTextQuery;

typedef struct VsTextQueries
{
	int			n;
	VsTextQuery *query;			/* by ascending number of terms */
} VsTextQueries;

extern VsLines vs_text_read_lines(const char *path, const char *directory);
extern VsCorpus vs_text_divide(VsLines lines, long limit, long nspare);
extern VsTextQueries vs_text_choose_queries(VsSession *session,
											const VsLines *headings,
											int min_terms, int max_terms,
											int neach);
extern void vs_text_copy(VsSession *session, const VsLines *lines);

#endif							/* VS_BENCH_TEXT_CORPUS_H */
