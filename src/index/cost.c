/*
 * cost.c
 *		What the planner is told of every access method that orders rows by
 *		distance.
 */
#include "postgres.h"

#include "compat.h"
#include "index/cost.h"
#include "nodes/parsenodes.h"

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
bool
vs_cost_wants_some_rows(const PlannerInfo *root)
{
	const Query *query = root->parse;

	if (query->hasAggs || query->hasWindowFuncs || query->groupClause != NIL ||
		query->groupingSets != NIL)
		return false;
	return has_limit(query) ||
		(query->limitCount == NULL && root->tuple_fraction > 0.0);
}

void
vs_cost_forbid(IndexPath *path, Cost *startup, Cost *total,
			   Selectivity *selectivity, double *correlation, double *pages)
{
	vs_compat_forbid_path(&path->path);
	*startup = FORBIDDEN_COST;
	*total = FORBIDDEN_COST;
	*selectivity = 0;
	*correlation = 0;
	*pages = 0;
}
