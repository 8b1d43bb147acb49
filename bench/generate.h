/*
 * generate.h
 *		Made-up vectors with the shape of real embeddings.
 */
#ifndef VS_BENCH_GENERATE_H
#define VS_BENCH_GENERATE_H

#include "vectors.h"

typedef struct VsGeneratorShape
{
	int			dim;
	long		nrows;
	long		nqueries;
	long		seed;
} VsGeneratorShape;

extern VsGeneratorShape vs_bench_parse_shape(const char *text);
extern void vs_bench_generate(const VsGeneratorShape *shape, VsVectors *base,
							  VsVectors *queries);

#endif							/* VS_BENCH_GENERATE_H */
