/*
 * build.c
 *		CREATE INDEX: what the builds of all access methods have in common.
 */
#include "postgres.h"

#include "catalog/index.h"
#include "index/am.h"
#include "index/build.h"
#include "index/seed.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "storage/bufmgr.h"
#include "storage/edit.h"
#include "storage/lmgr.h"
#include "storage/page.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Tasks of the frame's own. */
enum
{
	TASK_LOAD = 1,
	TASK_LOG
};

/* Lies behind what the access method's participants share. */
struct VsBuildShared
{
	BlockNumber end_block;		/* of the pages to add */
	VsSpoolShared spool;		/* must be last */
};

/* Where the frame's part of the shared memory begins. */
static Size
shared_offset(const VsBuildMethod *method)
{
	return MAXALIGN(method->shared_nbytes);
}

/* A participant's view of the build, in the current memory context. */
static void
open_build(VsBuild *build, VsTeam *team, const VsBuildMethod *method)
{
	build->team = team;
	build->method = method;
	build->shared = (VsBuildShared *) ((char *) team->shared +
									   shared_offset(method));
	build->opclass = vs_opclass_of_index(team->index);
	build->dim = vs_opclass_index_dim(team->index, build->opclass,
									  vs_am_of_index(team->index)->name);
	build->x = palloc(sizeof(float) * build->dim);
	build->halves = palloc(sizeof(uint16) * build->dim);
	build->row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "vsearch build row",
											   ALLOCSET_DEFAULT_SIZES);
	vs_seed_begin(CurrentMemoryContext, team->participant);
}

void
vs_build_begin(VsBuild *build, Relation heap, Relation index,
			   const IndexInfo *indexInfo, const VsBuildMethod *method)
{
	VsTeam	   *team;
	int			nworkers = vs_team_plan_workers(heap, index, indexInfo);
	Size		nbytes = shared_offset(method) +
		offsetof(VsBuildShared, spool) + vs_spool_shared_nbytes(nworkers + 1);

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));

	memset(build, 0, sizeof(VsBuild));
	build->context = AllocSetContextCreate(CurrentMemoryContext,
										   "vsearch build",
										   ALLOCSET_DEFAULT_SIZES);
	build->outer_context = MemoryContextSwitchTo(build->context);
	team = vs_team_create(heap, index, indexInfo, method->worker_main,
						  nworkers, nbytes);
	open_build(build, team, method);

	if (team->segment != NULL)
	{
		int			nlaunched;

		vs_spool_shared_init(&build->shared->spool, team->segment,
							 team->nparticipants);
		nlaunched = vs_team_launch(team);
		elog(DEBUG1, "using %d parallel workers", nlaunched);
	}
}

/* table_index_build_scan callback: spool one row. */
static void
load_row(Relation rel, ItemPointer tid, Datum *values, bool *isnull,
		 bool tupleIsAlive, void *state)
{
	VsBuild    *build = state;
	MemoryContext old;

	if (isnull[0])
		return;

	old = MemoryContextSwitchTo(build->row_context);
	if (vs_opclass_read(build->opclass, vs_toast_read(build->toast, values[0]),
						build->dim, build->x))
	{
		int			exponent = vs_f16vec_encode(build->dim, build->x,
												build->halves);

		vs_spool_write(build->spool, tid, exponent, build->halves);
		vs_team_report(build->team, 1);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);
}

/*
 * A participant's share of reading the table; indexInfo is the leader's.  With a
 * seed the leader reads all of it: what is drawn from the spool depends on the
 * order of its rows.
 */
static void
load_rows(VsBuild *build, IndexInfo *indexInfo)
{
	VsTeam	   *team = build->team;

	build->spool = vs_spool_create(build->dim,
								   team->segment != NULL ?
								   &build->shared->spool : NULL,
								   team->participant,
								   build->method->spools_in_memory ?
								   (Size) maintenance_work_mem * 1024 / 2 : 0);
	build->toast = vs_toast_begin(team->heap);
	if (vs_build_seed == 0 || team->participant == 0)
		vs_team_scan_table(team, indexInfo, vs_build_seed == 0, load_row, build);
	vs_toast_end(build->toast);
	vs_spool_end_writing(build->spool);
}

/* Begin to read what all have spooled, unless this process did. */
static void
begin_reading(VsBuild *build)
{
	if (!build->reads_spool)
		vs_spool_begin_reading(build->spool);
	build->reads_spool = true;
}

void
vs_build_load_table(VsBuild *build, IndexInfo *indexInfo)
{
	vs_team_begin_phase(build->team, build->method->load_phase, 0);
	vs_team_begin_task(build->team, TASK_LOAD);
	load_rows(build, indexInfo);
	vs_team_end_task(build->team);
	begin_reading(build);
	build->heap_tuples = vs_team_end_scan(build->team, indexInfo);
}

void
vs_build_log(VsBuild *build)
{
	VsTeam	   *team = build->team;

	if (!RelationNeedsWAL(team->index))
		return;
	vs_team_begin_log(team, build->method->log_phase);
	vs_team_begin_task(team, TASK_LOG);
	vs_team_log_pages(team);
	vs_team_end_task(team);
}

IndexBuildResult *
vs_build_end(VsBuild *build)
{
	IndexBuildResult *result;

	MemoryContextSwitchTo(build->outer_context);
	result = palloc0(sizeof(IndexBuildResult));
	result->heap_tuples = build->heap_tuples;
	result->index_tuples = vs_spool_nrows(build->spool);

	vs_spool_free(build->spool);
	vs_team_end(build->team);
	MemoryContextDelete(build->context);
	return result;
}

void
vs_build_join(VsBuild *build, dsm_segment *segment, shm_toc *toc,
			  const VsBuildMethod *method)
{
	memset(build, 0, sizeof(VsBuild));
	open_build(build, vs_team_join(segment, toc), method);
	vs_spool_shared_attach(&build->shared->spool, segment);
}

int
vs_build_next_task(VsBuild *build)
{
	VsTeam	   *team = build->team;

	for (;;)
	{
		int			task = vs_team_next_task(team);

		if (task == TASK_LOAD)
			load_rows(build, NULL);
		else if (task == TASK_LOG)
			vs_team_log_pages(team);
		else
		{
			/* The leader began it when all had loaded their rows. */
			if (task != 0)
				begin_reading(build);
			return task;
		}
	}
}

void
vs_build_leave(VsBuild *build)
{
	if (build->spool != NULL)
		vs_spool_free(build->spool);
	vs_team_leave(build->team);
}

BlockNumber
vs_build_deal_pages(VsBuild *build, BlockNumber npages)
{
	BlockNumber first = RelationGetNumberOfBlocks(build->team->index);

	build->shared->end_block = first + npages;
	return first;
}

int
vs_build_take_pages(VsBuild *build, int n, Buffer *buffers)
{
	Relation	index = build->team->index;
	BlockNumber end = build->shared->end_block;
	BlockNumber nblocks;

	/* Held throughout, so that pages are adjacent. */
	LockRelationForExtension(index, ExclusiveLock);
	nblocks = RelationGetNumberOfBlocks(index);
	Assert(nblocks <= end);
	n = Min(end - nblocks, n);
	if (n > 0)
		vs_page_extend(index, n, buffers);
	UnlockRelationForExtension(index, ExclusiveLock);
	return n;
}

void
vs_build_read(VsBuild *build, uint64 number, float *x, ItemPointer tid)
{
	VsSpoolRow	row;

	vs_spool_read(build->spool, number, &row);
	vs_kernel->f16_to_f32(build->dim, row.halves, vs_f16vec_scale(row.exponent),
						  x);
	if (tid != NULL)
		*tid = row.tid;
}

/* One row is drawn from each of n ranges of rows, as long as one another. */
void
vs_build_draw(VsBuild *build, int n, pg_prng_state *prng, float *samples)
{
	uint64		nrows = vs_spool_nrows(build->spool);

	for (uint64 i = 0; i < n; i++)
	{
		uint64		begin = i * nrows / n;
		uint64		end = (i + 1) * nrows / n;

		CHECK_FOR_INTERRUPTS();
		vs_build_read(build, pg_prng_uint64_range(prng, begin, end - 1),
					  samples + i * build->dim, NULL);
	}
}

float *
vs_build_sample(VsBuild *build, int max_rows, Size nbytes, pg_prng_state *prng,
				int *n)
{
	Size		row_nbytes = sizeof(float) * build->dim;
	uint64		nsamples = Min(Max(nbytes / row_nbytes, 1),
							   Min((uint64) max_rows,
								   vs_spool_nrows(build->spool)));
	float	   *samples = palloc_extended(Max(row_nbytes * nsamples, 1),
										  MCXT_ALLOC_HUGE);

	*n = nsamples;
	vs_build_draw(build, *n, prng, samples);
	return samples;
}

/*
 * Where the memory cannot be had dsm_create has undone all but what its resource
 * owner knows, so that the error can end here.
 */
dsm_segment *
vs_build_try_segment(Size nbytes, char **reason)
{
	ResourceOwner old_owner = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(old_owner, "vsearch build");
	MemoryContext old = CurrentMemoryContext;
	dsm_segment *volatile segment = NULL;

	CurrentResourceOwner = owner;
	PG_TRY();
	{
		segment = dsm_create(nbytes, 0);
		dsm_pin_mapping(segment);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old);
		error = CopyErrorData();
		FlushErrorState();
		*reason = error->message;
	}
	PG_END_TRY();
	CurrentResourceOwner = old_owner;
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
	ResourceOwnerDelete(owner);

	/* From now on it goes with whatever else the build holds. */
	if (segment != NULL)
		dsm_unpin_mapping(segment);
	return segment;
}
