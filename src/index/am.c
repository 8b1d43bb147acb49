/*
 * am.c
 *		The access methods of this library, for what treats all alike.
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "compat.h"
#include "index/am.h"
#include "index/opclass.h"
#include "index/scan.h"
#include "index/vacuum.h"

#define MAX_METHODS 4

static const VsAccessMethod *methods[MAX_METHODS];
static int	nmethods = 0;

IndexAmRoutine *
vs_am_make_routine(void)
{
	IndexAmRoutine *am = makeNode(IndexAmRoutine);

	am->amstrategies = 0;
	am->amsupport = VS_OPCLASS_PROC;
	am->amcanorderbyop = true;
	am->amoptionalkey = true;
	am->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL;
	am->amkeytype = InvalidOid;
	vs_compat_set_parallel_build(am);

	am->amvacuumcleanup = vs_vacuum_cleanup;
	am->amrescan = vs_scan_rescan;
	am->amgettuple = vs_scan_gettuple;
	am->amendscan = vs_scan_end;
	return am;
}

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
