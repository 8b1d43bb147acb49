/*
 * bm25_group.c
 *		The indexes whose statistics belong together, and who may see them.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/sysattr.h"
#include "bm25/bm25_private.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/*
 * Open an index of ours; ERROR if it is none.
 */
Relation
vs_bm25_open_index(Oid index)
{
	char		relkind = get_rel_relkind(index);
	Relation	rel;

	if (relkind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index with OID %u does not exist", index)));
	if (relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX)
	{
		rel = index_open(index, AccessShareLock);
		if (rel->rd_indam->ambuild == vs_bm25_build)
			return rel;
		index_close(rel, AccessShareLock);
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a bm25 index", get_rel_name(index))));
}

/* Whether the current user may read a table's column, or all that it has. */
static bool
may_read_column(Oid table, AttrNumber column)
{
	return pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		(column != InvalidAttrNumber &&
		 pg_attribute_aclcheck(table, column, GetUserId(),
							   ACL_SELECT) == ACLCHECK_OK);
}

void
vs_bm25_check_index(Oid index)
{
	Relation	rel = vs_bm25_open_index(index);
	Oid			table = rel->rd_index->indrelid;

	if (!may_read_column(table, rel->rd_index->indkey.values[0]))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table));
	index_close(rel, AccessShareLock);
}
