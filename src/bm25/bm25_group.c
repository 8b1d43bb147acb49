/*
 * bm25_group.c
 *		Which index scores a column, which ones belong to it, and who may ask.
 *
 * README.md, "Queries and statistics", has the rules.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "bm25/bm25_private.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteManip.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static bool
is_bm25(Relation index)
{
	return index->rd_indam->ambuild == vs_bm25_build;
}

/* Open an index, locked against being dropped; ERROR unless it is ours. */
static Relation
open_bm25(Oid index)
{
	char		relkind = get_rel_relkind(index);

	if (relkind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index with OID %u does not exist", index)));
	if (relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX)
	{
		Relation	rel = index_open(index, AccessShareLock);

		if (is_bm25(rel))
			return rel;
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a bm25 index", get_rel_name(index))));
}

/* Whether the current user may read a table, or (not 0) a column of it. */
static bool
may_read(Oid table, AttrNumber column)
{
	return pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		(column != InvalidAttrNumber &&
		 pg_attribute_aclcheck(table, column, GetUserId(),
							   ACL_SELECT) == ACLCHECK_OK);
}

void
vs_bm25_check_index(Oid index)
{
	Relation	rel = open_bm25(index);
	Oid			table = rel->rd_index->indrelid;

	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary indexes of other sessions")));
	if (!rel->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index \"%s\" is not valid",
						RelationGetRelationName(rel))));
	if (!may_read(table, rel->rd_index->indkey.values[0]))
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(table)),
					   get_rel_name(table));
	index_close(rel, AccessShareLock);
}

/* Whether an index is on a column, or on an expression (column 0). */
static bool
is_on(Relation index, AttrNumber column, Node *expr)
{
	if (index->rd_index->indkey.values[0] != column)
		return false;
	return column != InvalidAttrNumber ||
		equal(linitial(RelationGetIndexExpressions(index)), expr);
}

Oid
vs_bm25_find_index(Relation table, AttrNumber column, Node *expr)
{
	List	   *indexes = RelationGetIndexList(table);	/* ascends */
	Oid			result = InvalidOid;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_bm25(index) && index->rd_index->indisvalid &&
			index->rd_index->indisready && is_on(index, column, expr) &&
			RelationGetIndexPredicate(index) == NIL)
			result = lfirst_oid(cell);
		index_close(index, AccessShareLock);
		if (OidIsValid(result))
			break;
	}
	list_free(indexes);
	return result;
}

/* The indexes that are leaves of a partitioned one. */
static List *
find_leaves(Oid partitioned)
{
	List	   *members = find_all_inheritors(partitioned, AccessShareLock, NULL);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, members)
	{
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_INDEX)
			result = lappend_oid(result, lfirst_oid(cell));
	}
	return result;
}

/* The index of an inheriting table on the column of its parent's index. */
static Oid
find_inheriting(Oid child, Relation parent, Relation parent_index)
{
	AttrNumber	column = parent_index->rd_index->indkey.values[0];
	Relation	table = table_open(child, NoLock);
	Oid			result = InvalidOid;

	if (RELATION_IS_OTHER_TEMP(table))
		 /* nobody else can read it */ ;
	else if (column != InvalidAttrNumber)
		result = vs_bm25_find_index(table,
									get_attnum(child, get_attname(RelationGetRelid(parent),
																  column, false)),
									NULL);
	else
	{
		AttrMap    *map = vs_compat_build_attrmap_by_name(RelationGetDescr(table),
														  RelationGetDescr(parent));
		bool		found_whole_row;
		Node	   *expr =
			map_variable_attnos(linitial(RelationGetIndexExpressions(parent_index)),
								1, 0, map, InvalidOid, &found_whole_row);

		if (!found_whole_row)
			result = vs_bm25_find_index(table, InvalidAttrNumber, expr);
	}
	table_close(table, NoLock);
	return result;
}

/* The indexes of the tables that inherit from an index's table. */
static List *
find_all_inheriting(Relation index)
{
	Relation	parent = table_open(index->rd_index->indrelid, AccessShareLock);
	List	   *tables = find_all_inheritors(RelationGetRelid(parent),
											 AccessShareLock, NULL);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		Oid			child;

		if (lfirst_oid(cell) == RelationGetRelid(parent))
			continue;
		child = find_inheriting(lfirst_oid(cell), parent, index);
		if (OidIsValid(child))
			result = lappend_oid(result, child);
	}
	table_close(parent, NoLock);
	return result;
}

List *
vs_bm25_find_group(Oid index, VsBm25Params *params)
{
	Relation	rel = open_bm25(index);
	List	   *group;

	vs_bm25_get_params(rel, params);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_INDEX)
		group = find_leaves(index);
	else
	{
		group = list_make1_oid(index);
		if (has_subclass(rel->rd_index->indrelid))
			group = list_concat(group, find_all_inheriting(rel));
	}
	index_close(rel, NoLock);
	return group;
}
