/*
 * ivf_buildlists.c
 *		CREATE INDEX: assigning rows to lists, and writing the lists.
 *
 * Participants assign rows, a block at a time, and note them with their lists in
 * files.  The leader sorts these notes into another file, which begins with where
 * each list's rows begin in it.  Each list is written by whoever takes it.
 *
 * These files are spools, too, of records that are numbers instead of vectors.
 */
#include "postgres.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "compat.h"
#include "index/centroids.h"
#include "ivf/ivf_build_private.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

/* Float16 elements that a number takes in a record. */
#define NUMBER_DIM (sizeof(uint64) / sizeof(uint16))

/* Shares of the lists that each of several participants writes. */
#define SHARES 4

static VsSpoolShared *
files_of(VsIvfFiles *files)
{
	return (VsSpoolShared *) files->memory;
}

static void
write_number(VsSpool *spool, uint64 number)
{
	ItemPointerData tid;
	uint16		halves[NUMBER_DIM];

	ItemPointerSetInvalid(&tid);
	memcpy(halves, &number, sizeof(number));
	vs_spool_write(spool, &tid, 0, halves);
}

static uint64
read_number(VsSpool *spool, uint64 i)
{
	VsSpoolRow	row;
	uint64		number;

	vs_spool_read(spool, i, &row);
	memcpy(&number, row.halves, sizeof(number));
	return number;
}

void
vs_ivf_build_init_shared(VsIvfBuild *build)
{
	VsTeam	   *team = build->base.team;

	if (team->segment == NULL)
		return;
	vs_spool_shared_init(files_of(&build->shared->assigned), team->segment,
						 team->nparticipants);
	vs_spool_shared_init(files_of(&build->shared->sorted), team->segment,
						 team->nparticipants);
}

/*
 * Attach a worker to them.  Not when it starts: the leader sets them up before
 * the first task, but not before the workers run.
 */
static void
attach_shared(VsIvfBuild *build)
{
	dsm_segment *segment = build->base.team->segment;

	if (build->is_attached || build->base.team->participant == 0)
		return;
	vs_spool_shared_attach(files_of(&build->shared->assigned), segment);
	vs_spool_shared_attach(files_of(&build->shared->sorted), segment);
	build->is_attached = true;
}

/* Begin a file of numbers; shared if there is anybody to share it with. */
static VsSpool *
create_numbers(VsIvfBuild *build, VsSpoolShared *shared)
{
	VsTeam	   *team = build->base.team;

	return vs_spool_create(NUMBER_DIM, team->segment != NULL ? shared : NULL,
						   team->participant, 0);
}

/* A note is a list and a row in one number, which sorts by list. */
#define ROW_BITS 48

/* A participant's notes of where rows belong. */
static void
note_rows(VsIvfBuild *build)
{
	VsBuild    *base = &build->base;
	uint64		nrows = vs_spool_nrows(base->spool);
	VsCentroids *centroids =
		vs_centroids_create(base->dim, build->shared->ncentroids,
							vs_training_centroids(build->training),
							base->opclass->metric == VS_METRIC_IP);
	float	   *rows = palloc_extended(sizeof(float) * base->dim *
									   VS_CENTROIDS_BLOCK_ROWS, MCXT_ALLOC_HUGE);
	float	   *work = palloc(sizeof(float) * VS_CENTROIDS_WORK_FLOATS);
	uint32		lists[VS_CENTROIDS_BLOCK_ROWS];
	uint64		begin;

	while ((begin = vs_team_take(base->team, VS_CENTROIDS_BLOCK_ROWS)) < nrows)
	{
		int			n = Min(nrows - begin, VS_CENTROIDS_BLOCK_ROWS);

		for (int i = 0; i < n; i++)
			vs_build_read(base, begin + i, rows + (Size) i * base->dim, NULL);
		vs_centroids_nearest(centroids, n, rows, work, lists, NULL);
		for (int i = 0; i < n; i++)
			write_number(build->assigned,
						 ((uint64) lists[i] << ROW_BITS) | (begin + i));
		vs_team_report(base->team, n);
	}
	vs_centroids_free(centroids);
	pfree(rows);
	pfree(work);
}

void
vs_ivf_build_assign_rows(VsIvfBuild *build)
{
	attach_shared(build);
	build->assigned = create_numbers(build, files_of(&build->shared->assigned));
	if (vs_ivf_build_see_training(build))
		note_rows(build);
	vs_spool_end_writing(build->assigned);
}

/* Go through a phase that all participants do a task of, for all rows. */
static void
share_out(VsIvfBuild *build, int phase, int task, void (*work) (VsIvfBuild *))
{
	VsTeam	   *team = build->base.team;

	vs_team_begin_phase(team, phase, vs_spool_nrows(build->base.spool));
	vs_team_deal(build->base.team, 0);
	vs_team_begin_task(team, task);
	work(build);
	vs_team_end_task(team);
}

void
vs_ivf_build_assign(VsIvfBuild *build)
{
	share_out(build, IVF_PHASE_ASSIGN, IVF_TASK_ASSIGN, vs_ivf_build_assign_rows);

	/* Not before a worker that has begun late has found it. */
	vs_ivf_build_free_training(build);
	vs_spool_begin_reading(build->assigned);
}

/* Write where each list's rows begin, and behind the last one. */
static void
write_begins(VsIvfBuild *build, const uint64 *counts)
{
	uint32		nlists = build->index->meta.nlists;
	uint64		begin = nlists + 1;

	for (uint32 list = 0; list <= nlists; list++)
	{
		write_number(build->sorted, begin);
		if (list < nlists)
			begin += counts[list];
	}
}

void
vs_ivf_build_sort(VsIvfBuild *build)
{
	VsTeam	   *team = build->base.team;
	uint64		nrows = vs_spool_nrows(build->assigned);
	uint64	   *counts = palloc0(sizeof(uint64) * build->index->meta.nlists);
	Tuplesortstate *sort = tuplesort_begin_datum(INT8OID, Int8LessOperator,
												 InvalidOid, false,
												 maintenance_work_mem, NULL,
												 TUPLESORT_NONE);
	Datum		note;
	bool		isnull;

	Assert(nrows == vs_spool_nrows(build->base.spool));
	vs_team_begin_phase(team, IVF_PHASE_SORT, nrows);
	for (uint64 i = 0; i < nrows; i++)
	{
		uint64		number = read_number(build->assigned, i);

		counts[number >> ROW_BITS]++;
		tuplesort_putdatum(sort, Int64GetDatum(number), false);
		CHECK_FOR_INTERRUPTS();
	}
	tuplesort_performsort(sort);

	build->sorted = create_numbers(build, files_of(&build->shared->sorted));
	write_begins(build, counts);
	while (vs_compat_tuplesort_getdatum(sort, &note, &isnull))
	{
		write_number(build->sorted, DatumGetInt64(note) &
					 ((UINT64CONST(1) << ROW_BITS) - 1));
		vs_team_report(team, 1);
	}
	vs_spool_end_writing(build->sorted);
	tuplesort_end(sort);
	pfree(counts);
}

/*
 * Rows of some lists on their way into these.  They are read many at a time: then
 * the spool can be read in its own order, which is another.  Where it is in memory
 * that is of no use: capacity is 0.
 */
typedef struct RowBatch
{
	VsIvfBuild *build;
	uint64		next;			/* in build->sorted */
	uint64		end;			/* of what this participant has taken */
	int			capacity;
	int			n;
	int			nused;			/* of these */
	uint64	   *numbers;
	char	   *rows;
} RowBatch;

/* Rows that may be in memory: half of what this participant may have. */
static RowBatch
allocate_batch(VsIvfBuild *build)
{
	VsSpool    *spool = build->base.spool;
	Size		memory = (Size) maintenance_work_mem * 1024 / 2 /
		build->base.team->nparticipants;
	Size		row_nbytes = vs_spool_row_nbytes(spool) + VS_SPOOL_GATHER_NBYTES;
	RowBatch	batch = {.build = build};

	if (vs_spool_memory(spool) > 0)
		return batch;
	batch.capacity = Min(Min(Max(memory / row_nbytes, 1), INT_MAX),
						 vs_spool_nrows(spool));
	batch.numbers = palloc_extended(sizeof(uint64) * batch.capacity,
									MCXT_ALLOC_HUGE);
	batch.rows = palloc_extended(vs_spool_row_nbytes(spool) * batch.capacity,
								 MCXT_ALLOC_HUGE);
	return batch;
}

/* Read the rows that come next. */
static void
read_batch(RowBatch *batch)
{
	batch->n = Min(batch->end - batch->next, batch->capacity);
	batch->nused = 0;
	for (int i = 0; i < batch->n; i++)
		batch->numbers[i] = read_number(batch->build->sorted, batch->next++);
	vs_spool_gather(batch->build->base.spool, batch->n, batch->numbers,
					batch->rows);
}

/* VsIvfNextRow */
static void
next_row(void *state, VsIvfRow *row)
{
	RowBatch   *batch = state;
	VsBuild    *base = &batch->build->base;
	VsSpoolRow	spooled;

	if (batch->capacity == 0)
	{
		uint64		number = read_number(batch->build->sorted, batch->next++);

		vs_spool_read(base->spool, number, &spooled);
		if (batch->next < batch->end)
			vs_spool_foresee(base->spool,
							 read_number(batch->build->sorted, batch->next));
	}
	else
	{
		if (batch->nused == batch->n)
			read_batch(batch);
		vs_spool_gathered(base->spool, batch->rows, batch->nused++, &spooled);
	}
	row->tid = spooled.tid;
	row->vector.exponent = spooled.exponent;
	memcpy(row->vector.halves, spooled.halves, sizeof(uint16) * base->dim);
	vs_team_report(base->team, 1);
}

/* Write lists "first" to before "end", which a participant has taken. */
static void
write_some_lists(VsIvfBuild *build, RowBatch *batch, uint32 first, uint32 end)
{
	uint64		begin = read_number(build->sorted, first);

	batch->next = begin;
	batch->end = read_number(build->sorted, end);
	for (uint32 list = first; list < end; list++)
	{
		MemoryContext old = MemoryContextSwitchTo(build->base.row_context);
		uint64		next_begin = read_number(build->sorted, list + 1);

		vs_ivf_write_list(build->index, list, next_begin - begin, next_row, batch);
		begin = next_begin;
		MemoryContextSwitchTo(old);
		MemoryContextReset(build->base.row_context);
	}
}

void
vs_ivf_build_write_lists(VsIvfBuild *build)
{
	VsBuild    *base = &build->base;
	uint32		nlists;
	int			ntaken;
	uint64		list;
	RowBatch	batch;

	attach_shared(build);
	if (build->index == NULL)
	{
		build->index = vs_ivf_open_new(base->team->index);
		build->index->meta = build->shared->meta;
		vs_ivf_use_unit(build->index);
	}
	if (build->sorted == NULL)
		build->sorted = vs_spool_open(NUMBER_DIM, files_of(&build->shared->sorted));
	vs_spool_begin_reading(build->sorted);

	/* A few shares each, so that all end at about the same time. */
	nlists = build->index->meta.nlists;
	ntaken = base->team->nparticipants == 1 ? nlists :
		Max(nlists / (base->team->nparticipants * SHARES), 1);
	batch = allocate_batch(build);
	while ((list = vs_team_take(base->team, ntaken)) < nlists)
		write_some_lists(build, &batch, list, Min(list + ntaken, nlists));
	if (batch.capacity > 0)
	{
		pfree(batch.numbers);
		pfree(batch.rows);
	}
}

void
vs_ivf_build_write(VsIvfBuild *build)
{
	share_out(build, IVF_PHASE_WRITE, IVF_TASK_WRITE, vs_ivf_build_write_lists);
}

void
vs_ivf_build_free(VsIvfBuild *build)
{
	vs_ivf_build_free_training(build);
	if (build->assigned != NULL)
		vs_spool_free(build->assigned);
	if (build->sorted != NULL)
		vs_spool_free(build->sorted);
}
