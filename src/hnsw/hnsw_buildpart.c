/*
 * hnsw_buildpart.c
 *		CREATE INDEX: dividing rows into parts that overlap.
 *
 * Each part has a centroid.  A row is at home in the part whose centroid is
 * nearest, and a guest beyond the border that is nearest: there it meets the
 * neighbours that are at home on the other side.  Some rows are near a second
 * border, and guests there, too.  Which parts these are is kept in a temporary
 * file.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "hnsw/hnsw_build_private.h"
#include "index/seed.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/kmeans.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

/* Rows that a part can hold, whatever the memory. */
#define MIN_PART_ROWS 500

/*
 * How full parts are on average, and how full the largest should be; a row that
 * finds one full goes elsewhere.
 */
#define PART_FILL 0.8
#define FULL_SHARE 0.85f

/* The share of rows that are guests twice. */
#define SECOND_GUESTS 0.3

/* Samples a part's centroid is found from. */
#define SAMPLES_PER_PART 32

/* Rounds of balancing, and how far a round goes. */
#define BALANCE_ROUNDS 40
#define BALANCE_RATE 0.02f

/* Entries of the file that are read at a time. */
#define ENTRIES_READ 512

/* Where a row belongs. */
typedef struct PartEntry
{
	int			home;
	int			guest;
	int			second_guest;	/* -1 for most */
} PartEntry;

struct VsHnswParts
{
	int			n;
	uint32		capacity;		/* rows of a part */
	uint64		nrows;			/* of the table */
	uint32	   *nhome;			/* rows of each part */
	uint32	   *nguests;
	BufFile    *file;			/* a PartEntry a row */

	/* Only while dividing. */
	int			dim;
	float	   *centroids;		/* n x dim, in the codec's unit */
	float	   *spacing;		/* n x n, twice the distances between them */
	float	   *penalties;		/* added to squared distances, for equal sizes */
	float		second_border;	/* how near one is that makes a guest */
	uint64		nfree;			/* places that second guests may take */
	float	   *x;
	float	   *dists;
};

/* Read samples within nbytes, n x dim, in the codec's unit. */
static float *
read_samples(VsHnswBuild *build, const VsHnswParts *parts, Size nbytes, int *n)
{
	float	   *samples = vs_build_sample(&build->base,
										  parts->n * SAMPLES_PER_PART, nbytes,
										  vs_prng, n);

	for (int i = 0; i < *n; i++)
	{
		float	   *x = samples + (Size) i * parts->dim;

		vs_rabitq_scale(build->index->codec, x, x);
	}
	return samples;
}

/* The distances of a vector to all centroids, penalties included. */
static void
compute_dists(const VsHnswParts *parts, const float *x, float *dists)
{
	for (int c = 0; c < parts->n; c++)
		dists[c] = parts->penalties[c] +
			vs_kernel->f32_l2_sq(parts->dim, x,
								 parts->centroids + (Size) c * parts->dim);
}

/* Whether a part takes one more row. */
static inline bool
has_room(const VsHnswParts *parts, int part)
{
	return parts->nhome[part] + parts->nguests[part] < parts->capacity;
}

/* The nearest part with room. */
static int
nearest_part(const VsHnswParts *parts)
{
	int			nearest = -1;

	for (int c = 0; c < parts->n; c++)
		if (has_room(parts, c) &&
			(nearest < 0 || parts->dists[c] < parts->dists[nearest]))
			nearest = c;
	Assert(nearest >= 0);
	return nearest;
}

/*
 * The part with room, besides two, to which the border is nearest; its distance
 * is that to the plane on which both centroids are equally near.
 */
static int
nearest_border(const VsHnswParts *parts, int home, int other, float *distance)
{
	const float *spacing = parts->spacing + (Size) home * parts->n;
	int			guest = -1;
	float		nearest = INFINITY;

	for (int c = 0; c < parts->n; c++)
	{
		float		border;

		if (c == home || c == other || !has_room(parts, c))
			continue;
		border = spacing[c] > 0.0f ?
			(parts->dists[c] - parts->dists[home]) / spacing[c] : 0.0f;
		if (guest >= 0 && border >= nearest)
			continue;
		nearest = border;
		guest = c;
	}
	*distance = nearest;
	return guest;
}

/* Choose the parts of a vector; sets the distance of the second border. */
static PartEntry
choose_parts(const VsHnswParts *parts, const float *x, float *second_border)
{
	PartEntry	entry;
	float		border;

	compute_dists(parts, x, parts->dists);
	entry.home = nearest_part(parts);
	entry.guest = nearest_border(parts, entry.home, -1, &border);
	Assert(entry.guest >= 0);
	entry.second_guest = nearest_border(parts, entry.home, entry.guest,
										second_border);
	if (*second_border >= parts->second_border)
		entry.second_guest = -1;
	return entry;
}

/*
 * Count the samples that would be in each part; returns the mean squared
 * distance to the home's centroid.
 */
static float
count_samples(const VsHnswParts *parts, const float *samples, int n,
			  uint32 *counts, float *second_borders)
{
	double		sum = 0.0;

	memset(counts, 0, sizeof(uint32) * parts->n);
	for (int i = 0; i < n; i++)
	{
		PartEntry	entry = choose_parts(parts, samples + (Size) i * parts->dim,
										 &second_borders[i]);

		CHECK_FOR_INTERRUPTS();
		counts[entry.home]++;
		counts[entry.guest]++;
		sum += parts->dists[entry.home] - parts->penalties[entry.home];
	}
	return sum / n;
}

/* qsort comparator of floats. */
static int
compare_floats(const void *a, const void *b)
{
	float		left = *(const float *) a;
	float		right = *(const float *) b;

	return left < right ? -1 : left > right;
}

/*
 * Find penalties that keep parts from being full before all rows are there: a
 * part with too many of the samples gets farther from all.  Sizes that need not
 * be equal are left as they are, since penalties move borders to where they cut
 * off neighbours.  Then find which borders make second guests.
 */
static void
balance_parts(VsHnswParts *parts, const float *samples, int n)
{
	uint32	   *counts = palloc(sizeof(uint32) * parts->n);
	float	   *second_borders = palloc(sizeof(float) * n);

	parts->second_border = -INFINITY;
	for (int round = 0; round < BALANCE_ROUNDS; round++)
	{
		float		mean_dist = count_samples(parts, samples, n, counts,
											  second_borders);

		for (int c = 0; c < parts->n; c++)
		{
			/* Rows to be expected, of those that there is room for. */
			float		filled = (float) counts[c] * parts->nrows / n /
				(FULL_SHARE * parts->capacity);
			float		step = BALANCE_RATE * mean_dist * Min(filled - 1.0f, 1.0f);

			parts->penalties[c] = Max(parts->penalties[c] + step, 0.0f);
		}
	}
	qsort(second_borders, n, sizeof(float), compare_floats);
	parts->second_border = second_borders[(int) (n * SECOND_GUESTS)];
	pfree(second_borders);
	pfree(counts);
}

/* Compute the distances between centroids. */
static void
compute_spacing(VsHnswParts *parts)
{
	for (int i = 0; i < parts->n; i++)
	{
		const float *center = parts->centroids + (Size) i * parts->dim;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < parts->n; j++)
			parts->spacing[(Size) i * parts->n + j] =
				2.0f * sqrtf(vs_kernel->f32_l2_sq(parts->dim, center,
												  parts->centroids + (Size) j * parts->dim));
	}
}

/* Find the parts' centroids from samples within nbytes. */
static void
find_centroids(VsHnswBuild *build, VsHnswParts *parts, Size nbytes)
{
	int			n;
	float	   *samples = read_samples(build, parts, nbytes, &n);

	vs_kmeans(parts->dim, n, samples, NULL, parts->n,
			  pg_prng_uint64(vs_prng), parts->centroids);
	compute_spacing(parts);
	balance_parts(parts, samples, n);
	pfree(samples);
}

/* Assign every row. */
static void
assign_rows(VsHnswBuild *build, VsHnswParts *parts)
{
	/* Leave room for all homes and first guests, wherever they are. */
	parts->nfree = (uint64) (parts->n - 1) * parts->capacity - 2 * parts->nrows;
	for (uint64 i = 0; i < parts->nrows; i++)
	{
		PartEntry	entry;
		float		second_border;

		vs_build_read(&build->base, i, parts->x, NULL);
		vs_rabitq_scale(build->index->codec, parts->x, parts->x);
		entry = choose_parts(parts, parts->x, &second_border);
		parts->nhome[entry.home]++;
		parts->nguests[entry.guest]++;
		if (parts->nfree == 0)
			entry.second_guest = -1;
		if (entry.second_guest >= 0)
		{
			parts->nguests[entry.second_guest]++;
			parts->nfree--;
		}
		BufFileWrite(parts->file, &entry, sizeof(entry));
		vs_team_report(build->base.team, 1);
	}
}

/* How many parts of some capacity there must be. */
static int
count_parts(uint64 nrows, uint32 capacity)
{
	return (int) ceil((2.0 + SECOND_GUESTS) * nrows /
					  (PART_FILL * capacity)) + 1;
}

VsHnswParts *
vs_hnsw_parts_divide(VsHnswBuild *build, Size nbytes)
{
	VsHnswParts *parts = palloc0(sizeof(VsHnswParts));
	int			dim = build->index->geometry.dim;

	parts->dim = dim;
	parts->nrows = vs_spool_nrows(build->base.spool);
	parts->capacity = Max(vs_hnsw_build_fitting_rows(build, 0, nbytes),
						  MIN_PART_ROWS);
	parts->n = count_parts(parts->nrows, parts->capacity);
	parts->nhome = palloc0(sizeof(uint32) * parts->n);
	parts->nguests = palloc0(sizeof(uint32) * parts->n);
	parts->penalties = palloc0(sizeof(float) * parts->n);
	parts->dists = palloc(sizeof(float) * parts->n);
	parts->spacing = palloc_extended(sizeof(float) * parts->n * (Size) parts->n,
									 MCXT_ALLOC_HUGE);
	parts->x = palloc(sizeof(float) * dim);
	parts->centroids = palloc_extended(sizeof(float) * dim * (Size) parts->n,
									   MCXT_ALLOC_HUGE);
	parts->file = BufFileCreateTemp(false);

	vs_team_begin_phase(build->base.team, HNSW_PHASE_DIVIDE, parts->nrows);
	find_centroids(build, parts, nbytes / 2);
	assign_rows(build, parts);
	pfree(parts->centroids);
	pfree(parts->spacing);
	return parts;
}

int
vs_hnsw_parts_count(const VsHnswParts *parts)
{
	return parts->n;
}

uint64
vs_hnsw_parts_nrows(const VsHnswParts *parts)
{
	uint64		sum = 0;

	for (int i = 0; i < parts->n; i++)
		sum += parts->nhome[i] + parts->nguests[i];
	return sum;
}

uint32
vs_hnsw_parts_max_rows(const VsHnswParts *parts)
{
	uint32		max_rows = 0;

	for (int i = 0; i < parts->n; i++)
		max_rows = Max(max_rows, parts->nhome[i] + parts->nguests[i]);
	return max_rows;
}

uint32
vs_hnsw_parts_list(VsHnswParts *parts, int part, uint32 *rows, uint32 *nhome)
{
	uint32	   *next_home = rows;
	uint32	   *next_guest = rows + parts->nhome[part];
	PartEntry	entries[ENTRIES_READ];

	if (BufFileSeek(parts->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in temporary file of an index build: %m")));
	for (uint64 begin = 0; begin < parts->nrows; begin += ENTRIES_READ)
	{
		int			n = Min(parts->nrows - begin, ENTRIES_READ);

		CHECK_FOR_INTERRUPTS();
		vs_compat_buffile_read_exact(parts->file, entries, sizeof(PartEntry) * n);
		for (int i = 0; i < n; i++)
		{
			if (entries[i].home == part)
				*next_home++ = begin + i;
			else if (entries[i].guest == part ||
					 entries[i].second_guest == part)
				*next_guest++ = begin + i;
		}
	}
	*nhome = parts->nhome[part];
	return next_guest - rows;
}

void
vs_hnsw_parts_free(VsHnswParts *parts)
{
	BufFileClose(parts->file);
	pfree(parts->nhome);
	pfree(parts->nguests);
	pfree(parts->penalties);
	pfree(parts->dists);
	pfree(parts->x);
	pfree(parts);
}
