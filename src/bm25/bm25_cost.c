/*
 * bm25_cost.c
 *		What the planner is told.
 *
 * A scan in order pays at the start: it looks lexemes up and goes through those
 * postings that bounds do not exclude.  What comes then costs little a row, and
 * the planner interpolates for a LIMIT.  A scan without order reads the postings
 * that match.
 */
#include "postgres.h"

#include "access/genam.h"
#include "bm25/bm25_private.h"
#include "compat.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/*
 * Pages read at random before a row is found.  It is more than one, but those of
 * the dictionary and of frequent lexemes are in memory.
 */
#define START_PAGES 1

/*
 * Postings of a query's lexemes, as a share of the documents: its words may be
 * anything, and are often parameters.
 */
#define SEARCHED_SHARE 0.1

/*
 * What each costs, in calls of operators, those taken together that bounds
 * exclude: 300,000 documents took 0.15 ms.
 */
#define POSTING_OPERATORS 0.2

/* Have the planner take any other path: not infinite, as costs are subtracted. */
#define FORBIDDEN_COST 1e300

void
vs_bm25_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					 Cost *startup, Cost *total, Selectivity *selectivity,
					 double *correlation, double *pages)
{
	const IndexOptInfo *info = path->indexinfo;
	GenericCosts costs = {0};

	genericcostestimate(root, path, loop_count, &costs);
	*startup = costs.indexStartupCost;
	*total = costs.indexTotalCost;
	*selectivity = costs.indexSelectivity;
	*correlation = 0.0;
	*pages = costs.numIndexPages;

	if (list_length(path->indexorderbys) > 1)
	{
		vs_compat_forbid_path(&path->path);
		*startup = FORBIDDEN_COST;
		*total = FORBIDDEN_COST;
	}
	else if (path->indexorderbys != NIL)
	{
		Cost		search = info->tuples * SEARCHED_SHARE *
			POSTING_OPERATORS * cpu_operator_cost +
			Min(START_PAGES, info->pages) * costs.spc_random_page_cost;

		*startup += search;
		*total += search;
	}
}
