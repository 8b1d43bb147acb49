/*
 * team.c
 *		A leader and its parallel workers, who build an index together.
 *
 * How workers are planned, launched and dismissed follows the rules of
 * PostgreSQL's own parallel CREATE INDEX.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "compat.h"
#include "executor/instrument.h"
#include "index/team.h"
#include "miscadmin.h"
#include "optimizer/paths.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/bufmgr.h"
#include "storage/condition_variable.h"
#include "storage/edit.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/backend_progress.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Keys of the parallel context's table of contents. */
#define KEY_STATE			UINT64CONST(0x7673000000000001)
#define KEY_SHARED			UINT64CONST(0x7673000000000002)
#define KEY_SCAN			UINT64CONST(0x7673000000000003)
#define KEY_QUERY_TEXT		UINT64CONST(0x7673000000000004)
#define KEY_WAL_USAGE		UINT64CONST(0x7673000000000005)
#define KEY_BUFFER_USAGE	UINT64CONST(0x7673000000000006)

/* How often a waiting leader reports progress. */
#define REPORT_MS 100

/* Pages that a participant takes to be logged. */
#define PAGES_LOGGED 256

struct VsTeamShared
{
	Oid			heap;
	Oid			index;
	bool		is_concurrent;
	int			nparticipants;
	uint64		query_id;
	pg_atomic_uint64 ndone;		/* rows of the phase */
	pg_atomic_uint64 next;		/* the first number nobody has taken */
	BlockNumber end_block;		/* of the pages to log */

	ConditionVariable changed;	/* a new task, or nobody busy any more */
	slock_t		mutex;			/* protects the rest */
	uint32		generation;		/* counts tasks */
	int			task;			/* 0: the end */
	int			nbusy;			/* workers that have not finished it */
	double		heap_tuples;	/* sums of the scan */
	bool		broken_hot_chain;
};

/* Blocks of a table and of the vectors that were moved out of line. */
static BlockNumber
table_nblocks(Relation heap)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(heap);

	if (OidIsValid(heap->rd_rel->reltoastrelid))
	{
		Relation	toast = table_open(heap->rd_rel->reltoastrelid,
									   AccessShareLock);

		nblocks += RelationGetNumberOfBlocks(toast);
		table_close(toast, AccessShareLock);
	}
	return nblocks;
}

/*
 * The planner goes by the table's own size, and by what sorting would take of
 * maintenance_work_mem.  Vectors lie out of line, and the work grows with them:
 * where nothing else forbids workers we decide ourselves whether the table is
 * too small for them, and then take what the settings allow.
 */
int
vs_team_plan_workers(Relation heap, Relation index, const IndexInfo *indexInfo)
{
	int			requested = RelationGetParallelWorkers(heap, -1);
	int			planned = 0;

	if (!IsUnderPostmaster || IsInParallelMode())
		return 0;
	if (indexInfo->ii_Expressions == NIL && indexInfo->ii_Predicate == NIL)
	{
		if (heap->rd_rel->relpersistence != RELPERSISTENCE_TEMP &&
			(requested >= 0 ||
			 table_nblocks(heap) >= min_parallel_table_scan_size))
			planned = max_parallel_maintenance_workers;
	}
	else if (plan_create_index_workers(RelationGetRelid(heap),
									   RelationGetRelid(index)) > 0)
		planned = max_parallel_maintenance_workers;
	return requested >= 0 ? Min(requested, planned) : planned;
}

/* Make room in the estimate for a chunk of shared memory with a key. */
static void
estimate(ParallelContext *context, Size nbytes)
{
	shm_toc_estimate_chunk(&context->estimator, nbytes);
	shm_toc_estimate_keys(&context->estimator, 1);
}

/* Allocate a chunk under a key. */
static void *
allocate(ParallelContext *context, uint64 key, Size nbytes)
{
	void	   *chunk = shm_toc_allocate(context->toc, nbytes);

	shm_toc_insert(context->toc, key, chunk);
	return chunk;
}

/*
 * Set up a parallel context and what participants share in it; false if there
 * is no shared memory for that.
 */
static bool
create_context(VsTeam *team, const char *worker_main, int nworkers,
			   Size shared_nbytes)
{
	Size		scan_nbytes;
	ParallelContext *context;

	EnterParallelMode();
	context = CreateParallelContext("vsearch", worker_main, nworkers);

	/* As a serial build: all rows, unless it is to run beside writers. */
	team->snapshot = team->is_concurrent ?
		RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny;

	scan_nbytes = table_parallelscan_estimate(team->heap, team->snapshot);
	estimate(context, sizeof(VsTeamShared));
	estimate(context, shared_nbytes);
	estimate(context, scan_nbytes);
	estimate(context, mul_size(sizeof(WalUsage), nworkers));
	estimate(context, mul_size(sizeof(BufferUsage), nworkers));
	if (debug_query_string != NULL)
		estimate(context, strlen(debug_query_string) + 1);

	InitializeParallelDSM(context);
	if (context->seg == NULL)
	{
		if (IsMVCCSnapshot(team->snapshot))
			UnregisterSnapshot(team->snapshot);
		DestroyParallelContext(context);
		ExitParallelMode();
		return false;
	}

	team->context = context;
	team->segment = context->seg;
	team->state = allocate(context, KEY_STATE, sizeof(VsTeamShared));
	team->shared = allocate(context, KEY_SHARED, shared_nbytes);
	team->scan = allocate(context, KEY_SCAN, scan_nbytes);
	table_parallelscan_initialize(team->heap, team->scan, team->snapshot);
	allocate(context, KEY_WAL_USAGE, mul_size(sizeof(WalUsage), nworkers));
	allocate(context, KEY_BUFFER_USAGE, mul_size(sizeof(BufferUsage), nworkers));
	if (debug_query_string != NULL)
		strcpy(allocate(context, KEY_QUERY_TEXT,
						strlen(debug_query_string) + 1),
			   debug_query_string);
	return true;
}

/* What a team shares that has no task yet. */
static void
init_state(VsTeam *team)
{
	VsTeamShared *state = team->state;

	state->heap = RelationGetRelid(team->heap);
	state->index = RelationGetRelid(team->index);
	state->is_concurrent = team->is_concurrent;
	state->nparticipants = team->nparticipants;
	state->query_id = pgstat_get_my_query_id();
	pg_atomic_init_u64(&state->ndone, 0);
	pg_atomic_init_u64(&state->next, 0);
	ConditionVariableInit(&state->changed);
	SpinLockInit(&state->mutex);
	state->generation = 0;
	state->task = 0;
	state->nbusy = 0;
	state->heap_tuples = 0.0;
	state->broken_hot_chain = false;
}

VsTeam *
vs_team_create(Relation heap, Relation index, const IndexInfo *indexInfo,
			   const char *worker_main, int nworkers, Size shared_nbytes)
{
	VsTeam	   *team = palloc0(sizeof(VsTeam));

	team->heap = heap;
	team->index = index;
	team->is_concurrent = indexInfo->ii_Concurrent;
	team->nparticipants = nworkers + 1;

	if (nworkers == 0 ||
		!create_context(team, worker_main, nworkers, shared_nbytes))
	{
		team->nparticipants = 1;
		team->state = palloc0(sizeof(VsTeamShared));
		team->shared = palloc0(shared_nbytes);
	}
	else
		memset(team->shared, 0, shared_nbytes);
	init_state(team);
	return team;
}

int
vs_team_launch(VsTeam *team)
{
	if (team->context == NULL)
		return 0;
	LaunchParallelWorkers(team->context);
	return team->context->nworkers_launched;
}

void
vs_team_begin_task(VsTeam *team, int task)
{
	VsTeamShared *state = team->state;

	Assert(state->nbusy == 0);
	SpinLockAcquire(&state->mutex);
	state->generation++;
	state->task = task;
	state->nbusy = team->context != NULL ? team->context->nworkers_launched : 0;
	SpinLockRelease(&state->mutex);
	ConditionVariableBroadcast(&state->changed);
}

/* Report the progress of all. */
static void
report_progress(VsTeam *team)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
								 pg_atomic_read_u64(&team->state->ndone));
}

void
vs_team_end_task(VsTeam *team)
{
	VsTeamShared *state = team->state;

	if (team->context == NULL)
		return;

	/* A worker that could not start would never be done. */
	WaitForParallelWorkersToAttach(team->context);
	for (;;)
	{
		int			nbusy;

		SpinLockAcquire(&state->mutex);
		nbusy = state->nbusy;
		SpinLockRelease(&state->mutex);
		if (nbusy == 0)
			break;
		report_progress(team);
		ConditionVariableTimedSleep(&state->changed, REPORT_MS,
									WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
	}
	ConditionVariableCancelSleep();
	report_progress(team);
}

void
vs_team_end(VsTeam *team)
{
	ParallelContext *context = team->context;
	WalUsage   *wal_usage;
	BufferUsage *buffer_usage;

	if (context == NULL)
		return;
	vs_team_begin_task(team, 0);
	WaitForParallelWorkersToFinish(context);

	wal_usage = shm_toc_lookup(context->toc, KEY_WAL_USAGE, false);
	buffer_usage = shm_toc_lookup(context->toc, KEY_BUFFER_USAGE, false);
	for (int i = 0; i < context->nworkers_launched; i++)
		InstrAccumParallelQuery(&buffer_usage[i], &wal_usage[i]);

	if (IsMVCCSnapshot(team->snapshot))
		UnregisterSnapshot(team->snapshot);
	DestroyParallelContext(context);
	ExitParallelMode();
	team->context = NULL;
}

VsTeam *
vs_team_join(dsm_segment *segment, shm_toc *toc)
{
	VsTeam	   *team = palloc0(sizeof(VsTeam));
	VsTeamShared *state = shm_toc_lookup(toc, KEY_STATE, false);

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY_TEXT, true);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	pgstat_report_query_id(state->query_id, false);

	/* The locks that the leader has. */
	team->heap = table_open(state->heap, state->is_concurrent ?
							ShareUpdateExclusiveLock : ShareLock);
	team->index = index_open(state->index, state->is_concurrent ?
							 RowExclusiveLock : AccessExclusiveLock);
	team->participant = ParallelWorkerNumber + 1;
	team->nparticipants = state->nparticipants;
	team->is_concurrent = state->is_concurrent;
	team->shared = shm_toc_lookup(toc, KEY_SHARED, false);
	team->scan = shm_toc_lookup(toc, KEY_SCAN, false);
	team->segment = segment;
	team->state = state;
	team->toc = toc;
	InstrStartParallelQuery();
	return team;
}

/* A worker is done with the last task that it took. */
static void
finish_task(VsTeam *team)
{
	VsTeamShared *state = team->state;
	bool		is_last;

	SpinLockAcquire(&state->mutex);
	is_last = --state->nbusy == 0;
	SpinLockRelease(&state->mutex);
	if (is_last)
		ConditionVariableBroadcast(&state->changed);
}

int
vs_team_next_task(VsTeam *team)
{
	VsTeamShared *state = team->state;
	uint32		generation;
	int			task;

	if (team->generation > 0)
		finish_task(team);
	for (;;)
	{
		SpinLockAcquire(&state->mutex);
		generation = state->generation;
		task = state->task;
		SpinLockRelease(&state->mutex);
		if (generation != team->generation)
			break;
		ConditionVariableSleep(&state->changed, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	team->generation = generation;
	return task;
}

void
vs_team_leave(VsTeam *team)
{
	WalUsage   *wal_usage = shm_toc_lookup(team->toc, KEY_WAL_USAGE, false);
	BufferUsage *buffer_usage = shm_toc_lookup(team->toc, KEY_BUFFER_USAGE,
											   false);

	InstrEndParallelQuery(&buffer_usage[ParallelWorkerNumber],
						  &wal_usage[ParallelWorkerNumber]);
	index_close(team->index, NoLock);
	table_close(team->heap, NoLock);
}

void
vs_team_scan_table(VsTeam *team, IndexInfo *indexInfo, bool allow_sync,
				   IndexBuildCallback callback, void *state)
{
	VsTeamShared *shared = team->state;
	TableScanDesc scan = NULL;
	double		heap_tuples;

	if (indexInfo == NULL)
	{
		indexInfo = BuildIndexInfo(team->index);
		indexInfo->ii_Concurrent = team->is_concurrent;
	}

	/* Once there is a scan, that is what decides. */
	if (team->scan != NULL)
	{
		team->scan->phs_syncscan &= allow_sync;
		scan = table_beginscan_parallel(team->heap, team->scan);
	}
	heap_tuples = table_index_build_scan(team->heap, team->index, indexInfo,
										 scan != NULL || allow_sync,
										 team->participant == 0, callback,
										 state, scan);

	SpinLockAcquire(&shared->mutex);
	shared->heap_tuples += heap_tuples;
	shared->broken_hot_chain |= indexInfo->ii_BrokenHotChain;
	SpinLockRelease(&shared->mutex);
}

double
vs_team_end_scan(VsTeam *team, IndexInfo *indexInfo)
{
	indexInfo->ii_BrokenHotChain = team->state->broken_hot_chain;
	return team->state->heap_tuples;
}

void
vs_team_deal(VsTeam *team, uint64 first)
{
	pg_atomic_write_u64(&team->state->next, first);
}

uint64
vs_team_take(VsTeam *team, int n)
{
	return pg_atomic_fetch_add_u64(&team->state->next, n);
}

void
vs_team_begin_log(VsTeam *team, int phase)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(team->index);

	vs_team_begin_phase(team, phase, nblocks);
	team->state->end_block = nblocks;
	vs_team_deal(team, 0);
}

void
vs_team_log_pages(VsTeam *team)
{
	BlockNumber end_block = team->state->end_block;
	uint64		begin;

	while ((begin = vs_team_take(team, PAGES_LOGGED)) < end_block)
	{
		BlockNumber end = Min(begin + PAGES_LOGGED, end_block);

		vs_edit_log_build(team->index, begin, end);
		vs_team_report(team, end - begin);
	}
}

void
vs_team_begin_phase(VsTeam *team, int phase, int64 total)
{
	const int	params[] = {
		PROGRESS_CREATEIDX_SUBPHASE,
		PROGRESS_CREATEIDX_TUPLES_TOTAL,
		PROGRESS_CREATEIDX_TUPLES_DONE
	};
	const int64 values[] = {phase, total, 0};

	pg_atomic_write_u64(&team->state->ndone, 0);
	pgstat_progress_update_multi_param(lengthof(params), params, values);
}

void
vs_team_set_progress(VsTeam *team, int64 done, int64 total)
{
	pg_atomic_write_u64(&team->state->ndone, done);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, total);
	report_progress(team);
}

void
vs_team_report(VsTeam *team, int n)
{
	pg_atomic_fetch_add_u64(&team->state->ndone, n);
	if (team->participant == 0)
		report_progress(team);
	CHECK_FOR_INTERRUPTS();
}
