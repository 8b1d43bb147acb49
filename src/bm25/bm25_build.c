/*
 * bm25_build.c
 *		CREATE INDEX.
 *
 * Each participant reads a share of the table into an inverted index in memory;
 * when that is full it is written to a temporary file as a sorted run.  The leader
 * merges all runs into one segment, or, where all rows have room in its memory,
 * writes the segment straight from there.  Nothing is WAL-logged until all pages
 * are made.  README.md, "Build".
 */
#include "postgres.h"

#include "bm25/bm25_merge.h"
#include "bm25/bm25_meta.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "bm25/bm25_runs.h"
#include "commands/progress.h"
#include "index/team.h"
#include "index/toast.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/edit.h"
#include "storage/page.h"
#include "utils/memutils.h"

enum
{
	TASK_LOAD = 1,
	TASK_LOG
};

/* Of maintenance_work_mem, this share is for the windows over runs. */
#define WINDOWS_SHARE 0.75

/* No use of more. */
#define MAX_WINDOW (256 * 1024)

/* What a source costs the merge beside its window. */
#define SOURCE_NBYTES (BM25_RUN_READER_NBYTES + sizeof(VsBm25Block) + 1024)

/* What participants share. */
typedef struct BuildShared
{
	pg_atomic_uint64 nrows;		/* that were read */
	Size		memory;			/* for each participant */
	bool		is_alone;		/* the leader has no workers */
	VsBm25RunsShared runs;		/* must be last */
} BuildShared;

/* A participant's view of a build. */
typedef struct Build
{
	VsTeam	   *team;
	BuildShared *shared;
	VsBm25Accumulator *accumulator;
	VsBm25Runs *runs;
	VsToastReader *toast;
	MemoryContext row_context;	/* for what handling a row takes */
} Build;

char *
vs_bm25_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case BM25_PHASE_LOAD:
			return "reading tuples";
		case BM25_PHASE_MERGE:
			return "merging postings";
		case BM25_PHASE_LOG:
			return "logging pages";
		default:
			return NULL;
	}
}

/* Begin a participant's part, in the current memory context. */
static void
open_build(Build *build, VsTeam *team)
{
	build->team = team;
	build->shared = team->shared;
	build->runs = vs_bm25_runs_create(team, &build->shared->runs);
	build->row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "vsearch bm25 build row",
											   ALLOCSET_DEFAULT_SIZES);
}

/* Make a team, and start its workers. */
static void
begin_build(Build *build, Relation heap, Relation index,
			const IndexInfo *indexInfo)
{
	int			nplanned = vs_team_plan_workers(heap, index, indexInfo);
	Size		nbytes = offsetof(BuildShared, runs) +
		vs_bm25_runs_shared_nbytes(nplanned + 1);
	VsTeam	   *team;
	BuildShared *shared;
	int			nworkers;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));

	team = vs_team_create(heap, index, indexInfo, "vs_bm25_build_worker",
						  nplanned, nbytes);
	open_build(build, team);
	shared = build->shared;
	pg_atomic_init_u64(&shared->nrows, 0);
	vs_bm25_runs_shared_init(&shared->runs, team);
	nworkers = vs_team_launch(team);
	if (team->segment != NULL)
		elog(DEBUG1, "using %d parallel workers", nworkers);
	shared->is_alone = nworkers == 0;
	shared->memory = (Size) maintenance_work_mem * 1024 / (nworkers + 1);
}

/* Count a row that was read. */
static void
count_row(Build *build)
{
	if (pg_atomic_fetch_add_u64(&build->shared->nrows, 1) >= BM25_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot have more than %d rows",
						RelationGetRelationName(build->team->index), BM25_MAX_ROWS),
				 errhint("Partition the table.")));
	vs_team_report(build->team, 1);
}

/* table_index_build_scan callback: take in a row. */
static void
load_row(Relation rel, ItemPointer tid, Datum *values, bool *isnull,
		 bool tupleIsAlive, void *state)
{
	Build	   *build = state;
	MemoryContext old = MemoryContextSwitchTo(build->row_context);
	TSVector	tsv = NULL;

	if (!isnull[0])
		tsv = vs_bm25_get_tsvector(vs_toast_read(build->toast, values[0]));
	if (!vs_bm25_accumulator_has_room(build->accumulator, tsv))
		vs_bm25_runs_add(build->runs, build->accumulator);
	vs_bm25_accumulator_add(build->accumulator, tid, tsv);
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);
	count_row(build);
}

/* Whether the accumulator has rows. */
static bool
has_rows(const Build *build)
{
	VsBm25AccumulatorTotals totals;

	vs_bm25_accumulator_get_totals(build->accumulator, &totals);
	return totals.ndocs + totals.nnulls > 0;
}

/*
 * A participant's share of reading the table; indexInfo is the leader's.  All rows
 * are in runs then, or all in the accumulator of a leader without workers.
 */
static void
load_rows(Build *build, IndexInfo *indexInfo)
{
	build->accumulator = vs_bm25_accumulator_create(build->shared->memory);
	build->toast = vs_toast_begin(build->team->heap);
	vs_team_scan_table(build->team, indexInfo, true, load_row, build);
	vs_toast_end(build->toast);

	if (build->shared->is_alone && build->runs->nruns == 0)
		return;
	if (has_rows(build))
		vs_bm25_runs_add(build->runs, build->accumulator);
	vs_bm25_accumulator_free(build->accumulator);
	build->accumulator = NULL;
	vs_bm25_runs_end_writing(build->runs);
}

/* Read the table; returns the rows seen. */
static double
load_table(Build *build, IndexInfo *indexInfo)
{
	VsTeam	   *team = build->team;

	vs_team_begin_phase(team, BM25_PHASE_LOAD, 0);
	vs_team_begin_task(team, TASK_LOAD);
	load_rows(build, indexInfo);
	vs_team_end_task(team);
	if (build->accumulator == NULL)
		vs_bm25_runs_collect(build->runs);
	return vs_team_end_scan(team, indexInfo);
}

/* Add the metapage to an index without pages; returns the id of a segment. */
static uint32
create_meta(Relation index)
{
	VsEdit		edit;
	Buffer		buffer;
	Page		page;
	uint32		id;

	vs_page_extend(index, 1, &buffer);
	Assert(BufferGetBlockNumber(buffer) == BM25_META_BLOCK);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	vs_edit_begin(&edit, index, VS_EDIT_BUILD);
	page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
	vs_bm25_init_meta(page);
	id = vs_bm25_page_meta(page)->next_id++;
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
	return id;
}

/* Enter the segment into the metapage. */
static void
enter_segment(Relation index, const VsBm25SegmentEntry *entry)
{
	Buffer		buffer = vs_bm25_lock_meta(index, BUFFER_LOCK_EXCLUSIVE);
	VsEdit		edit;
	Page		page;
	VsBm25Meta *meta;

	vs_edit_begin(&edit, index, VS_EDIT_BUILD);
	page = vs_edit_page(&edit, buffer, VS_EDIT_CHANGE);
	meta = vs_bm25_page_meta(page);
	meta->segments[meta->nsegments++] = *entry;
	vs_bm25_fit_meta(page);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

/* VsBm25MergeProgress */
static void
report_postings(void *state, uint64 npostings)
{
	Build	   *build = state;

	vs_team_report(build->team, npostings);
}

/* Write the segment from n runs. */
static void
write_segment(Build *build, uint32 id, VsBm25RunReader **readers, int n)
{
	Relation	index = build->team->index;
	VsBm25Source **sources = palloc(sizeof(VsBm25Source *) * n);
	VsBm25SegmentEntry entry;

	for (int i = 0; i < n; i++)
		sources[i] = vs_bm25_run_source(readers[i]);
	vs_bm25_merge(index, id, VS_EDIT_BUILD, sources, n, report_postings, build,
				  &entry);
	enter_segment(index, &entry);
	for (int i = 0; i < n; i++)
		vs_bm25_run_reader_free(readers[i]);
	pfree(sources);
	pfree(readers);
}

/* Write the segment from the accumulator. */
static void
write_from_memory(Build *build, uint32 id)
{
	VsBm25RunReader **readers = palloc(sizeof(VsBm25RunReader *));
	VsBm25AccumulatorTotals totals;

	vs_bm25_accumulator_get_totals(build->accumulator, &totals);
	vs_team_begin_phase(build->team, BM25_PHASE_MERGE, totals.npostings);
	vs_bm25_accumulator_sort(build->accumulator);
	readers[0] = vs_bm25_run_read_memory(build->accumulator);
	write_segment(build, id, readers, 1);
	vs_bm25_accumulator_free(build->accumulator);
}

/* Write the segment from runs in files. */
static void
write_from_runs(Build *build, uint32 id)
{
	VsBm25Runs *runs = build->runs;
	Size		memory = maintenance_work_mem * 1024.0 * WINDOWS_SHARE;
	int			max = memory / (BM25_RUN_MIN_WINDOW + SOURCE_NBYTES);
	uint64		npostings = 0;
	VsBm25RunReader **readers;
	Size		window;

	for (int i = 0; i < runs->nruns; i++)
		npostings += runs->list[i].npostings;
	vs_team_begin_phase(build->team, BM25_PHASE_MERGE, npostings);
	elog(DEBUG1, "merging %d runs, at most %d at a time", runs->nruns, max);
	vs_bm25_runs_reduce(runs, max);

	readers = palloc(sizeof(VsBm25RunReader *) * runs->nruns);
	window = memory / runs->nruns - SOURCE_NBYTES;
	window = Max(Min(window, MAX_WINDOW), BM25_RUN_MIN_WINDOW);
	for (int i = 0; i < runs->nruns; i++)
		readers[i] = vs_bm25_runs_read(runs, i, window);
	write_segment(build, id, readers, runs->nruns);
}

/* WAL-log what was written, if that is to be. */
static void
log_index(VsTeam *team)
{
	if (!RelationNeedsWAL(team->index))
		return;
	vs_team_begin_log(team, BM25_PHASE_LOG);
	vs_team_begin_task(team, TASK_LOG);
	vs_team_log_pages(team);
	vs_team_end_task(team);
}

IndexBuildResult *
vs_bm25_build(Relation heap, Relation index, IndexInfo *indexInfo)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "vsearch bm25 build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Build		build = {0};
	uint32		id;

	begin_build(&build, heap, index, indexInfo);
	result->heap_tuples = load_table(&build, indexInfo);
	result->index_tuples = pg_atomic_read_u64(&build.shared->nrows);

	id = create_meta(index);
	if (build.runs->nruns > 0)
		write_from_runs(&build, id);
	else if (build.accumulator != NULL && has_rows(&build))
		write_from_memory(&build, id);
	log_index(build.team);

	/* Of a REINDEX: rows that were deleted no longer count. */
	vs_bm25_forget_statistics();

	vs_bm25_runs_free(build.runs);
	vs_team_end(build.team);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

extern PGDLLEXPORT void vs_bm25_build_worker(dsm_segment *segment, shm_toc *toc);

/* What a parallel worker runs. */
void
vs_bm25_build_worker(dsm_segment *segment, shm_toc *toc)
{
	Build		build = {0};
	int			task;

	open_build(&build, vs_team_join(segment, toc));
	vs_bm25_runs_shared_attach(&build.shared->runs, build.team);
	while ((task = vs_team_next_task(build.team)) != 0)
		switch (task)
		{
			case TASK_LOAD:
				load_rows(&build, NULL);
				break;
			case TASK_LOG:
				vs_team_log_pages(build.team);
				break;
			default:
				elog(ERROR, "unknown task %d of a bm25 build", task);
		}
	vs_bm25_runs_free(build.runs);
	vs_team_leave(build.team);
}

/* The metapage alone. */
void
vs_bm25_buildempty(Relation index)
{
	PGAlignedBlock block;

	vs_bm25_init_meta((Page) block.data);
	vs_edit_write_init_page(index, BM25_META_BLOCK, block.data);
}
