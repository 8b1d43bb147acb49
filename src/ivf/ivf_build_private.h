/*
 * ivf_build_private.h
 *		What the files of CREATE INDEX share.
 *
 * ivf_build.c leads through the phases, ivf_buildtrain.c finds the centroids or
 * takes those that ivf_buildgiven.c has read, ivf_buildlists.c assigns rows to
 * lists and writes these.  Every participant of the team has a VsIvfBuild of its
 * own.
 */
#ifndef VS_IVF_BUILD_PRIVATE_H
#define VS_IVF_BUILD_PRIVATE_H

#include "postgres.h"

#include "index/build.h"
#include "index/training.h"
#include "ivf/ivf_private.h"
#include "postmaster/bgworker_internals.h"

/* Phases for pg_stat_progress_create_index; 1 is "initializing". */
enum
{
	IVF_PHASE_LOAD = 2,
	IVF_PHASE_TRAIN,
	IVF_PHASE_ASSIGN,
	IVF_PHASE_SORT,
	IVF_PHASE_WRITE,
	IVF_PHASE_LOG
};

/* What the team works on together. */
enum
{
	IVF_TASK_TRAIN = VS_BUILD_FIRST_TASK,
	IVF_TASK_ASSIGN,
	IVF_TASK_WRITE
};

/* Room for what is shared of a file of each participant there can be. */
#define IVF_FILES_NBYTES \
	(offsetof(VsSpoolShared, nrows) + sizeof(uint64) * (MAX_PARALLEL_WORKER_LIMIT + 1))

typedef struct VsIvfFiles
{
	uint64		memory[IVF_FILES_NBYTES / sizeof(uint64) + 1];	/* a VsSpoolShared */
} VsIvfFiles;

/* What participants share. */
typedef struct VsIvfBuildShared
{
	dsm_handle	training_handle;	/* invalid: the leader trains and assigns
									 * alone */
	int			ncentroids;
	VsIvfMeta	meta;			/* knows lists and directory */

	/* Temporary files beside the spool, see ivf_buildlists.c. */
	VsIvfFiles	assigned;
	VsIvfFiles	sorted;
} VsIvfBuildShared;

typedef struct VsIvfBuild
{
	VsBuild		base;
	VsIvfBuildShared *shared;
	VsIvfIndex *index;
	double		residual;		/* typical distance of rows to their centroids */
	VsTraining *training;		/* has the centroids; NULL in a worker that
								 * cannot see it */
	dsm_segment *segment;		/* that it lies in, NULL if not shared */
	VsSpool    *assigned;		/* rows and lists that this participant found */
	VsSpool    *sorted;			/* rows in the order of their lists */
	bool		is_attached;	/* to the files of these two */
} VsIvfBuild;

/* ivf_buildtrain.c */

/*
 * Find up to nlists centroids; returns how many, in *centroids (n x dim,
 * palloc'd), and sets build->residual.  ERROR if maintenance_work_mem has no room
 * for that.
 */
extern int	vs_ivf_build_train(VsIvfBuild *build, int nlists,
							   float **centroids);

/*
 * Use n centroids (n x dim) that are given in place of trained ones; changes them
 * as far as rows are measured for it, and sets build->residual.
 */
extern void vs_ivf_build_take_given(VsIvfBuild *build, int n, float *centroids);

/* A worker's share of the present step. */
extern void vs_ivf_build_join_training(VsIvfBuild *build);

/* A worker's look at the training; false if it is not shared. */
extern bool vs_ivf_build_see_training(VsIvfBuild *build);

/* Give the training's memory back. */
extern void vs_ivf_build_free_training(VsIvfBuild *build);

/* ivf_buildgiven.c */

/*
 * Read the centroids that the index's centroids_from names: returns how many, in
 * *centroids (n x dim, palloc'd), all different, as the opclass reads vectors and
 * of unit length by inner product.  0 if it names none; ERROR if there are none in
 * the table, unless "heap" is empty, too.
 */
extern int	vs_ivf_build_read_given(Relation heap, Relation index,
									float **centroids);

/* ivf_buildlists.c */

/* The leader sets up what is shared. */
extern void vs_ivf_build_init_shared(VsIvfBuild *build);

/* Find the nearest list of each row, together. */
extern void vs_ivf_build_assign(VsIvfBuild *build);

/* Sort rows by list. */
extern void vs_ivf_build_sort(VsIvfBuild *build);

/* Write the lists, together. */
extern void vs_ivf_build_write(VsIvfBuild *build);

/* A participant's share of assigning and of writing. */
extern void vs_ivf_build_assign_rows(VsIvfBuild *build);
extern void vs_ivf_build_write_lists(VsIvfBuild *build);

/* Give files and memory back. */
extern void vs_ivf_build_free(VsIvfBuild *build);

#endif							/* VS_IVF_BUILD_PRIVATE_H */
