/*
 * bm25_bounds.c
 *		Bounds of a block's scores.
 *
 * A posting cannot score higher than one with no smaller tf and no greater
 * length.  Those that no other one tops are the staircase; it is cut in
 * BM25_BOUNDS pieces, and each is bounded by its largest tf and least length.
 */
#include "postgres.h"

#include <math.h>

#include "bm25/bm25_bounds.h"
#include "bm25/bm25_tsvector.h"

/* Steps ascend in both. */
typedef struct Staircase
{
	int			n;
	uint16		tf[BM25_BLOCK_POSTINGS];
	uint16		len[BM25_BLOCK_POSTINGS];
} Staircase;

/* Add a posting, unless a step tops it; drop the steps that it tops. */
static void
add_step(Staircase *stairs, uint16 tf, uint16 len)
{
	int			i = 0;			/* the first step with no smaller tf */
	int			begin;			/* the first one that this tops */
	int			end;

	while (i < stairs->n && stairs->tf[i] < tf)
		i++;
	if (i < stairs->n && stairs->len[i] <= len)
		return;
	end = i < stairs->n && stairs->tf[i] == tf ? i + 1 : i;
	for (begin = i; begin > 0 && stairs->len[begin - 1] >= len;)
		begin--;
	memmove(&stairs->tf[begin + 1], &stairs->tf[end],
			sizeof(uint16) * (stairs->n - end));
	memmove(&stairs->len[begin + 1], &stairs->len[end],
			sizeof(uint16) * (stairs->n - end));
	stairs->n += begin + 1 - end;
	stairs->tf[begin] = tf;
	stairs->len[begin] = len;
}

static void
build_staircase(const VsBm25Block *block, Staircase *stairs)
{
	stairs->n = 0;
	for (int i = 0; i < block->n; i++)
	{
		uint32		tf = 0;

		for (int label = 0; label < BM25_LABELS; label++)
			tf += block->tfs[label][i];
		add_step(stairs, Min(Max(tf, 1), PG_UINT16_MAX),
				 Min(block->lens[i], PG_UINT16_MAX));
	}
}

/* What a posting scores, up to a factor, by the usual parameters. */
static double
usual_score(double tf, double len, double average_len)
{
	return tf / (tf + 1.2 * (0.25 + 0.75 * len / average_len));
}

/* How far the bound of steps first..last is above what the best of them scores. */
static double
looseness(const Staircase *stairs, const double *scores, double average_len,
		  int first, int last)
{
	double		best = 0.0;

	for (int i = first; i <= last; i++)
		best = Max(best, scores[i]);
	return usual_score(stairs->tf[last], stairs->len[first], average_len) - best;
}

/*
 * Cut a staircase of more steps than bounds: ends[] are the pieces' last steps.
 * The sum of what the pieces' bounds are too high is the least; that is found
 * for all beginnings of the staircase and one piece, two pieces, and so on.
 */
static void
cut_staircase(const Staircase *stairs, double average_len, int *ends)
{
	double		scores[BM25_BLOCK_POSTINGS];
	double		costs[BM25_BOUNDS][BM25_BLOCK_POSTINGS];
	uint8		cuts[BM25_BOUNDS][BM25_BLOCK_POSTINGS];

	for (int i = 0; i < stairs->n; i++)
		scores[i] = usual_score(stairs->tf[i], stairs->len[i], average_len);
	for (int last = 0; last < stairs->n; last++)
		costs[0][last] = looseness(stairs, scores, average_len, 0, last);
	for (int piece = 1; piece < BM25_BOUNDS; piece++)
		for (int last = piece; last < stairs->n; last++)
		{
			costs[piece][last] = HUGE_VAL;
			for (int cut = piece - 1; cut < last; cut++)
			{
				double		cost = costs[piece - 1][cut] +
					looseness(stairs, scores, average_len, cut + 1, last);

				if (cost < costs[piece][last])
				{
					costs[piece][last] = cost;
					cuts[piece][last] = cut;
				}
			}
		}
	ends[BM25_BOUNDS - 1] = stairs->n - 1;
	for (int piece = BM25_BOUNDS - 1; piece > 0; piece--)
		ends[piece - 1] = cuts[piece][ends[piece]];
}

static double
average_len(const VsBm25Block *block)
{
	double		sum = 0.0;

	for (int i = 0; i < block->n; i++)
		sum += block->lens[i];
	return Max(sum / block->n, 1.0);
}

void
vs_bm25_block_bounds(const VsBm25Block *block, VsBm25Bounds *bounds)
{
	Staircase	stairs;
	int			ends[BM25_BOUNDS];
	int			first = 0;

	build_staircase(block, &stairs);
	if (stairs.n > BM25_BOUNDS)
		cut_staircase(&stairs, average_len(block), ends);
	else
		for (int i = 0; i < BM25_BOUNDS; i++)
			ends[i] = Min(i, stairs.n - 1);
	for (int i = 0; i < BM25_BOUNDS; i++)
	{
		bounds->tf[i] = stairs.tf[ends[i]];
		bounds->min_len[i] = stairs.len[Min(first, ends[i])];
		first = ends[i] + 1;
	}
}
