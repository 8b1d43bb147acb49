/*
 * cost.h
 *		What the planner is told of every access method that orders rows by
 *		distance.
 */
#ifndef VS_COST_H
#define VS_COST_H

#include "postgres.h"

#include "nodes/pathnodes.h"
#include "utils/rel.h"

/* An estimate under way. */
typedef struct VsCost
{
	PlannerInfo *root;
	const IndexOptInfo *info;
	Relation	rel;			/* the index, opened */
	double		ntuples;		/* at least 1 */
	Cost		random_page;	/* costs of its tablespace */
	Cost		seq_page;

	/* What is to be found out. */
	Cost		startup;		/* until the first row is returned */
	Cost		total;			/* if all rows were; the planner interpolates */
	double		pages;			/* that are read then */
} VsCost;

typedef void (*VsCostEstimate) (VsCost *cost);

/*
 * amcostestimate, which asks "estimate" for ordered scans of queries that can do
 * with some of the rows.  Others are told to take any other path: the index does
 * not have all rows.
 */
extern void vs_cost_estimate(PlannerInfo *root, IndexPath *path,
							 double loop_count, Cost *startup, Cost *total,
							 Selectivity *selectivity, double *correlation,
							 double *pages, VsCostEstimate estimate);

#endif							/* VS_COST_H */
