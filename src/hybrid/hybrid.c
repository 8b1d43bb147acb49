/*
 * hybrid.c
 *		hybrid_search: the SQL function, from its arguments to its rows.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "hybrid/hybrid_private.h"
#include "index/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(vs_hybrid_search);

/* Arguments, as hybrid.sql has them.  NULL stands for the default. */
enum
{
	ARG_RELATION,
	ARG_QUERY_VECTOR,
	ARG_QUERY_TEXT,
	ARG_K,
	ARG_FILTER,
	ARG_FUSION,
	ARG_RRF_K,
	ARG_VECTOR_WEIGHT,
	ARG_TEXT_WEIGHT,
	ARG_CANDIDATES,
	ARG_QUERY_MODE,
	ARG_TEXT_CONFIG,
	ARG_KEY_COLUMN,
	ARG_VECTOR_COLUMN,
	ARG_VECTOR_OPERATOR,
	ARG_TEXT_COLUMN,
	ARG_TEXT_INDEX
};

#define DEFAULT_K			10
#define DEFAULT_CANDIDATES	100
#define DEFAULT_RRF_K		60

/* Names of the values that an argument takes, by their number. */
static const char *const fusion_names[] = {
	[HYBRID_RRF] = "rrf",
	[HYBRID_LINEAR] = "linear",
	NULL
};

static const char *const query_mode_names[] = {
	[HYBRID_QUERY_ANY] = "any",
	[HYBRID_QUERY_ALL] = "all",
	[HYBRID_QUERY_PHRASE] = "phrase",
	[HYBRID_QUERY_WEBSEARCH] = "websearch",
	[HYBRID_QUERY_TSQUERY] = "tsquery",
	NULL
};

static int
get_int_arg(FunctionCallInfo fcinfo, int arg, const char *name, int boot,
			int min)
{
	int			value = PG_ARGISNULL(arg) ? boot : PG_GETARG_INT32(arg);

	if (value < min)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be at least %d", name, min)));
	return value;
}

static double
get_weight_arg(FunctionCallInfo fcinfo, int arg, const char *name)
{
	double		value = PG_ARGISNULL(arg) ? 1.0 : PG_GETARG_FLOAT8(arg);

	if (!(value >= 0.0) || isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite and not negative", name)));
	return value;
}

/* The number of the name given, among "names"; the first is the default. */
static int
get_choice_arg(FunctionCallInfo fcinfo, int arg, const char *name,
			   const char *const *names)
{
	StringInfoData all;
	char	   *given;

	if (PG_ARGISNULL(arg))
		return 0;
	given = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	initStringInfo(&all);
	for (int i = 0; names[i] != NULL; i++)
	{
		if (strcmp(names[i], given) == 0)
			return i;
		appendStringInfo(&all, "%s\"%s\"", i == 0 ? "" : ", ", names[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized %s \"%s\"", name, given),
			 errhint("Values are %s.", all.data)));
}

static const char *
get_name_arg(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : NameStr(*PG_GETARG_NAME(arg));
}

/* The index that text_index names; InvalidOid for the default. */
static Oid
get_text_index_arg(FunctionCallInfo fcinfo)
{
	Oid			index;

	if (PG_ARGISNULL(ARG_TEXT_INDEX))
		return InvalidOid;
	index = PG_GETARG_OID(ARG_TEXT_INDEX);
	if (get_rel_name(index) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index with OID %u does not exist", index)));
	return index;
}

static void
get_fusion_args(FunctionCallInfo fcinfo, VsHybridFusion *fusion)
{
	fusion->method = get_choice_arg(fcinfo, ARG_FUSION, "fusion",
									fusion_names);
	fusion->rrf_k = get_int_arg(fcinfo, ARG_RRF_K, "rrf_k", DEFAULT_RRF_K, 0);
	fusion->weight[HYBRID_VECTOR] =
		get_weight_arg(fcinfo, ARG_VECTOR_WEIGHT, "vector_weight");
	fusion->weight[HYBRID_TEXT] =
		get_weight_arg(fcinfo, ARG_TEXT_WEIGHT, "text_weight");
}

/* The vector side's column, if the query has a vector. */
static VsHybridColumn *
find_vector_column(FunctionCallInfo fcinfo, const VsHybridTable *table)
{
	VsHybridColumnSpec spec = {HYBRID_VECTOR,
		.column = get_name_arg(fcinfo, ARG_VECTOR_COLUMN),
	};

	if (PG_ARGISNULL(ARG_QUERY_VECTOR))
		return NULL;
	if (!PG_ARGISNULL(ARG_VECTOR_OPERATOR))
		spec.operator = text_to_cstring(PG_GETARG_TEXT_PP(ARG_VECTOR_OPERATOR));
	return vs_hybrid_find_column(table, &spec);
}

/*
 * The text side's column and the tsquery for it; NULL if the query has no text,
 * or none with words in it.
 */
static VsHybridColumn *
find_text_column(FunctionCallInfo fcinfo, const VsHybridTable *table,
				 VsHybridQueryMode mode, TSQuery *query)
{
	VsHybridColumnSpec spec = {HYBRID_TEXT,
		.column = get_name_arg(fcinfo, ARG_TEXT_COLUMN),
		.index = get_text_index_arg(fcinfo)
	};
	VsHybridColumn *column;
	Oid			config;

	if (PG_ARGISNULL(ARG_QUERY_TEXT))
		return NULL;
	column = vs_hybrid_find_column(table, &spec);
	config = PG_ARGISNULL(ARG_TEXT_CONFIG) ?
		vs_hybrid_text_config(table, column) : PG_GETARG_OID(ARG_TEXT_CONFIG);
	*query = vs_hybrid_form_tsquery(config, mode,
									PG_GETARG_DATUM(ARG_QUERY_TEXT));
	return (*query)->size > 0 ? column : NULL;
}

/* The parameters that both sides' statements have, as VsHybridParamNumber. */
static void
init_params(FunctionCallInfo fcinfo, VsHybridParams *params, Oid schema,
			int ncandidates, TSQuery query)
{
	vs_hybrid_add_param(params, INT8OID, Int64GetDatum(ncandidates), false);
	vs_hybrid_add_param(params, vs_extension_type(schema, "vector"),
						PG_GETARG_DATUM(ARG_QUERY_VECTOR),
						PG_ARGISNULL(ARG_QUERY_VECTOR));
	vs_hybrid_add_param(params, TSQUERYOID, TSQueryGetDatum(query),
						query == NULL);
	vs_hybrid_add_param(params, REGCLASSOID, PG_GETARG_DATUM(ARG_TEXT_INDEX),
						PG_ARGISNULL(ARG_TEXT_INDEX));
}

/* Return the first k rows. */
static void
put_rows(FunctionCallInfo fcinfo, VsHybridKey *key, const VsHybridRows *list,
		 int k)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	for (int i = 0; i < Min(list->n, k); i++)
	{
		VsHybridRow *row = &list->rows[i];
		Datum		values[6] = {0};
		bool		nulls[6] = {false};

		nulls[0] = row->key_is_null;
		if (!row->key_is_null)
			values[0] = CStringGetTextDatum(OutputFunctionCall(&key->output,
															   row->key));
		values[1] = Float8GetDatum(row->score);
		for (VsHybridSide side = 0; side < HYBRID_SIDES; side++)
		{
			int			column = 2 + 2 * side;

			nulls[column] = nulls[column + 1] = row->rank[side] == 0;
			values[column] = Int64GetDatum(row->rank[side]);
			values[column + 1] = Float8GetDatum(row->value[side]);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* hybrid_search(relation regclass, query_vector vector, query_text text, ...) */
Datum
vs_hybrid_search(PG_FUNCTION_ARGS)
{
	VsHybridTable table;
	VsHybridFusion fusion;
	VsHybridParams params = {0};
	VsHybridRows lists[HYBRID_SIDES] = {0};
	VsHybridColumn *columns[HYBRID_SIDES];
	VsHybridRows fused;
	StringInfoData filter;
	TSQuery		query = NULL;
	VsHybridQueryMode mode = get_choice_arg(fcinfo, ARG_QUERY_MODE,
											"query_mode", query_mode_names);
	int			k = get_int_arg(fcinfo, ARG_K, "k", DEFAULT_K, 0);
	int			ncandidates = get_int_arg(fcinfo, ARG_CANDIDATES, "candidates",
										  Max(k, DEFAULT_CANDIDATES), 1);

	get_fusion_args(fcinfo, &fusion);
	if (PG_ARGISNULL(ARG_RELATION))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("relation must not be null")));
	InitMaterializedSRF(fcinfo, 0);

	vs_hybrid_open_table(&table, PG_GETARG_OID(ARG_RELATION),
						 get_func_namespace(fcinfo->flinfo->fn_oid),
						 get_name_arg(fcinfo, ARG_KEY_COLUMN));
	columns[HYBRID_VECTOR] = find_vector_column(fcinfo, &table);
	columns[HYBRID_TEXT] = find_text_column(fcinfo, &table, mode, &query);

	init_params(fcinfo, &params, table.schema, ncandidates, query);
	initStringInfo(&filter);
	if (!PG_ARGISNULL(ARG_FILTER))
		vs_hybrid_append_filter(&filter, &params, table.relation,
								PG_GETARG_JSONB_P(ARG_FILTER));

	for (VsHybridSide side = 0; side < HYBRID_SIDES; side++)
		if (columns[side] != NULL)
			lists[side] = vs_hybrid_rank(&table, side, columns[side],
										 filter.data, &params);
	fused = vs_hybrid_fuse(&table.key, &fusion, lists);
	put_rows(fcinfo, &table.key, &fused, k);
	vs_hybrid_close_table(&table);
	return (Datum) 0;
}
