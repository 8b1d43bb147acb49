/*
 * cost.h
 *		What the planner is told of every access method that orders rows by
 *		distance.
 */
#ifndef VS_COST_H
#define VS_COST_H

#include "postgres.h"

#include "nodes/pathnodes.h"

/*
 * Whether a query can do with some of the rows, which is what such an index is
 * for: it does not have all of them.
 */
extern bool vs_cost_wants_some_rows(const PlannerInfo *root);

/* Have the planner take any other path; sets what amcostestimate returns. */
extern void vs_cost_forbid(IndexPath *path, Cost *startup, Cost *total,
						   Selectivity *selectivity, double *correlation,
						   double *pages);

#endif							/* VS_COST_H */
