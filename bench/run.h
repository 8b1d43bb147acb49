/*
 * run.h
 *		A run: what it measures, on what, and what its phases share.
 */
#ifndef VS_BENCH_RUN_H
#define VS_BENCH_RUN_H

#include "dataset.h"
#include "options.h"
#include "results.h"
#include "session.h"

typedef struct VsRun
{
	const VsOptions *options;
	VsDataset	data;
	VsResults	results;
	double		load_average;	/* of the machine before the run */
	VsSession	session[VS_BENCH_MAX_VARIANTS];
	VsWireVector *queries;		/* of data.queries */
	VsWireVector *spare;		/* of data.spare */

	/* what the phases that write have done so far */
	long		ninserted;		/* the first so many spare rows */
	uint8_t    *is_gone;		/* base rows deleted */
	VsNeighbours truth_now;		/* exact answers after a deletion */
} VsRun;

/* Whose turn it is: the variants alternate within a step of a repeat. */
typedef struct VsTurn
{
	int			repeat;
	int			step;
	int			variant;
} VsTurn;

extern char *vs_bench_database(const VsOptions *options, int variant);
extern VsSession vs_bench_open_variant(const VsRun *run, int variant);
extern void vs_bench_set_knob(const VsRun *run, VsSession *session, int knob);
extern char *vs_bench_search_sql(const VsRun *run);
extern double vs_bench_index_mb(VsSession *session);

extern void vs_bench_record_cpu(VsRun *run, VsTurn turn,
								const VsSession *session, VsFigure figure,
								double before_ms, double divisor);

static inline void
vs_bench_record_figure(VsRun *run, VsTurn turn, VsFigure figure, double value)
{
	VsMeasurement one = {figure, turn.variant, 0, 0, turn.repeat, value};

	vs_bench_record(&run->results, one);
}

#endif							/* VS_BENCH_RUN_H */
