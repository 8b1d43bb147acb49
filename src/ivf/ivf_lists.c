/*
 * ivf_lists.c
 *		The lists nearest to a vector, one after the other.
 */
#include "postgres.h"

#include "ivf/ivf_lists.h"

/* A list that a list of centroids names; ERROR if it is not in [begin, end). */
static uint32
require_list(const VsIvfIndex *index, const ItemPointerData *tid, uint32 begin,
			 uint32 end)
{
	uint32		list = vs_ivf_list_of_tid(tid);

	if (list < begin || list >= end)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" refers to list %u, which does not exist",
						RelationGetRelationName(index->rel), list),
				 errhint("Please REINDEX it.")));
	return list;
}

VsIvfLists *
vs_ivf_lists_create(VsIvfIndex *index, const VsIvfProbe *probe)
{
	VsIvfLists *lists = palloc0(sizeof(VsIvfLists));
	uint32		root = vs_ivf_root(index);

	lists->index = index;
	lists->lists = vs_ivf_search_create(index, probe, true);
	if (index->meta.ngroups > 0)
		lists->groups = vs_ivf_search_create(index, probe, true);
	vs_ivf_search_add_lists(lists->groups != NULL ? lists->groups : lists->lists,
							&root, 1);
	return lists;
}

/* Add the centroids of the next nearest groups; false if there are none. */
static bool
open_groups(VsIvfLists *lists)
{
	VsIvfIndex *index = lists->index;
	ItemPointerData tid;
	float		dist;
	uint32		opened[IVF_GROUPS_OPENED];
	int			n = 0;

	if (lists->groups == NULL)
		return false;
	while (n < IVF_GROUPS_OPENED && vs_ivf_search_next(lists->groups, &tid, &dist))
		opened[n++] = require_list(index, &tid, index->meta.nlists,
								   vs_ivf_root(index));
	vs_ivf_search_add_lists(lists->lists, opened, n);
	return n > 0;
}

/* Whether enough lists are looked at for the next one to be the nearest. */
static bool
sees_enough(const VsIvfLists *lists)
{
	return lists->lists->nrows >= IVF_LOOKED_AT * (lists->nreturned + 1);
}

bool
vs_ivf_lists_next(VsIvfLists *lists, uint32 *list)
{
	ItemPointerData tid;
	float		dist;

	while (!sees_enough(lists) && open_groups(lists))
		continue;
	if (!vs_ivf_search_next(lists->lists, &tid, &dist))
		return false;
	lists->nreturned++;
	*list = require_list(lists->index, &tid, 0, lists->index->meta.nlists);
	return true;
}
