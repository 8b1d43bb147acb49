/*
 * densevec_io_template.h
 *		Text and binary input and output, and the type modifier.
 *
 * Part of densevec_template.h, which names the parameters.
 *
 * Text is "[1,2,3]" with white space allowed around every token.  Binary is,
 * in network order, int16 dim, int16 unused (0), then the elements' bits.
 */
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types/float_parse.h"
#include "utils/array.h"

/* The first character that is not white space, whatever the locale says. */
static const char *
skip_space(const char *pos)
{
	while (*pos == ' ' || (*pos >= '\t' && *pos <= '\r'))
		pos++;
	return pos;
}

/* One more than the commas in a string: no fewer than the elements in it. */
static int
count_tokens(const char *str)
{
	int			ntokens = 1;

	while (ntokens < DENSEVEC_MAX_DIM && (str = strchr(str, ',')) != NULL)
	{
		ntokens++;
		str++;
	}
	return ntokens;
}

/* Report that str is not the text of a value. */
static void
report_syntax_error(const char *str, const char *detail, Node *escontext)
{
	errsave(escontext,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					DENSEVEC_NAME, str),
			 detail ? errdetail_internal("%s", detail) : 0));
}

/*
 * Read the number at *pos, as strtof does, into *element, and advance *pos
 * past it.  str is the whole text, for messages.  False after a soft error.
 */
static bool
parse_element(const char *str, const char **pos, DenseVecElement *element,
			  Node *escontext)
{
	const char *token = *pos;
	char	   *end;
	float		value;

	errno = 0;
	value = vs_float_parse(token, &end);
	if (end == token)
	{
		report_syntax_error(str, NULL, escontext);
		return false;
	}
	*pos = end;
	*element = DENSEVEC_FROM_FLOAT(value);

	/* A number too small becomes zero or subnormal, one too large is refused. */
	if (unlikely(isinf(DENSEVEC_TO_FLOAT(*element)) &&
				 (errno == ERANGE || !isinf(value))))
		ereturn(escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("\"%s\" is out of range for type %s",
						pnstrdup(token, end - token), DENSEVEC_NAME)));
	return check_element(*element, escontext);
}

/*
 * Parse the elements from the one at *pos to the closing bracket, and advance
 * *pos past that.  Returns a new value, or NULL after a soft error.
 */
static DenseVec *
parse_elements(const char *str, const char **pos, Node *escontext)
{
	DenseVec   *result = DENSEVEC_FN(new) (count_tokens(*pos));
	int			dim = 0;

	for (;;)
	{
		if (!check_dim(dim + 1, escontext) ||
			!parse_element(str, pos, &result->x[dim], escontext))
			return NULL;
		dim++;

		*pos = skip_space(*pos);
		if (**pos == ']')
			break;
		if (**pos != ',')
		{
			report_syntax_error(str, NULL, escontext);
			return NULL;
		}
		*pos = skip_space(*pos + 1);
	}
	(*pos)++;

	result->dim = dim;
	SET_VARSIZE(result, size_for_dim(dim));
	return result;
}

/* Text to value, within the typmod; supports soft errors. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(in));
Datum
DENSEVEC_FN(in) (PG_FUNCTION_ARGS)
{
	const char *str = PG_GETARG_CSTRING(0);
	int32		typmod = PG_GETARG_INT32(2);
	Node	   *escontext = fcinfo->context;
	const char *pos = skip_space(str);
	DenseVec   *result;

	if (*pos != '[')
	{
		report_syntax_error(str, "Vector contents must start with \"[\".",
							escontext);
		PG_RETURN_NULL();
	}
	pos = skip_space(pos + 1);
	if (*pos == ']')
	{
		(void) check_dim(0, escontext);
		PG_RETURN_NULL();
	}
	result = parse_elements(str, &pos, escontext);
	if (result == NULL)
		PG_RETURN_NULL();
	if (*skip_space(pos) != '\0')
	{
		report_syntax_error(str, "Junk after closing right brace.", escontext);
		PG_RETURN_NULL();
	}
	if (!check_expected_dim(typmod, result->dim, escontext))
		PG_RETURN_NULL();

	PG_RETURN_POINTER(result);
}

/* Value to text: the shortest numbers that read back, without spaces. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(out));
Datum
DENSEVEC_FN(out) (PG_FUNCTION_ARGS)
{
	DenseVec   *vec = datum_get_densevec(PG_GETARG_DATUM(0));
	int			dim = vec->dim;
	char	   *result;
	char	   *pos;

	/* Each element ends in a comma or the closing bracket. */
	result = palloc((Size) dim * FLOAT_SHORTEST_DECIMAL_LEN + 2);
	pos = result;
	*pos++ = '[';
	for (int i = 0; i < dim; i++)
	{
		if (i > 0)
			*pos++ = ',';
		pos += float_to_shortest_decimal_bufn(DENSEVEC_TO_FLOAT(vec->x[i]), pos);
	}
	*pos++ = ']';
	*pos = '\0';

	PG_FREE_IF_COPY(vec, 0);
	PG_RETURN_CSTRING(result);
}

/* The modifier is one number: how many elements a value has. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(typmod_in));
Datum
DENSEVEC_FN(typmod_in) (PG_FUNCTION_ARGS)
{
	ArrayType  *modifiers = PG_GETARG_ARRAYTYPE_P(0);
	int			nmodifiers;
	int32	   *modifier = ArrayGetIntegerTypmods(modifiers, &nmodifiers);

	if (nmodifiers != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid type modifier")));
	if (*modifier < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions for type " DENSEVEC_NAME
						" must be at least 1")));
	if (*modifier > DENSEVEC_MAX_DIM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions for type " DENSEVEC_NAME
						" cannot exceed %d", DENSEVEC_MAX_DIM)));

	PG_RETURN_INT32(*modifier);
}

/* Binary to value, with the checks that text gets. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(recv));
Datum
DENSEVEC_FN(recv) (PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int32		typmod = PG_GETARG_INT32(2);
	int			dim = pq_getmsgint(buf, sizeof(int16));
	int			unused = pq_getmsgint(buf, sizeof(int16));
	const char *elements;
	DenseVec   *result;

	(void) check_dim(dim, NULL);
	(void) check_expected_dim(typmod, dim, NULL);
	if (unused != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected unused to be 0, not %d", unused)));

	elements = pq_getmsgbytes(buf, dim * sizeof(DenseVecElement));
	result = DENSEVEC_FN(new) (dim);
	for (int i = 0; i < dim; i++)
	{
		DENSEVEC_BITS bits;

		memcpy(&bits, elements + i * sizeof(bits), sizeof(bits));
		bits = DENSEVEC_FROM_NETWORK(bits);
		memcpy(&result->x[i], &bits, sizeof(bits));
		(void) check_element(result->x[i], NULL);
	}
	PG_RETURN_POINTER(result);
}

/* Value to binary. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(send));
Datum
DENSEVEC_FN(send) (PG_FUNCTION_ARGS)
{
	DenseVec   *vec = datum_get_densevec(PG_GETARG_DATUM(0));
	int			dim = vec->dim;
	StringInfoData buf;

	pq_begintypsend(&buf);
	enlargeStringInfo(&buf, size_for_dim(dim));
	pq_writeint16(&buf, dim);
	pq_writeint16(&buf, 0);
	for (int i = 0; i < dim; i++)
	{
		DENSEVEC_BITS bits;

		memcpy(&bits, &vec->x[i], sizeof(bits));
		bits = DENSEVEC_TO_NETWORK(bits);
		memcpy(buf.data + buf.len, &bits, sizeof(bits));
		buf.len += sizeof(bits);
	}
	PG_FREE_IF_COPY(vec, 0);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
