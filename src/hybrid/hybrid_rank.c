/*
 * hybrid_rank.c
 *		The ranked list of one side, by a statement through SPI.
 *
 * The statement is that which a user would write: the planner chooses its plan,
 * and the caller's rights and row-level security hold.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "hybrid/hybrid_private.h"
#include "tsearch/ts_utils.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

/* Columns of the statement. */
enum
{
	COLUMN_KEY = 1,
	COLUMN_TABLE,
	COLUMN_TID,
	COLUMN_VALUE
};

/* The text side's query. */
static TSQuery
get_query(const VsHybridParams *params)
{
	return DatumGetTSQuery(params->values[HYBRID_PARAM_TSQUERY - 1]);
}

/*
 * Whether a row matches only by a word of the query, so that its score is above 0
 * (but where words have a weight of 0).
 */
static bool
is_scored(TSQuery query)
{
	return tsquery_requires_match(GETQUERY(query));
}

/* What rows are ordered by. */
static char *
form_order(const VsHybridTable *table, VsHybridSide side,
		   const VsHybridColumn *column, const VsHybridParams *params)
{
	const char *schema = quote_identifier(get_namespace_name(table->schema));

	if (side == HYBRID_VECTOR)
		return psprintf("%s %s $%d", column->sql,
						vs_hybrid_form_operator(column->order_operator),
						HYBRID_PARAM_VECTOR);

	/* Without an index named, <@> finds the one to take scores from. */
	if (params->nulls[HYBRID_PARAM_INDEX - 1] == 'n')
		return psprintf("%s OPERATOR(%s.<@>) $%d", column->sql, schema,
						HYBRID_PARAM_TSQUERY);
	return psprintf("%s %s %s.bm25_query($%d, $%d)", column->sql,
					vs_hybrid_form_operator(column->order_operator), schema,
					HYBRID_PARAM_INDEX, HYBRID_PARAM_TSQUERY);
}

/*
 * Append the condition that a row matches the text side's query.
 *
 * Policies are checked before operators that might tell of the rows they hide, of
 * which @@ is one: it cannot be looked up in an index then, and rows would be read
 * until enough of them match.  A query that has no match without a word found
 * needs no condition: rows that do not match come last, of value 0, and are
 * dropped.
 */
static void
append_match(StringInfo sql, const VsHybridTable *table,
			 const VsHybridColumn *column, TSQuery query)
{
	if (check_enable_rls(RelationGetRelid(table->relation), InvalidOid,
						 true) == RLS_ENABLED && is_scored(query))
		appendStringInfoString(sql, "true");
	else
		appendStringInfo(sql, "%s OPERATOR(pg_catalog.@@) $%d", column->sql,
						 HYBRID_PARAM_TSQUERY);
}

/*
 * The statement.  System columns are read only where the key does not tell rows
 * apart: who may read some columns only may not read those.
 */
static char *
form_statement(const VsHybridTable *table, VsHybridSide side,
			   const VsHybridColumn *column, const char *filter,
			   const VsHybridParams *params)
{
	StringInfoData sql;
	char	   *order = form_order(table, side, column, params);

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s, %s, %s FROM %s WHERE ",
					 table->key.name,
					 table->key.is_unique ?
					 "NULL::pg_catalog.oid, NULL::pg_catalog.tid" :
					 "tableoid, ctid", order, table->name);
	if (side == HYBRID_TEXT)
		append_match(&sql, table, column, get_query(params));
	else
		appendStringInfoString(&sql, "true");
	if (column->condition != NULL)
		appendStringInfo(&sql, " AND %s", column->condition);
	appendStringInfo(&sql, "%s ORDER BY %s LIMIT $%d", filter, order,
					 HYBRID_PARAM_LIMIT);
	return sql.data;
}

/*
 * Read a row of the statement; false if it has no place in the list, for want of
 * a vector, or of a direction under cosine, or (drop_zero) of words that score.
 */
static bool
read_row(VsHybridRow *row, const VsHybridKey *key, VsHybridSide side,
		 bool drop_zero, HeapTuple tuple, TupleDesc desc)
{
	bool		is_null;
	double		value = DatumGetFloat8(SPI_getbinval(tuple, desc, COLUMN_VALUE,
													 &is_null));
	Datum		datum;

	if (is_null || isnan(value) || (drop_zero && value == 0.0))
		return false;
	memset(row, 0, sizeof(*row));
	row->value[side] = side == HYBRID_TEXT && value != 0.0 ? -value : value;
	row->key = SPI_getbinval(tuple, desc, COLUMN_KEY, &row->key_is_null);
	if (!row->key_is_null)
		row->key = datumCopy(row->key, key->typbyval, key->typlen);
	datum = SPI_getbinval(tuple, desc, COLUMN_TABLE, &is_null);
	if (!is_null)
		row->table = DatumGetObjectId(datum);
	datum = SPI_getbinval(tuple, desc, COLUMN_TID, &is_null);
	if (!is_null)
		row->tid = *(ItemPointer) DatumGetPointer(datum);
	return true;
}

/* What comparisons of a list need to know. */
typedef struct ListOrder
{
	VsHybridKey *key;
	VsHybridSide side;
} ListOrder;

/* qsort_arg: best first, equal ones by key. */
static int
compare_values(const void *a, const void *b, void *arg)
{
	const VsHybridRow *row_a = a;
	const VsHybridRow *row_b = b;
	const ListOrder *order = arg;
	double		value_a = row_a->value[order->side];
	double		value_b = row_b->value[order->side];

	if (value_a != value_b)
		return (value_a < value_b) == (order->side == HYBRID_VECTOR) ? -1 : 1;
	return vs_hybrid_compare_rows(order->key, row_a, row_b);
}

VsHybridRows
vs_hybrid_rank(VsHybridTable *table, VsHybridSide side,
			   const VsHybridColumn *column, const char *filter,
			   const VsHybridParams *params)
{
	MemoryContext result_context = CurrentMemoryContext;
	ListOrder	order = {&table->key, side};
	VsHybridRows list = {0};
	bool		drop_zero = side == HYBRID_TEXT && is_scored(get_query(params));
	char	   *statement = form_statement(table, side, column, filter, params);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(statement, params->n, params->types,
							  params->values, params->nulls, true,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "SPI did not execute \"%s\"", statement);

	/* Values outlive SPI's memory. */
	MemoryContextSwitchTo(result_context);
	list.rows = palloc_extended(SPI_processed * sizeof(VsHybridRow),
								MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < SPI_processed; i++)
		if (read_row(&list.rows[list.n], &table->key, side, drop_zero,
					 SPI_tuptable->vals[i], SPI_tuptable->tupdesc))
			list.n++;
	SPI_finish();

	qsort_arg(list.rows, list.n, sizeof(VsHybridRow), compare_values, &order);
	for (int i = 0; i < list.n; i++)
		list.rows[i].rank[side] = i + 1;
	return list;
}
