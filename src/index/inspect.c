/*
 * inspect.c
 *		The SQL functions on an index: who may ask, locks, rows.
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

/* ERROR unless the relation is an index. */
static void
require_index(Oid index)
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
}

/* ERROR unless the user owns the index, or may for another reason. */
static void
require_right(Oid index, bool has_right)
{
	if (!has_right && !vs_compat_owns_relation(index, GetUserId()))
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

/* Open index and table, the table first, as everybody does. */
static void
open_index(VsInspection *inspection, Oid index, LOCKMODE lockmode)
{
	inspection->lockmode = lockmode;
	inspection->heap = table_open(IndexGetRelation(index, false), lockmode);
	inspection->index = index_open(index, AccessShareLock);
	inspection->am = vs_am_of_index(inspection->index);
	inspection->result = NULL;
	check_index(inspection->index, inspection->am);
}

/* Rights are asked for before anything is locked. */
void
vs_inspect_open_to_maintain(VsInspection *inspection, Oid index,
							LOCKMODE lockmode)
{
	require_index(index);
	require_right(index,
				  vs_compat_may_maintain(IndexGetRelation(index, false),
										 GetUserId()));
	open_index(inspection, index, lockmode);
}

void
vs_inspect_begin(VsInspection *inspection, FunctionCallInfo fcinfo,
				 LOCKMODE lockmode)
{
	Oid			index = PG_GETARG_OID(0);

	require_index(index);
	require_right(index, has_privs_of_role(GetUserId(), ROLE_PG_MONITOR));
	open_index(inspection, index, lockmode);
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
