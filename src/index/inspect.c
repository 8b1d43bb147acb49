/*
 * inspect.c
 *		The SQL functions that report on an index: who may ask, locks, rows.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_authid_d.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "funcapi.h"
#include "index/inspect.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

/*
 * ERROR unless the relation is an index that the user owns or may monitor.
 * Asked before anything is locked.
 */
static void
check_permission(Oid index)
{
	char		relkind = get_rel_relkind(index);

	if (relkind != RELKIND_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 relkind == RELKIND_PARTITIONED_INDEX ?
				 errmsg("\"%s\" is a partitioned index",
						get_rel_name(index)) :
				 errmsg("relation %u is not an index", index),
				 relkind == RELKIND_PARTITIONED_INDEX ?
				 errhint("Name the indexes of its partitions.") : 0));
	if (!vs_compat_owns_relation(index, GetUserId()) &&
		!has_privs_of_role(GetUserId(), ROLE_PG_MONITOR))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(index));
}

/* ERROR unless it is one of our indexes, and fit to be read. */
static void
check_index(Relation index, const VsAccessMethod *am)
{
	if (am == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("index \"%s\" is not one of vsearch",
						RelationGetRelationName(index))));
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary indexes of other sessions")));
	if (!index->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index \"%s\" is not valid",
						RelationGetRelationName(index))));
}

void
vs_inspect_begin(VsInspection *inspection, FunctionCallInfo fcinfo,
				 LOCKMODE lockmode)
{
	Oid			index = PG_GETARG_OID(0);

	check_permission(index);

	/* The table first, as everybody does. */
	inspection->lockmode = lockmode;
	inspection->heap = table_open(IndexGetRelation(index, false), lockmode);
	inspection->index = index_open(index, AccessShareLock);
	inspection->am = vs_am_of_index(inspection->index);
	check_index(inspection->index, inspection->am);

	InitMaterializedSRF(fcinfo, 0);
	inspection->result = (ReturnSetInfo *) fcinfo->resultinfo;
}

void
vs_inspect_add_row(const VsInspection *inspection, Datum *values, bool *nulls)
{
	tuplestore_putvalues(inspection->result->setResult,
						 inspection->result->setDesc, values, nulls);
}

void
vs_inspect_end(VsInspection *inspection)
{
	index_close(inspection->index, AccessShareLock);
	table_close(inspection->heap, inspection->lockmode);
}
