/*
 * densevec_agg_template.h
 *		The state of avg(): an array of float8.
 *
 * Part of densevec_template.h, which names the parameters.
 *
 * Its first element counts the values, the others are the sums of their
 * elements; while the count is zero there need be no others.
 */
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/float.h"

/*
 * The numbers of a state that caller was given, and how many sums follow the
 * count.
 */
static double *
get_state(const char *caller, ArrayType *state, int *dim)
{
	if (ARR_NDIM(state) != 1 || ARR_DIMS(state)[0] < 1 ||
		ARR_HASNULL(state) || ARR_ELEMTYPE(state) != FLOAT8OID)
		elog(ERROR, "%s: expected state array", caller);
	*dim = ARR_DIMS(state)[0] - 1;
	return (double *) ARR_DATA_PTR(state);
}

/* A state of zero values and dim sums. */
static ArrayType *
new_state(int dim)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + sizeof(double) * (dim + 1);
	ArrayType  *state = (ArrayType *) palloc0(size);

	SET_VARSIZE(state, size);
	state->ndim = 1;
	state->dataoffset = 0;		/* no nulls */
	state->elemtype = FLOAT8OID;
	ARR_DIMS(state)[0] = dim + 1;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

/* A state to add to: old itself in an aggregate, which owns it, or a copy. */
static ArrayType *
get_writable_state(FunctionCallInfo fcinfo, ArrayType *old)
{
	ArrayType  *copy;

	if (AggCheckCallContext(fcinfo, NULL))
		return old;
	copy = (ArrayType *) palloc(VARSIZE(old));
	memcpy(copy, old, VARSIZE(old));
	return copy;
}

/* Sums and means of finite numbers are finite, but for overflow. */
static inline void
check_sum(double sum)
{
	if (unlikely(isinf(sum)))
		float_overflow_error();
}

/* Add one value to a state. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(accum));
Datum
DENSEVEC_FN(accum) (PG_FUNCTION_ARGS)
{
	ArrayType  *old = PG_GETARG_ARRAYTYPE_P(0);
	DenseVec   *vec = datum_get_densevec(PG_GETARG_DATUM(1));
	ArrayType  *state;
	double	   *numbers;
	int			dim;

	numbers = get_state(DENSEVEC_NAME "_accum", old, &dim);
	if (numbers[0] == 0)
		state = new_state(vec->dim);
	else
	{
		(void) check_expected_dim(dim, vec->dim, NULL);
		state = get_writable_state(fcinfo, old);
	}

	numbers = (double *) ARR_DATA_PTR(state);
	numbers[0] += 1;
	for (int i = 0; i < vec->dim; i++)
	{
		numbers[i + 1] += DENSEVEC_TO_FLOAT(vec->x[i]);
		check_sum(numbers[i + 1]);
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

/* Join the states of two sets of values. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(combine));
Datum
DENSEVEC_FN(combine) (PG_FUNCTION_ARGS)
{
	ArrayType  *state_a = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *state_b = PG_GETARG_ARRAYTYPE_P(1);
	int			dim_a;
	int			dim_b;
	double	   *numbers_a;
	double	   *numbers_b;

	numbers_a = get_state(DENSEVEC_NAME "_combine", state_a, &dim_a);
	numbers_b = get_state(DENSEVEC_NAME "_combine", state_b, &dim_b);
	if (numbers_b[0] == 0)
		PG_RETURN_ARRAYTYPE_P(state_a);
	if (numbers_a[0] == 0)
		PG_RETURN_ARRAYTYPE_P(state_b);
	(void) check_expected_dim(dim_a, dim_b, NULL);

	state_a = get_writable_state(fcinfo, state_a);
	numbers_a = (double *) ARR_DATA_PTR(state_a);
	numbers_a[0] += numbers_b[0];
	for (int i = 1; i <= dim_a; i++)
	{
		numbers_a[i] += numbers_b[i];
		check_sum(numbers_a[i]);
	}
	PG_RETURN_ARRAYTYPE_P(state_a);
}

/* The mean of the values of a state; NULL if there were none. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(avg));
Datum
DENSEVEC_FN(avg) (PG_FUNCTION_ARGS)
{
	ArrayType  *state = PG_GETARG_ARRAYTYPE_P(0);
	int			dim;
	double	   *numbers = get_state(DENSEVEC_NAME "_avg", state, &dim);
	DenseVec   *result;

	if (numbers[0] == 0)
		PG_RETURN_NULL();

	(void) check_dim(dim, NULL);
	result = DENSEVEC_FN(new) (dim);
	for (int i = 0; i < dim; i++)
	{
		float		mean = numbers[i + 1] / numbers[0];

		result->x[i] = DENSEVEC_FROM_FLOAT(mean);
		check_sum(DENSEVEC_TO_FLOAT(result->x[i]));
		(void) check_element(result->x[i], NULL);
	}
	PG_RETURN_POINTER(result);
}
