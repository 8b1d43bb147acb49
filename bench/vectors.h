/*
 * vectors.h
 *		Arrays of vectors, and the files that hold them.
 */
#ifndef VS_BENCH_VECTORS_H
#define VS_BENCH_VECTORS_H

#include <stdint.h>

/* n rows of dim elements, one after the other. */
typedef struct VsVectors
{
	int			dim;
	long		n;
	float	   *data;
} VsVectors;

/* n rows of width row numbers, nearest first. */
typedef struct VsNeighbours
{
	int			width;
	long		n;
	int32_t    *ids;
} VsNeighbours;

/* Row number i. */
static inline const float *
vs_bench_row(const VsVectors *vectors, long i)
{
	return vectors->data + i * vectors->dim;
}

extern VsVectors vs_bench_read_vectors(const char *path, long limit);
extern VsNeighbours vs_bench_read_neighbours(const char *path, long limit);
extern uint8_t *vs_bench_read_labels(const char *path, long n);

#endif							/* VS_BENCH_VECTORS_H */
