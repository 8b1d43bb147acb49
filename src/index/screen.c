/*
 * screen.c
 *		The nearest of many centroids by products of bytes, verified.
 *
 * Rows and centroids are rounded to bytes.  Their products bound the scores, and
 * of those centroids that may have the least one scores are computed.
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "index/screen.h"
#include "kernel/bytes.h"
#include "kernel/kernel.h"
#include "miscadmin.h"

/* Rows and groups of centroids whose products are formed at a time. */
#define BLOCK_ROWS		64
#define BLOCK_GROUPS	32
#define BLOCK_COLUMNS	(BLOCK_GROUPS * VS_BYTES_GROUP)

/* The largest element is this many steps, so that dithering stays below 128. */
#define TOP 126.5f

/*
 * Room for the error of a product, in steps times the other vector's length: see
 * README.md.
 */
#define ROOM 2.0f

/* What rounding was drawn from; any seed will do. */
#define DITHER_SEED 1

struct VsScreen
{
	const VsByteKernel *bytes;
	int			dim;
	int			k;
	const float *vectors;
	const float *offsets;
	float	   *dither;			/* dim numbers for rows, dim for centroids */

	/* Centroids, in whole groups. */
	int			ngroups;
	uint8	   *packed;
	float	   *group_offsets;
	float	   *steps;
	float	   *norms;

	/* A block of rows. */
	size_t		stride;
	int8	   *rows;
	VsByteRow  *numbers;
	int32	   *dots;
	uint32	   *found;
};

/* A row's nearest centroid so far. */
typedef struct Nearest
{
	float		score;
	uint32		centroid;
} Nearest;

static Size
packed_nbytes(int dim, int ngroups)
{
	return (Size) ngroups * VS_BYTES_GROUP * vs_bytes_nquads(dim) * 4;
}

static int
count_groups(int k)
{
	return (k + VS_BYTES_GROUP - 1) / VS_BYTES_GROUP;
}

Size
vs_screen_nbytes(int dim, int k)
{
	return packed_nbytes(dim, count_groups(k)) +
		(Size) dim * (BLOCK_ROWS + 2 * sizeof(float)) +
		sizeof(int32) * BLOCK_ROWS * BLOCK_COLUMNS;
}

/*
 * Round a vector to bytes, up or down with the probability that makes the mean
 * right: errors are then independent of each other and of what the vector is
 * multiplied by, whatever it is.
 */
static VsByteSums
round_vector(const VsScreen *screen, const float *x, const float *dither,
			 int8 *bytes, float *step)
{
	float		largest = vs_kernel->max_abs(screen->dim, x);
	float		inverse = TOP / largest;

	/* A vector as small as that has no bytes, and any error. */
	if (!isfinite(inverse))
	{
		inverse = 0.0f;
		*step = largest > 0.0f ? INFINITY : 0.0f;
	}
	else
		*step = largest / TOP;
	return screen->bytes->quantize(screen->dim, x, inverse, dither, bytes);
}

/* Put a centroid's bytes where products find them. */
static void
pack_column(VsScreen *screen, int column, const int8 *bytes)
{
	int			nquads = vs_bytes_nquads(screen->dim);
	uint8	   *place = screen->packed +
		((Size) (column / VS_BYTES_GROUP) * nquads * VS_BYTES_GROUP +
		 column % VS_BYTES_GROUP) * 4;

	for (int q = 0; q < nquads; q++)
		for (int i = 0; i < 4; i++)
			place[(Size) q * VS_BYTES_GROUP * 4 + i] =
				(uint8) (bytes[q * 4 + i] + VS_BYTES_ZERO);
}

/* Prepare the centroids; what groups have beyond them is never near. */
static void
pack_centroids(VsScreen *screen)
{
	int			dim = screen->dim;
	int8	   *bytes = palloc0(vs_bytes_nquads(dim) * 4);

	for (int c = 0; c < screen->ngroups * VS_BYTES_GROUP; c++)
	{
		const float *vector = screen->vectors + (Size) c * dim;

		screen->group_offsets[c] = INFINITY;
		screen->steps[c] = screen->norms[c] = 0.0f;
		if (c < screen->k)
		{
			screen->group_offsets[c] = screen->offsets[c];
			screen->norms[c] = sqrtf(vs_kernel->f32_ip(dim, vector, vector));
			round_vector(screen, vector, screen->dither + dim, bytes,
						 &screen->steps[c]);
		}
		pack_column(screen, c, bytes);
	}
	pfree(bytes);
}

/* Numbers that rounding is drawn from. */
static float *
draw_dither(int n)
{
	float	   *dither = palloc(sizeof(float) * n);
	pg_prng_state prng;

	pg_prng_seed(&prng, DITHER_SEED);
	for (int i = 0; i < n; i++)
		dither[i] = (float) pg_prng_double(&prng);
	return dither;
}

VsScreen *
vs_screen_create(int dim, int k, const float *vectors, const float *offsets)
{
	VsScreen   *screen;
	int			ncolumns = count_groups(k) * VS_BYTES_GROUP;

	if (vs_kernel->bytes == NULL)
		return NULL;
	screen = palloc0(sizeof(VsScreen));
	screen->bytes = vs_kernel->bytes;
	screen->dim = dim;
	screen->k = k;
	screen->vectors = vectors;
	screen->offsets = offsets;
	screen->dither = draw_dither(2 * dim);
	screen->ngroups = count_groups(k);
	screen->packed = palloc_extended(packed_nbytes(dim, screen->ngroups),
									 MCXT_ALLOC_HUGE);
	screen->group_offsets = palloc(sizeof(float) * ncolumns);
	screen->steps = palloc(sizeof(float) * ncolumns);
	screen->norms = palloc(sizeof(float) * ncolumns);
	screen->stride = TYPEALIGN(64, dim);
	screen->rows = palloc0(screen->stride * BLOCK_ROWS);
	screen->numbers = palloc(sizeof(VsByteRow) * BLOCK_ROWS);
	screen->dots = palloc(sizeof(int32) * BLOCK_ROWS * BLOCK_COLUMNS);
	screen->found = palloc(sizeof(uint32) * (BLOCK_COLUMNS + VS_BYTES_GROUP));
	pack_centroids(screen);
	return screen;
}

void
vs_screen_free(VsScreen *screen)
{
	pfree(screen->dither);
	pfree(screen->packed);
	pfree(screen->group_offsets);
	pfree(screen->steps);
	pfree(screen->norms);
	pfree(screen->rows);
	pfree(screen->numbers);
	pfree(screen->dots);
	pfree(screen->found);
	pfree(screen);
}

/* Round a block of rows. */
static void
round_rows(VsScreen *screen, int n, const float *rows)
{
	for (int r = 0; r < n; r++)
	{
		VsByteRow  *number = &screen->numbers[r];
		VsByteSums	sums = round_vector(screen, rows + (Size) r * screen->dim,
										screen->dither,
										screen->rows + r * screen->stride,
										&number->step);

		number->excess = VS_BYTES_ZERO * sums.sum;
		number->norm_room = ROOM * number->step;
		number->step_room = ROOM * number->step * sqrtf(sums.sum_sq);
	}
}

/*
 * Find the nearest of the centroids from "begin" on whose bounds these are, if it
 * is nearer than the nearest so far.
 */
static void
verify(VsScreen *screen, const float *x, int begin, int n, const float *lower,
	   float limit, Nearest *nearest)
{
	int			nfound = screen->bytes->find(n, lower, Min(limit, nearest->score),
											 screen->found);

	for (int i = 0; i < nfound; i++)
	{
		uint32		c = begin + screen->found[i];
		float		score = screen->offsets[c] -
			vs_kernel->f32_ip(screen->dim, x,
							  screen->vectors + (Size) c * screen->dim);

		if (score < nearest->score)
			*nearest = (Nearest) {score, c};
	}
}

/* Find the nearest centroid of each row of a block. */
static void
find_for_block(VsScreen *screen, int nrows, const float *rows, Nearest *nearest)
{
	round_rows(screen, nrows, rows);
	for (int r = 0; r < nrows; r++)
		nearest[r] = (Nearest) {INFINITY, 0};
	for (int group = 0; group < screen->ngroups; group += BLOCK_GROUPS)
	{
		int			ngroups = Min(screen->ngroups - group, BLOCK_GROUPS);
		int			begin = group * VS_BYTES_GROUP;
		int			n = Min(screen->k - begin, BLOCK_COLUMNS);
		VsByteColumns columns = {
			screen->group_offsets + begin, screen->steps + begin,
			screen->norms + begin
		};

		screen->bytes->products(TYPEALIGN(VS_BYTES_ROWS, nrows), ngroups,
								vs_bytes_nquads(screen->dim), screen->rows,
								screen->stride,
								screen->packed + packed_nbytes(screen->dim, group),
								screen->dots);
		for (int r = 0; r < nrows; r++)
		{
			int32	   *dots = screen->dots + (Size) r * ngroups * VS_BYTES_GROUP;
			float	   *lower = (float *) dots;
			float		limit = screen->bytes->bound(ngroups, dots,
													 screen->numbers[r], columns,
													 lower);

			CHECK_FOR_INTERRUPTS();
			verify(screen, rows + (Size) r * screen->dim, begin, n, lower, limit,
				   &nearest[r]);
		}
	}
}

void
vs_screen_nearest(VsScreen *screen, int n, const float *rows, uint32 *nearest,
				  float *scores)
{
	Nearest		found[BLOCK_ROWS];

	for (int begin = 0; begin < n; begin += BLOCK_ROWS)
	{
		int			nrows = Min(n - begin, BLOCK_ROWS);

		find_for_block(screen, nrows, rows + (Size) begin * screen->dim, found);
		for (int r = 0; r < nrows; r++)
		{
			nearest[begin + r] = found[r].centroid;
			if (scores != NULL)
				scores[begin + r] = found[r].score;
		}
	}
}
