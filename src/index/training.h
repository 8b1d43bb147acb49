/*
 * training.h
 *		k-means with many centroids, alone or by the participants of a team.
 *
 *	leader									workers, meanwhile
 *		t = vs_training_init(memory, ...)
 *		... fill vs_training_samples(t) ...
 *		k = vs_training_run(t, ...)
 *			calls share(), which begins a task:
 *				vs_training_work(t)				vs_training_work(t)
 *		... take vs_training_centroids(t) ...
 *
 * See README.md, "Training centroids".
 */
#ifndef VS_TRAINING_H
#define VS_TRAINING_H

#include "c.h"

/* Samples a centroid that are enough, and rounds: see README.md. */
#define VS_TRAINING_SAMPLES_PER_CENTROID 40
#define VS_TRAINING_MAX_ROUNDS 6

/*
 * A training, in one piece of memory that participants may have mapped at
 * different addresses.
 */
typedef struct VsTraining VsTraining;

/* What the process that runs a training may want to do meanwhile. */
typedef struct VsTrainingHooks
{
	/*
	 * There is work: have all participants call vs_training_work and return
	 * when all have returned from it.  NULL: this process works alone.
	 */
	void		(*share) (void *arg, VsTraining *training);

	/* "done" of "total" rounds are over; may be NULL. */
	void		(*progress) (void *arg, int done, int total);

	void	   *arg;
} VsTrainingHooks;

/* The memory for n samples and k centroids of dim elements. */
extern Size vs_training_nbytes(int dim, int n, int k);

/*
 * Set up a training in memory of vs_training_nbytes, aligned as palloc's.
 * "spherical" is for rows that are compared by cosine or inner product: samples
 * count by their direction alone and centroids are of unit length.
 */
extern VsTraining *vs_training_init(void *memory, int dim, int n, int k,
									bool spherical, uint64 seed);

/* Where the samples belong: n x dim, row-major, finite. */
extern float *vs_training_samples(VsTraining *training);

/*
 * Train.  Returns how many centroids there are: k, or fewer where there are
 * fewer different samples, and none without any sample (or, if spherical,
 * any that is not zero).  Samples are spoilt.  "hooks" may be NULL.
 *
 * The result depends on samples, seed and processor, not on the number of
 * participants.
 */
extern int	vs_training_run(VsTraining *training, int max_rounds,
							const VsTrainingHooks *hooks);

/* Take k centroids (k x dim, row-major) for the result, without training. */
extern void vs_training_set_centroids(VsTraining *training,
									  const float *centroids);

/* The centroids, row-major, once they are trained. */
extern const float *vs_training_centroids(VsTraining *training);

/*
 * The mean squared distance of a sample to its nearest centroid before the last
 * round moved them; if spherical, of samples of unit length.
 */
extern double vs_training_mean_dist_sq(const VsTraining *training);

/* A participant's share of the work that there is; checks for interrupts. */
extern void vs_training_work(VsTraining *training);

#endif							/* VS_TRAINING_H */
