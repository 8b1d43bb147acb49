/*
 * test_residual.c
 *		Codes around a center and their bounds, without a server.
 *
 * What would break: rows that an inverted list leaves out although they are the
 * nearest, where a bound is too high; the speed of its scan, where bounds are so
 * low that they leave out nothing.
 *
 * Given an argument, "quick", there are fewer rows: for an emulated processor.
 * Output is TAP.
 */
#include "unit.h"

#include <float.h>

#include "codec.h"
#include "kernel/kernel.h"
#include "kernel/packed.h"
#include "kernels.h"
#include "quant/residual.h"

#define MAX_ROWS	4000
#define MAX_QUERIES 100
#define K			10

/* How vectors lie. */
typedef enum Shape
{
	ONE_CLOUD,					/* Gaussian, around the center */
	CLUSTERED,					/* small clouds in a large one */
	SPARSE,						/* few elements, positive integers */
	FAR_OFF,					/* a small cloud, far from the origin */
	NSHAPES
} Shape;

static const char *const shape_names[] = {"one cloud", "clustered", "sparse",
"far off"};

static float rows[MAX_ROWS * 1024];
static uint8 codes[MAX_ROWS * 1024];
static uint16 add[MAX_ROWS];
static uint16 mul[MAX_ROWS];
static uint16 error[MAX_ROWS];
static float bounds[MAX_ROWS];
static double truth[MAX_ROWS];

/* Standard normal (Box and Muller). */
static float
next_normal(void)
{
	return (float) (sqrt(-2.0 * log(1.0 - next_uniform())) *
					cos(2.0 * M_PI * next_uniform()));
}

/* Draw a vector of a shape; clouds are told apart by "cloud". */
static void
draw_vector(Shape shape, int dim, int cloud, float *x)
{
	uint64		saved;

	switch (shape)
	{
		case ONE_CLOUD:
			for (int i = 0; i < dim; i++)
				x[i] = next_normal();
			break;
		case CLUSTERED:
			saved = random_state;
			random_state = cloud;
			for (int i = 0; i < dim; i++)
				x[i] = next_normal();
			random_state = saved;
			for (int i = 0; i < dim; i++)
				x[i] += 0.2f * next_normal();
			break;
		case SPARSE:
			for (int i = 0; i < dim; i++)
				x[i] = next_random() % 10 == 0 ? (float) (next_random() % 7) : 0.0f;
			break;
		default:
			for (int i = 0; i < dim; i++)
				x[i] = 20.0f + (i % 3) + 0.1f * next_normal();
			break;
	}
}

/* What is estimated, in double. */
static double
distance(VsEstimate estimate, int dim, const float *q, const float *x)
{
	double		sum = 0.0;

	for (int i = 0; i < dim; i++)
		if (estimate == VS_ESTIMATE_NEGATIVE_IP)
			sum -= (double) q[i] * x[i];
		else
			sum += ((double) q[i] - x[i]) * ((double) q[i] - x[i]);
	return sum;
}

/* The k-th smallest of what is in "truth". */
static double
kth_smallest(int n, int k)
{
	double		last = -INFINITY;

	for (int i = 0; i < k; i++)
	{
		double		next = INFINITY;

		for (int j = 0; j < n; j++)
			if (truth[j] > last && truth[j] < next)
				next = truth[j];
		last = next;
	}
	return last;
}

/* Fill rows and their codes around their mean. */
static void
make_codes(Shape shape, VsEstimate estimate, int bits, int dim, int n,
		   const VsRotation *rotation, float *center)
{
	static float scratch[MAX_DIM];
	size_t		nbytes = vs_code_nbytes(bits, dim);

	memset(center, 0, sizeof(float) * dim);
	for (int i = 0; i < n; i++)
	{
		draw_vector(shape, dim, i % 40, rows + i * dim);
		vs_rotation_apply(rotation, rows + i * dim);
		for (int d = 0; d < dim; d++)
			center[d] += rows[i * dim + d] / n;
	}
	for (int i = 0; i < n; i++)
	{
		VsResidualFactors factors;

		vs_residual_encode(estimate, bits, dim, rows + i * dim, center, scratch,
						   codes + i * nbytes, &factors);
		add[i] = factors.add;
		mul[i] = factors.mul;
		error[i] = factors.error;
	}
}

/* Whether packed codes have the bounds that row-major ones have. */
static bool
packed_alike(VsResidualQuery *query, int n)
{
	size_t		nbytes = vs_code_nbytes(query->bits, query->dim);
	static uint8 block[vs_packed_nbytes(1024)];
	float		packed[VS_PACKED_NCODES];
	bool		alike = true;

	for (int i = 0; i + VS_PACKED_NCODES <= n; i += VS_PACKED_NCODES)
	{
		vs_packed_fill(nbytes, codes + i * nbytes, block);
		vs_residual_bounds_packed(query, VS_PACKED_NCODES, block, add + i, mul + i,
								  error + i, packed);
		alike &= memcmp(packed, bounds + i, sizeof(packed)) == 0;
	}
	return alike;
}

/* Whether bounds hold, and leave enough out. */
static void
test_bounds(Shape shape, VsEstimate estimate, int bits, int dim, int n,
			int nqueries)
{
	static float center[MAX_DIM];
	static float x[MAX_DIM];
	static float signs[VS_ROTATION_FLIPS * MAX_DIM];
	VsRotation	rotation;
	VsResidualQuery *query = vs_residual_query_create(estimate, bits, dim);
	int			nabove = 0;
	int			nlost = 0;
	int			nread = 0;
	bool		alike = true;
	double		pairs = (double) n * nqueries;

	random_state = 1000 * dim + bits;
	vs_rotation_init(&rotation, dim, 77, signs);
	make_codes(shape, estimate, bits, dim, n, &rotation, center);
	for (int q = 0; q < nqueries; q++)
	{
		double		last;

		draw_vector(shape, dim, q % 40, x);
		vs_rotation_apply(&rotation, x);
		vs_residual_query_bind(query, x, center);
		vs_residual_bounds(query, n, codes, vs_code_nbytes(bits, dim), add, mul,
						   error, bounds);
		alike &= packed_alike(query, n);
		for (int i = 0; i < n; i++)
			truth[i] = distance(estimate, dim, x, rows + i * dim);
		last = kth_smallest(n, K);
		for (int i = 0; i < n; i++)
		{
			nabove += bounds[i] > truth[i];
			nlost += bounds[i] > last && truth[i] <= last;
			nread += bounds[i] <= last;
		}
	}
	ok(alike && nabove <= pairs / 10000 && nlost == 0,
	   "%s, %d dimensions, %d bits, %s: %.4f%% of the bounds are too high, %d of the nearest lost, %.1f%% of the rows read",
	   shape_names[shape], dim, bits,
	   estimate == VS_ESTIMATE_NEGATIVE_IP ? "product" : "L2",
	   100.0 * nabove / pairs, nlost, 100.0 * nread / pairs);
}

/* Bounds of rows that float16 factors cannot hold are low, or right. */
static void
test_magnitudes(VsEstimate estimate)
{
	enum
	{
		DIM = 100
	};
	static const float magnitudes[] = {0.0f, 1e-35f, 1e-20f, 1e-9f, 1e-5f, 1.0f,
	1e3f, 1e5f, 1e9f, 1e14f};
	static float scratch[DIM];
	float		x[DIM];
	float		q[DIM];
	float		center[DIM];
	uint8		code[DIM];
	VsResidualQuery *query = vs_residual_query_create(estimate, 2, DIM);
	bool		sound = true;

	for (int i = 0; i < lengthof(magnitudes); i++)
		for (int j = 0; j < lengthof(magnitudes); j++)
			for (int k = 0; k < lengthof(magnitudes); k++)
			{
				VsResidualFactors factors;
				float		bound;
				double		exact;

				for (int d = 0; d < DIM; d++)
				{
					x[d] = magnitudes[i] * next_normal();
					q[d] = magnitudes[j] * next_normal();
					center[d] = magnitudes[k] * next_normal();
				}
				vs_residual_encode(estimate, 2, DIM, x, center, scratch, code,
								   &factors);
				vs_residual_query_bind(query, q, center);
				vs_residual_bounds(query, 1, code, DIM, &factors.add, &factors.mul,
								   &factors.error, &bound);
				exact = distance(estimate, DIM, q, x);

				/* What float4 sums lose is not the code's affair. */
				sound &= !isnan(bound) &&
					bound <= exact + FLT_MIN + 1e-5 * (fabs(exact) +
													   distance(VS_ESTIMATE_L2_SQ, DIM, q, center) +
													   distance(VS_ESTIMATE_L2_SQ, DIM, x, center) +
													   fabs(distance(estimate, DIM, q, center)));
			}
	ok(sound, "%s: bounds hold at any magnitude",
	   estimate == VS_ESTIMATE_NEGATIVE_IP ? "product" : "L2");
}

int
main(int argc, char **argv)
{
	static const struct
	{
		int			dim;
		int			bits;
	}			sizes[] = {{40, 4}, {64, 4}, {100, 2}, {128, 2}, {200, 1}, {784, 1}};
	bool		quick = argc > 1 && strcmp(argv[1], "quick") == 0;

	vs_kernel_init();
	for (VsEstimate e = VS_ESTIMATE_L2_SQ; e <= VS_ESTIMATE_NEGATIVE_IP; e++)
	{
		for (int i = 0; i < lengthof(sizes); i++)
			for (Shape shape = 0; shape < NSHAPES; shape++)
				test_bounds(shape, e, sizes[i].bits, sizes[i].dim,
							quick ? 1000 : MAX_ROWS, quick ? 20 : MAX_QUERIES);
		test_magnitudes(e);
	}
	return finish();
}
