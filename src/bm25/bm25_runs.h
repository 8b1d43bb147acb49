/*
 * bm25_runs.h
 *		The runs of a build, in temporary files: a file for each participant.
 *
 *	participant									leader, once all have ended writing
 *		runs = vs_bm25_runs_create(...)
 *		vs_bm25_runs_add(runs, accumulator)
 *		vs_bm25_runs_end_writing(runs)			vs_bm25_runs_collect(runs)
 *												vs_bm25_runs_reduce(runs, max)
 *												vs_bm25_runs_read(runs, i, ...)
 */
#ifndef VS_BM25_RUNS_H
#define VS_BM25_RUNS_H

#include "postgres.h"

#include "bm25/bm25_runsource.h"
#include "index/team.h"
#include "storage/sharedfileset.h"

/* Of a participant: how many runs it has, and where in its file they are listed. */
typedef struct VsBm25RunList
{
	uint32		nruns;
	off_t		offset;
} VsBm25RunList;

/* What participants share. */
typedef struct VsBm25RunsShared
{
	SharedFileSet files;
	VsBm25RunList lists[FLEXIBLE_ARRAY_MEMBER];
} VsBm25RunsShared;

typedef struct VsBm25Runs
{
	VsTeam	   *team;
	VsBm25RunsShared *shared;
	File	   *files;			/* by participant; 0: not open */
	off_t		nbytes;			/* of this participant's */
	int			nruns;
	int			max_runs;
	VsBm25FileRun *list;
} VsBm25Runs;

extern Size vs_bm25_runs_shared_nbytes(int nparticipants);

/* The process that made the team's segment sets it up, each other one attaches. */
extern void vs_bm25_runs_shared_init(VsBm25RunsShared *shared, VsTeam *team);
extern void vs_bm25_runs_shared_attach(VsBm25RunsShared *shared, VsTeam *team);

/* A participant's runs, of which there are none; makes no file before there are. */
extern VsBm25Runs *vs_bm25_runs_create(VsTeam *team, VsBm25RunsShared *shared);
extern void vs_bm25_runs_free(VsBm25Runs *runs);

/* Write what an accumulator holds as a run, and reset it. */
extern void vs_bm25_runs_add(VsBm25Runs *runs, VsBm25Accumulator *accumulator);
extern void vs_bm25_runs_end_writing(VsBm25Runs *runs);

/* Take in the runs of all participants, in their order. */
extern void vs_bm25_runs_collect(VsBm25Runs *runs);

/*
 * Merge some runs with those beside them until there are at most so many, which
 * are read at a time through windows of BM25_RUN_MIN_WINDOW.  Checks for
 * interrupts.
 */
extern void vs_bm25_runs_reduce(VsBm25Runs *runs, int max);

extern VsBm25RunReader *vs_bm25_runs_read(VsBm25Runs *runs, int i, Size window);

#endif							/* VS_BM25_RUNS_H */
