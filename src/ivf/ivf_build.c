/*
 * ivf_build.c
 *		CREATE INDEX.
 *
 * The table is read once, into a spool of float16 vectors.  A sample of them
 * trains the centroids, by k-means through OpenBLAS.  Each row is assigned to
 * its nearest centroid; rows are sorted by list, and the lists are written one
 * after another.  Nothing is WAL-logged until all pages are made.  Workers take
 * part in all of it but the sorting.
 */
#include "postgres.h"

#include "commands/progress.h"
#include "index/blas.h"
#include "index/seed.h"
#include "ivf/ivf_build_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "utils/memutils.h"

static const VsBuildMethod build_method = {
	.worker_main = "vs_ivf_build_worker",
	.shared_nbytes = sizeof(VsIvfBuildShared),
	.spools_in_memory = true,
	.load_phase = IVF_PHASE_LOAD,
	.log_phase = IVF_PHASE_LOG,
};

char *
vs_ivf_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case IVF_PHASE_LOAD:
			return "reading tuples";
		case IVF_PHASE_TRAIN:
			return "performing k-means";
		case IVF_PHASE_ASSIGN:
			return "assigning tuples";
		case IVF_PHASE_SORT:
			return "sorting tuples";
		case IVF_PHASE_WRITE:
			return "loading tuples";
		case IVF_PHASE_LOG:
			return "logging pages";
		default:
			return NULL;
	}
}

/*
 * Find the centroids: those that are given, or trained ones.  Returns how many,
 * 0 for lack of rows.
 */
static int
find_centroids(VsIvfBuild *build, int ngiven, float **centroids)
{
	double		nrows = vs_spool_nrows(build->base.spool);
	int			nlists = vs_ivf_option_lists(build->index->rel, nrows);

	if (ngiven > 0)
	{
		vs_ivf_build_take_given(build, ngiven, *centroids);
		return ngiven;
	}
	if (nrows < nlists)
		ereport(NOTICE,
				(errmsg("ivfflat index created with little data"),
				 errdetail("This will cause low recall."),
				 errhint("Drop the index until the table has more data.")));
	return nrows > 0 ? vs_ivf_build_train(build, nlists, centroids) : 0;
}

/* Write an index that has one list, for lack of rows to learn more from. */
static int
single_list(VsIvfBuild *build, float **centroids)
{
	int			dim = build->base.dim;

	*centroids = palloc0(sizeof(float) * dim);
	(*centroids)[0] = 1.0f;
	build->residual = 0.0;
	return 1;
}

IndexBuildResult *
vs_ivf_build(Relation heap, Relation rel, IndexInfo *indexInfo)
{
	VsIvfBuild	build = {0};
	VsIvfBuildShared *shared;
	VsIvfIndex *index;
	float	   *centroids;
	double		nrows;
	int			ngiven;
	int			nlists;

	/* Learn that it is missing before the table is read, not after. */
	if (RelationGetNumberOfBlocks(heap) > 0)
		vs_blas_load();

	ngiven = vs_ivf_build_read_given(heap, rel, &centroids);
	vs_build_begin(&build.base, heap, rel, indexInfo, &build_method);
	index = build.index = vs_ivf_open_new(rel);
	shared = build.shared = build.base.team->shared;
	vs_ivf_build_init_shared(&build);
	vs_build_load_table(&build.base, indexInfo);

	nrows = vs_spool_nrows(build.base.spool);
	nlists = find_centroids(&build, ngiven, &centroids);
	if (nlists == 0)
		nlists = single_list(&build, &centroids);

	index->meta.nlists = nlists;
	index->meta.nrows = nrows;
	vs_ivf_set_unit(index, pg_prng_uint32(vs_prng), build.residual);
	if (nrows == 0)
		index->meta.residual = 0.0; /* not known of rows to come */
	vs_ivf_create(index, centroids);
	pfree(centroids);
	shared->meta = index->meta;

	if (nrows > 0)
	{
		vs_ivf_build_assign(&build);
		vs_ivf_build_sort(&build);
		vs_ivf_build_write(&build);
	}
	else
		for (int list = 0; list < nlists; list++)
			vs_ivf_write_list(index, list, 0, NULL, NULL);
	vs_build_log(&build.base);
	vs_ivf_build_free(&build);
	return vs_build_end(&build.base);
}

extern PGDLLEXPORT void vs_ivf_build_worker(dsm_segment *segment, shm_toc *toc);

/* What a parallel worker runs. */
void
vs_ivf_build_worker(dsm_segment *segment, shm_toc *toc)
{
	VsIvfBuild	build = {0};
	int			task;

	vs_build_join(&build.base, segment, toc, &build_method);
	build.shared = build.base.team->shared;
	while ((task = vs_build_next_task(&build.base)) != 0)
		switch (task)
		{
			case IVF_TASK_TRAIN:
				vs_ivf_build_join_training(&build);
				break;
			case IVF_TASK_ASSIGN:
				vs_ivf_build_assign_rows(&build);
				vs_ivf_build_free_training(&build);
				break;
			case IVF_TASK_WRITE:
				vs_ivf_build_write_lists(&build);
				break;
			default:
				elog(ERROR, "unknown task %d of an ivfflat build", task);
		}
	vs_ivf_build_free(&build);
	vs_build_leave(&build.base);
}
