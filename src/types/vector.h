/*
 * vector.h
 *		The vector type: float4 elements, as stored and passed around.
 *
 * Installed for other extensions.
 */
#ifndef VS_VECTOR_H
#define VS_VECTOR_H

#include "postgres.h"

#include "fmgr.h"

/* Most elements that a vector may have. */
#define VS_VECTOR_MAX_DIM 16000

/*
 * A detoasted vector.  On disk it is the same, but for a varlena header that
 * may be short, or a TOAST pointer in its place.
 */
typedef struct VsVector
{
	int32		vl_len_;		/* varlena header, do not touch directly */
	int16		dim;			/* number of elements, at least 1 */
	int16		unused;			/* always 0 */
	float		x[FLEXIBLE_ARRAY_MEMBER];
} VsVector;

StaticAssertDecl(offsetof(VsVector, x) == 8, "vector has an 8-byte header");

/* Bytes of a vector of dim elements, header included. */
static inline Size
vs_vector_size(int dim)
{
	return offsetof(VsVector, x) + sizeof(float) * dim;
}

/* The vector behind a datum; a palloc'd copy where that one was toasted. */
static inline VsVector *
DatumGetVsVector(Datum datum)
{
	return (VsVector *) PG_DETOAST_DATUM(datum);
}

#define PG_GETARG_VSVECTOR_P(n) DatumGetVsVector(PG_GETARG_DATUM(n))
#define PG_RETURN_VSVECTOR_P(v) PG_RETURN_POINTER(v)

/*
 * Allocate a vector of dim zeroes in the current memory context.  The caller
 * answers for dim being 1 to VS_VECTOR_MAX_DIM.
 */
extern VsVector *vs_vector_new(int dim);

#endif							/* VS_VECTOR_H */
