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

#include "access/genam.h"
#include "index/cost.h"
#include "ivf/ivf_lists.h"
#include "ivf/ivf_private.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* Vectors read before the first row is returned. */
#define FIRST_VECTORS 16

/* What reading a vector costs beside its page, in calls of operators. */
#define READ_OPERATORS 48

/* Metapage, directory, and the vector that the root's codes are around. */
#define FIXED_PAGES 3

/* Pages of a list, or group, beside its list pages: entry and centroid. */
#define PAGES_PER_PROBE 2

/* What the estimate needs to know of an index. */
static VsIvfIndex *
look_at_index(Oid oid, int *probes)
{
	Relation	rel = index_open(oid, NoLock);
	VsIvfIndex *index = vs_ivf_open(rel);

	*probes = vs_ivf_effective_probes(rel);
	index_close(rel, NoLock);
	return index;
}

/* Groups of centroids that are opened for the first probes; 0 without groups. */
static double
count_groups(const VsIvfMeta *meta, int probes)
{
	double		needed = (double) IVF_LOOKED_AT * probes / meta->nlists * meta->ngroups;

	return Min(ceil(needed / IVF_GROUPS_OPENED) * IVF_GROUPS_OPENED,
			   meta->ngroups);
}

void
vs_ivf_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					Cost *startup, Cost *total, Selectivity *selectivity,
					double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	GenericCosts costs = {0};
	double		ntuples = Max(info->tuples, 1.0);
	VsIvfIndex *index;
	int			probes;
	double		nlists;
	double		ngroups;		/* that are opened for the first lists */
	double		ncentroids;		/* whose codes are then read */
	double		share;			/* of the lists that are probed first */
	double		list_pages;
	double		vector_pages;
	Cost		random_page;
	Cost		seq_page;
	Cost		code_cost = cpu_operator_cost;
	Cost		row_cost = cpu_index_tuple_cost + READ_OPERATORS * cpu_operator_cost;

	if (path->indexorderbys == NIL || !vs_cost_wants_some_rows(root))
	{
		vs_cost_forbid(path, startup, total, selectivity, correlation, pages);
		return;
	}

	index = look_at_index(info->indexoid, &probes);
	nlists = index->meta.nlists;
	ngroups = count_groups(&index->meta, probes);
	ncentroids = index->meta.ngroups == 0 ? nlists :
		index->meta.ngroups + ngroups / index->meta.ngroups * nlists;
	share = Min(probes / nlists, 1.0);
	list_pages = ceil(ntuples / index->geometry.nslots);
	vector_pages = index->geometry.vectors_per_page == 0 ? 0.0 :
		ceil(ntuples / index->geometry.vectors_per_page) *
		index->geometry.pages_per_vector;

	genericcostestimate(root, path, loop_count, &costs);
	get_tablespace_page_costs(info->reltablespace, &random_page, &seq_page);

	/* Centroids, then the codes of the lists probed, and the first vectors. */
	*startup = FIXED_PAGES * random_page + ncentroids * code_cost +
		ceil(ncentroids / index->geometry.nslots) * seq_page +
		(Min(probes, nlists) + ngroups) * PAGES_PER_PROBE * random_page +
		share * list_pages * seq_page + share * ntuples * code_cost +
		Min(FIRST_VECTORS, share * ntuples) * (random_page + row_cost);

	/* All of them: a vector page is met again as long as it is cached. */
	*total = *startup + (1.0 - share) * (list_pages * seq_page + ntuples * code_cost) +
		vector_pages * random_page + ntuples * row_cost;

	*selectivity = costs.indexSelectivity;
	*correlation = 0;
	*pages = list_pages + vector_pages;
}
