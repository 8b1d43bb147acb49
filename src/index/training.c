/*
 * training.c
 *		k-means with many centroids, alone or by the participants of a team.
 *
 * The process that runs a training goes from step to step; what a step does for
 * each sample or each centroid is work in chunks, which participants share.
 * Chunks do not depend on who takes them, and no two write the same place, so
 * neither do results.
 */
#include "index/training_private.h"

#include <math.h>

#include "index/centroids.h"
#include "kernel/kernel.h"
#include "miscadmin.h"

/* Samples and centroids that a participant takes at a time. */
#define CHUNK_SAMPLES	(2 * VS_CENTROIDS_BLOCK_ROWS)
#define CHUNK_CENTROIDS	16

/*
 * Initial centroids that are drawn at a time: at most this share of those that
 * there are, and at most so many.
 */
#define DRAWN_SHARE		0.5
#define MAX_DRAWN		128

/*
 * A squared distance that is below this share of the terms that it is the
 * difference of is computed anew.
 */
#define CANCELLED_SHARE	1e-4f

/*
 * The last rounds take all samples, those before and the choice of initial
 * centroids this share of them, and at least so many a centroid.
 */
#define FULL_ROUNDS		2
#define EARLY_SHARE		0.4
#define EARLY_SAMPLES	16

/*
 * Before the last rounds, a centroid whose samples' squared distances sum to
 * less than this share of the average goes elsewhere.
 */
#define USELESS_SHARE	0.1

/* A round that takes away less than this share of the distances is the last. */
#define WORTHWHILE_GAIN	0.001

/* Take "count" numbers of four bytes behind nbytes; returns their place. */
static Size
reserve(Size *nbytes, Size count)
{
	Size		place = *nbytes;

	StaticAssertStmt(sizeof(float) == sizeof(uint32), "places hold either");
	*nbytes += MAXALIGN(sizeof(float) * count);
	return place;
}

/* Set the places of a training; returns its size. */
static Size
lay_out(VsTraining *t, int dim, int n, int k)
{
	Size		nbytes = MAXALIGN(sizeof(VsTraining));

	t->samples = reserve(&nbytes, (Size) n * dim);
	t->norms_sq = reserve(&nbytes, n);
	t->dists_sq = reserve(&nbytes, n);
	t->nearest = reserve(&nbytes, n);
	t->members = reserve(&nbytes, n);
	t->first_members = reserve(&nbytes, (Size) k + 1);
	t->centroids = reserve(&nbytes, (Size) k * dim);
	t->offsets = reserve(&nbytes, k);
	t->mean = reserve(&nbytes, dim);
	return nbytes;
}

Size
vs_training_nbytes(int dim, int n, int k)
{
	VsTraining	t;

	return lay_out(&t, dim, n, k);
}

VsTraining *
vs_training_init(void *memory, int dim, int n, int k, bool spherical,
				 uint64 seed)
{
	VsTraining *t = memory;

	memset(t, 0, sizeof(VsTraining));
	lay_out(t, dim, n, k);
	t->dim = dim;
	t->n = n;
	t->k = k;
	t->spherical = spherical;
	t->seed = seed;
	pg_atomic_init_u32(&t->next, 0);
	return t;
}

float *
vs_training_samples(VsTraining *t)
{
	return floats_at(t, t->samples);
}

const float *
vs_training_centroids(VsTraining *t)
{
	return floats_at(t, t->centroids);
}

void
vs_training_set_centroids(VsTraining *t, const float *centroids)
{
	memcpy(floats_at(t, t->centroids), centroids,
		   sizeof(float) * t->k * t->dim);
	t->nfound = t->k;
}

double
vs_training_mean_dist_sq(const VsTraining *t)
{
	return t->n > 0 ? ldexp(t->sum_dist_sq / t->n, 2 * t->exponent) : 0.0;
}

/*
 * What participants do
 */

/* The exact distance where that by products has lost too much in rounding. */
static float
correct_dist_sq(VsTraining *t, uint32 i, uint32 c, float dist_sq)
{
	float		terms = floats_at(t, t->norms_sq)[i] +
		2.0f * floats_at(t, t->offsets)[c];

	if (dist_sq > CANCELLED_SHARE * terms)
		return dist_sq;
	return vs_kernel->f32_l2_sq(t->dim, sample_at(t, i), centroid_at(t, c));
}

/*
 * Find the nearest of the centroids from "first" on for some samples.  Those
 * that a centroid before is nearer to keep it, unless first is 0.
 */
static void
assign_samples(VsTraining *t, uint32 begin, uint32 end, int first,
			   const VsCentroids *centroids, float *work)
{
	const float *norms_sq = floats_at(t, t->norms_sq);
	float	   *dists_sq = floats_at(t, t->dists_sq);
	uint32	   *nearest = numbers_at(t, t->nearest);
	uint32		found[CHUNK_SAMPLES];
	float		scores[CHUNK_SAMPLES];

	Assert(end - begin <= CHUNK_SAMPLES);
	vs_centroids_nearest(centroids, end - begin, sample_at(t, begin), work,
						 found, scores);
	for (uint32 i = begin; i < end; i++)
	{
		uint32		c = first + found[i - begin];
		float		dist_sq = norms_sq[i] + 2.0f * scores[i - begin];

		dist_sq = correct_dist_sq(t, i, c, dist_sq);
		if (first > 0 && dists_sq[i] <= dist_sq)
			continue;
		dists_sq[i] = dist_sq;
		nearest[i] = c;
	}
}

/* Move a centroid to the mean of its samples; one without any stays. */
static void
move_centroid(VsTraining *t, int c)
{
	const uint32 *first_members = numbers_at(t, t->first_members);
	const uint32 *members = numbers_at(t, t->members);
	uint32		count = first_members[c + 1] - first_members[c];
	float	   *centroid = centroid_at(t, c);
	float		share;

	if (count == 0)
		return;
	share = 1.0f / count;
	memset(centroid, 0, sizeof(float) * t->dim);
	for (uint32 m = first_members[c]; m < first_members[c + 1]; m++)
		vs_kernel->f32_add(t->dim, sample_at(t, members[m]), centroid);
	for (int d = 0; d < t->dim; d++)
		centroid[d] *= share;
}

/* Take chunks of samples and assign them. */
static void
assign_chunks(VsTraining *t)
{
	int			first = t->step == STEP_COMPARE ? t->nfound - t->ndrawn : 0;
	VsCentroids *centroids = vs_centroids_take(t->dim, t->nfound - first,
											   centroid_at(t, first),
											   floats_at(t, t->offsets) + first);
	float	   *work = palloc(sizeof(float) * VS_CENTROIDS_WORK_FLOATS);
	uint32		chunk;

	while ((chunk = pg_atomic_fetch_add_u32(&t->next, 1)) < t->nchunks)
	{
		uint32		begin = chunk * CHUNK_SAMPLES;

		CHECK_FOR_INTERRUPTS();
		assign_samples(t, begin, Min(begin + CHUNK_SAMPLES, t->n), first,
					   centroids, work);
	}
	vs_centroids_free(centroids);
	pfree(work);
}

/* Take chunks of centroids and move them. */
static void
move_chunks(VsTraining *t)
{
	uint32		chunk;

	while ((chunk = pg_atomic_fetch_add_u32(&t->next, 1)) < t->nchunks)
	{
		int			begin = chunk * CHUNK_CENTROIDS;

		CHECK_FOR_INTERRUPTS();
		for (int c = begin; c < Min(begin + CHUNK_CENTROIDS, t->nfound); c++)
			move_centroid(t, c);
	}
}

void
vs_training_work(VsTraining *t)
{
	if (t->step == STEP_MOVE)
		move_chunks(t);
	else
		assign_chunks(t);
}

/*
 * What the process does that runs the training
 */

/* Have a step done by all participants. */
static void
do_step(VsTraining *t, VsTrainingStep step, const VsTrainingHooks *hooks)
{
	t->step = step;
	t->nchunks = step == STEP_MOVE ?
		(t->nfound + CHUNK_CENTROIDS - 1) / CHUNK_CENTROIDS :
		(t->n + CHUNK_SAMPLES - 1) / CHUNK_SAMPLES;
	pg_atomic_write_u32(&t->next, 0);
	if (hooks->share != NULL)
		hooks->share(hooks->arg, t);
	else
		vs_training_work(t);
}

/*
 * Sum up what samples weigh when one is drawn: their distances to the nearest
 * centroid.  weights[i] is the sum of samples 0 to i.
 */
static void
sum_weights(VsTraining *t, double *weights)
{
	const float *dists_sq = floats_at(t, t->dists_sq);
	double		sum = 0.0;

	for (int i = 0; i < t->n; i++)
	{
		sum += sqrtf(dists_sq[i]);
		weights[i] = sum;
	}
}

/* Draw a sample with a probability proportional to its weight. */
static uint32
draw_sample(VsTraining *t, const double *weights, pg_prng_state *prng)
{
	double		draw = pg_prng_double(prng) * weights[t->n - 1];
	uint32		low = 0;
	uint32		high = t->n - 1;

	/* The first whose sum is above. */
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (weights[middle] > draw)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Sum up the samples' squared distances to their centroids. */
static double
sum_dists_sq(VsTraining *t)
{
	const float *dists_sq = floats_at(t, t->dists_sq);
	double		sum = 0.0;

	for (int i = 0; i < t->n; i++)
		sum += dists_sq[i];
	return sum;
}

/* Make a sample a centroid. */
static void
put_centroid(VsTraining *t, int c, uint32 sample)
{
	memcpy(centroid_at(t, c), sample_at(t, sample), sizeof(float) * t->dim);
	floats_at(t, t->offsets)[c] = floats_at(t, t->norms_sq)[sample] / 2;
}

/* A sample's squared distance to the nearest of the last ndrawn centroids. */
static float
nearest_drawn(VsTraining *t, uint32 sample)
{
	float		nearest = INFINITY;

	for (int c = t->nfound - t->ndrawn; c < t->nfound; c++)
	{
		float		dist_sq = vs_kernel->f32_l2_sq(t->dim, sample_at(t, sample),
												   centroid_at(t, c));

		nearest = Min(nearest, dist_sq);
	}
	return nearest;
}

/*
 * Draw up to n further centroids.  A sample that is near to one drawn just
 * before, which weights know nothing of, is kept with the probability that it
 * would have been drawn with else: together they are drawn as one by one.
 */
static void
draw_centroids(VsTraining *t, int n, const double *weights,
			   pg_prng_state *prng)
{
	const float *dists_sq = floats_at(t, t->dists_sq);

	t->ndrawn = 0;
	for (int i = 0; i < n; i++)
	{
		uint32		sample = draw_sample(t, weights, prng);
		double		chance = pg_prng_double(prng);

		CHECK_FOR_INTERRUPTS();
		if (t->ndrawn > 0 &&
			nearest_drawn(t, sample) <= chance * chance * dists_sq[sample])
			continue;
		put_centroid(t, t->nfound, sample);
		t->nfound++;
		t->ndrawn++;
	}
}

/*
 * Choose the initial centroids: each next one is a sample drawn with
 * probability proportional to its distance from those chosen.  Ends early where
 * all samples are centroids.  Samples are then assigned.
 */
static void
choose_initial(VsTraining *t, const VsTrainingHooks *hooks,
			   pg_prng_state *prng)
{
	double	   *weights = palloc_extended(sizeof(double) * t->n,
										  MCXT_ALLOC_HUGE);

	t->nfound = 0;
	t->ndrawn = 1;
	put_centroid(t, t->nfound++, pg_prng_uint64_range(prng, 0, t->n - 1));
	do_step(t, STEP_COMPARE, hooks);
	while ((t->sum_dist_sq = sum_dists_sq(t)) > 0.0 && t->nfound < t->k)
	{
		int			n = Min((int) (t->nfound * DRAWN_SHARE), MAX_DRAWN);

		sum_weights(t, weights);
		draw_centroids(t, Min(Max(n, 1), t->k - t->nfound), weights, prng);
		do_step(t, STEP_COMPARE, hooks);
	}
	pfree(weights);
}

/* List the samples of each centroid, in their order. */
static void
list_members(VsTraining *t)
{
	const uint32 *nearest = numbers_at(t, t->nearest);
	uint32	   *members = numbers_at(t, t->members);
	uint32	   *first = numbers_at(t, t->first_members);

	/* first[c + 1] goes from the start of c's samples to their end. */
	memset(first, 0, sizeof(uint32) * (t->k + 1));
	for (int i = 0; i < t->n; i++)
		if (nearest[i] + 2 <= t->nfound)
			first[nearest[i] + 2]++;
	for (int c = 2; c <= t->nfound; c++)
		first[c] += first[c - 1];
	for (int i = 0; i < t->n; i++)
		members[first[nearest[i] + 1]++] = i;
}

/* The squared distances to a centroid before it was moved, summed up. */
static double
sum_members(VsTraining *t, int c)
{
	const uint32 *first_members = numbers_at(t, t->first_members);
	const uint32 *members = numbers_at(t, t->members);
	const float *dists_sq = floats_at(t, t->dists_sq);
	double		sum = 0.0;

	for (uint32 m = first_members[c]; m < first_members[c + 1]; m++)
		sum += dists_sq[members[m]];
	return sum;
}

/*
 * Whether a centroid that was moved may stay: it has samples, and these would
 * not be served as well by another, where "least_sum" is what shows that.
 */
static bool
is_useful(VsTraining *t, int c, double least_sum)
{
	const uint32 *first_members = numbers_at(t, t->first_members);

	if (first_members[c] == first_members[c + 1] ||
		sum_members(t, c) < least_sum)
		return false;
	return !t->spherical ||
		vs_training_normalize(t, centroid_at(t, c));
}

/*
 * After centroids have moved: bring them to unit length if they are to have it,
 * and draw others for those that are of no use.
 */
static void
settle_centroids(VsTraining *t, double least_sum, pg_prng_state *prng)
{
	float	   *offsets = floats_at(t, t->offsets);
	double	   *weights = NULL;

	for (int c = 0; c < t->nfound; c++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_useful(t, c, least_sum))
		{
			offsets[c] = vs_kernel->f32_ip(t->dim, centroid_at(t, c),
										   centroid_at(t, c)) / 2;
			continue;
		}
		if (weights == NULL)
		{
			weights = palloc_extended(sizeof(double) * t->n, MCXT_ALLOC_HUGE);
			sum_weights(t, weights);
		}
		put_centroid(t, c, draw_sample(t, weights, prng));
	}
	if (weights != NULL)
		pfree(weights);
}

/* Move centroids to where their samples are. */
static void
move_centroids(VsTraining *t, double least_sum, const VsTrainingHooks *hooks,
			   pg_prng_state *prng)
{
	list_members(t);
	do_step(t, STEP_MOVE, hooks);
	settle_centroids(t, least_sum, prng);
}

/* Assign samples to their nearest centroids; returns by how much that gains. */
static double
reassign_samples(VsTraining *t, const VsTrainingHooks *hooks)
{
	double		before = t->sum_dist_sq;

	do_step(t, STEP_ASSIGN, hooks);
	t->sum_dist_sq = sum_dists_sq(t);
	return before - t->sum_dist_sq;
}

/* Report that some rounds are over. */
static void
report_progress(const VsTrainingHooks *hooks, int done, int total)
{
	if (hooks->progress != NULL)
		hooks->progress(hooks->arg, done, total);
}

/*
 * Lloyd's algorithm from some initial centroids: the first rounds with a part
 * of the samples, which are enough to find out about where centroids belong.
 */
static void
find_centroids(VsTraining *t, int max_rounds, const VsTrainingHooks *hooks,
			   pg_prng_state *prng)
{
	int			early_rounds = max_rounds - FULL_ROUNDS;

	if (early_rounds > 0)
		t->n = Min(Max((int64) (t->ntotal * EARLY_SHARE),
					   (int64) t->k * EARLY_SAMPLES), t->ntotal);
	choose_initial(t, hooks, prng);
	for (int round = 1; round <= early_rounds; round++)
	{
		report_progress(hooks, round, max_rounds + 1);
		move_centroids(t, USELESS_SHARE * t->sum_dist_sq / t->nfound, hooks,
					   prng);
		if (round == early_rounds)
			t->n = t->ntotal;
		reassign_samples(t, hooks);
	}
	for (int round = Max(early_rounds, 0) + 1; round <= max_rounds; round++)
	{
		report_progress(hooks, round, max_rounds + 1);
		move_centroids(t, 0.0, hooks, prng);
		if (round < max_rounds &&
			reassign_samples(t, hooks) < WORTHWHILE_GAIN * t->sum_dist_sq)
			break;
	}
}

/* Bring centroids to where the samples were. */
static void
restore_centroids(VsTraining *t)
{
	const float *mean = floats_at(t, t->mean);
	double		scale = ldexp(1.0, t->exponent);

	for (int c = 0; c < t->nfound; c++)
	{
		float	   *centroid = centroid_at(t, c);

		for (int d = 0; d < t->dim; d++)
			centroid[d] = (float) (((double) centroid[d] + mean[d]) * scale);
	}
}

int
vs_training_run(VsTraining *t, int max_rounds, const VsTrainingHooks *hooks)
{
	static const VsTrainingHooks no_hooks = {NULL, NULL, NULL};
	pg_prng_state prng;

	if (hooks == NULL)
		hooks = &no_hooks;
	pg_prng_seed(&prng, t->seed);
	report_progress(hooks, 0, max_rounds + 1);
	vs_training_prepare_samples(t, &prng);
	if (t->n == 0)
		return 0;
	t->ntotal = t->n;
	find_centroids(t, max_rounds, hooks, &prng);
	report_progress(hooks, max_rounds + 1, max_rounds + 1);
	restore_centroids(t);
	return t->nfound;
}
