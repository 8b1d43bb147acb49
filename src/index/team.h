/*
 * team.h
 *		A leader and its parallel workers, who build an index together.
 *
 * A build is a series of tasks.  The leader begins a task, all participants
 * work on it, and the leader ends it when all are done.  What they share lies
 * in memory of the access method's own design.  A team may have no workers.
 *
 *	leader									worker
 *		team = vs_team_create(...)				team = vs_team_join(...)
 *		... fill team->shared ...
 *		vs_team_launch(team)
 *		vs_team_begin_task(team, TASK)			vs_team_next_task(team): TASK
 *		... work ...							... work ...
 *		vs_team_end_task(team)					vs_team_next_task(team): 0
 *		vs_team_end(team)						vs_team_leave(team)
 *
 * An error in any of them ends the build: the leader reports a worker's, and
 * its abort ends the workers.
 */
#ifndef VS_TEAM_H
#define VS_TEAM_H

#include "postgres.h"

#include "access/parallel.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

typedef struct VsTeamShared VsTeamShared;

typedef struct VsTeam
{
	Relation	heap;
	Relation	index;
	int			participant;	/* 0 is the leader */
	int			nparticipants;	/* places for them; some may be empty */
	bool		is_concurrent;
	void	   *shared;			/* the access method's */
	dsm_segment *segment;		/* that it lies in, NULL without workers */

	/* The team's own. */
	VsTeamShared *state;
	ParallelContext *context;	/* the leader's */
	Snapshot	snapshot;
	ParallelTableScanDesc scan;
	shm_toc    *toc;
	uint32		generation;		/* of the last task */
} VsTeam;

/* Workers that the settings, the table and the index allow for a build. */
extern int	vs_team_plan_workers(Relation heap, Relation index,
								 const IndexInfo *indexInfo);

/*
 * Make a team with nworkers places for workers and shared_nbytes of memory for
 * the access method; enters parallel mode if it has any.  The library's
 * function "worker_main", of type parallel_worker_main_type, is what workers
 * run.
 */
extern VsTeam *vs_team_create(Relation heap, Relation index,
							  const IndexInfo *indexInfo,
							  const char *worker_main, int nworkers,
							  Size shared_nbytes);

/* Start the workers; returns how many there are. */
extern int	vs_team_launch(VsTeam *team);

/* Have the workers work on a task, a number above 0. */
extern void vs_team_begin_task(VsTeam *team, int task);

/* Wait until all workers are done. */
extern void vs_team_end_task(VsTeam *team);

/* Dismiss the workers and leave parallel mode. */
extern void vs_team_end(VsTeam *team);

/* A worker's side. */
extern VsTeam *vs_team_join(dsm_segment *segment, shm_toc *toc);
extern int	vs_team_next_task(VsTeam *team);
extern void vs_team_leave(VsTeam *team);

/*
 * A participant's share of a scan of the table.  The leader gives its indexInfo, a
 * worker NULL.  Unless allow_sync it begins with the first page, where only one
 * scans.
 */
extern void vs_team_scan_table(VsTeam *team, IndexInfo *indexInfo,
							   bool allow_sync, IndexBuildCallback callback,
							   void *state);

/*
 * Once all have done their shares: notes in the leader's indexInfo what they found
 * out, and returns the rows seen.
 */
extern double vs_team_end_scan(VsTeam *team, IndexInfo *indexInfo);

/*
 * Share out numbered work, such as rows: the leader sets the first number before
 * it begins a task, and each participant takes n numbers at a time from the one
 * that is returned.
 */
extern void vs_team_deal(VsTeam *team, uint64 first);
extern uint64 vs_team_take(VsTeam *team, int n);

/*
 * WAL-log all pages of the index, which must need it: the leader begins the phase
 * before it begins a task, in which each participant does its share.
 */
extern void vs_team_begin_log(VsTeam *team, int phase);
extern void vs_team_log_pages(VsTeam *team);

/* Begin a phase of the progress report that handles "total" rows. */
extern void vs_team_begin_phase(VsTeam *team, int phase, int64 total);

/* Set and report the progress of a phase that does not count rows. */
extern void vs_team_set_progress(VsTeam *team, int64 done, int64 total);

/* Report that n more rows, or what a phase counts, are done; allow cancelling. */
extern void vs_team_report(VsTeam *team, int n);

#endif							/* VS_TEAM_H */
