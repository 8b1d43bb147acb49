/*
 * hybrid_filter.c
 *		A filter written in JSON, as conditions on columns.
 *
 * Nothing of the filter becomes SQL: names are looked up in the catalog and
 * written as it has them, operators come from those that a column's type orders
 * by, and values go through the type's input function into parameters.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "hybrid/hybrid_private.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Operators of filters.  Those with a strategy are of the type's btree order. */
typedef enum FilterOperator
{
	FILTER_EQ,
	FILTER_NE,
	FILTER_LT,
	FILTER_LE,
	FILTER_GT,
	FILTER_GE,
	FILTER_CONTAINS
} FilterOperator;

static const struct
{
	const char *name;
	StrategyNumber strategy;
}			filter_operators[] = {
	[FILTER_EQ] = {"=", BTEqualStrategyNumber},
	[FILTER_NE] = {"<>", BTEqualStrategyNumber},
	[FILTER_LT] = {"<", BTLessStrategyNumber},
	[FILTER_LE] = {"<=", BTLessEqualStrategyNumber},
	[FILTER_GT] = {">", BTGreaterStrategyNumber},
	[FILTER_GE] = {">=", BTGreaterEqualStrategyNumber},
	[FILTER_CONTAINS] = {"@>", InvalidStrategy},
};

/* A filter on its way to SQL. */
typedef struct FilterWriter
{
	StringInfo	sql;
	VsHybridParams *params;
	Relation	relation;

	/* the column at hand */
	const char *column;			/* quoted */
	Oid			type;			/* no domain */
	Oid			element_type;	/* of an array; else InvalidOid */
} FilterWriter;

int
vs_hybrid_add_param(VsHybridParams *params, Oid type, Datum value,
					bool is_null)
{
	if (params->n == params->max)
	{
		int			max = params->max == 0 ? 8 : 2 * params->max;

		if (params->max == 0)
		{
			params->types = palloc(max * sizeof(Oid));
			params->values = palloc(max * sizeof(Datum));
			params->nulls = palloc(max);
		}
		else
		{
			params->types = repalloc(params->types, max * sizeof(Oid));
			params->values = repalloc(params->values, max * sizeof(Datum));
			params->nulls = repalloc(params->nulls, max);
		}
		params->max = max;
	}
	params->types[params->n] = type;
	params->values[params->n] = value;
	params->nulls[params->n] = is_null ? 'n' : ' ';
	return ++params->n;
}

static bool
is_json_array(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data);
}

static bool
is_json_object(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data);
}

/* A scalar, not null, as the text that a type's input function reads. */
static char *
get_scalar_text(const FilterWriter *writer, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("filter on column %s: a value of type %s cannot be a JSON object or array",
							writer->column, format_type_be(writer->type))));
	}
}

/* A scalar, not null, as a value of a type. */
static Datum
read_scalar(const FilterWriter *writer, const JsonbValue *value, Oid type)
{
	Oid			input;
	Oid			ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	return OidInputFunctionCall(input, get_scalar_text(writer, value), ioparam,
								-1);
}

/* The elements of a JSON array as an array of the element type's values. */
static Datum
read_array(const FilterWriter *writer, const JsonbValue *value,
		   Oid element_type, bool nulls_allowed)
{
	JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
	ArrayBuildState *state = initArrayResult(element_type,
											 CurrentMemoryContext, false);
	JsonbIteratorToken token;
	JsonbValue	element;

	JsonbIteratorNext(&iterator, &element, false);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_END_ARRAY)
	{
		bool		is_null = element.type == jbvNull;

		Assert(token == WJB_ELEM);
		if (is_null && !nulls_allowed)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("filter on column %s: null cannot be one of several values",
							writer->column)));
		accumArrayResult(state, is_null ? (Datum) 0 : element_type == JSONBOID ?
						 PointerGetDatum(JsonbValueToJsonb(&element)) :
						 read_scalar(writer, &element, element_type),
						 is_null, element_type, CurrentMemoryContext);
	}
	return makeArrayResult(state, CurrentMemoryContext);
}

/* A value of the column's type, as a parameter; returns its number. */
static int
add_value_param(FilterWriter *writer, JsonbValue *value)
{
	Datum		datum;

	if (writer->type == JSONBOID)
		datum = PointerGetDatum(JsonbValueToJsonb(value));
	else if (OidIsValid(writer->element_type) && is_json_array(value))
		datum = read_array(writer, value, writer->element_type, true);
	else
		datum = read_scalar(writer, value, writer->type);
	return vs_hybrid_add_param(writer->params, writer->type, datum, false);
}

/* The operator as the column's type has it. */
static Oid
get_filter_operator(const FilterWriter *writer, FilterOperator operator)
{
	TypeCacheEntry *type = lookup_type_cache(writer->type,
											 TYPECACHE_BTREE_OPFAMILY | TYPECACHE_EQ_OPR);
	Oid			result = InvalidOid;

	if (operator == FILTER_CONTAINS)
		result = OidIsValid(writer->element_type) ? OID_ARRAY_CONTAINS_OP :
			GetSysCacheOid4(OPERNAMENSP, Anum_pg_operator_oid,
							CStringGetDatum(filter_operators[operator].name),
							ObjectIdGetDatum(writer->type),
							ObjectIdGetDatum(writer->type),
							ObjectIdGetDatum(PG_CATALOG_NAMESPACE));
	else if (operator == FILTER_EQ || operator == FILTER_NE)
		result = type->eq_opr;
	else if (OidIsValid(type->btree_opf))
		result = get_opfamily_member(type->btree_opf, type->btree_opintype,
									 type->btree_opintype,
									 filter_operators[operator].strategy);
	if (operator == FILTER_NE && OidIsValid(result))
		result = get_negator(result);
	if (!OidIsValid(result))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("filter on column %s: type %s has no operator %s",
						writer->column, format_type_be(writer->type),
						filter_operators[operator].name)));
	return result;
}

/* One of, or none of, the values of a JSON array. */
static void
append_list_condition(FilterWriter *writer, FilterOperator operator,
					  const JsonbValue *value)
{
	Oid			array_type = get_array_type(writer->type);
	Oid			opno = get_filter_operator(writer, operator);
	int			param;

	if (operator != FILTER_EQ && operator != FILTER_NE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filter on column %s: operator %s takes a single value",
						writer->column, filter_operators[operator].name)));
	if (!OidIsValid(array_type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("filter on column %s: there are no arrays of type %s",
						writer->column, format_type_be(writer->type))));
	param = vs_hybrid_add_param(writer->params, array_type,
								read_array(writer, value, writer->type, false),
								false);
	appendStringInfo(writer->sql, " AND %s %s %s ($%d)", writer->column,
					 vs_hybrid_form_operator(opno),
					 operator == FILTER_EQ ? "ANY" : "ALL", param);
}

/* Compare the column with null. */
static void
append_null_condition(FilterWriter *writer, FilterOperator operator)
{
	if (operator != FILTER_EQ && operator != FILTER_NE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filter on column %s: operator %s does not take null",
						writer->column, filter_operators[operator].name)));
	appendStringInfo(writer->sql, " AND %s %s", writer->column,
					 operator == FILTER_EQ ? "IS NULL" : "IS NOT NULL");
}

static void
append_condition(FilterWriter *writer, FilterOperator operator,
				 JsonbValue *value)
{
	if (value->type == jbvNull)
		append_null_condition(writer, operator);
	else if (is_json_array(value) && writer->type != JSONBOID &&
			 !OidIsValid(writer->element_type))
		append_list_condition(writer, operator, value);
	else
	{
		Oid			opno = get_filter_operator(writer, operator);

		appendStringInfo(writer->sql, " AND %s %s $%d", writer->column,
						 vs_hybrid_form_operator(opno),
						 add_value_param(writer, value));
	}
}

static FilterOperator
parse_operator(const FilterWriter *writer, const JsonbValue *name)
{
	for (int i = 0; i < lengthof(filter_operators); i++)
		if (strlen(filter_operators[i].name) == name->val.string.len &&
			memcmp(filter_operators[i].name, name->val.string.val,
				   name->val.string.len) == 0)
			return (FilterOperator) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("filter on column %s: unrecognized operator \"%.*s\"",
					writer->column, name->val.string.len, name->val.string.val),
			 errhint("Operators are =, <>, <, <=, >, >= and @>.")));
}

/* {"operator": value, ...} */
static void
append_operators(FilterWriter *writer, const JsonbValue *operators)
{
	JsonbIterator *iterator = JsonbIteratorInit(operators->val.binary.data);
	JsonbValue	name;
	JsonbValue	value;

	JsonbIteratorNext(&iterator, &name, false);
	while (JsonbIteratorNext(&iterator, &name, true) == WJB_KEY)
	{
		FilterOperator operator = parse_operator(writer, &name);

		JsonbIteratorNext(&iterator, &value, true);
		append_condition(writer, operator, &value);
	}
}

static void
begin_column(FilterWriter *writer, const JsonbValue *name)
{
	AttrNumber	attno = vs_hybrid_get_attno(writer->relation,
											pnstrdup(name->val.string.val,
													 name->val.string.len));
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(writer->relation),
										  attno - 1);

	writer->column = quote_identifier(NameStr(att->attname));
	writer->type = getBaseType(att->atttypid);
	writer->element_type = get_base_element_type(writer->type);
}

void
vs_hybrid_append_filter(StringInfo sql, VsHybridParams *params,
						Relation relation, Jsonb *filter)
{
	FilterWriter writer = {sql, params, relation};
	JsonbIterator *iterator;
	JsonbValue	name;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(filter))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filter is not a JSON object"),
				 errhint("Write conditions on columns, such as {\"tenant\": 7, \"year\": {\">=\": 2000}}.")));
	iterator = JsonbIteratorInit(&filter->root);
	JsonbIteratorNext(&iterator, &name, false);
	while (JsonbIteratorNext(&iterator, &name, true) == WJB_KEY)
	{
		begin_column(&writer, &name);
		JsonbIteratorNext(&iterator, &value, true);
		if (is_json_object(&value))
			append_operators(&writer, &value);
		else
			append_condition(&writer, FILTER_EQ, &value);
	}
}
