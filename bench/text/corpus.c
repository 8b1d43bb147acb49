/*
 * corpus.c
 *		Texts to load and to insert, and queries.
 */
#include "corpus.h"

#include "../driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_CHUNK (256 * 1024)
#define STATEMENT "choose"

/* All lines of a file; a relative path begins in the directory, if any. */
VsLines
vs_text_read_lines(const char *path, const char *directory)
{
	VsLines		lines = {0};
	long		room = 0;
	FILE	   *file;
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		len;

	if (path[0] != '/' && directory != NULL)
		path = vs_bench_format("%s/%s", directory, path);
	file = fopen(path, "r");
	if (file == NULL)
		vs_bench_fail("cannot open %s", path);
	while ((len = getline(&line, &size, file)) > 0)
	{
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (lines.n == room)
		{
			room = room == 0 ? 1024 : room * 2;
			lines.line = vs_bench_realloc(lines.line, sizeof(char *) * room);
		}
		lines.line[lines.n++] = vs_bench_format("%s", line);
	}
	free(line);
	fclose(file);
	return lines;
}

/*
 * Set nspare lines apart, at even distances, and load at most limit of the
 * others (0: all), which keep their order.
 */
VsCorpus
vs_text_divide(VsLines lines, long limit, long nspare)
{
	VsCorpus	corpus = {
		{0, vs_bench_alloc(sizeof(char *) * lines.n)},
		{0, vs_bench_alloc(sizeof(char *) * nspare)}
	};

	if (nspare * 2 > lines.n)
		vs_bench_fail("too few paragraphs to set %ld of them apart", nspare);
	for (long i = 0; i < lines.n; i++)
		if (corpus.spare.n < nspare &&
			i >= lines.n * corpus.spare.n / nspare)
			corpus.spare.line[corpus.spare.n++] = lines.line[i];
		else if (limit == 0 || corpus.base.n < limit)
			corpus.base.line[corpus.base.n++] = lines.line[i];
	return corpus;
}

/* The fields of a result's row, split at newlines, into an array of n. */
static char **
split_terms(char *text, int n)
{
	char	  **term = vs_bench_alloc(sizeof(char *) * n);
	char	   *rest;
	int			i = 0;

	for (char *item = strtok_r(text, "\n", &rest); item != NULL;
		 item = strtok_r(NULL, "\n", &rest))
	{
		if (i == n)
			vs_bench_fail("a query of %d terms has more of them", n);
		term[i++] = item;
	}
	return term;
}

/* Has the set a query of the same terms? */
static int
is_chosen(const VsTextQuery *queries, int n, const char *tsquery)
{
	for (int i = 0; i < n; i++)
		if (strcmp(queries[i].tsquery, tsquery) == 0)
			return 1;
	return 0;
}

/*
 * What the server's parser makes of a heading: a number of terms of which none
 * occurs twice, terms, query; or no row.  Terms are in alphabetical order.
 */
static PGresult *
parse_heading(VsSession *session, const char *heading)
{
	PGresult   *result = PQexecPrepared(session->conn, STATEMENT, 1, &heading,
										NULL, NULL, 0);

	vs_bench_check_result(session, result, PGRES_TUPLES_OK);
	return result;
}

/* Sort queries by their number of terms, else as they came. */
static int
compare_queries(const void *a, const void *b)
{
	const VsTextQuery *x = a;
	const VsTextQuery *y = b;

	return x->nterms - y->nterms;
}

/*
 * Take the first neach headings of each number of terms.  Headings with signs
 * that mean something in a tsquery are passed over.
 */
VsTextQueries
vs_text_choose_queries(VsSession *session, const VsLines *headings,
					   int min_terms, int max_terms, int neach)
{
	int			wanted = (max_terms - min_terms + 1) * neach;
	int		   *nfound = vs_bench_alloc(sizeof(int) * (max_terms + 1));
	VsTextQueries queries = {0, vs_bench_alloc(sizeof(VsTextQuery) * wanted)};
	const char *sql =
		"SELECT count(*), string_agg(lexeme, E'\\n' ORDER BY lexeme), "
		"string_agg('''' || lexeme || '''', ' | ' ORDER BY lexeme) "
		"FROM unnest(to_tsvector('" VS_TEXT_CONFIG "', $1)) "
		"HAVING max(cardinality(positions)) = 1";
	PGresult   *result = PQprepare(session->conn, STATEMENT, sql, 0, NULL);

	vs_bench_check_result(session, result, PGRES_COMMAND_OK);
	PQclear(result);
	for (long i = 0; i < headings->n && queries.n < wanted; i++)
	{
		VsTextQuery *query = &queries.query[queries.n];
		int			n;

		if (strpbrk(headings->line[i], "'\\&|!<>:") != NULL)
			continue;
		result = parse_heading(session, headings->line[i]);
		n = PQntuples(result) == 0 ? 0 : atoi(PQgetvalue(result, 0, 0));
		if (n >= min_terms && n <= max_terms && nfound[n] < neach &&
			!is_chosen(queries.query, queries.n, PQgetvalue(result, 0, 2)))
		{
			query->nterms = n;
			query->words = headings->line[i];
			query->term = split_terms(vs_bench_format("%s",
													  PQgetvalue(result, 0, 1)), n);
			query->tsquery = vs_bench_format("%s", PQgetvalue(result, 0, 2));
			nfound[n]++;
			queries.n++;
		}
		PQclear(result);
	}
	if (queries.n < wanted)
		vs_bench_fail("too few headings: only %d of %d queries", queries.n,
					  wanted);
	qsort(queries.query, queries.n, sizeof(VsTextQuery), compare_queries);
	free(nfound);
	return queries;
}

/* Append a field of COPY's text format; returns where it ends. */
static char *
put_field(char *to, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '\\')
			*to++ = '\\';
		if (*text == '\t')
			*to++ = ' ';
		else
			*to++ = *text;
	}
	return to;
}

/* COPY lines into docs (id, body), with ids from 0. */
void
vs_text_copy(VsSession *session, const VsLines *lines)
{
	char	   *chunk = NULL;
	size_t		room = 0;
	size_t		fill = 0;

	vs_bench_begin_copy(session, "COPY docs (id, body) FROM STDIN");
	for (long i = 0; i < lines->n; i++)
	{
		size_t		need = 2 * strlen(lines->line[i]) + 32;
		char	   *end;

		if (room < COPY_CHUNK + need)
			chunk = vs_bench_realloc(chunk, room = COPY_CHUNK + need);
		end = chunk + fill;
		end += sprintf(end, "%ld\t", i);
		end = put_field(end, lines->line[i]);
		*end++ = '\n';
		fill = end - chunk;
		if (fill >= COPY_CHUNK || i == lines->n - 1)
		{
			vs_bench_put_copy_data(session, chunk, fill);
			fill = 0;
		}
	}
	vs_bench_end_copy(session);
	free(chunk);
}
