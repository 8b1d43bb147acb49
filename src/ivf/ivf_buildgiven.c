/*
 * ivf_buildgiven.c
 *		CREATE INDEX: centroids made elsewhere, from the table that the storage
 *		parameter centroids_from names.
 *
 * A build runs as the owner of the indexed table, in a security-restricted
 * operation; no function or view of anybody's is run here.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "executor/tuptable.h"
#include "ivf/ivf_build_private.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

/* What the parameter names. */
typedef struct Source
{
	char	   *schema;
	char	   *table;
	char	   *column;			/* NULL: the only one that can be meant */
	char	   *name;			/* schema and table, quoted as far as needed */
} Source;

/* Centroids on their way. */
typedef struct Given
{
	int			dim;
	int			n;
	int			capacity;
	float	   *vectors;		/* n x dim */
} Given;

static Source
parse_source(const char *value)
{
	Source		source = {0};
	List	   *names;
	int			n = 0;

	if (SplitIdentifierString(pstrdup(value), '.', &names))
		n = list_length(names);
	if (n < 2 || n > 3)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for storage parameter \"centroids_from\": \"%s\"",
						value),
				 errdetail("It names a table of vectors, as schema.table or schema.table.column.")));
	source.schema = linitial(names);
	source.table = lsecond(names);
	source.column = n == 3 ? lthird(names) : NULL;
	source.name = quote_qualified_identifier(source.schema, source.table);
	return source;
}

void
vs_ivf_check_centroids_from(const char *value)
{
	if (value != NULL)
		parse_source(value);
}

/* errhint for a table that is of no use. */
static int
hint_reset(Relation index)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(index));

	return errhint("Mend that, or let the index train its own centroids: ALTER INDEX %s RESET (centroids_from).",
				   quote_qualified_identifier(schema, RelationGetRelationName(index)));
}

/* Open the table; ERROR unless it is one that holds rows of its own. */
static Relation
open_source(const Source *source, Relation index)
{
	Oid			oid = RangeVarGetRelid(makeRangeVar(source->schema, source->table, -1),
									   AccessShareLock, true);
	Relation	table;

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\", which storage parameter \"centroids_from\" names, does not exist",
						source->name),
				 hint_reset(index)));
	table = relation_open(oid, NoLock);
	if (table->rd_rel->relkind != RELKIND_RELATION &&
		table->rd_rel->relkind != RELKIND_MATVIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or materialized view",
						source->name),
				 errdetail("Storage parameter \"centroids_from\" names it.")));
	if (!RelationIsScannable(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("materialized view \"%s\" has not been populated",
						source->name)));
	if (table->rd_rel->relpersistence == RELPERSISTENCE_TEMP &&
		(index->rd_rel->relpersistence != RELPERSISTENCE_TEMP ||
		 RELATION_IS_OTHER_TEMP(table)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("cannot take centroids from temporary table \"%s\"",
						source->name),
				 errdetail("A REINDEX would not find it.")));
	return table;
}

/* Find the column of the index's own type, or the one that is named. */
static AttrNumber
find_column(const Source *source, Relation table, Oid type, const char *type_name)
{
	TupleDesc	desc = RelationGetDescr(table);
	AttrNumber	found = InvalidAttrNumber;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (attr->attisdropped || getBaseType(attr->atttypid) != type ||
			(source->column != NULL &&
			 strcmp(NameStr(attr->attname), source->column) != 0))
			continue;
		if (found != InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("table \"%s\" has several columns of type %s",
							source->name, type_name),
					 errhint("Name one of them, too: centroids_from = 'schema.table.column'.")));
		found = attr->attnum;
	}
	if (found == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 source->column != NULL ?
				 errmsg("table \"%s\" has no column \"%s\" of type %s",
						source->name, source->column, type_name) :
				 errmsg("table \"%s\" has no column of type %s", source->name,
						type_name),
				 errdetail("Storage parameter \"centroids_from\" names it.")));
	return found;
}

/* ERROR unless who builds may read all of the column. */
static void
check_rights(const Source *source, Relation table, AttrNumber column)
{
	Oid			oid = RelationGetRelid(table);

	if (pg_class_aclcheck(oid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck(oid, column, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV,
					   get_relkind_objtype(table->rd_rel->relkind), source->name);
	if (check_enable_rls(oid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security hides rows of \"%s\" from \"%s\"",
						source->name, GetUserNameFromId(GetUserId(), false)),
				 errdetail("An index takes all of them for its centroids, with the rights of its table's owner.")));
}

/* Keep the vector that lies behind the last one. */
static void
keep_vector(const Source *source, Given *given)
{
	Size		row_nbytes = sizeof(float) * given->dim;
	Size		memory = (Size) maintenance_work_mem * 1024;
	float	   *x = given->vectors + (Size) given->n * given->dim;

	/* Duplicates are found by their bytes: no negative zeroes. */
	for (int d = 0; d < given->dim; d++)
		x[d] += 0.0f;
	if (++given->n > IVF_MAX_LISTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("\"%s\" has more than %d vectors, as many as an ivfflat index has lists",
						source->name, IVF_MAX_LISTS)));
	if (row_nbytes * given->n > memory)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("centroids of \"%s\" do not fit maintenance_work_mem, which is %d MB",
						source->name, maintenance_work_mem / 1024)));
	if (given->n < given->capacity)
		return;
	given->capacity *= 2;
	given->vectors = repalloc_huge(given->vectors, row_nbytes * given->capacity);
}

/* Read all vectors that have a direction, if they need one; returns the rows. */
static uint64
read_vectors(const Source *source, Relation table, AttrNumber column,
			 const VsOpclass *opclass, Given *given)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = table_beginscan_strat(table, snapshot, 0, NULL, true,
											   false);
	uint64		nrows = 0;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		float	   *x = given->vectors + (Size) given->n * given->dim;
		bool		isnull;
		Datum		value = slot_getattr(slot, column, &isnull);

		CHECK_FOR_INTERRUPTS();
		nrows++;
		if (!isnull && vs_opclass_read(opclass, value, given->dim, x) &&
			(opclass->metric != VS_METRIC_IP ||
			 vs_opclass_normalize(given->dim, x)))
			keep_vector(source, given);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	return nrows;
}

/* Compare two vectors by their bytes, equal ones by their place. */
static int
compare_vectors(const void *a, const void *b, void *arg)
{
	const Given *given = arg;
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;
	int			order = memcmp(given->vectors + (Size) left * given->dim,
							   given->vectors + (Size) right * given->dim,
							   sizeof(float) * given->dim);

	return order != 0 ? order : (left < right ? -1 : 1);
}

/* Leave out vectors that are equal to one before; the order stays. */
static void
drop_duplicates(Given *given)
{
	uint32	   *order = palloc(sizeof(uint32) * given->n);
	bool	   *is_double = palloc0(sizeof(bool) * given->n);
	Size		row_nbytes = sizeof(float) * given->dim;
	int			nkept = 0;

	for (int i = 0; i < given->n; i++)
		order[i] = i;
	qsort_arg(order, given->n, sizeof(uint32), compare_vectors, given);
	for (int i = 1; i < given->n; i++)
		is_double[order[i]] =
			memcmp(given->vectors + (Size) order[i - 1] * given->dim,
				   given->vectors + (Size) order[i] * given->dim,
				   row_nbytes) == 0;
	for (int i = 0; i < given->n; i++)
		if (!is_double[i])
			memmove(given->vectors + (Size) nkept++ * given->dim,
					given->vectors + (Size) i * given->dim, row_nbytes);
	given->n = nkept;
	pfree(order);
	pfree(is_double);
}

/* Read the centroids from an open table. */
static void
read_source(const Source *source, Relation table, const VsIvfIndex *index,
			Given *given)
{
	AttrNumber	column = find_column(source, table, index->rel->rd_opcintype[0],
									 index->opclass->type->name);
	uint64		nrows;

	check_rights(source, table, column);
	nrows = read_vectors(source, table, column, index->opclass, given);
	drop_duplicates(given);
	if (given->n < nrows)
		ereport(NOTICE,
				(errmsg("ivfflat index takes " UINT64_FORMAT " of " UINT64_FORMAT " rows of \"%s\" for centroids",
						(uint64) given->n, nrows, source->name),
				 errdetail("The others have no vector, or no direction where one is needed, or equal one of these.")));
}

int
vs_ivf_build_read_given(Relation heap, Relation rel, float **centroids)
{
	const char *value = vs_ivf_option_centroids_from(rel);
	VsIvfIndex *index;
	Source		source;
	Given		given = {.capacity = 1};
	Relation	table;

	*centroids = NULL;

	/* pg_upgrade puts the old index's file in place of what is built. */
	if (value == NULL || IsBinaryUpgrade)
		return 0;

	index = vs_ivf_open_new(rel);
	source = parse_source(value);
	table = open_source(&source, rel);
	given.dim = index->geometry.dim;
	given.vectors = palloc(sizeof(float) * given.dim);
	read_source(&source, table, index, &given);
	relation_close(table, AccessShareLock);

	/* A schema is restored without any rows. */
	if (given.n == 0 && RelationGetNumberOfBlocks(heap) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\", which storage parameter \"centroids_from\" names, has no vectors",
						source.name),
				 hint_reset(rel)));
	*centroids = given.vectors;
	return given.n;
}
