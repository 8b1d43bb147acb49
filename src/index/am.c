/*
 * am.c
 *		The access methods of this library, for what treats all alike.
 */
#include "postgres.h"

#include "index/am.h"

#define MAX_METHODS 4

static const VsAccessMethod *methods[MAX_METHODS];
static int	nmethods = 0;

void
vs_am_register(const VsAccessMethod *am)
{
	Assert(nmethods < MAX_METHODS);
	methods[nmethods++] = am;
}

const VsAccessMethod *
vs_am_of_index(Relation index)
{
	for (int i = 0; i < nmethods; i++)
		if (index->rd_indam->ambuild == methods[i]->build)
			return methods[i];
	return NULL;
}

const VsAccessMethod *
vs_am_of_index_info(const IndexOptInfo *info)
{
	for (int i = 0; i < nmethods; i++)
		if ((amcostestimate_function) info->amcostestimate ==
			methods[i]->costestimate)
			return methods[i];
	return NULL;
}
