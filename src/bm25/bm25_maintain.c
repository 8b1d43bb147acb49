/*
 * bm25_maintain.c
 *		vsearch_merge: all of an index in one segment.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "bm25/bm25_tier.h"
#include "fmgr.h"
#include "index/inspect.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(vs_bm25_maintain);

/*
 * vsearch_merge(index regclass): how many segments were merged.  Locks the table
 * as vacuum does: reads and writes go on.
 */
Datum
vs_bm25_maintain(PG_FUNCTION_ARGS)
{
	VsInspection inspection;
	int			nmerged;

	PreventCommandDuringRecovery("vsearch_merge()");
	vs_inspect_open_to_maintain(&inspection, PG_GETARG_OID(0),
								ShareUpdateExclusiveLock);
	if (inspection.am->build != vs_bm25_build)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("index \"%s\" is not a bm25 index",
						RelationGetRelationName(inspection.index))));
	nmerged = vs_bm25_merge_all(inspection.index, inspection.heap);
	vs_inspect_end(&inspection);

	/* Deleted rows do not count any more, in this transaction too. */
	vs_bm25_forget_statistics();
	PG_RETURN_INT32(nmerged);
}
