/*
 * hybrid_text.c
 *		From the words of a text to a tsquery.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "hybrid/hybrid_private.h"
#include "nodes/nodeFuncs.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_utils.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/pg_crc.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(vs_hybrid_anyto_tsquery);
PG_FUNCTION_INFO_V1(vs_hybrid_anyto_tsquery_current);

/* The configurations that an expression makes tsvectors with. */
typedef struct ConfigSearch
{
	Oid			config;			/* the last one seen */
	bool		is_ambiguous;	/* others too, or one that is no constant */
} ConfigSearch;

/* Whether a function makes a tsvector with the configuration given first. */
static bool
is_to_tsvector(Oid function)
{
	return function == F_TO_TSVECTOR_REGCONFIG_TEXT ||
		function == F_TO_TSVECTOR_REGCONFIG_JSON ||
		function == F_TO_TSVECTOR_REGCONFIG_JSONB ||
		function == F_JSON_TO_TSVECTOR_REGCONFIG_JSON_JSONB ||
		function == F_JSONB_TO_TSVECTOR_REGCONFIG_JSONB_JSONB;
}

/* expression_tree_walker: note the configurations of all to_tsvector calls. */
static bool
search_config(Node *node, void *context)
{
	ConfigSearch *search = context;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && is_to_tsvector(((FuncExpr *) node)->funcid))
	{
		Const	   *first = linitial(((FuncExpr *) node)->args);
		Oid			config = IsA(first, Const) && !first->constisnull ?
			DatumGetObjectId(first->constvalue) : InvalidOid;

		if (!OidIsValid(config) ||
			(OidIsValid(search->config) && config != search->config))
			search->is_ambiguous = true;
		search->config = config;
	}
	return expression_tree_walker(node, search_config, context);
}

/* The expression that a generated column is made by; NULL of other columns. */
static Node *
get_generation_expr(Relation relation, AttrNumber attno)
{
	TupleDesc	desc = RelationGetDescr(relation);

	if (attno <= 0 || TupleDescAttr(desc, attno - 1)->attgenerated == '\0')
		return NULL;
	for (int i = 0; i < desc->constr->num_defval; i++)
		if (desc->constr->defval[i].adnum == attno)
			return stringToNode(desc->constr->defval[i].adbin);
	return NULL;
}

Oid
vs_hybrid_text_config(const VsHybridTable *table, const VsHybridColumn *column)
{
	ConfigSearch search = {InvalidOid, false};
	Node	   *expr = column->expr;

	if (expr == NULL)
		expr = get_generation_expr(table->relation, column->attno);
	if (expr == NULL)
		return getTSCurrentConfig(true);
	search_config(expr, &search);
	if (!OidIsValid(search.config) || search.is_ambiguous)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("cannot tell the text search configuration of table \"%s\"",
						RelationGetRelationName(table->relation)),
				 errdetail("The expression behind its tsvector does not use just one."),
				 errhint("Name the one to read the query with: text_config => 'english'.")));
	return search.config;
}

/* A tsquery under construction: items in their order, texts one by one. */
typedef struct TSQueryWriter
{
	TSVector	words;
	QueryItem  *next_item;
	char	   *operands;
	int			nbytes;			/* of operands */
} TSQueryWriter;

static void
write_word(TSQueryWriter *writer, const WordEntry *word)
{
	const char *lexeme = STRPTR(writer->words) + word->pos;
	QueryOperand *operand = &writer->next_item->qoperand;
	pg_crc32	crc;

	INIT_LEGACY_CRC32(crc);
	COMP_LEGACY_CRC32(crc, lexeme, word->len);
	FIN_LEGACY_CRC32(crc);
	operand->type = QI_VAL;
	operand->valcrc = (int32) crc;
	operand->length = word->len;
	operand->distance = writer->nbytes;
	memcpy(writer->operands + writer->nbytes, lexeme, word->len);
	writer->nbytes += word->len + 1;
	writer->next_item++;
}

/*
 * Write words first to first + n - 1, or-ed: a balanced tree, so that nobody's
 * recursion goes deep.  An operator's right operand follows it, then the left.
 */
static void
write_any(TSQueryWriter *writer, int first, int n)
{
	QueryOperator *operator = &writer->next_item->qoperator;
	QueryItem  *start = writer->next_item;

	if (n == 1)
	{
		write_word(writer, ARRPTR(writer->words) + first);
		return;
	}
	operator->type = QI_OPR;
	operator->oper = OP_OR;
	writer->next_item++;
	write_any(writer, first + n / 2, n - n / 2);
	operator->left = writer->next_item - start;
	write_any(writer, first, n / 2);
}

/* The words of a text, or-ed, each once. */
static TSQuery
form_any_query(Oid config, Datum text)
{
	TSVector	words = DatumGetTSVector(DirectFunctionCall2(to_tsvector_byid,
															 ObjectIdGetDatum(config),
															 text));
	int			nitems = words->size == 0 ? 0 : 2 * words->size - 1;
	Size		nbytes = 0;
	TSQuery		query;
	TSQueryWriter writer = {words};

	for (int i = 0; i < words->size; i++)
		nbytes += ARRPTR(words)[i].len + 1;
	if (TSQUERY_TOO_BIG(nitems, nbytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("tsquery is too large")));
	query = palloc0(COMPUTESIZE(nitems, nbytes));
	SET_VARSIZE(query, COMPUTESIZE(nitems, nbytes));
	query->size = nitems;
	writer.next_item = GETQUERY(query);
	writer.operands = GETOPERAND(query);
	if (words->size > 0)
		write_any(&writer, 0, words->size);
	return query;
}

TSQuery
vs_hybrid_form_tsquery(Oid config, VsHybridQueryMode mode, Datum words)
{
	PGFunction	function;

	if (!SearchSysCacheExists1(TSCONFIGOID, ObjectIdGetDatum(config)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("text search configuration with OID %u does not exist",
						config)));
	switch (mode)
	{
		case HYBRID_QUERY_ANY:
			return form_any_query(config, words);
		case HYBRID_QUERY_ALL:
			function = plainto_tsquery_byid;
			break;
		case HYBRID_QUERY_PHRASE:
			function = phraseto_tsquery_byid;
			break;
		case HYBRID_QUERY_WEBSEARCH:
			function = websearch_to_tsquery_byid;
			break;
		default:
			Assert(mode == HYBRID_QUERY_TSQUERY);
			function = to_tsquery_byid;
	}
	return DatumGetTSQuery(DirectFunctionCall2(function,
											   ObjectIdGetDatum(config),
											   words));
}

/* anyto_tsquery(regconfig, text) */
Datum
vs_hybrid_anyto_tsquery(PG_FUNCTION_ARGS)
{
	PG_RETURN_TSQUERY(form_any_query(PG_GETARG_OID(0), PG_GETARG_DATUM(1)));
}

/* anyto_tsquery(text) */
Datum
vs_hybrid_anyto_tsquery_current(PG_FUNCTION_ARGS)
{
	PG_RETURN_TSQUERY(form_any_query(getTSCurrentConfig(true),
									 PG_GETARG_DATUM(0)));
}
