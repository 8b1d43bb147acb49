/*
 * scores.c
 *		Exact BM25 scores of all documents, to hold answers against.
 *
 * Terms and lengths come from the tsvectors of a contestant's table, as the
 * server has made them; the scores are computed here, in double precision,
 * with k1 = 1.2 and b = 0.75, which are everybody's defaults.
 */
#include "scores.h"

#include "../driver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define K1 1.2
#define B 0.75

/* Where a term occurs, and how often. */
typedef struct Postings
{
	const char *term;
	int			n;
	int			room;
	int32_t    *id;
	int32_t    *tf;
} Postings;

struct VsScores
{
	int32_t		nids;			/* ids are less than this */
	long		ndocs;
	double		mean_length;
	int32_t    *length;			/* by id */
	int			nterms;
	Postings   *postings;		/* in the order of their terms */

	/* of the query scored last */
	double	   *score;			/* by id; 0 where no term occurs */
	int			nbest;			/* k, or fewer where fewer match */
	double		worst;			/* score of the last of these */
};

/* For qsort and bsearch. */
static int
compare_terms(const void *a, const void *b)
{
	return strcmp(((const Postings *) a)->term, ((const Postings *) b)->term);
}

/* The distinct terms of the queries, without postings yet. */
static void
gather_terms(VsScores *scores, const VsTextQueries *queries)
{
	int			n = 0;

	for (int q = 0; q < queries->n; q++)
		n += queries->query[q].nterms;
	scores->postings = vs_bench_alloc(sizeof(Postings) * n);
	n = 0;
	for (int q = 0; q < queries->n; q++)
		for (int i = 0; i < queries->query[q].nterms; i++)
			scores->postings[n++].term = queries->query[q].term[i];
	qsort(scores->postings, n, sizeof(Postings), compare_terms);
	for (int i = 0; i < n; i++)
		if (i == 0 ||
			strcmp(scores->postings[scores->nterms - 1].term,
				   scores->postings[i].term) != 0)
			scores->postings[scores->nterms++] = scores->postings[i];
}

/* Give the server the terms, as table query_terms (term, lexeme). */
static void
send_terms(VsSession *session, const VsScores *scores)
{
	vs_bench_execute(session, "CREATE TEMP TABLE query_terms "
					 "(term int, lexeme text)");
	vs_bench_begin_copy(session, "COPY query_terms FROM STDIN");
	for (int i = 0; i < scores->nterms; i++)
	{
		char	   *line = vs_bench_format("%d\t%s\n", i,
										   scores->postings[i].term);

		vs_bench_put_copy_data(session, line, strlen(line));
		free(line);
	}
	vs_bench_end_copy(session);
	vs_bench_execute(session, "ANALYZE query_terms");
}

/* Begin to read what a query gives. */
static void
begin_reading(VsSession *session, const char *query)
{
	char	   *sql = vs_bench_format("COPY (%s) TO STDOUT", query);
	PGresult   *result = PQexec(session->conn, sql);

	vs_bench_check_result(session, result, PGRES_COPY_OUT);
	PQclear(result);
	free(sql);
}

/* The next row, of up to three numbers; 0 at the end. */
static int
read_row(VsSession *session, int row[3])
{
	char	   *line;
	int			len = PQgetCopyData(session->conn, &line, 0);

	if (len > 0)
	{
		char	   *at = line;

		for (int i = 0; i < 3 && *at != '\n'; i++)
			row[i] = strtol(at, &at, 10);
		PQfreemem(line);
		return 1;
	}
	if (len < -1)
		vs_bench_fail("COPY: %s", PQerrorMessage(session->conn));
	for (PGresult *result; (result = PQgetResult(session->conn)) != NULL;)
	{
		vs_bench_check_result(session, result, PGRES_COMMAND_OK);
		PQclear(result);
	}
	return 0;
}

/* Read the length of every document. */
static void
read_lengths(VsSession *session, VsScores *scores)
{
	double		sum = 0;
	int			row[3];

	scores->nids = 1 + vs_bench_fetch_number(session,
											 "SELECT max(id) FROM docs");
	scores->length = vs_bench_alloc(sizeof(int32_t) * scores->nids);
	scores->score = vs_bench_alloc(sizeof(double) * scores->nids);
	begin_reading(session, "SELECT id, (SELECT coalesce(sum(cardinality("
				  "positions)), 0) FROM unnest(tsv)) FROM docs");
	while (read_row(session, row))
	{
		scores->length[row[0]] = row[1];
		scores->ndocs++;
		sum += row[1];
	}
	scores->mean_length = sum / scores->ndocs;
}

/* Read where the terms occur. */
static void
read_postings(VsSession *session, VsScores *scores)
{
	int			row[3];

	begin_reading(session, "SELECT term, id, cardinality(positions) "
				  "FROM docs CROSS JOIN unnest(tsv) AS word "
				  "JOIN query_terms USING (lexeme)");
	while (read_row(session, row))
	{
		Postings   *postings = &scores->postings[row[0]];

		if (postings->n == postings->room)
		{
			postings->room = postings->room == 0 ? 16 : postings->room * 2;
			postings->id = vs_bench_realloc(postings->id, sizeof(int32_t) *
											postings->room);
			postings->tf = vs_bench_realloc(postings->tf, sizeof(int32_t) *
											postings->room);
		}
		postings->id[postings->n] = row[1];
		postings->tf[postings->n++] = row[2];
	}
}

/* Read what scoring the queries needs from docs (id, tsv). */
VsScores *
vs_text_read_scores(VsSession *session, const VsTextQueries *queries)
{
	VsScores   *scores = vs_bench_alloc(sizeof(VsScores));

	vs_bench_execute(session, "BEGIN");
	gather_terms(scores, queries);
	send_terms(session, scores);
	read_lengths(session, scores);
	read_postings(session, scores);
	vs_bench_execute(session, "ROLLBACK");
	return scores;
}

/* Add a term's part to the scores. */
static void
add_term(VsScores *scores, const char *term)
{
	Postings	key = {term};
	const Postings *postings = bsearch(&key, scores->postings, scores->nterms,
									   sizeof(Postings), compare_terms);
	double		df = postings->n;
	double		idf = log1p((scores->ndocs - df + 0.5) / (df + 0.5));

	for (int i = 0; i < postings->n; i++)
	{
		double		tf = postings->tf[i];
		int32_t		id = postings->id[i];

		scores->score[id] += idf * tf * (K1 + 1) /
			(tf + K1 * (1 - B + B * scores->length[id] / scores->mean_length));
	}
}

/* Score all documents, and find how good the best k are. */
void
vs_text_score(VsScores *scores, const VsTextQuery *query, int k)
{
	double	   *best = vs_bench_alloc(sizeof(double) * (k + 1));

	memset(scores->score, 0, sizeof(double) * scores->nids);
	for (int i = 0; i < query->nterms; i++)
		add_term(scores, query->term[i]);
	scores->nbest = 0;
	for (int32_t id = 0; id < scores->nids; id++)
	{
		double		score = scores->score[id];
		int			at;

		if (score == 0 ||
			(scores->nbest == k && score <= best[k - 1]))
			continue;
		for (at = scores->nbest; at > 0 && best[at - 1] < score; at--)
			best[at] = best[at - 1];
		best[at] = score;
		if (scores->nbest < k)
			scores->nbest++;
	}
	scores->worst = scores->nbest == 0 ? 0 : best[scores->nbest - 1];
	free(best);
}

/*
 * The share of the best k that is among the ids: one as good as the k-th
 * counts.  1 where nothing matches the query.
 */
double
vs_text_agreement(const VsScores *scores, const int32_t *ids, int n)
{
	int			nright = 0;

	if (scores->nbest == 0)
		return 1;
	for (int i = 0; i < n; i++)
		nright += scores->score[ids[i]] > 0 &&
			scores->score[ids[i]] >= scores->worst * (1 - 1e-9);
	return nright >= scores->nbest ? 1 : nright / (double) scores->nbest;
}

/* Free it all. */
void
vs_text_free_scores(VsScores *scores)
{
	for (int i = 0; i < scores->nterms; i++)
	{
		free(scores->postings[i].id);
		free(scores->postings[i].tf);
	}
	free(scores->postings);
	free(scores->length);
	free(scores->score);
	free(scores);
}
