/*
 * hnsw_buildpart.c
 *		CREATE INDEX: dividing rows into parts that overlap.
 *
 * Each part has a centroid.  A row is at home in the part whose centroid is
 * nearest, and a guest in the second nearest: near the border of two parts it
 * meets neighbours in both.  Which parts these are is kept in a temporary file.
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "compat.h"
#include "hnsw/hnsw_build_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "quant/kmeans.h"
#include "storage/buffile.h"
#include "utils/memutils.h"
#include "utils/sampling.h"

/* Rows that a part can hold, whatever the memory. */
#define MIN_PART_ROWS 500

/* How full parts are on average; a row that finds one full goes elsewhere. */
#define PART_FILL 0.85

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
	uint32		home;
	uint32		guest;
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
	float	   *penalties;		/* added to distances, for equal sizes */
	float	   *x;
	float	   *dists;
};

/* Read a row's vector in the codec's unit. */
static void
read_vector(VsHnswBuild *build, uint64 number, float *x)
{
	VsSpoolRow	row;

	vs_spool_read(build->spool, number, &row);
	vs_kernel->f16_to_f32(build->index->geometry.dim, row.halves,
						  vs_f16vec_scale(row.exponent), x);
	vs_rabitq_scale(build->index->codec, x, x);
}

/* Read samples within nbytes, n x dim. */
static float *
read_samples(VsHnswBuild *build, const VsHnswParts *parts, Size nbytes, int *n)
{
	Size		row_nbytes = sizeof(float) * parts->dim;
	BlockSamplerData sampler;
	float	   *samples;

	*n = Min(Min(nbytes / row_nbytes, (Size) parts->n * SAMPLES_PER_PART),
			 parts->nrows);
	*n = Max(*n, 1);
	samples = palloc_extended(row_nbytes * *n, MCXT_ALLOC_HUGE);
	BlockSampler_Init(&sampler, parts->nrows, *n,
					  pg_prng_uint32(&pg_global_prng_state));
	for (int i = 0; i < *n; i++)
		read_vector(build, BlockSampler_Next(&sampler),
					samples + (Size) i * parts->dim);
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

/* The nearest part with room other than one; -1 if there is none. */
static int
nearest_part(const VsHnswParts *parts, const float *dists, int other)
{
	int			nearest = -1;

	for (int c = 0; c < parts->n; c++)
		if (c != other && has_room(parts, c) &&
			(nearest < 0 || dists[c] < dists[nearest]))
			nearest = c;
	return nearest;
}

/*
 * Find penalties that make parts of the samples about equally large: a part
 * above the average gets farther from all.
 */
static void
balance_parts(VsHnswParts *parts, const float *samples, int n)
{
	for (int round = 0; round < BALANCE_ROUNDS; round++)
	{
		double		sum = 0.0;
		float		mean_dist;

		memset(parts->nhome, 0, sizeof(uint32) * parts->n);
		for (int i = 0; i < n; i++)
		{
			int			home;
			int			guest;

			CHECK_FOR_INTERRUPTS();
			compute_dists(parts, samples + (Size) i * parts->dim, parts->dists);
			home = nearest_part(parts, parts->dists, -1);
			guest = nearest_part(parts, parts->dists, home);
			sum += parts->dists[home] - parts->penalties[home];
			parts->nhome[home]++;
			parts->nhome[guest]++;
		}
		mean_dist = sum / n;
		for (int c = 0; c < parts->n; c++)
		{
			float		excess = (float) parts->nhome[c] * parts->n / (2.0f * n) - 1.0f;

			parts->penalties[c] += BALANCE_RATE * mean_dist * Min(excess, 1.0f);
		}
	}
	memset(parts->nhome, 0, sizeof(uint32) * parts->n);
}

/* Find the parts' centroids from samples within nbytes. */
static void
find_centroids(VsHnswBuild *build, VsHnswParts *parts, Size nbytes)
{
	int			n;
	float	   *samples = read_samples(build, parts, nbytes, &n);

	vs_kmeans(parts->dim, n, samples, NULL, parts->n,
			  pg_prng_uint64(&pg_global_prng_state), parts->centroids);
	balance_parts(parts, samples, n);
	pfree(samples);
}

/* Assign every row. */
static void
assign_rows(VsHnswBuild *build, VsHnswParts *parts)
{
	for (uint64 i = 0; i < parts->nrows; i++)
	{
		PartEntry	entry;

		read_vector(build, i, parts->x);
		compute_dists(parts, parts->x, parts->dists);
		entry.home = nearest_part(parts, parts->dists, -1);
		parts->nhome[entry.home]++;
		entry.guest = nearest_part(parts, parts->dists, entry.home);
		parts->nguests[entry.guest]++;
		BufFileWrite(parts->file, &entry, sizeof(entry));
		vs_team_report(build->team, 1);
	}
}

/* How many parts of some capacity there must be. */
static int
count_parts(uint64 nrows, uint32 capacity)
{
	return (int) ceil(2.0 * nrows / (PART_FILL * capacity)) + 1;
}

VsHnswParts *
vs_hnsw_parts_divide(VsHnswBuild *build, Size nbytes)
{
	VsHnswParts *parts = palloc0(sizeof(VsHnswParts));
	int			dim = build->index->geometry.dim;

	parts->dim = dim;
	parts->nrows = vs_spool_nrows(build->spool);
	parts->capacity = Max(vs_hnsw_build_fitting_rows(build, 0, nbytes),
						  MIN_PART_ROWS);
	parts->n = count_parts(parts->nrows, parts->capacity);
	parts->nhome = palloc0(sizeof(uint32) * parts->n);
	parts->nguests = palloc0(sizeof(uint32) * parts->n);
	parts->penalties = palloc0(sizeof(float) * parts->n);
	parts->dists = palloc(sizeof(float) * parts->n);
	parts->x = palloc(sizeof(float) * dim);
	parts->centroids = palloc_extended(sizeof(float) * dim * (Size) parts->n,
									   MCXT_ALLOC_HUGE);
	parts->file = BufFileCreateTemp(false);

	vs_team_begin_phase(build->team, HNSW_PHASE_DIVIDE, parts->nrows);
	find_centroids(build, parts, nbytes / 2);
	assign_rows(build, parts);
	pfree(parts->centroids);
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
			else if (entries[i].guest == part)
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
