/*
 * densevec_distance_template.h
 *		Distances between two values.
 *
 * Part of densevec_template.h, which names the parameters.
 *
 * The kernels' sums are float4; what is made of them is float8.  Detoasted
 * copies are left to the caller's memory context, which executor and index
 * scans reset per tuple.
 */

/* Detoast the two arguments of a function and see that they match. */
static inline void
get_operands(FunctionCallInfo fcinfo, DenseVec **a, DenseVec **b)
{
	*a = datum_get_densevec(PG_GETARG_DATUM(0));
	*b = datum_get_densevec(PG_GETARG_DATUM(1));
	check_same_dim((*a)->dim, (*b)->dim);
}

/* What a kernel makes of the two arguments of a function. */
static inline double
compute_sum(FunctionCallInfo fcinfo,
			float (*kernel) (int, const DenseVecElement *,
							 const DenseVecElement *))
{
	DenseVec   *a;
	DenseVec   *b;

	get_operands(fcinfo, &a, &b);
	return kernel(a->dim, a->x, b->x);
}

/* Rounding may carry a cosine past its range; NaN passes through. */
static inline double
clamp_cosine(double cosine)
{
	if (cosine > 1)
		return 1;
	if (cosine < -1)
		return -1;
	return cosine;
}

/* Euclidean distance. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(l2_distance));
Datum
DENSEVEC_FN(l2_distance) (PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(sqrt(compute_sum(fcinfo, DENSEVEC_KERNEL(l2_sq))));
}

/* Orders as l2_distance does, for less work. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(l2_squared_distance));
Datum
DENSEVEC_FN(l2_squared_distance) (PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(compute_sum(fcinfo, DENSEVEC_KERNEL(l2_sq)));
}

/* Sum of the products of elements. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(inner_product));
Datum
DENSEVEC_FN(inner_product) (PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(compute_sum(fcinfo, DENSEVEC_KERNEL(ip)));
}

/* The largest inner product first: indexes only scan in ascending order. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(negative_inner_product));
Datum
DENSEVEC_FN(negative_inner_product) (PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(-compute_sum(fcinfo, DENSEVEC_KERNEL(ip)));
}

/* Taxicab distance. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(l1_distance));
Datum
DENSEVEC_FN(l1_distance) (PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(compute_sum(fcinfo, DENSEVEC_KERNEL(l1)));
}

/* The angle between two values of length 1, from 0 to 1 for pi. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(spherical_distance));
Datum
DENSEVEC_FN(spherical_distance) (PG_FUNCTION_ARGS)
{
	double		cosine = compute_sum(fcinfo, DENSEVEC_KERNEL(ip));

	PG_RETURN_FLOAT8(acos(clamp_cosine(cosine)) / M_PI);
}

/* NaN if either value is zero. */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(cosine_distance));
Datum
DENSEVEC_FN(cosine_distance) (PG_FUNCTION_ARGS)
{
	DenseVec   *a;
	DenseVec   *b;
	VsCosineSums sums;
	double		cosine;

	get_operands(fcinfo, &a, &b);
	sums = DENSEVEC_KERNEL(cosine) (a->dim, a->x, b->x);
	cosine = sums.ip / sqrt((double) sums.norm_a_sq * (double) sums.norm_b_sq);
	PG_RETURN_FLOAT8(1.0 - clamp_cosine(cosine));
}
