/*
 * densevec_cast_template.h
 *		Casts from and to arrays of numbers, and to another type modifier.
 *
 * Part of densevec_template.h, which names the parameters.
 *
 * Each has the signature that CREATE CAST asks for where the target has a
 * modifier: value, typmod, whether the cast is explicit.
 */
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Check the modifier; the value passes as it is, also if it is toasted. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(coerce));
Datum
DENSEVEC_FN(coerce) (PG_FUNCTION_ARGS)
{
	Datum		vec = PG_GETARG_DATUM(0);
	int32		typmod = PG_GETARG_INT32(1);

	if (typmod != -1)
		(void) check_expected_dim(typmod, datum_get_dim(vec), NULL);
	PG_RETURN_DATUM(vec);
}

/*
 * A number of one of the types that from_array admits as float4, rounded
 * once; infinite where it is too large.
 */
static float
number_get_float(Datum number, Oid type)
{
	switch (type)
	{
		case INT4OID:
			return DatumGetInt32(number);
		case FLOAT4OID:
			return DatumGetFloat4(number);
		case FLOAT8OID:
			return (float) DatumGetFloat8(number);
		default:
			Assert(type == NUMERICOID);
			return strtof(DatumGetCString(DirectFunctionCall1(numeric_out,
															  number)),
						  NULL);
	}
}

/* An array of one dimension without nulls, its numbers rounded to elements. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(from_array));
Datum
DENSEVEC_FN(from_array) (PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int32		typmod = PG_GETARG_INT32(1);
	Oid			type = ARR_ELEMTYPE(array);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *numbers;
	int			dim;
	DenseVec   *result;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("array must be 1-D")));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array must not contain nulls")));
	if (type != INT4OID && type != FLOAT4OID && type != FLOAT8OID &&
		type != NUMERICOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("unsupported array type")));

	dim = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	(void) check_dim(dim, NULL);
	(void) check_expected_dim(typmod, dim, NULL);

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign,
					  &numbers, NULL, &dim);
	result = DENSEVEC_FN(new) (dim);
	for (int i = 0; i < dim; i++)
		result->x[i] = float_get_element(number_get_float(numbers[i], type));
	pfree(numbers);
	PG_RETURN_POINTER(result);
}

/* The elements as real[], counted from 1. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(to_float4));
Datum
DENSEVEC_FN(to_float4) (PG_FUNCTION_ARGS)
{
	DenseVec   *vec = datum_get_densevec(PG_GETARG_DATUM(0));
	Size		size = ARR_OVERHEAD_NONULLS(1) + sizeof(float) * vec->dim;
	ArrayType  *result = (ArrayType *) palloc0(size);
	float	   *values;

	SET_VARSIZE(result, size);
	result->ndim = 1;
	result->dataoffset = 0;		/* no nulls */
	result->elemtype = FLOAT4OID;
	ARR_DIMS(result)[0] = vec->dim;
	ARR_LBOUND(result)[0] = 1;
	values = (float *) ARR_DATA_PTR(result);
	for (int i = 0; i < vec->dim; i++)
		values[i] = DENSEVEC_TO_FLOAT(vec->x[i]);

	PG_FREE_IF_COPY(vec, 0);
	PG_RETURN_POINTER(result);
}
