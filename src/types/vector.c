/*
 * vector.c
 *		The SQL type vector: float4 elements.
 *
 * Everything is in the template; this file says what a vector's elements are.
 */
#include "compat.h"

#include "kernel/kernel.h"
#include "port/pg_bswap.h"
#include "types/vector.h"

#define DENSEVEC_NAME "vector"
#define DENSEVEC_FN(name) vs_vector_##name
#define DENSEVEC_MAX_DIM VS_VECTOR_MAX_DIM
#define DENSEVEC_KERNEL(name) vs_kernel->f32_##name
#define DENSEVEC_TO_FLOAT(element) (element)
#define DENSEVEC_FROM_FLOAT(value) (value)
#define DENSEVEC_BITS uint32
#define DENSEVEC_TO_NETWORK(bits) pg_hton32(bits)
#define DENSEVEC_FROM_NETWORK(bits) pg_ntoh32(bits)
#define DenseVec VsVector
#define DenseVecElement float

#include "types/densevec_template.h"
