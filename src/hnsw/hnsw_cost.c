/*
 * hnsw_cost.c
 *		What the planner is told.
 *
 * Startup is what the first ef_search results cost, the total what reading the
 * whole index through the graph would; the planner interpolates for a LIMIT,
 * and so sees what other conditions' selectivity does.
 */
#include "postgres.h"

#include "hnsw/hnsw_private.h"
#include "index/cost.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"

/* Nodes visited beyond ef: those that estimates mislead to, and the descent. */
#define EXTRA_VISITS 16

/* Cost of one node visited: its neighbours' codes and its own distance. */
static Cost
node_cost(const VsHnswGeometry *g)
{
	return cpu_index_tuple_cost + 4 * cpu_operator_cost;
}

/* VsCostEstimate */
static void
estimate(VsCost *cost)
{
	Relation	rel = cost->rel;
	const VsOpclass *opclass = vs_opclass_of_index(rel);
	int			dim = vs_opclass_index_dim(rel, opclass, "hnsw");
	double		nvisits = Min(vs_hnsw_effective_ef_search(rel) + EXTRA_VISITS,
							  cost->ntuples);
	double		npages = cost->info->pages;
	VsHnswGeometry geometry;

	vs_hnsw_geometry_init(&geometry, dim, vs_hnsw_option_m(rel),
						  vs_hnsw_code_bits(dim));

	/* The first results: no more pages than there are. */
	cost->startup = Min(nvisits * geometry.npages, npages) * cost->random_page +
		nvisits * node_cost(&geometry);

	/* All of them: pages met again are likely to be cached. */
	cost->pages = index_pages_fetched(cost->ntuples * geometry.npages, npages,
									  npages, cost->root);
	cost->total = cost->startup + cost->pages * cost->random_page +
		cost->ntuples * node_cost(&geometry);
}

void
vs_hnsw_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					 Cost *startup, Cost *total, Selectivity *selectivity,
					 double *correlation, double *pages)
{
	vs_cost_estimate(root, path, loop_count, startup, total, selectivity,
					 correlation, pages, estimate);
}
