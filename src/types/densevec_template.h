/*
 * densevec_template.h
 *		An SQL type of elements that lie side by side, for one element type.
 *
 * A file that includes this one becomes that type: text and binary I/O, casts
 * from and to arrays, distances, arithmetic, comparison, aggregates.  What is
 * peculiar to one type (casts between the vector types) stays in its file.
 *
 * Parameters, undefined again at the end:
 *
 *	DENSEVEC_NAME				the type's SQL name, a string literal
 *	DENSEVEC_FN(name)			the extern symbol of one of its functions
 *	DENSEVEC_MAX_DIM			most elements a value may have
 *	DENSEVEC_KERNEL(name)		the kernel for a distance: l2_sq, ip, l1, cosine
 *	DENSEVEC_TO_FLOAT(element)	an element as float4, exactly
 *	DENSEVEC_FROM_FLOAT(value)	the nearest element; infinite where too large
 *	DENSEVEC_BITS				the unsigned integer as wide as an element
 *	DENSEVEC_TO_NETWORK(bits)	its bytes in network order
 *	DENSEVEC_FROM_NETWORK(bits) and back
 *	DenseVec					the struct: varlena header, int16 dim, int16
 *								unused, elements x[]
 *	DenseVecElement				the C type of an element
 *
 * The including file includes kernel/kernel.h and what its parameters need.
 */
#include <math.h>

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "nodes/nodes.h"

StaticAssertDecl(sizeof(DENSEVEC_BITS) == sizeof(DenseVecElement),
				 "DENSEVEC_BITS is as wide as an element");

/* Bytes of a value of dim elements. */
static inline Size
size_for_dim(int dim)
{
	return offsetof(DenseVec, x) + sizeof(DenseVecElement) * dim;
}

/* Allocate a value of dim zeroes; the caller has checked dim. */
DenseVec *
DENSEVEC_FN(new) (int dim)
{
	DenseVec   *result;

	Assert(dim >= 1 && dim <= DENSEVEC_MAX_DIM);
	result = (DenseVec *) palloc0(size_for_dim(dim));
	SET_VARSIZE(result, size_for_dim(dim));
	result->dim = dim;
	return result;
}

/* The value behind a datum, detoasted. */
static inline DenseVec *
datum_get_densevec(Datum datum)
{
	return (DenseVec *) PG_DETOAST_DATUM(datum);
}

/*
 * The number of elements behind a datum, without fetching more of a toasted
 * value than its first bytes.
 */
static int
datum_get_dim(Datum datum)
{
	DenseVec   *head;

	if (VARATT_IS_EXTENDED(DatumGetPointer(datum)))
		head = (DenseVec *) PG_DETOAST_DATUM_SLICE(datum, 0,
												   offsetof(DenseVec, x) - VARHDRSZ);
	else
		head = (DenseVec *) DatumGetPointer(datum);
	return head->dim;
}

/*
 * The checks below raise an error, or, where the caller of an input function
 * asked for soft errors, note it in escontext and return false.
 */

/* A value needs at least one element and has room for so many. */
static bool
check_dim(int dim, Node *escontext)
{
	if (dim < 1)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg(DENSEVEC_NAME " must have at least 1 dimension")));
	if (dim > DENSEVEC_MAX_DIM)
		ereturn(escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg(DENSEVEC_NAME " cannot have more than %d dimensions",
						DENSEVEC_MAX_DIM)));
	return true;
}

/* A typmod, or a state, may prescribe the number of elements; -1 does not. */
static bool
check_expected_dim(int expected, int dim, Node *escontext)
{
	if (expected != -1 && expected != dim)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d dimensions, not %d", expected, dim)));
	return true;
}

/* Elements are finite numbers. */
static bool
check_element(DenseVecElement element, Node *escontext)
{
	float		value = DENSEVEC_TO_FLOAT(element);

	if (unlikely(isnan(value)))
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("NaN not allowed in " DENSEVEC_NAME)));
	if (unlikely(isinf(value)))
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("infinite value not allowed in " DENSEVEC_NAME)));
	return true;
}

/* The element nearest to a number from elsewhere, which may be out of range. */
static DenseVecElement
float_get_element(float value)
{
	DenseVecElement element = DENSEVEC_FROM_FLOAT(value);

	if (unlikely(isinf(DENSEVEC_TO_FLOAT(element)) && !isinf(value)))
	{
		char		number[FLOAT_SHORTEST_DECIMAL_LEN];

		float_to_shortest_decimal_buf(value, number);
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("\"%s\" is out of range for type %s",
						number, DENSEVEC_NAME)));
	}
	(void) check_element(element, NULL);
	return element;
}

/* Operands of a distance or of arithmetic match element by element. */
static inline void
check_same_dim(int dim_a, int dim_b)
{
	if (unlikely(dim_a != dim_b))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("different " DENSEVEC_NAME " dimensions %d and %d",
						dim_a, dim_b)));
}

#include "types/densevec_io_template.h"
#include "types/densevec_cast_template.h"
#include "types/densevec_distance_template.h"
#include "types/densevec_cost_template.h"
#include "types/densevec_ops_template.h"
#include "types/densevec_agg_template.h"

#undef DENSEVEC_NAME
#undef DENSEVEC_FN
#undef DENSEVEC_MAX_DIM
#undef DENSEVEC_KERNEL
#undef DENSEVEC_TO_FLOAT
#undef DENSEVEC_FROM_FLOAT
#undef DENSEVEC_BITS
#undef DENSEVEC_TO_NETWORK
#undef DENSEVEC_FROM_NETWORK
#undef DenseVec
#undef DenseVecElement
