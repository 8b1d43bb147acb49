/*
 * test_training.c
 *		Many centroids: their training and the search for the nearest, without a
 *		server and without OpenBLAS.
 *
 * What would break: recall of an inverted file, where centroids are not where
 * rows are or rows go to a list that is not the nearest; builds, where samples
 * are alike, few, huge or tiny.
 *
 * Output is TAP.
 */
#include "unit.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "index/blas.h"
#include "index/centroids.h"
#include "index/training.h"
#include "kernel/kernel.h"

#define DIM 40
#define NSAMPLES 3000
#define NCLUSTERS 60

static float clustered[NSAMPLES * DIM];

/* What OpenBLAS does in a server. */
void
vs_blas_products(int m, int n, int dim, const float *a, const float *b,
				 float *c)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
			c[(size_t) i * n + j] = vs_kernel->f32_ip(dim,
													  a + (size_t) i * dim,
													  b + (size_t) j * dim);
}

/* Samples in clusters of width 1 in a cube of the given size. */
static void
fill_clustered(double size)
{
	static float centers[NCLUSTERS * DIM];

	for (int i = 0; i < NCLUSTERS * DIM; i++)
		centers[i] = (float) (next_uniform() * size);
	for (int i = 0; i < NSAMPLES; i++)
		for (int d = 0; d < DIM; d++)
			clustered[i * DIM + d] = centers[i % NCLUSTERS * DIM + d] +
				(float) next_uniform();
}

/* The nearest centroid, one distance after the other, in double. */
static double
nearest_dist_sq(const float *x, int k, const float *centroids, int *nearest)
{
	double		least = INFINITY;

	*nearest = 0;
	for (int c = 0; c < k; c++)
	{
		double		sum = 0.0;

		for (int d = 0; d < DIM; d++)
		{
			double		diff = (double) x[d] - centroids[c * DIM + d];

			sum += diff * diff;
		}
		if (sum < least)
		{
			least = sum;
			*nearest = c;
		}
	}
	return least;
}

/* The mean squared distance of samples to the nearest of k centroids. */
static double
mean_dist_sq(int n, const float *samples, int k, const float *centroids)
{
	double		sum = 0.0;
	int			nearest;

	for (int i = 0; i < n; i++)
		sum += nearest_dist_sq(samples + i * DIM, k, centroids, &nearest);
	return sum / n;
}

/* Set up a training of samples times a scale; to be freed. */
static VsTraining *
begin_training(int n, const float *samples, float scale, int k, bool spherical)
{
	VsTraining *t = vs_training_init(malloc(vs_training_nbytes(DIM, n, k)),
									 DIM, n, k, spherical, 17);
	float	   *x = vs_training_samples(t);

	for (int i = 0; i < n * DIM; i++)
		x[i] = samples[i] * scale;
	return t;
}

/* Whether all elements are numbers. */
static bool
is_finite(int n, const float *x)
{
	for (int i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

/*
 * Training
 */

/* With twice as many centroids as clusters, each has one near its middle. */
static void
test_clusters(void)
{
	VsTraining *t;
	double		found;
	int			k;

	fill_clustered(20.0);
	t = begin_training(NSAMPLES, clustered, 1.0f, 2 * NCLUSTERS, false);
	k = vs_training_run(t, VS_TRAINING_MAX_ROUNDS, NULL);
	found = mean_dist_sq(NSAMPLES, clustered, k, vs_training_centroids(t));
	ok(k == 2 * NCLUSTERS, "as many centroids as were asked for");
	ok(found < DIM / 12.0, "clusters are found: %.3f of %.3f", found,
	   DIM / 12.0);
	ok(fabs(vs_training_mean_dist_sq(t) - found) < 0.1 * found,
	   "the mean squared distance is near: %.3f", vs_training_mean_dist_sq(t));
	free(t);
}

/* Scaled by a power of two, samples give the same centroids scaled. */
static void
test_magnitudes(void)
{
	VsTraining *one = begin_training(NSAMPLES, clustered, 1.0f, 50, false);
	int			k = vs_training_run(one, 5, NULL);

	for (int exponent = -100; exponent <= 120; exponent += 110)
	{
		float		scale = ldexpf(1.0f, exponent);
		VsTraining *t = begin_training(NSAMPLES, clustered, scale, 50, false);
		bool		same = vs_training_run(t, 5, NULL) == k;

		for (int i = 0; i < k * DIM; i++)
			same &= vs_training_centroids(t)[i] ==
				vs_training_centroids(one)[i] * scale;
		ok(same, "samples times 2^%d give such centroids", exponent);
		free(t);
	}
	free(one);
}

/* Where samples lie far from zero, as well as if they did not. */
static void
test_offset(void)
{
	static float moved[NSAMPLES * DIM];
	VsTraining *t;
	double		found;
	int			k;

	for (int i = 0; i < NSAMPLES * DIM; i++)
		moved[i] = clustered[i] + 4096.0f;
	t = begin_training(NSAMPLES, moved, 1.0f, 2 * NCLUSTERS, false);
	k = vs_training_run(t, VS_TRAINING_MAX_ROUNDS, NULL);
	found = mean_dist_sq(NSAMPLES, moved, k, vs_training_centroids(t));
	ok(found < DIM / 12.0, "clusters far from zero are found: %.3f", found);
	free(t);
}

/* Few samples, equal samples, none at all. */
static void
test_degenerate(void)
{
	static float equal[NSAMPLES * DIM];
	VsTraining *t = begin_training(7, clustered, 1.0f, 20, false);
	int			k = vs_training_run(t, 5, NULL);

	ok(k == 7 && mean_dist_sq(7, clustered, k, vs_training_centroids(t)) < 1e-6,
	   "fewer samples than centroids: each is one");
	free(t);

	t = begin_training(0, clustered, 1.0f, 20, false);
	ok(vs_training_run(t, 5, NULL) == 0, "no samples, no centroids");
	free(t);

	for (int i = 0; i < NSAMPLES; i++)
		memcpy(equal + i * DIM, clustered + i % 3 * DIM, sizeof(float) * DIM);
	t = begin_training(NSAMPLES, equal, 1.0f, 20, false);
	k = vs_training_run(t, 5, NULL);
	ok(k == 3 && mean_dist_sq(3, clustered, k, vs_training_centroids(t)) < 1e-6,
	   "three different samples, %d centroids", k);
	free(t);

	for (int i = 0; i < NSAMPLES; i++)
		memcpy(equal + i * DIM, clustered, sizeof(float) * DIM);
	t = begin_training(NSAMPLES, equal, 1.0f, 20, false);
	k = vs_training_run(t, 5, NULL);
	ok(k == 1 && is_finite(DIM, vs_training_centroids(t)),
	   "equal samples, one centroid");
	free(t);
}

/* One row of garbage takes no more than its own. */
static void
test_outlier(void)
{
	VsTraining *t = begin_training(NSAMPLES, clustered, 1.0f, 2 * NCLUSTERS,
								   false);
	int			k;

	vs_training_samples(t)[5] = 1e30f;
	k = vs_training_run(t, VS_TRAINING_MAX_ROUNDS, NULL);
	ok(is_finite(k * DIM, vs_training_centroids(t)) &&
	   mean_dist_sq(NSAMPLES, clustered, k, vs_training_centroids(t)) <
	   DIM / 12.0, "an outlier does no harm");
	free(t);
}

/* Directions alone count, and zero vectors not. */
static void
test_spherical(void)
{
	VsTraining *t = begin_training(NSAMPLES, clustered, 1.0f, 50, true);
	bool		unit = true;
	int			k;

	for (int i = 0; i < NSAMPLES; i++)
		for (int d = 0; d < DIM; d++)
			vs_training_samples(t)[i * DIM + d] *=
				i % 7 == 0 ? 0.0f : ldexpf(1.0f, i % 200 - 100);
	k = vs_training_run(t, 5, NULL);
	for (int c = 0; c < k; c++)
	{
		const float *x = vs_training_centroids(t) + c * DIM;

		unit &= fabs(vs_kernel->f32_ip(DIM, x, x) - 1.0) < 1e-5;
	}
	ok(k == 50 && unit, "spherical: centroids of unit length");
	free(t);

	t = begin_training(NSAMPLES, clustered, 0.0f, 50, true);
	ok(vs_training_run(t, 5, NULL) == 0, "spherical: zero vectors alone");
	free(t);
}

/*
 * Two processes, with the training in memory that they share.
 */
static int	last_done;

static void
share_work(void *arg, VsTraining *t)
{
	pid_t		worker = fork();

	vs_training_work(t);
	if (worker == 0)
		_exit(0);
	if (worker < 0 || waitpid(worker, NULL, 0) != worker)
		*(bool *) arg = false;
}

static void
note_progress(void *arg, int done, int total)
{
	last_done = done <= total && done >= last_done ? done : -1;
}

static void
test_sharing(void)
{
	bool		same = true;
	VsTrainingHooks hooks = {share_work, note_progress, &same};
	size_t		nbytes = vs_training_nbytes(DIM, NSAMPLES, 50);
	VsTraining *alone = begin_training(NSAMPLES, clustered, 1.0f, 50, false);
	VsTraining *shared = vs_training_init(mmap(NULL, nbytes,
											   PROT_READ | PROT_WRITE,
											   MAP_SHARED | MAP_ANONYMOUS,
											   -1, 0),
										  DIM, NSAMPLES, 50, false, 17);
	int			k;

	memcpy(vs_training_samples(shared), clustered, sizeof(clustered));
	k = vs_training_run(alone, 5, NULL);
	same &= vs_training_run(shared, 5, &hooks) == k;
	same &= memcmp(vs_training_centroids(alone), vs_training_centroids(shared),
				   sizeof(float) * DIM * k) == 0;
	ok(same, "two processes find the same centroids as one");
	ok(last_done == 6, "progress goes up to the end");
	free(alone);
	munmap(shared, nbytes);
}

/*
 * Search
 */

/* Whether each row's centroid is the nearest, or as near but for rounding. */
static bool
finds_nearest(int k, float offset, float scale)
{
	static float rows[NSAMPLES * DIM];
	static uint32 nearest[NSAMPLES];
	static float work[VS_CENTROIDS_WORK_FLOATS];
	VsCentroids *centroids;
	bool		found = true;

	for (int i = 0; i < NSAMPLES * DIM; i++)
		rows[i] = (clustered[i] + offset) * scale;
	centroids = vs_centroids_create(DIM, k, rows, false);
	vs_centroids_nearest(centroids, NSAMPLES, rows, work, nearest, NULL);
	for (int i = 0; i < NSAMPLES; i++)
	{
		int			true_nearest;
		int			ignored;
		double		least = nearest_dist_sq(rows + i * DIM, k, rows,
											&true_nearest);
		double		dist_sq = nearest_dist_sq(rows + i * DIM, 1,
											  rows + nearest[i] * DIM,
											  &ignored);

		found &= nearest[i] < k && dist_sq <= least * 1.05 + 1e-3 * scale * scale;
	}
	vs_centroids_free(centroids);
	return found;
}

/* By inner product the longest may be the nearest, and scores say how near. */
static void
test_inner_product(void)
{
	static const float vectors[3 * DIM] = {[0] = 1.0f,[DIM] = 3.0f,[2 * DIM + 1] = 2.0f};
	static const float rows[2 * DIM] = {[0] = 1.0f,[DIM + 1] = 1.0f};
	static float work[VS_CENTROIDS_WORK_FLOATS];
	VsCentroids *centroids = vs_centroids_create(DIM, 3, vectors, true);
	uint32		nearest[2];
	float		scores[2];

	vs_centroids_nearest(centroids, 2, rows, work, nearest, scores);
	ok(nearest[0] == 1 && nearest[1] == 2 && scores[0] < 0.0f,
	   "by inner product the greatest product counts");
	vs_centroids_free(centroids);
}

static void
test_search(void)
{
	static const int counts[] = {1, 2, 15, 16, 17, 250, 1024, 1025, 2500};
	bool		found = true;

	fill_clustered(5.0);
	for (int i = 0; i < lengthof(counts); i++)
		found &= finds_nearest(counts[i], 0.0f, 1.0f);
	ok(found, "the nearest of 1 to 2500 centroids is found");
	ok(finds_nearest(100, 1000.0f, 1.0f), "far from zero, too");
	ok(finds_nearest(100, 0.0f, 1e30f), "huge ones");
	ok(finds_nearest(100, 0.0f, 1e-30f), "tiny ones");
	test_inner_product();
}

int
main(void)
{
	/* Products of floats, and of bytes where the processor has them. */
	static const char *const kernels[] = {"scalar", "auto"};

	for (int i = 0; i < lengthof(kernels); i++)
	{
		vs_kernel = vs_kernel_find(kernels[i]);
		printf("# %s\n", vs_kernel->name);
		test_clusters();
		test_magnitudes();
		test_offset();
		test_degenerate();
		test_outlier();
		test_spherical();
		test_sharing();
		test_search();
	}
	return finish();
}
