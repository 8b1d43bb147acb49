/*
 * opclass.h
 *		What an operator class tells an access method: how to read a value and
 *		by which metric to rank.
 *
 * Support function 1 of every operator class of our vector access methods
 * returns a VsOpclass.  A new element type is a new VsElementType; a new
 * metric a new row in VsMetric.
 */
#ifndef VS_OPCLASS_H
#define VS_OPCLASS_H

#include "postgres.h"

#include "utils/rel.h"

/* Number of the support function that returns the VsOpclass. */
#define VS_OPCLASS_PROC 1

typedef enum VsMetric
{
	VS_METRIC_L2,
	VS_METRIC_IP,				/* negative inner product */
	VS_METRIC_COSINE,			/* L2 between vectors of unit length */
	VS_METRIC_L1
} VsMetric;

typedef struct VsElementType
{
	const char *name;			/* the SQL type's name */
	int			max_dim;
	int			(*dim) (const struct varlena *value);
	/* Write dim floats. */
	void		(*to_float) (const struct varlena *value, float *x);
} VsElementType;

typedef struct VsOpclass
{
	const VsElementType *type;
	VsMetric	metric;
} VsOpclass;

/* The operator class of the index's only key column. */
extern const VsOpclass *vs_opclass_of_index(Relation index);

/*
 * Dimensions of the indexed column; ERROR if it has none declared, or more
 * than its type can hold.
 */
extern int	vs_opclass_index_dim(Relation index, const VsOpclass *opclass,
								 const char *am_name);

/*
 * Read a non-NULL value as dim floats, of unit length under cosine.  Returns
 * false for a zero vector under cosine, which has no direction and is not
 * indexed.  ERROR if the value has other than dim dimensions.
 */
extern bool vs_opclass_read(const VsOpclass *opclass, Datum value, int dim,
							float *x);

/* Scale x to unit length; false if it is zero. */
extern bool vs_opclass_normalize(int dim, float *x);

#endif							/* VS_OPCLASS_H */
