/*
 * hnsw_cost.c
 *		What the planner is told.
 *
 * Startup is what the first ef_search results cost, the total what reading the
 * whole index through the graph would; the planner interpolates for a LIMIT,
 * and so sees what other conditions' selectivity does.
 */
#include "postgres.h"

#include "access/genam.h"
#include "hnsw/hnsw_private.h"
#include "index/cost.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* Nodes visited beyond ef: those that estimates mislead to, and the descent. */
#define EXTRA_VISITS 16

/* Cost of one node visited: its neighbours' codes and its own distance. */
static Cost
node_cost(const VsHnswGeometry *g)
{
	return cpu_index_tuple_cost + 4 * cpu_operator_cost;
}

void
vs_hnsw_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					 Cost *startup, Cost *total, Selectivity *selectivity,
					 double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	GenericCosts costs = {0};
	Relation	rel;
	VsHnswGeometry geometry;
	int			ef;
	double		ntuples = Max(info->tuples, 1.0);
	double		nvisits;
	double		npages;
	double		page_cost;
	Cost		random_page;

	if (path->indexorderbys == NIL || !vs_cost_wants_some_rows(root))
	{
		vs_cost_forbid(path, startup, total, selectivity, correlation, pages);
		return;
	}

	rel = index_open(info->indexoid, NoLock);
	ef = vs_hnsw_effective_ef_search(rel);
	{
		const VsOpclass *opclass = vs_opclass_of_index(rel);
		int			dim = vs_opclass_index_dim(rel, opclass, "hnsw");

		vs_hnsw_geometry_init(&geometry, dim, vs_hnsw_option_m(rel),
							  vs_hnsw_code_bits(dim));
	}
	index_close(rel, NoLock);

	genericcostestimate(root, path, loop_count, &costs);
	get_tablespace_page_costs(info->reltablespace, &random_page, NULL);

	/* The first results: no more pages than there are. */
	nvisits = Min(ef + EXTRA_VISITS, ntuples);
	npages = Min(nvisits * geometry.npages, info->pages);
	*startup = npages * random_page + nvisits * node_cost(&geometry);

	/* All of them: pages met again are likely to be cached. */
	npages = index_pages_fetched(ntuples * geometry.npages, info->pages,
								 (double) info->pages, root);
	page_cost = npages * random_page;
	*total = *startup + page_cost + ntuples * node_cost(&geometry);

	*selectivity = costs.indexSelectivity;
	*correlation = 0;
	*pages = npages;
}
