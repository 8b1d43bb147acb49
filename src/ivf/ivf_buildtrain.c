/*
 * ivf_buildtrain.c
 *		CREATE INDEX: finding the centroids.
 */
#include "postgres.h"

#include <math.h>

#include "commands/progress.h"
#include "common/pg_prng.h"
#include "index/centroids.h"
#include "ivf/ivf_build_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"

/* Samples to train from at least, where there are as many rows. */
#define IVF_MIN_SAMPLES 10000

/* Samples that tell how far rows are from their centroids. */
#define MEASURED_SAMPLES 1000

/* VsTrainingHooks.share: one step by all participants. */
static void
share_step(void *arg, VsTraining *training)
{
	VsIvfBuild *build = arg;

	vs_team_begin_task(build->base.team, IVF_TASK_TRAIN);
	vs_training_work(training);
	vs_team_end_task(build->base.team);
}

/* VsTrainingHooks.progress */
static void
report_rounds(void *arg, int done, int total)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

bool
vs_ivf_build_see_training(VsIvfBuild *build)
{
	dsm_handle	handle = build->shared->training_handle;

	if (build->training != NULL)
		return true;
	if (handle == DSM_HANDLE_INVALID)
		return false;
	build->segment = dsm_attach(handle);
	if (build->segment == NULL)
		elog(ERROR, "could not map the training of an ivfflat build");
	build->training = dsm_segment_address(build->segment);
	return true;
}

void
vs_ivf_build_join_training(VsIvfBuild *build)
{
	if (vs_ivf_build_see_training(build))
		vs_training_work(build->training);
}

void
vs_ivf_build_free_training(VsIvfBuild *build)
{
	if (build->segment != NULL)
		dsm_detach(build->segment);
	else if (build->training != NULL)
		pfree(build->training);
	build->segment = NULL;
	build->training = NULL;
}

/* Memory that a training takes. */
static Size
training_nbytes(int dim, int n, int nlists)
{
	return vs_training_nbytes(dim, n, nlists) + vs_screen_nbytes(dim, nlists);
}

/* Rows to train from: as many as help, within maintenance_work_mem. */
static int
count_samples(const VsIvfBuild *build, int nlists)
{
	int			dim = build->base.dim;
	uint64		nrows = vs_spool_nrows(build->base.spool);
	Size		memory = (Size) maintenance_work_mem * 1024;
	uint64		wanted = (uint64) nlists * VS_TRAINING_SAMPLES_PER_CENTROID;
	int			n = Min(Min(Max(wanted, IVF_MIN_SAMPLES), nrows), INT_MAX);
	Size		least = training_nbytes(dim, Min(n, nlists), nlists);

	if (least > memory)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("memory required is %zu MB, maintenance_work_mem is %d MB",
						least / (1024 * 1024) + 1, maintenance_work_mem / 1024)));
	while (training_nbytes(dim, n, nlists) > memory)
		n = Max(n - n / 8 - 1, Min(n, nlists));
	return n;
}

/*
 * Memory for the training, that workers can attach to if it can be had: more
 * processes are no reason to fail.
 */
static void *
allocate_training(VsIvfBuild *build, Size nbytes)
{
	char	   *reason;

	build->shared->training_handle = DSM_HANDLE_INVALID;
	if (build->base.team->segment != NULL)
		build->segment = vs_build_try_segment(nbytes, &reason);
	if (build->segment == NULL)
		return palloc_extended(nbytes, MCXT_ALLOC_HUGE);
	build->shared->training_handle = dsm_segment_handle(build->segment);
	return dsm_segment_address(build->segment);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return left < right ? -1 : left > right;
}

/* Distance between two vectors, of any magnitudes. */
static double
distance(int dim, const float *a, const float *b)
{
	double		sum = 0.0;

	for (int i = 0; i < dim; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sqrt(sum);
}

/*
 * By inner product rows are longer or shorter than the centroids, which are of
 * unit length; make these as long as rows are along them, so that codes are of
 * what is left.  Which one a row is assigned to is not changed by it.
 */
static void
fit_length(int dim, int n, const float *samples, const uint32 *nearest, int k,
		   float *centroids)
{
	double		along = 0.0;

	for (int i = 0; i < n; i++)
		along += vs_kernel->f32_ip(dim, samples + (Size) i * dim,
								   centroids + (Size) nearest[i] * dim);
	along /= n;
	if (isfinite(along) && along > 0.0)
		for (Size i = 0; i < (Size) k * dim; i++)
			centroids[i] *= along;
}

/* The median of n numbers above 0 (sorted), or 0 if there are none. */
static double
median(int n, double *numbers)
{
	qsort(numbers, n, sizeof(double), compare_doubles);
	return n > 0 ? numbers[n / 2] : 0.0;
}

/*
 * How far rows typically are from their centroids.  Medians, as one row of
 * garbage would be all of a mean; and where it has drawn a centroid to itself
 * the other rows' length says more than their distance from that.
 */
static double
typical_distance(int dim, int n, const float *samples, const uint32 *nearest,
				 const float *centroids)
{
	float	   *zero = palloc0(sizeof(float) * dim);
	double	   *dists = palloc(sizeof(double) * n);
	double	   *lengths = palloc(sizeof(double) * n);
	int			ndists = 0;
	int			nlengths = 0;
	double		typical;

	for (int i = 0; i < n; i++)
	{
		const float *x = samples + (Size) i * dim;
		double		dist = distance(dim, x, centroids + (Size) nearest[i] * dim);
		double		length = distance(dim, x, zero);

		if (dist > 0.0)
			dists[ndists++] = dist;
		if (length > 0.0)
			lengths[nlengths++] = length;
	}
	typical = Min(median(ndists, dists), median(nlengths, lengths));
	pfree(zero);
	pfree(dists);
	pfree(lengths);
	return typical;
}

/*
 * Find out how far rows are from their centroids, by a sample; by inner product
 * give these their length.
 */
static void
measure_rows(VsIvfBuild *build, int k, float *centroids)
{
	int			dim = build->base.dim;
	bool		by_ip = build->base.opclass->metric == VS_METRIC_IP;
	int			n;
	float	   *samples = vs_build_sample(&build->base, MEASURED_SAMPLES,
										  (Size) maintenance_work_mem * 1024 / 4,
										  &pg_global_prng_state, &n);
	VsCentroids *prepared = vs_centroids_create(dim, k, centroids, by_ip);
	float	   *work = palloc(sizeof(float) * VS_CENTROIDS_WORK_FLOATS);
	uint32	   *nearest = palloc(sizeof(uint32) * n);

	vs_centroids_nearest(prepared, n, samples, work, nearest, NULL);
	if (by_ip)
		fit_length(dim, n, samples, nearest, k, centroids);
	build->residual = typical_distance(dim, n, samples, nearest, centroids);

	vs_centroids_free(prepared);
	pfree(samples);
	pfree(work);
	pfree(nearest);
}

int
vs_ivf_build_train(VsIvfBuild *build, int nlists, float **centroids)
{
	VsMetric	metric = build->base.opclass->metric;
	int			dim = build->base.dim;
	int			n = count_samples(build, nlists);
	VsTrainingHooks hooks = {share_step, report_rounds, build};
	void	   *memory;
	int			k;

	vs_team_begin_phase(build->base.team, IVF_PHASE_TRAIN, 0);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL,
								 VS_TRAINING_MAX_ROUNDS);
	memory = allocate_training(build, vs_training_nbytes(dim, n, nlists));
	build->training = vs_training_init(memory, dim, n, nlists,
									   metric != VS_METRIC_L2,
									   pg_prng_uint64(&pg_global_prng_state));
	vs_build_draw(&build->base, n, &pg_global_prng_state,
				  vs_training_samples(build->training));
	if (build->segment == NULL)
		hooks.share = NULL;
	k = vs_training_run(build->training, VS_TRAINING_MAX_ROUNDS, &hooks);

	*centroids = palloc_extended(sizeof(float) * dim * Max(k, 1), MCXT_ALLOC_HUGE);
	memcpy(*centroids, vs_training_centroids(build->training), sizeof(float) * dim * k);
	build->shared->ncentroids = k;

	if (k > 0)
		measure_rows(build, k, *centroids);
	return k;
}
