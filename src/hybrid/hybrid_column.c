/*
 * hybrid_column.c
 *		What a side of a hybrid search orders rows by.
 *
 * An index tells: the column or expression that it is on, and the operator that
 * its operator class orders by.  What it orders by is all that counts, so this
 * needs to know no access method.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "hybrid/hybrid_private.h"
#include "index/extension.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/* What the sides differ in. */
typedef struct SideInfo
{
	const char *const operators[5]; /* NULL-terminated */
	Oid			left_type;		/* InvalidOid: the extension's "vector" */
	const char *right_type;		/* of the extension */
	const char *noun;			/* of its indexes */
	const char *none_hint;		/* where there is no index */
	const char *many_hint;		/* where there are several columns */
} SideInfo;

static const SideInfo sides[HYBRID_SIDES] = {
	[HYBRID_VECTOR] = {
		{"<->", "<#>", "<=>", "<+>"}, InvalidOid, "vector",
		"vector index",
		"Create an index with hnsw or ivfflat, or name vector_column and vector_operator to search without one.",
		"Name one by vector_column, and by vector_operator where they are on the same column."
	},
	[HYBRID_TEXT] = {
		{"<@@>"}, TSVECTOROID, "bm25query",
		"bm25 index",
		"Create one with USING bm25, on a tsvector column or on to_tsvector('english', column). Partial ones count only if named by text_index, for the rows that they hold.",
		"Name one by text_column or text_index."
	}
};

/* The type that a side's columns have. */
static Oid
get_side_type(Oid schema, const SideInfo *side)
{
	return OidIsValid(side->left_type) ? side->left_type :
		vs_extension_type(schema, "vector");
}

/* The operator of this name that orders rows on a side, or InvalidOid. */
static Oid
get_order_operator(Oid schema, const SideInfo *side, const char *name)
{
	return vs_extension_operator(schema, name, get_side_type(schema, side),
								 vs_extension_type(schema, side->right_type));
}

char *
vs_hybrid_form_operator(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *sql;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	sql = psprintf("OPERATOR(%s.%s)",
				   quote_identifier(get_namespace_name(form->oprnamespace)),
				   NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return sql;
}

/* Check a name against those of a side's operators; NULL passes. */
static void
check_operator_name(const SideInfo *side, const char *name)
{
	if (name == NULL)
		return;
	for (int i = 0; side->operators[i] != NULL; i++)
		if (strcmp(side->operators[i], name) == 0)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized vector_operator \"%s\"", name),
			 errhint("Operators are <->, <#>, <=> and <+>.")));
}

/* Of a side's operators the one that an index orders by, or InvalidOid. */
static Oid
get_index_operator(Relation index, Oid schema, const SideInfo *side)
{
	for (int i = 0; side->operators[i] != NULL; i++)
	{
		Oid			operator = get_order_operator(schema, side,
												  side->operators[i]);

		if (OidIsValid(operator) &&
			OidIsValid(get_op_opfamily_sortfamily(operator,
												  index->rd_opfamily[0])))
			return operator;
	}
	return InvalidOid;
}

/* The column that an expression uses, if it uses just one; else 0. */
static AttrNumber
get_only_column(Node *expr)
{
	Bitmapset  *columns = NULL;
	int			member;

	pull_varattnos(expr, 1, &columns);
	if (!bms_get_singleton_member(columns, &member))
		return 0;
	return Max(member + FirstLowInvalidHeapAttributeNumber, 0);
}

/* An index's predicate in parentheses; NULL if it is not partial. */
static char *
get_condition(Relation index)
{
	Datum		predicate;
	Datum		sql;
	bool		is_null;

	predicate = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
								Anum_pg_index_indpred, &is_null);
	if (is_null)
		return NULL;
	sql = DirectFunctionCall2(pg_get_expr, predicate,
							  ObjectIdGetDatum(index->rd_index->indrelid));
	return psprintf("(%s)", TextDatumGetCString(sql));
}

/* What an index is on. */
static VsHybridColumn *
make_index_column(Relation index, Oid order_operator)
{
	VsHybridColumn *column = palloc0(sizeof(*column));
	List	   *exprs = RelationGetIndexExpressions(index);

	column->index = RelationGetRelid(index);
	column->order_operator = order_operator;
	column->attno = index->rd_index->indkey.values[0];
	if (column->attno == 0)
	{
		column->expr = linitial(exprs);
		column->attno = get_only_column(column->expr);
	}
	column->sql = psprintf("(%s)", pg_get_indexdef_columns(column->index,
														   false));
	column->condition = get_condition(index);
	return column;
}

/* A column that no index needs to be on. */
static VsHybridColumn *
make_plain_column(const VsHybridTable *table, const SideInfo *side,
				  const char *name, const char *operator)
{
	AttrNumber	attno = vs_hybrid_get_attno(table->relation, name);
	Oid			type = getBaseType(TupleDescAttr(RelationGetDescr(table->relation),
												 attno - 1)->atttypid);
	VsHybridColumn *column;

	if (type != get_side_type(table->schema, side))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" is of type %s, not vector",
						name, RelationGetRelationName(table->relation),
						format_type_be(type))));
	column = palloc0(sizeof(*column));
	column->attno = attno;
	column->sql = psprintf("(%s)", quote_identifier(name));
	column->order_operator = get_order_operator(table->schema, side, operator);
	return column;
}

/*
 * What an index is on if it meets the specification, else NULL.  Partial indexes
 * lack rows: they do not speak for a column unless named.
 */
static VsHybridColumn *
match_index(Relation index, const VsHybridTable *table,
			const VsHybridColumnSpec *spec, AttrNumber attno)
{
	const SideInfo *side = &sides[spec->side];
	VsHybridColumn *column;
	Oid			operator;

	if (!index->rd_index->indisvalid)
		return NULL;
	if (OidIsValid(spec->index) ? RelationGetRelid(index) != spec->index :
		RelationGetIndexPredicate(index) != NIL)
		return NULL;
	operator = get_index_operator(index, table->schema, side);
	if (!OidIsValid(operator) ||
		(spec->operator != NULL &&
		 strcmp(get_opname(operator), spec->operator) != 0))
		return NULL;
	column = make_index_column(index, operator);
	return attno == 0 || column->attno == attno ? column : NULL;
}

/* Whether two indexes order rows alike. */
static bool
is_same_column(const VsHybridColumn *a, const VsHybridColumn *b)
{
	return a->attno == b->attno && equal(a->expr, b->expr) &&
		a->order_operator == b->order_operator;
}

/* The error for want of an index. */
pg_noreturn static void
report_no_index(const VsHybridTable *table, const VsHybridColumnSpec *spec)
{
	const SideInfo *side = &sides[spec->side];
	const char *relname = RelationGetRelationName(table->relation);

	if (OidIsValid(spec->index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("\"%s\" is not a %s of table \"%s\" that can be searched",
						get_rel_name(spec->index), side->noun, relname)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 spec->column == NULL ?
			 errmsg("table \"%s\" has no %s", relname, side->noun) :
			 errmsg("column \"%s\" of table \"%s\" has no %s", spec->column,
					relname, side->noun),
			 errhint("%s", side->none_hint)));
}

VsHybridColumn *
vs_hybrid_find_column(const VsHybridTable *table,
					  const VsHybridColumnSpec *spec)
{
	const SideInfo *side = &sides[spec->side];
	AttrNumber	attno = spec->column == NULL ? 0 :
		vs_hybrid_get_attno(table->relation, spec->column);
	VsHybridColumn *found = NULL;
	List	   *indexes;
	ListCell   *cell;

	check_operator_name(side, spec->operator);
	if (spec->column != NULL && spec->operator != NULL)
		return make_plain_column(table, side, spec->column, spec->operator);

	indexes = RelationGetIndexList(table->relation);
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		VsHybridColumn *column = match_index(index, table, spec, attno);

		index_close(index, NoLock);
		if (column == NULL)
			continue;
		if (found != NULL && !is_same_column(found, column))
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("table \"%s\" has several %ses that order rows differently",
							RelationGetRelationName(table->relation),
							side->noun),
					 errhint("%s", side->many_hint)));
		if (found == NULL)
			found = column;
	}
	if (found == NULL)
		report_no_index(table, spec);
	return found;
}
