/*
 * generate.c
 *		Made-up vectors with the shape of real embeddings.
 *
 * Real embeddings lie near a surface of far fewer dimensions than they have,
 * in many clusters of unequal size and width.  So do these: a cluster is drawn
 * (probabilities fall with its number), a point around its centre in a space
 * of LATENT dimensions, that point is turned into the full space, noise is
 * added and the whole scaled to unit length.  Independent random numbers, by
 * contrast, would make every index look bad and all of them alike.
 */
#include "generate.h"

#include "driver.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CLUSTERS 2000
#define LATENT 48
#define NOISE 0.15

typedef struct Generator
{
	uint64_t	state;
	int			dim;
	float	   *turn;			/* LATENT rows of dim */
	float	   *centre;			/* CLUSTERS rows of LATENT */
	float		width[CLUSTERS][LATENT];
	double		cumulative[CLUSTERS];	/* sums of weights */
} Generator;

/* A normally distributed number (Box and Muller). */
static double
next_normal(uint64_t *state)
{
	double		u = 1 - vs_bench_next_uniform(state);
	double		v = vs_bench_next_uniform(state);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* n normally distributed numbers. */
static float *
normal_numbers(uint64_t *state, size_t n, double scale)
{
	float	   *numbers = vs_bench_alloc(n * sizeof(float));

	for (size_t i = 0; i < n; i++)
		numbers[i] = scale * next_normal(state);
	return numbers;
}

/* Draw the clusters and the turn into the full space. */
static Generator *
create_generator(int dim, long seed)
{
	Generator  *gen = vs_bench_alloc(sizeof(*gen));
	double		sum = 0;

	gen->state = seed;
	gen->dim = dim;
	gen->turn = normal_numbers(&gen->state, (size_t) LATENT * dim,
							   1 / sqrt(LATENT));
	gen->centre = normal_numbers(&gen->state, (size_t) CLUSTERS * LATENT, 1);
	for (int i = 0; i < CLUSTERS; i++)
	{
		for (int j = 0; j < LATENT; j++)
			gen->width[i][j] = 0.2 + 0.5 *
				vs_bench_next_uniform(&gen->state) *
				vs_bench_next_uniform(&gen->state);
		sum += pow(i + 5, -0.7);
		gen->cumulative[i] = sum;
	}
	return gen;
}

/* Draw a cluster by its weight. */
static int
next_cluster(Generator *gen)
{
	double		at = vs_bench_next_uniform(&gen->state) *
		gen->cumulative[CLUSTERS - 1];
	int			low = 0;
	int			high = CLUSTERS - 1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (gen->cumulative[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Make one vector. */
static void
next_vector(Generator *gen, float *vector)
{
	int			cluster = next_cluster(gen);
	double		norm_sq = 0;
	float		scale;

	for (int j = 0; j < gen->dim; j++)
		vector[j] = NOISE * next_normal(&gen->state);
	for (int t = 0; t < LATENT; t++)
	{
		float		z = gen->centre[cluster * LATENT + t] +
			gen->width[cluster][t] * next_normal(&gen->state);
		const float *turn = gen->turn + (size_t) t * gen->dim;

		for (int j = 0; j < gen->dim; j++)
			vector[j] += z * turn[j];
	}
	for (int j = 0; j < gen->dim; j++)
		norm_sq += (double) vector[j] * vector[j];
	scale = 1 / sqrt(norm_sq);
	for (int j = 0; j < gen->dim; j++)
		vector[j] *= scale;
}

/* Make n vectors. */
static VsVectors
next_vectors(Generator *gen, long n)
{
	VsVectors	vectors = {gen->dim, n, NULL};

	vectors.data = vs_bench_alloc(sizeof(float) * n * gen->dim);
	for (long i = 0; i < n; i++)
		next_vector(gen, vectors.data + i * gen->dim);
	return vectors;
}

/* Read "DIM:ROWS:QUERIES:SEED". */
VsGeneratorShape
vs_bench_parse_shape(const char *text)
{
	VsGeneratorShape shape;

	if (sscanf(text, "%d:%ld:%ld:%ld", &shape.dim, &shape.nrows,
			   &shape.nqueries, &shape.seed) != 4 ||
		shape.dim < 2 || shape.nrows < 1 || shape.nqueries < 1)
		vs_bench_fail("--generate: \"%s\" is not DIM:ROWS:QUERIES:SEED", text);
	return shape;
}

/*
 * Make a base and queries that come from the same clusters.  The same shape
 * gives the same vectors, up to the last bits of the C library's functions.
 */
void
vs_bench_generate(const VsGeneratorShape *shape, VsVectors *base,
				  VsVectors *queries)
{
	Generator  *gen = create_generator(shape->dim, shape->seed);

	*base = next_vectors(gen, shape->nrows);
	*queries = next_vectors(gen, shape->nqueries);
	free(gen->turn);
	free(gen->centre);
	free(gen);
}
