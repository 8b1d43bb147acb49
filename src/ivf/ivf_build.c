/*
 * ivf_build.c
 *		CREATE INDEX, by one process.
 *
 * The table is read into a spool.  A sample of its rows trains the centroids;
 * each row is assigned to the nearest one, and the lists are written one after
 * the other.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/index.h"
#include "commands/progress.h"
#include "index/build.h"
#include "ivf/ivf_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "quant/kmeans.h"
#include "utils/memutils.h"

/* Phases for pg_stat_progress_create_index; 1 is "initializing". */
enum
{
	IVF_PHASE_KMEANS = 2,
	IVF_PHASE_ASSIGN,
	IVF_PHASE_LOAD,
	IVF_PHASE_LOG
};

/* Rows that a centroid is trained from. */
#define SAMPLES_PER_LIST 20

static const VsBuildMethod build_method = {
	.worker_main = "vs_ivf_build_worker",
	.load_phase = IVF_PHASE_LOAD,
	.log_phase = IVF_PHASE_LOG,
};

/* A row of the spool and its list. */
typedef struct Assignment
{
	uint32		list;
	uint32		row;
} Assignment;

typedef struct Build
{
	VsBuild		base;
	VsIvfIndex *index;
	float	   *centroids;
	Assignment *assignments;	/* sorted by list */
	uint64		next;			/* the assignment whose row is written next */
} Build;

char *
vs_ivf_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case IVF_PHASE_KMEANS:
			return "performing k-means";
		case IVF_PHASE_ASSIGN:
			return "assigning tuples";
		case IVF_PHASE_LOAD:
			return "loading tuples";
		case IVF_PHASE_LOG:
			return "logging pages";
		default:
			return NULL;
	}
}

static void
train(Build *build)
{
	VsIvfIndex *index = build->index;
	int			dim = index->geometry.dim;
	int			nlists = vs_ivf_option_lists(index->rel,
											 vs_spool_nrows(build->base.spool));
	int			n;
	float	   *samples = vs_build_sample(&build->base, nlists * SAMPLES_PER_LIST,
										  (Size) maintenance_work_mem * 1024,
										  &pg_global_prng_state, &n);

	if (n < nlists)
		ereport(NOTICE,
				(errmsg("ivfflat index created with little data"),
				 errdetail("This will cause low recall."),
				 errhint("Drop the index until the table has more data.")));
	index->meta.nlists = Max(Min(nlists, n), 1);
	build->centroids = palloc_extended(sizeof(float) * dim * index->meta.nlists,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (n > 0)
		vs_kmeans(dim, n, samples, NULL, index->meta.nlists, 1, build->centroids);
	pfree(samples);
}

static int
compare_assignments(const void *a, const void *b)
{
	const Assignment *left = a;
	const Assignment *right = b;

	if (left->list != right->list)
		return left->list < right->list ? -1 : 1;
	return left->row < right->row ? -1 : 1;
}

static void
assign(Build *build)
{
	VsIvfIndex *index = build->index;
	int			dim = index->geometry.dim;
	uint64		nrows = vs_spool_nrows(build->base.spool);
	double		sum = 0.0;

	build->assignments = palloc_extended(sizeof(Assignment) * Max(nrows, 1),
										 MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < nrows; i++)
	{
		float		best = INFINITY;

		CHECK_FOR_INTERRUPTS();
		vs_build_read(&build->base, i, build->base.x, NULL);
		build->assignments[i].row = i;
		build->assignments[i].list = 0;
		for (uint32 c = 0; c < index->meta.nlists; c++)
		{
			const float *centroid = build->centroids + (Size) c * dim;
			float		dist = index->meta.metric == VS_METRIC_IP ?
				-vs_kernel->f32_ip(dim, build->base.x, centroid) :
				vs_kernel->f32_l2_sq(dim, build->base.x, centroid);

			if (dist < best)
			{
				best = dist;
				build->assignments[i].list = c;
			}
		}
		sum += vs_kernel->f32_l2_sq(dim, build->base.x, build->centroids +
									(Size) build->assignments[i].list * dim);
	}
	qsort(build->assignments, nrows, sizeof(Assignment), compare_assignments);
	vs_ivf_set_unit(index, 1, nrows > 0 ? sqrt(sum / nrows) : 0.0);
}

/* VsIvfNextRow: the next assigned row. */
static void
next_row(void *state, VsIvfRow *row)
{
	Build	   *build = state;
	VsSpoolRow	spooled;

	vs_spool_read(build->base.spool, build->assignments[build->next++].row,
				  &spooled);
	row->tid = spooled.tid;
	row->vector.exponent = spooled.exponent;
	memcpy(row->vector.halves, spooled.halves,
		   sizeof(uint16) * build->index->geometry.dim);
}

static void
write_lists(Build *build)
{
	uint64		nrows = vs_spool_nrows(build->base.spool);

	vs_ivf_create(build->index, build->centroids);
	for (uint32 list = 0; list < build->index->meta.nlists; list++)
	{
		uint64		end = build->next;

		while (end < nrows && build->assignments[end].list == list)
			end++;
		vs_ivf_write_list(build->index, list, end - build->next, next_row, build);
	}
}

IndexBuildResult *
vs_ivf_build(Relation heap, Relation rel, IndexInfo *indexInfo)
{
	Build		build = {0};

	vs_build_begin(&build.base, heap, rel, indexInfo, &build_method);
	build.index = vs_ivf_open_new(rel);
	vs_build_load_table(&build.base, indexInfo);
	train(&build);
	assign(&build);
	build.index->meta.nrows = vs_spool_nrows(build.base.spool);
	write_lists(&build);
	vs_build_log(&build.base);
	return vs_build_end(&build.base);
}

extern PGDLLEXPORT void vs_ivf_build_worker(dsm_segment *segment, shm_toc *toc);

/* What a parallel worker runs: it reads the table. */
void
vs_ivf_build_worker(dsm_segment *segment, shm_toc *toc)
{
	VsBuild		build;

	vs_build_join(&build, segment, toc, &build_method);
	while (vs_build_next_task(&build) != 0)
		elog(ERROR, "unknown task of an ivfflat build");
	vs_build_leave(&build);
}
