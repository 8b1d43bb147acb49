/*
 * opclass.c
 *		What an operator class tells an access method.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "fmgr.h"
#include "index/opclass.h"
#include "types/vector.h"

static int
vector_dim(const struct varlena *value)
{
	return ((const VsVector *) value)->dim;
}

static void
vector_to_float(const struct varlena *value, float *x)
{
	const VsVector *vector = (const VsVector *) value;

	memcpy(x, vector->x, sizeof(float) * vector->dim);
}

static const VsElementType vector_type = {
	.name = "vector",
	.max_dim = VS_VECTOR_MAX_DIM,
	.dim = vector_dim,
	.to_float = vector_to_float,
};

PG_FUNCTION_INFO_V1(vs_opclass_vector_l2);

/* Support function of vector_l2_ops. */
Datum
vs_opclass_vector_l2(PG_FUNCTION_ARGS)
{
	static const VsOpclass opclass = {&vector_type, VS_METRIC_L2};

	PG_RETURN_POINTER(&opclass);
}

PG_FUNCTION_INFO_V1(vs_opclass_vector_ip);

/* Support function of vector_ip_ops. */
Datum
vs_opclass_vector_ip(PG_FUNCTION_ARGS)
{
	static const VsOpclass opclass = {&vector_type, VS_METRIC_IP};

	PG_RETURN_POINTER(&opclass);
}

PG_FUNCTION_INFO_V1(vs_opclass_vector_cosine);

/* Support function of vector_cosine_ops. */
Datum
vs_opclass_vector_cosine(PG_FUNCTION_ARGS)
{
	static const VsOpclass opclass = {&vector_type, VS_METRIC_COSINE};

	PG_RETURN_POINTER(&opclass);
}

PG_FUNCTION_INFO_V1(vs_opclass_vector_l1);

/* Support function of vector_l1_ops. */
Datum
vs_opclass_vector_l1(PG_FUNCTION_ARGS)
{
	static const VsOpclass opclass = {&vector_type, VS_METRIC_L1};

	PG_RETURN_POINTER(&opclass);
}

const VsOpclass *
vs_opclass_of_index(Relation index)
{
	FmgrInfo   *procinfo = index_getprocinfo(index, 1, VS_OPCLASS_PROC);

	return (const VsOpclass *) DatumGetPointer(FunctionCall1(procinfo, (Datum) 0));
}

int
vs_opclass_index_dim(Relation index, const VsOpclass *opclass,
					 const char *am_name)
{
	int			dim = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;

	if (dim < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column does not have dimensions"),
				 errhint("Declare them, for example as %s(768), or index an expression cast to such a type.",
						 opclass->type->name)));
	if (dim > opclass->type->max_dim)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("column cannot have more than %d dimensions for %s index",
						opclass->type->max_dim, am_name)));
	return dim;
}

bool
vs_opclass_normalize(int dim, float *x)
{
	double		norm = 0.0;

	for (int i = 0; i < dim; i++)
		norm += (double) x[i] * x[i];
	if (norm == 0.0)
		return false;

	norm = sqrt(norm);
	for (int i = 0; i < dim; i++)
		x[i] = (float) (x[i] / norm);
	return true;
}

bool
vs_opclass_read(const VsOpclass *opclass, Datum value, int dim, float *x)
{
	struct varlena *detoasted = PG_DETOAST_DATUM(value);
	int			value_dim = opclass->type->dim(detoasted);
	bool		indexable = true;

	if (value_dim != dim)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("different %s dimensions %d and %d",
						opclass->type->name, value_dim, dim)));

	opclass->type->to_float(detoasted, x);
	if (opclass->metric == VS_METRIC_COSINE)
		indexable = vs_opclass_normalize(dim, x);

	if ((Pointer) detoasted != DatumGetPointer(value))
		pfree(detoasted);
	return indexable;
}
