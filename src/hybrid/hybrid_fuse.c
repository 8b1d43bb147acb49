/*
 * hybrid_fuse.c
 *		One list out of two.
 */
#include "postgres.h"

#include <math.h>

#include "hybrid/hybrid_private.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(vs_rrf_score);

/* The score of a rank by reciprocal rank fusion. */
static double
rrf_score(int64 rank, int k)
{
	return 1.0 / ((double) k + (double) rank);
}

/* How good a value is: more is better. */
static double
get_merit(VsHybridSide side, double value)
{
	return side == HYBRID_VECTOR ? -value : value;
}

/* A range of merits to be scaled to 0..1. */
typedef struct Scale
{
	double		min;
	double		max;
} Scale;

/* The range of the finite merits among a side's candidates. */
static Scale
find_scale(VsHybridSide side, const VsHybridRows *list)
{
	Scale		scale = {INFINITY, -INFINITY};

	for (int i = 0; i < list->n; i++)
	{
		double		merit = get_merit(side, list->rows[i].value[side]);

		if (isinf(merit))
			continue;
		scale.min = Min(scale.min, merit);
		scale.max = Max(scale.max, merit);
	}
	return scale;
}

/* A merit on the scale; where all are equal each is the best. */
static double
apply_scale(const Scale *scale, double merit)
{
	if (isinf(merit))
		return merit > 0 ? 1.0 : 0.0;
	if (scale->max == scale->min)
		return 1.0;
	return (merit - scale->min) / (scale->max - scale->min);
}

static double
get_score(const VsHybridRow *row, const VsHybridFusion *fusion,
		  const Scale scales[HYBRID_SIDES])
{
	double		score = 0.0;

	for (VsHybridSide side = 0; side < HYBRID_SIDES; side++)
	{
		double		part = 0.0;

		if (row->rank[side] > 0)
			part = fusion->method == HYBRID_RRF ?
				rrf_score(row->rank[side], fusion->rrf_k) :
				apply_scale(&scales[side],
							get_merit(side, row->value[side]));
		score += fusion->weight[side] * part;
	}
	return score;
}

/* qsort_arg: rows of both sides, the same row's beside each other. */
static int
compare_identity(const void *a, const void *b, void *arg)
{
	return vs_hybrid_compare_rows(arg, a, b);
}

/* qsort_arg: best first, equal ones by key. */
static int
compare_scores(const void *a, const void *b, void *arg)
{
	const VsHybridRow *row_a = a;
	const VsHybridRow *row_b = b;

	if (row_a->score != row_b->score)
		return row_a->score > row_b->score ? -1 : 1;
	return vs_hybrid_compare_rows(arg, row_a, row_b);
}

/* Append to list what both sides found, each row once. */
static void
unite_rows(VsHybridKey *key, VsHybridRows *list,
		   const VsHybridRows sides[HYBRID_SIDES])
{
	int			nunited = 0;

	for (VsHybridSide side = 0; side < HYBRID_SIDES; side++)
	{
		if (sides[side].n > 0)
			memcpy(list->rows + list->n, sides[side].rows,
				   sides[side].n * sizeof(VsHybridRow));
		list->n += sides[side].n;
	}
	qsort_arg(list->rows, list->n, sizeof(VsHybridRow), compare_identity, key);

	for (int i = 0; i < list->n; i++)
	{
		VsHybridRow *row = &list->rows[i];
		VsHybridRow *last = nunited > 0 ? &list->rows[nunited - 1] : NULL;
		VsHybridSide side = row->rank[HYBRID_TEXT] > 0 ? HYBRID_TEXT :
			HYBRID_VECTOR;

		if (last != NULL && last->rank[side] == 0 &&
			vs_hybrid_compare_rows(key, last, row) == 0)
		{
			last->rank[side] = row->rank[side];
			last->value[side] = row->value[side];
		}
		else
			list->rows[nunited++] = *row;
	}
	list->n = nunited;
}

VsHybridRows
vs_hybrid_fuse(VsHybridKey *key, const VsHybridFusion *fusion,
			   const VsHybridRows sides[HYBRID_SIDES])
{
	VsHybridRows list = {0};
	Scale		scales[HYBRID_SIDES];

	list.rows = palloc_extended(((Size) sides[HYBRID_VECTOR].n +
								 sides[HYBRID_TEXT].n) * sizeof(VsHybridRow),
								MCXT_ALLOC_HUGE);
	unite_rows(key, &list, sides);
	for (VsHybridSide side = 0; side < HYBRID_SIDES; side++)
		scales[side] = find_scale(side, &sides[side]);
	for (int i = 0; i < list.n; i++)
		list.rows[i].score = get_score(&list.rows[i], fusion, scales);
	qsort_arg(list.rows, list.n, sizeof(VsHybridRow), compare_scores, key);
	return list;
}

/*
 * rrf_score(rank, k): 0 for NULL, so that a row that one of two joined lists
 * lacks needs no COALESCE.
 */
Datum
vs_rrf_score(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_GETARG_INT32(1) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must not be negative")));
	if (PG_ARGISNULL(0))
		PG_RETURN_FLOAT8(0.0);
	if (PG_GETARG_INT64(0) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rank must be at least 1")));
	PG_RETURN_FLOAT8(rrf_score(PG_GETARG_INT64(0), PG_GETARG_INT32(1)));
}
