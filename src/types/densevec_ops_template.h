/*
 * densevec_ops_template.h
 *		Functions of a value, arithmetic and comparison.
 *
 * Part of densevec_template.h, which names the parameters.
 */
#include "utils/float.h"
#include "utils/varbit.h"

/* Number of elements. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(dims));
Datum
DENSEVEC_FN(dims) (PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(datum_get_dim(PG_GETARG_DATUM(0)));
}

/* Euclidean length, summed in double. */
static double
compute_norm(const DenseVec *vec)
{
	double		norm_sq = 0;

	for (int i = 0; i < vec->dim; i++)
	{
		double		value = DENSEVEC_TO_FLOAT(vec->x[i]);

		norm_sq += value * value;
	}
	return sqrt(norm_sq);
}

/* Euclidean length. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(norm));
Datum
DENSEVEC_FN(norm) (PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(compute_norm(datum_get_densevec(PG_GETARG_DATUM(0))));
}

/* The same direction with length 1; zero stays zero. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(l2_normalize));
Datum
DENSEVEC_FN(l2_normalize) (PG_FUNCTION_ARGS)
{
	DenseVec   *vec = datum_get_densevec(PG_GETARG_DATUM(0));
	double		norm = compute_norm(vec);
	DenseVec   *result = DENSEVEC_FN(new) (vec->dim);

	if (norm > 0)
	{
		for (int i = 0; i < vec->dim; i++)
		{
			/* No overflow: no element is larger than the norm. */
			float		value = DENSEVEC_TO_FLOAT(vec->x[i]) / norm;

			result->x[i] = DENSEVEC_FROM_FLOAT(value);
		}
	}
	PG_RETURN_POINTER(result);
}

/* One bit an element, set where it is positive, the first one leftmost. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(binary_quantize));
Datum
DENSEVEC_FN(binary_quantize) (PG_FUNCTION_ARGS)
{
	DenseVec   *vec = datum_get_densevec(PG_GETARG_DATUM(0));
	VarBit	   *result = (VarBit *) palloc0(VARBITTOTALLEN(vec->dim));
	bits8	   *bits = VARBITS(result);

	SET_VARSIZE(result, VARBITTOTALLEN(vec->dim));
	VARBITLEN(result) = vec->dim;
	for (int i = 0; i < vec->dim; i++)
	{
		if (DENSEVEC_TO_FLOAT(vec->x[i]) > 0)
			bits[i / BITS_PER_BYTE] |= HIGHBIT >> (i % BITS_PER_BYTE);
	}
	PG_RETURN_VARBIT_P(result);
}

/*
 * The elements start to start + count - 1, counted from 1, as far as there
 * are such: like substring, positions before the first one are passed over.
 */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(subvector));
Datum
DENSEVEC_FN(subvector) (PG_FUNCTION_ARGS)
{
	DenseVec   *vec = datum_get_densevec(PG_GETARG_DATUM(0));
	int64		start = PG_GETARG_INT32(1);
	int64		count = PG_GETARG_INT32(2);
	int64		first = Max(start, 1);
	int64		last = Min(start + count - 1, vec->dim);
	DenseVec   *result;

	(void) check_dim(Max(last - first + 1, 0), NULL);
	result = DENSEVEC_FN(new) (last - first + 1);
	memcpy(result->x, &vec->x[first - 1],
		   result->dim * sizeof(DenseVecElement));
	PG_RETURN_POINTER(result);
}

static inline float
add_elements(float a, float b)
{
	return a + b;
}

static inline float
subtract_elements(float a, float b)
{
	return a - b;
}

static inline float
multiply_elements(float a, float b)
{
	return a * b;
}

/*
 * Apply an operation to each pair of elements of two values of the same
 * dimensions.  As elements are finite, an infinite result is overflow.
 */
static pg_attribute_always_inline DenseVec *
combine_elements(const DenseVec *a, const DenseVec *b,
				 float (*combine) (float, float))
{
	DenseVec   *result = DENSEVEC_FN(new) (a->dim);

	for (int i = 0; i < a->dim; i++)
	{
		float		value = combine(DENSEVEC_TO_FLOAT(a->x[i]),
									DENSEVEC_TO_FLOAT(b->x[i]));

		result->x[i] = DENSEVEC_FROM_FLOAT(value);
	}

	/* A loop of its own, which leaves the one above to the vectorizer. */
	for (int i = 0; i < a->dim; i++)
	{
		if (unlikely(isinf(DENSEVEC_TO_FLOAT(result->x[i]))))
			float_overflow_error();
	}
	return result;
}

/* Sum, element by element. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(add));
Datum
DENSEVEC_FN(add) (PG_FUNCTION_ARGS)
{
	DenseVec   *a;
	DenseVec   *b;

	get_operands(fcinfo, &a, &b);
	PG_RETURN_POINTER(combine_elements(a, b, add_elements));
}

/* Difference, element by element. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(sub));
Datum
DENSEVEC_FN(sub) (PG_FUNCTION_ARGS)
{
	DenseVec   *a;
	DenseVec   *b;

	get_operands(fcinfo, &a, &b);
	PG_RETURN_POINTER(combine_elements(a, b, subtract_elements));
}

/*
 * Product, element by element.  Unlike a sum it may vanish though no operand
 * is zero: that is an error.
 */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(mul));
Datum
DENSEVEC_FN(mul) (PG_FUNCTION_ARGS)
{
	DenseVec   *a;
	DenseVec   *b;
	DenseVec   *result;

	get_operands(fcinfo, &a, &b);
	result = combine_elements(a, b, multiply_elements);
	for (int i = 0; i < result->dim; i++)
	{
		if (unlikely(DENSEVEC_TO_FLOAT(result->x[i]) == 0 &&
					 DENSEVEC_TO_FLOAT(a->x[i]) != 0 &&
					 DENSEVEC_TO_FLOAT(b->x[i]) != 0))
			float_underflow_error();
	}
	PG_RETURN_POINTER(result);
}

/* The elements of the second argument after those of the first. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(concat));
Datum
DENSEVEC_FN(concat) (PG_FUNCTION_ARGS)
{
	DenseVec   *a = datum_get_densevec(PG_GETARG_DATUM(0));
	DenseVec   *b = datum_get_densevec(PG_GETARG_DATUM(1));
	int			dim = a->dim + b->dim;
	DenseVec   *result;

	(void) check_dim(dim, NULL);
	result = DENSEVEC_FN(new) (dim);
	memcpy(result->x, a->x, a->dim * sizeof(DenseVecElement));
	memcpy(result->x + a->dim, b->x, b->dim * sizeof(DenseVecElement));
	PG_RETURN_POINTER(result);
}

/*
 * Compare a function's two arguments: by the first elements that differ, else
 * the shorter one is smaller.  Frees what it detoasted, because an index build
 * calls this many times in one memory context.
 */
static int
compare_operands(FunctionCallInfo fcinfo)
{
	DenseVec   *a = datum_get_densevec(PG_GETARG_DATUM(0));
	DenseVec   *b = datum_get_densevec(PG_GETARG_DATUM(1));
	int			common = Min(a->dim, b->dim);
	int			order = 0;

	for (int i = 0; i < common && order == 0; i++)
	{
		float		left = DENSEVEC_TO_FLOAT(a->x[i]);
		float		right = DENSEVEC_TO_FLOAT(b->x[i]);

		order = (left > right) - (left < right);
	}
	if (order == 0)
		order = (a->dim > b->dim) - (a->dim < b->dim);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

/* The comparison operators: see compare_operands for the order. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(lt));
Datum
DENSEVEC_FN(lt) (PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_operands(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(DENSEVEC_FN(le));
Datum
DENSEVEC_FN(le) (PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_operands(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(DENSEVEC_FN(eq));
Datum
DENSEVEC_FN(eq) (PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_operands(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(DENSEVEC_FN(ne));
Datum
DENSEVEC_FN(ne) (PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_operands(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(DENSEVEC_FN(ge));
Datum
DENSEVEC_FN(ge) (PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_operands(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(DENSEVEC_FN(gt));
Datum
DENSEVEC_FN(gt) (PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_operands(fcinfo) > 0);
}

/* btree's support function: negative, zero or positive. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(cmp));
Datum
DENSEVEC_FN(cmp) (PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_operands(fcinfo));
}
