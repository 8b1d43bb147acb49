/*
 * cost.c
 *		What the planner is told of every access method that orders rows by
 *		distance.
 */
#include "postgres.h"

#include "access/genam.h"
#include "compat.h"
#include "index/cost.h"
#include "nodes/parsenodes.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/*
 * The cost of what must not be chosen.  Not infinite: the planner subtracts
 * startup from total.
 */
#define FORBIDDEN_COST 1e300

/* Whether the query has a LIMIT that limits. */
static bool
has_limit(const Query *query)
{
	const Node *limit = query->limitCount;

	return limit != NULL &&
		!(IsA(limit, Const) && ((const Const *) limit)->constisnull);
}

/*
 * Without a LIMIT (or a cursor's expectation to be read in part) a query needs
 * all rows, and the index does not have those whose vector is NULL or zero.
 * The same holds where a LIMIT is applied to what was computed from all rows.
 */
static bool
wants_some_rows(const PlannerInfo *root)
{
	const Query *query = root->parse;

	if (query->hasAggs || query->hasWindowFuncs || query->groupClause != NIL ||
		query->groupingSets != NIL)
		return false;
	return has_limit(query) ||
		(query->limitCount == NULL && root->tuple_fraction > 0.0);
}

/* Have the planner take any other path. */
static void
forbid(IndexPath *path, Cost *startup, Cost *total, Selectivity *selectivity,
	   double *correlation, double *pages)
{
	vs_compat_forbid_path(&path->path);
	*startup = FORBIDDEN_COST;
	*total = FORBIDDEN_COST;
	*selectivity = 0;
	*correlation = 0;
	*pages = 0;
}

void
vs_cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count,
				 Cost *startup, Cost *total, Selectivity *selectivity,
				 double *correlation, double *pages, VsCostEstimate estimate)
{
	const IndexOptInfo *info = path->indexinfo;
	VsCost		cost = {.root = root, .info = info};
	GenericCosts generic = {0};

	if (path->indexorderbys == NIL || !wants_some_rows(root))
	{
		forbid(path, startup, total, selectivity, correlation, pages);
		return;
	}

	cost.rel = index_open(info->indexoid, NoLock);
	cost.ntuples = Max(info->tuples, 1.0);
	get_tablespace_page_costs(info->reltablespace, &cost.random_page,
							  &cost.seq_page);
	estimate(&cost);
	index_close(cost.rel, NoLock);

	genericcostestimate(root, path, loop_count, &generic);
	*startup = cost.startup;
	*total = cost.total;
	*selectivity = generic.indexSelectivity;
	*correlation = 0;
	*pages = cost.pages;
}
