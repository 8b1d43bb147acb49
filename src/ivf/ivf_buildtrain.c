/*
 * ivf_buildtrain.c
 *		CREATE INDEX: finding the centroids.
 */
#include "postgres.h"

#include "index/centroids.h"
#include "index/seed.h"
#include "ivf/ivf_build_private.h"
#include "ivf/ivf_measure.h"
#include "miscadmin.h"
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
	VsIvfBuild *build = arg;

	vs_team_set_progress(build->base.team, done, total);
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

/*
 * Memory of a build with n samples: the training, the centroids that it finds,
 * and what each participant searches these with.
 */
static Size
build_nbytes(const VsIvfBuild *build, int n, int nlists)
{
	int			dim = build->base.dim;
	Size		search_nbytes = vs_centroids_nbytes(dim, nlists) +
		vs_screen_nbytes(dim, nlists);

	return vs_training_nbytes(dim, n, nlists) +
		sizeof(float) * dim * (Size) nlists +
		search_nbytes * build->base.team->nparticipants;
}

/* Rows to train from: as many as help, within maintenance_work_mem. */
static int
count_samples(const VsIvfBuild *build, int nlists)
{
	uint64		nrows = vs_spool_nrows(build->base.spool);
	Size		memory = (Size) maintenance_work_mem * 1024;
	uint64		wanted = (uint64) nlists * VS_TRAINING_SAMPLES_PER_CENTROID;
	int			n = Min(Min(Max(wanted, IVF_MIN_SAMPLES), nrows), INT_MAX);
	Size		least = build_nbytes(build, Min(n, nlists), nlists);

	if (least > memory)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("memory required is %zu MB, maintenance_work_mem is %d MB",
						least / (1024 * 1024) + 1, maintenance_work_mem / 1024)));

	/* Samples are worth more than rows that need not be read from files. */
	if (build_nbytes(build, n, nlists) + vs_spool_memory(build->base.spool) > memory)
		vs_spool_spill(build->base.spool);
	while (build_nbytes(build, n, nlists) > memory)
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

/*
 * By inner product rows are longer or shorter than the centroids, which are of
 * unit length; make these as long as rows are along them, so that codes are of
 * what is left.  Which one a row is assigned to is not changed by it.
 */
static void
fit_length(int dim, int n, const float *samples, const uint32 *nearest, int k,
		   float *centroids)
{
	double		length = vs_ivf_typical_length(dim, n, samples, nearest,
											   centroids);

	for (Size i = 0; i < (Size) k * dim; i++)
		centroids[i] *= length;
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
										  vs_prng, &n);
	VsCentroids *prepared = vs_centroids_create(dim, k, centroids, by_ip);
	float	   *work = palloc(sizeof(float) * VS_CENTROIDS_WORK_FLOATS);
	uint32	   *nearest = palloc(sizeof(uint32) * n);

	vs_centroids_nearest(prepared, n, samples, work, nearest, NULL);
	if (by_ip)
		fit_length(dim, n, samples, nearest, k, centroids);
	build->residual = vs_ivf_typical_distance(dim, n, samples, nearest, centroids);

	vs_centroids_free(prepared);
	pfree(samples);
	pfree(work);
	pfree(nearest);
}

/* How far given centroids are from their mean, where rows cannot tell more. */
static double
spread(int dim, int n, const float *centroids)
{
	float	   *mean = palloc0(sizeof(float) * dim);
	uint32	   *nearest = palloc0(sizeof(uint32) * n);
	double		dist;

	for (int i = 0; i < n; i++)
		for (int d = 0; d < dim; d++)
			mean[d] += centroids[(Size) i * dim + d] / n;
	dist = vs_ivf_typical_distance(dim, n, centroids, nearest, mean);
	pfree(mean);
	pfree(nearest);
	return dist;
}

void
vs_ivf_build_take_given(VsIvfBuild *build, int n, float *centroids)
{
	int			dim = build->base.dim;
	void	   *memory = allocate_training(build, vs_training_nbytes(dim, 0, n));

	build->training = vs_training_init(memory, dim, 0, n,
									   build->base.opclass->metric != VS_METRIC_L2,
									   0);
	vs_training_set_centroids(build->training, centroids);
	build->shared->ncentroids = n;
	if (vs_spool_nrows(build->base.spool) > 0)
		measure_rows(build, n, centroids);
	else
		build->residual = spread(dim, n, centroids);
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

	vs_team_begin_phase(build->base.team, IVF_PHASE_TRAIN,
						VS_TRAINING_MAX_ROUNDS + 1);
	memory = allocate_training(build, vs_training_nbytes(dim, n, nlists));
	build->training = vs_training_init(memory, dim, n, nlists,
									   metric != VS_METRIC_L2,
									   pg_prng_uint64(vs_prng));
	vs_build_draw(&build->base, n, vs_prng,
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
