/*
 * ivf_cost.c
 *		What the planner is told.
 *
 * Startup is the reading of the codes of the first probes; the total what
 * returning all rows, list after list, would cost.  The planner interpolates for
 * a LIMIT, and so sees what other conditions' selectivity does.
 */
#include "postgres.h"

#include <math.h>

#include "index/cost.h"
#include "ivf/ivf_lists.h"
#include "ivf/ivf_private.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"

/* Vectors read before the first row is returned. */
#define FIRST_VECTORS 16

/* What reading a vector costs beside its page, in calls of operators. */
#define READ_OPERATORS 48

/* Metapage, directory, and the vector that the root's codes are around. */
#define FIXED_PAGES 3

/* Pages of a list, or group, beside its list pages: entry and centroid. */
#define PAGES_PER_PROBE 2

/* Groups of centroids that are opened for the first probes; 0 without groups. */
static double
count_groups(const VsIvfMeta *meta, int probes)
{
	double		needed = (double) IVF_LOOKED_AT * probes / meta->nlists * meta->ngroups;

	return Min(ceil(needed / IVF_GROUPS_OPENED) * IVF_GROUPS_OPENED,
			   meta->ngroups);
}

/* VsCostEstimate */
static void
estimate(VsCost *cost)
{
	VsIvfIndex *index = vs_ivf_open(cost->rel);
	const VsIvfGeometry *g = &index->geometry;
	int			probes = vs_ivf_effective_probes(cost->rel);
	double		ntuples = cost->ntuples;
	double		nlists = index->meta.nlists;
	double		ngroups = count_groups(&index->meta, probes);
	double		ncentroids = index->meta.ngroups == 0 ? nlists :
		index->meta.ngroups + ngroups / index->meta.ngroups * nlists;
	double		share = Min(probes / nlists, 1.0);	/* of lists, at first */
	double		list_pages = ceil(ntuples / g->nslots);
	double		vector_pages = g->vectors_per_page == 0 ? 0.0 :
		ceil(ntuples / g->vectors_per_page) * g->pages_per_vector;
	Cost		code_cost = cpu_operator_cost;
	Cost		row_cost = cpu_index_tuple_cost + READ_OPERATORS * cpu_operator_cost;

	/* Centroids, then the codes of the lists probed, and the first vectors. */
	cost->startup = FIXED_PAGES * cost->random_page + ncentroids * code_cost +
		ceil(ncentroids / g->nslots) * cost->seq_page +
		(Min(probes, nlists) + ngroups) * PAGES_PER_PROBE * cost->random_page +
		share * list_pages * cost->seq_page + share * ntuples * code_cost +
		Min(FIRST_VECTORS, share * ntuples) * (cost->random_page + row_cost);

	/* All of them: a vector page is met again as long as it is cached. */
	cost->total = cost->startup +
		(1.0 - share) * (list_pages * cost->seq_page + ntuples * code_cost) +
		vector_pages * cost->random_page + ntuples * row_cost;
	cost->pages = list_pages + vector_pages;
}

void
vs_ivf_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					Cost *startup, Cost *total, Selectivity *selectivity,
					double *correlation, double *pages)
{
	vs_cost_estimate(root, path, loop_count, startup, total, selectivity,
					 correlation, pages, estimate);
}
