/*
 * build.h
 *		CREATE INDEX: what the builds of all access methods have in common.
 *
 * A build reads the table once, into a spool of float16 vectors; what it makes
 * of them is the access method's.  When all pages are made they are logged.
 * Workers take part, as the access method's VsBuildMethod says.
 *
 *	leader									worker_main
 *		vs_build_begin(&build, ...)				vs_build_join(&build, ...)
 *		... fill build.team->shared ...
 *		vs_build_load_table(&build, indexInfo)	vs_build_next_task(&build): loads
 *		vs_team_begin_task(build.team, TASK)		... returns TASK
 *		... work ...							... work ...
 *		vs_team_end_task(build.team)			vs_build_next_task(&build): logs
 *		vs_build_log(&build)						... returns 0
 *		vs_build_end(&build)					vs_build_leave(&build)
 *
 * An access method embeds a VsBuild in a struct of its own, one a participant.
 */
#ifndef VS_BUILD_H
#define VS_BUILD_H

#include "postgres.h"

#include "access/genam.h"
#include "common/pg_prng.h"
#include "index/opclass.h"
#include "index/spool.h"
#include "index/team.h"
#include "index/toast.h"
#include "nodes/execnodes.h"
#include "storage/buf.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"

/* Tasks of an access method's own are numbered from here on. */
#define VS_BUILD_FIRST_TASK		3

/* What an access method tells of its builds. */
typedef struct VsBuildMethod
{
	const char *worker_main;	/* the library's function that workers run */
	Size		shared_nbytes;	/* memory that participants share, zeroed:
								 * team->shared */
	bool		spools_in_memory;	/* a process alone may keep rows in half
									 * of maintenance_work_mem */
	/* Phases for pg_stat_progress_create_index. */
	int			load_phase;
	int			log_phase;
} VsBuildMethod;

typedef struct VsBuildShared VsBuildShared;

/* A participant's view of a build. */
typedef struct VsBuild
{
	VsTeam	   *team;			/* knows the table and the index */
	const VsOpclass *opclass;
	int			dim;
	VsSpool    *spool;			/* NULL until the table is read */
	float	   *x;				/* dim elements of work space each */
	uint16	   *halves;
	MemoryContext row_context;	/* for what handling a row takes */
	VsToastReader *toast;		/* while the table is read */

	/* The frame's own. */
	const VsBuildMethod *method;
	VsBuildShared *shared;
	bool		reads_spool;	/* writing has ended */
	double		heap_tuples;	/* the leader's, once the table is read */
	MemoryContext context;		/* the leader's, for the build's life */
	MemoryContext outer_context;
} VsBuild;

/*
 * Begin to build an index whose file is empty: with workers, as far as there
 * are any.  From here to vs_build_end the current memory context is the
 * build's.  "method" must live as long.
 */
extern void vs_build_begin(VsBuild *build, Relation heap, Relation index,
						   const IndexInfo *indexInfo,
						   const VsBuildMethod *method);

/*
 * Have all participants read the table into build->spool.  From then on each
 * of them can read all rows from there.
 */
extern void vs_build_load_table(VsBuild *build, IndexInfo *indexInfo);

/* WAL-log all pages of the index, as far as they have to be. */
extern void vs_build_log(VsBuild *build);

/* End the build; returns the counts that ambuild owes, in the outer context. */
extern IndexBuildResult *vs_build_end(VsBuild *build);

/* A worker's side. */
extern void vs_build_join(VsBuild *build, dsm_segment *segment, shm_toc *toc,
						  const VsBuildMethod *method);

/*
 * The next task of the access method's own, after doing what the frame's tasks
 * before it ask for; 0 at the end.
 */
extern int	vs_build_next_task(VsBuild *build);
extern void vs_build_leave(VsBuild *build);

/*
 * Share out new pages: the leader says how many the next task adds to the
 * index, and learns the first one's number.  Each participant takes up to n of
 * them at a time, adjacent, in ascending order, pinned and zeroed; returns how
 * many, 0 when all are taken.  Nobody else may add pages meanwhile.
 */
extern BlockNumber vs_build_deal_pages(VsBuild *build, BlockNumber npages);
extern int	vs_build_take_pages(VsBuild *build, int n, Buffer *buffers);

/* Read a row of the spool, as dim floats; tid may be NULL. */
extern void vs_build_read(VsBuild *build, uint64 number, float *x,
						  ItemPointer tid);

/*
 * Read n rows, at most as many as there are, drawn at random but spread evenly,
 * as n x dim floats.
 */
extern void vs_build_draw(VsBuild *build, int n, pg_prng_state *prng,
						  float *samples);

/*
 * The same into memory that is palloc'd in the current memory context: at most
 * max_rows, within nbytes but at least one, unless there are none.  Sets *n.
 */
extern float *vs_build_sample(VsBuild *build, int max_rows, Size nbytes,
							  pg_prng_state *prng, int *n);

/*
 * Create a segment of shared memory for the build's participants, or return NULL
 * and set *reason.
 */
extern dsm_segment *vs_build_try_segment(Size nbytes, char **reason);

#endif							/* VS_BUILD_H */
