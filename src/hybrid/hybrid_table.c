/*
 * hybrid_table.c
 *		The table that a hybrid search looks into, and its key.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/objectaddress.h"
#include "hybrid/hybrid_private.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/typcache.h"

AttrNumber
vs_hybrid_get_attno(Relation relation, const char *column)
{
	AttrNumber	attno = get_attnum(RelationGetRelid(relation), column);

	if (attno <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						column, RelationGetRelationName(relation))));
	return attno;
}

/*
 * The only column of a unique index that always holds, or 0: partial ones and
 * those that look at commit do not count, nor do valid ones with NULLs in them.
 */
static AttrNumber
get_unique_column(Relation index, Relation relation)
{
	Form_pg_index form = index->rd_index;
	AttrNumber	attno;

	if (!form->indisunique || !form->indisvalid || !form->indimmediate ||
		form->indnkeyatts != 1 || RelationGetIndexPredicate(index) != NIL)
		return 0;
	attno = form->indkey.values[0];
	if (attno <= 0 ||
		!TupleDescAttr(RelationGetDescr(relation), attno - 1)->attnotnull)
		return 0;
	return attno;
}

/*
 * Find the key column's number, and whether its values are unique.  A parent's
 * indexes say nothing of rows in tables that inherit from it.
 */
static AttrNumber
find_key(Relation relation, const char *key_column, bool *is_unique)
{
	AttrNumber	attno = key_column == NULL ? 0 :
		vs_hybrid_get_attno(relation, key_column);
	bool		has_children = relation->rd_rel->relkind == RELKIND_RELATION &&
		relation->rd_rel->relhassubclass;
	List	   *indexes = RelationGetIndexList(relation);
	ListCell   *cell;

	*is_unique = false;
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;
		AttrNumber	unique_attno = get_unique_column(index, relation);

		if (attno == 0 && form->indisprimary && form->indnkeyatts == 1)
			attno = form->indkey.values[0];
		if (unique_attno != 0 && unique_attno == attno && !has_children)
			*is_unique = true;
		index_close(index, NoLock);
	}
	list_free(indexes);
	if (attno == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" has no primary key of one column",
						RelationGetRelationName(relation)),
				 errhint("Name the column that shall identify rows: key_column => 'id'.")));
	return attno;
}

static void
init_key(VsHybridKey *key, Relation relation, const char *key_column)
{
	AttrNumber	attno = find_key(relation, key_column, &key->is_unique);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(relation),
										  attno - 1);
	TypeCacheEntry *type = lookup_type_cache(att->atttypid,
											 TYPECACHE_CMP_PROC_FINFO);
	Oid			output;
	bool		is_varlena;

	key->name = pstrdup(quote_identifier(NameStr(att->attname)));
	key->type = att->atttypid;
	key->collation = att->attcollation;
	key->typlen = att->attlen;
	key->typbyval = att->attbyval;
	getTypeOutputInfo(key->type, &output, &is_varlena);
	fmgr_info(output, &key->output);
	if (OidIsValid(type->cmp_proc))
		fmgr_info_copy(&key->compare, &type->cmp_proc_finfo,
					   CurrentMemoryContext);
	else
		key->is_unique = false;
}

/* Open a relation that the current user may read, or some columns of it. */
static Relation
open_readable(Oid relid)
{
	Relation	relation = try_relation_open(relid, AccessShareLock);

	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV,
					   get_relkind_objtype(relation->rd_rel->relkind),
					   RelationGetRelationName(relation));
	return relation;
}

void
vs_hybrid_open_table(VsHybridTable *table, Oid relid, Oid schema,
					 const char *key_column)
{
	Relation	relation = open_readable(relid);
	char		relkind = relation->rd_rel->relkind;

	if (relkind != RELKIND_RELATION && relkind != RELKIND_MATVIEW &&
		relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or materialized view",
						RelationGetRelationName(relation)),
				 errhint("For others, fuse ranked lists with rrf_score in a query of your own.")));
	memset(table, 0, sizeof(*table));
	table->relation = relation;
	table->schema = schema;
	table->name =
		quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
								   RelationGetRelationName(relation));
	init_key(&table->key, relation, key_column);
}

void
vs_hybrid_close_table(VsHybridTable *table)
{
	relation_close(table->relation, NoLock);
}

/* Order of two keys by their type. */
static int
compare_keys(VsHybridKey *key, const VsHybridRow *a, const VsHybridRow *b)
{
	if (a->key_is_null || b->key_is_null)
		return (int) a->key_is_null - (int) b->key_is_null;
	if (!OidIsValid(key->compare.fn_oid))
		return 0;
	return DatumGetInt32(FunctionCall2Coll(&key->compare, key->collation,
										   a->key, b->key));
}

int
vs_hybrid_compare_rows(VsHybridKey *key, const VsHybridRow *a,
					   const VsHybridRow *b)
{
	int			order = compare_keys(key, a, b);

	if (order != 0)
		return order;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	return ItemPointerCompare(unconstify(ItemPointerData *, &a->tid),
							  unconstify(ItemPointerData *, &b->tid));
}
