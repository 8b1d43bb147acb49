/*
 * test_quant.c
 *		Rotation, float16 vectors and RaBitQ codes, without a server.
 *
 * What would break: recall, where a rotation bends distances or an estimate is
 * off; duplicates, where a vector that was read back gives other bits.
 *
 * Given an argument, "quick", errors are measured at few dimensions: for an
 * emulated processor.  Output is TAP.
 */
#include "unit.h"

#include <float.h>

#include "codec.h"
#include "kernel/kernel.h"
#include "kernels.h"
#include "quant/f16vec.h"
#include "quant/l1.h"
#include "quant/outliers.h"
#include "quant/rabitq.h"
#include "quant/rotation.h"

/* Standard normal (Box and Muller). */
static double
next_normal(void)
{
	return sqrt(-2.0 * log(1.0 - next_uniform())) *
		cos(2.0 * M_PI * next_uniform());
}

static void
fill_normal(int dim, float *x)
{
	for (int i = 0; i < dim; i++)
		x[i] = (float) next_normal();
}

static double
product(int dim, const float *a, const float *b)
{
	double		sum = 0.0;

	for (int i = 0; i < dim; i++)
		sum += (double) a[i] * b[i];
	return sum;
}

static double
distance_sq(int dim, const float *a, const float *b)
{
	double		sum = 0.0;

	for (int i = 0; i < dim; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sum;
}

static double
distance_l1(int dim, const float *a, const float *b)
{
	double		sum = 0.0;

	for (int i = 0; i < dim; i++)
		sum += fabs((double) a[i] - b[i]);
	return sum;
}

/*
 * Rotation
 */

static float signs[VS_ROTATION_FLIPS * MAX_DIM];

/*
 * Each addition of the transform rounds once; there are 2 * log2(block) + 1 of
 * them a round in a row, and as many multiplications as rounds twice.
 */
static double
rotation_tolerance(const VsRotation *rotation)
{
	return VS_ROTATION_ROUNDS * (2.0 * log2(rotation->block) + 4.0) / (1 << 24);
}

/* Whether the products of a few vectors survive the rotation. */
static bool
keeps_products(int dim, uint64 seed)
{
	static float x[MAX_DIM];
	static float y[MAX_DIM];
	VsRotation	rotation;
	double		before[3];
	double		scale;
	bool		kept = true;

	vs_rotation_init(&rotation, dim, seed, signs);
	for (int round = 0; round < 5; round++)
	{
		fill_normal(dim, x);
		fill_normal(dim, y);
		/* A vector with all its weight in one place too. */
		if (round == 4)
			for (int i = 0; i < dim; i++)
				x[i] = i == dim / 3 ? 1.0f : 0.0f;
		before[0] = product(dim, x, x);
		before[1] = product(dim, y, y);
		before[2] = product(dim, x, y);
		scale = sqrt(before[0] * before[1]) * rotation_tolerance(&rotation);
		vs_rotation_apply(&rotation, x);
		vs_rotation_apply(&rotation, y);
		kept &= fabs(product(dim, x, x) - before[0]) <=
			2 * before[0] * rotation_tolerance(&rotation);
		kept &= fabs(product(dim, x, y) - before[2]) <= 2 * scale;
	}
	return kept;
}

/*
 * Whether a vector with one element spreads: no element of its image keeps
 * more than what a random direction has, times a generous factor.
 */
static bool
spreads(int dim, uint64 seed)
{
	static float x[MAX_DIM];
	VsRotation	rotation;
	float		largest = 0.0f;

	vs_rotation_init(&rotation, dim, seed, signs);
	memset(x, 0, sizeof(x));
	x[dim / 2] = 1.0f;
	vs_rotation_apply(&rotation, x);
	for (int i = 0; i < dim; i++)
		largest = Max(largest, fabsf(x[i]));
	return largest <= 8.0 / sqrt(dim);
}

static void
test_rotation(void)
{
	bool		kept = true;
	bool		spread = true;

	for (int dim = 1; dim <= MAX_DIM; dim += dim < 300 ? 1 : 7)
		kept &= keeps_products(dim, dim);
	for (int i = 0; i < lengthof(dims); i++)
	{
		kept &= keeps_products(dims[i], 1000 + i);
		spread &= spreads(dims[i], i);
	}
	ok(kept, "rotations keep lengths and products, dimensions 1 to %d", MAX_DIM);
	ok(spread, "rotations spread a single element");
}

/*
 * float16 vectors
 */

/* Whether each element is kept within half a unit of its float16. */
static bool
keeps_elements(int dim, const float *x)
{
	static uint16 halves[MAX_DIM];
	static float back[MAX_DIM];
	int			exponent = vs_f16vec_encode(dim, x, halves);
	bool		kept = true;

	vs_kernel->f16_to_f32(dim, halves, vs_f16vec_scale(exponent), back);
	for (int i = 0; i < dim; i++)
	{
		/* Below the smallest normal float16, units no longer shrink. */
		double		unit = ldexp(1.0, exponent - 24);
		double		bound = Max(fabs(x[i]) / (1 << 11), unit / 2);

		/* At the end of float4's range there is no number to round up to. */
		if (exponent == VS_F16VEC_MAX_EXPONENT)
			bound *= 2;
		kept &= isfinite(back[i]) && fabs((double) back[i] - x[i]) <= bound;
	}
	return kept;
}

/* Whether what was decoded gives the same bits once more. */
static bool
encodes_again(int dim, const float *x)
{
	static uint16 halves[MAX_DIM];
	static uint16 again[MAX_DIM];
	static float back[MAX_DIM];
	int			exponent = vs_f16vec_encode(dim, x, halves);

	vs_kernel->f16_to_f32(dim, halves, vs_f16vec_scale(exponent), back);
	return vs_f16vec_encode(dim, back, again) == exponent &&
		memcmp(halves, again, sizeof(uint16) * dim) == 0;
}

static void
test_f16vec(const VsKernel *kernel)
{
	static float x[MAX_DIM];
	bool		kept = true;
	bool		stable = true;
	bool		exact = true;
	const float extremes[] = {0.0f, 1e-45f, 1.2e-38f, 1e-30f, 0.99999f, 1.0f,
	0.9997559f, 0.9997558f, 1e30f, 3.4e38f, FLT_MAX};

	vs_kernel = kernel;
	random_state = 7;
	for (int i = 0; i < lengthof(dims); i++)
		for (int magnitude = -145; magnitude <= 125; magnitude += 9)
		{
			for (int d = 0; d < dims[i]; d++)
				x[d] = (float) ldexp(next_uniform() - 0.5, magnitude);
			kept &= keeps_elements(dims[i], x);
			stable &= encodes_again(dims[i], x);
		}
	for (int i = 0; i < lengthof(extremes); i++)
	{
		x[0] = extremes[i];
		x[1] = -extremes[i];
		x[2] = 0.25f * extremes[i];
		kept &= keeps_elements(3, x);
		stable &= encodes_again(3, x);
	}
	for (int i = 0; i <= 2048; i++)
	{
		uint16		half;
		float		back;

		x[0] = (float) i;
		vs_kernel->f16_to_f32(1, &half, vs_f16vec_scale(vs_f16vec_encode(1, x, &half)),
							  &back);
		exact &= back == x[0];
	}
	ok(kept, "%s: float16 vectors keep eleven bits at any magnitude",
	   kernel->name);
	ok(stable, "%s: float16 vectors encode to the same bits again", kernel->name);
	ok(exact, "%s: integers up to 2048 are exact", kernel->name);
	vs_kernel_init();
}

/*
 * RaBitQ
 */

/* Garbage does not set the unit of all others. */
static void
test_outliers(void)
{
	enum
	{
		DIM = 20, NROWS = 400
	};
	static float rows[NROWS * DIM];
	int			nkept;
	bool		behind = true;

	for (int i = 0; i < NROWS * DIM; i++)
		rows[i] = (float) next_normal();
	for (int i = 0; i < NROWS; i += 50)
		for (int d = 0; d < DIM; d++)
			rows[i * DIM + d] *= 20.0f;
	nkept = vs_move_outliers(DIM, NROWS, rows);
	ok(nkept == NROWS, "rows that are somewhat far off stay");

	/* The farthest hides the others at first. */
	rows[10 * DIM] = 1e30f;
	rows[20 * DIM + 1] = 1e8f;
	rows[30 * DIM + 2] = -1e8f;
	nkept = vs_move_outliers(DIM, NROWS, rows);
	for (int i = 0; i < nkept * DIM; i++)
		behind &= fabsf(rows[i]) < 1e3f;
	ok(nkept == NROWS - 3 && behind, "rows of garbage are moved behind");

	for (int i = 0; i < NROWS * DIM; i++)
		rows[i] = i < 2 * DIM ? (float) next_normal() : 0.1f;
	nkept = vs_move_outliers(DIM, NROWS, rows);
	ok(nkept == NROWS, "few rows that are not all alike stay");
}

/*
 * Rows far from all centroids get some of their own, after which codes of the
 * rows before are what they were.
 */
static void
test_further_centroids(void)
{
	enum
	{
		DIM = 100, NROWS = 300, NMORE = 4, NBEFORE = 16
	};
	static float near_rows[NROWS * DIM];
	static float far_rows[NROWS * DIM];
	static float samples[NROWS * DIM];
	static float centroids[(NBEFORE + NMORE) * DIM];
	VsRabitq	before = make_codec(DIM, 1, VS_ESTIMATE_L2_SQ, NBEFORE, 5);
	VsRabitq	after = before;
	bool		same = true;
	bool		own = true;
	float		few;
	float		many;
	float		residual;

	for (int i = 0; i < NROWS * DIM; i++)
	{
		near_rows[i] = (float) next_normal();
		far_rows[i] = (float) (next_normal() + (i / DIM % 2 == 0 ? 20.0 : -20.0));
	}

	memcpy(samples, near_rows, sizeof(samples));
	few = vs_rabitq_train_more(&before, samples, NROWS, NMORE, 1,
							   centroids + NBEFORE * DIM, &residual);
	memcpy(samples, far_rows, sizeof(samples));
	many = vs_rabitq_train_more(&before, samples, NROWS, NMORE, 1,
								centroids + NBEFORE * DIM, &residual);

	memcpy(centroids, before.centroids, sizeof(float) * NBEFORE * DIM);
	after.centroids = centroids;
	after.ncentroids += NMORE;
	for (int i = 0; i < NROWS; i++)
	{
		Code		old;
		Code		new;

		encode(&before, near_rows + i * DIM, &old);
		encode(&after, near_rows + i * DIM, &new);
		same &= memcmp(&old, &new, sizeof(Code)) == 0;
		encode(&after, far_rows + i * DIM, &new);
		own &= !vs_rabitq_knows(&before, 1, &new.centroid) &&
			vs_rabitq_knows(&after, 1, &new.centroid);
	}
	ok(few < 0.1 && many > 0.9, "further centroids are worth it for far rows only");
	ok(fabs(residual - 2.0 * sqrt(DIM)) < 1.0,
	   "what is left of the distance is that within the clusters");
	ok(same, "further centroids leave the codes of other rows alone");
	ok(own, "far rows are of the further centroids, which the old codec lacks");
}

/* Squared tangent between a Gaussian vector and its code (Max 1960). */
static double
tangent_sq(int bits)
{
	switch (bits)
	{
		case 1:
			return M_PI / 2 - 1;
		case 2:
			return 0.1188 / (1 - 0.1188);
		case 4:
			return 0.01154 / (1 - 0.01154);
		default:

			/* Steps of 1/255 of the range, which ends at the largest element. */
			return pow(2 * 4.0 / 255, 2) / 12;
	}
}

/* What is known of many errors, each in units of what theory expects. */
typedef struct Errors
{
	int			n;
	double		sum;
	double		sum_sq;
	double		largest;
} Errors;

static void
add_error(Errors *errors, double error)
{
	errors->n++;
	errors->sum += error;
	errors->sum_sq += error * error;
	errors->largest = Max(errors->largest, fabs(error));
}

/*
 * The standard deviation that an estimate should have.  The residual r is seen
 * through its code: what the code misses is orthogonal to it, tan(angle) times
 * as long, and points anywhere among the other dim - 1 directions.  Added are
 * the query's rounding to 8 bits and that of the two float16 factors.
 */
static double
expected_error(const VsRabitq *codec, double step, double r_sq, double q_sq,
			   double code_tangent_sq)
{
	double		twice = codec->estimate == VS_ESTIMATE_L2_SQ ? 2 : 1;
	double		unseen = twice * twice * r_sq * q_sq * code_tangent_sq /
		Max(codec->dim - 1, 1);
	double		rounding = twice * twice * r_sq * (1 + code_tangent_sq) *
		pow(step, 2) / 12;
	double		factors = pow((r_sq + twice * sqrt(r_sq * q_sq)) / (1 << 12), 2);

	return sqrt(unseen + rounding + factors);
}

/* Rotate and scale as the codec does, into its unit. */
static void
to_unit(const VsRabitq *codec, const float *x, float *out)
{
	vs_rabitq_scale(codec, x, out);
	vs_rotation_apply(&codec->rotation, out);
}

/* True value of what the codec estimates, in its unit. */
static double
true_value(const VsRabitq *codec, const float *q, const float *x)
{
	return codec->estimate == VS_ESTIMATE_L2_SQ ?
		distance_sq(codec->dim, q, x) : -product(codec->dim, q, x);
}

/* Estimates of many random pairs; by codes alone if "symmetric". */
static Errors
measure_errors(int dim, int bits, VsEstimate estimate, bool symmetric)
{
	static float q[MAX_DIM];
	static float x[MAX_DIM];
	static float unit_q[MAX_DIM];
	static float unit_x[MAX_DIM];
	static Code code;
	static Code query_code;
	Errors		errors = {0};

	random_state = dim * 1000 + bits * 10 + estimate;
	for (int round = 0; round < 20; round++)
	{
		VsRabitq	codec = make_codec(dim, bits, estimate, symmetric ? 1 : 16,
									   round);
		VsRabitqQuery *query = vs_rabitq_query_create(&codec);

		for (int n = 0; n < 100; n++)
		{
			const float *center;
			float		value;
			double		expected;
			double		tan_sq = tangent_sq(bits);

			fill_normal(dim, q);
			fill_normal(dim, x);
			to_unit(&codec, q, unit_q);
			to_unit(&codec, x, unit_x);
			encode(&codec, x, &code);
			center = codec.centroids + code.centroid * dim;
			if (symmetric)
			{
				float		query_factors[2];
				float		factors[2];

				encode(&codec, q, &query_code);
				vs_kernel->f16_to_f32(2, &query_code.factors.add, 1.0f,
									  query_factors);
				vs_kernel->f16_to_f32(2, &code.factors.add, 1.0f, factors);
				vs_rabitq_query_bind_code(query, query_code.bytes,
										  query_factors[0], query_factors[1]);
				value = vs_rabitq_estimate_one(query, code.bytes, factors[0],
											   factors[1]);
				/* Both sides miss something, and both together. */
				tan_sq = 2 * tan_sq + tan_sq * tan_sq;
			}
			else
			{
				vs_rabitq_query_bind(query, q);
				vs_rabitq_estimate(query, 1, code.bytes, sizeof(code.bytes),
								   &code.factors, &code.centroid, &value);
			}
			expected = expected_error(&codec, symmetric ? 0.0 : query->step,
									  distance_sq(dim, unit_x, center),
									  distance_sq(dim, unit_q, codec.mean),
									  tan_sq);
			add_error(&errors, (value - true_value(&codec, unit_q, unit_x)) /
					  expected);
		}
	}
	return errors;
}

/*
 * Errors are centred on zero (five standard errors of the mean) and as large
 * as theory says: for a Gaussian of deviation 1, 2000 errors have a root mean
 * square within 8 percent of 1 and none beyond 6.  Residuals against 16
 * centroids are Gaussian but nearly; the bounds leave as much again.
 */
static void
test_estimates(int dim, int bits, VsEstimate estimate, bool symmetric)
{
	Errors		errors = measure_errors(dim, bits, estimate, symmetric);
	double		mean = errors.sum / errors.n;
	double		rms = sqrt(errors.sum_sq / errors.n);
	const char *what = estimate == VS_ESTIMATE_L2_SQ ?
		(symmetric ? "L2 between codes" : "L2") :
		(symmetric ? "product between codes" : "product");

	ok(fabs(mean) < 5.0 * rms / sqrt(errors.n),
	   "%s of %d dimensions, %d bits: unbiased (%.3f)", what, dim, bits, mean);
	ok(rms < 1.16 && errors.largest < 7.0,
	   "%s of %d dimensions, %d bits: errors as small as expected (%.3f, at most %.1f)",
	   what, dim, bits, rms, errors.largest);
}

/* Estimates from codes that are vectors: as exact as float16. */
static void
test_whole_vectors(VsEstimate estimate, const char *what)
{
	static float q[MAX_DIM];
	static float x[MAX_DIM];
	static Code code;
	bool		exact = true;

	for (int dim = 1; dim <= 40; dim++)
	{
		VsRabitq	codec = make_codec(dim, VS_RABITQ_FLOAT16_BITS, estimate, 1, dim);
		VsRabitqQuery *query = vs_rabitq_query_create(&codec);
		bool		is_l1 = estimate == VS_ESTIMATE_L1;
		double		unit = ldexp(1.0, -(is_l1 ? 1 : 2) * codec.exponent);
		float		value;

		for (int n = 0; n < 50; n++)
		{
			double		length;
			double		largest;
			double		tolerance;
			double		truth;

			fill_normal(dim, q);
			fill_normal(dim, x);
			encode(&codec, x, &code);
			vs_rabitq_query_bind(query, q);
			vs_rabitq_estimate(query, 1, code.bytes, sizeof(code.bytes),
							   &code.factors, &code.centroid, &value);

			/* Each element of x is off by 2^-11 of it at most. */
			length = sqrt(product(dim, x, x));
			largest = length + sqrt(product(dim, q, q));
			tolerance = 2.5 / (1 << 11) *
				(is_l1 ? sqrt(dim) * length : length * largest);
			truth = is_l1 ? distance_l1(dim, q, x) : true_value(&codec, q, x);
			exact &= fabs(value - unit * truth) <= unit * tolerance;
		}
	}
	ok(exact, "%s of whole vectors is exact to float16's bits", what);
}

/* What a codec by L1 adds for the part of x beyond its limits, in its unit. */
static double
expected_beyond(const VsRabitq *codec, const float *x, float limit, float near)
{
	double		unit = ldexp(1.0, -codec->exponent);
	double		beyond = 0.0;

	for (int i = 0; i < codec->dim; i++)
		beyond += unit * Max(fabs(x[i]) - limit, 0.0);
	return beyond * (2 * unit * near + beyond);
}

/*
 * By L1 codes are those of clamped and weighted vectors by L2; the squares of
 * estimates are theirs, plus what lies beyond the limits on both sides.
 */
static void
test_l1_codes(int dim, int bits)
{
	static float floats[vs_l1_nfloats(MAX_DIM)];
	static float x[2][MAX_DIM];
	static float weighted[2][MAX_DIM];
	static Code code;
	static Code weighted_code;
	const float limit = 2.5f;
	const float near = 3.0f;
	VsRabitq	plain = make_codec(dim, bits, VS_ESTIMATE_L2_SQ, 16, dim);
	VsRabitq	codec = plain;
	VsRabitqQuery *query;
	VsRabitqQuery *plain_query;
	bool		same = true;

	for (int i = 0; i < dim; i++)
	{
		floats[i] = (float) (0.1 + 3.0 * next_uniform());
		floats[dim + i] = -limit;
		floats[2 * dim + i] = limit;
	}
	floats[3 * dim] = near;
	codec.estimate = VS_ESTIMATE_L1;
	codec.has_l1 = true;
	codec.l1 = vs_l1_arrays(dim, floats);
	query = vs_rabitq_query_create(&codec);
	plain_query = vs_rabitq_query_create(&plain);

	for (int n = 0; n < 20; n++)
	{
		float		value;
		float		plain_value;
		double		expected;

		for (int side = 0; side < 2; side++)
		{
			fill_normal(dim, x[side]);
			for (int i = 0; i < dim; i++)
				weighted[side][i] = floats[i] *
					Max(Min(x[side][i], limit), -limit);
		}
		vs_rabitq_query_bind(query, x[0]);
		vs_rabitq_query_bind(plain_query, weighted[0]);
		encode(&codec, x[1], &code);
		encode(&plain, weighted[1], &weighted_code);
		vs_rabitq_estimate(query, 1, code.bytes, sizeof(code.bytes),
						   &code.factors, &code.centroid, &value);
		vs_rabitq_estimate(plain_query, 1, weighted_code.bytes,
						   sizeof(weighted_code.bytes), &weighted_code.factors,
						   &weighted_code.centroid, &plain_value);
		expected = plain_value + expected_beyond(&codec, x[0], limit, near) +
			expected_beyond(&codec, x[1], limit, near);

		/* Sums may run in another order, and one factor is a float16. */
		same &= code.centroid == weighted_code.centroid &&
			memcmp(code.bytes, weighted_code.bytes, sizeof(code.bytes)) == 0 &&
			fabs((double) value * value - expected) <= 2e-3 * expected;
	}
	ok(same, "L1 of %d dimensions, %d bits: clamped, weighted", dim, bits);
}

/* Dimensions of these deviations: a few heavy ones among many. */
static double
deviation_of(int d)
{
	return d % 50 == 0 ? 40.0 : 0.5 + (d % 7);
}

/*
 * Weights bring near vectors' L2 distance to their L1 distance: for Gaussian
 * differences they fall with the root of the deviation, nearly.  Heavy dimensions
 * decide which vectors are near, and differ less there.
 */
static void
test_l1_weights(void)
{
	enum
	{
		DIM = 300,
		N = 400
	};
	static float samples[N * DIM];
	static float weights[vs_l1_nfloats(DIM)];
	Errors		weight_errors = {0};
	Errors		distance_errors = {0};
	double		mean_weight = 0.0;

	random_state = 11;
	for (int i = 0; i < N; i++)
		for (int d = 0; d < DIM; d++)
			samples[i * DIM + d] = (float) (next_normal() * deviation_of(d));
	vs_l1_train(DIM, N, samples, weights);

	for (int d = 0; d < DIM; d++)
		mean_weight += weights[d] * sqrt(deviation_of(d)) / DIM;
	for (int d = 0; d < DIM; d++)
		add_error(&weight_errors,
				  weights[d] * sqrt(deviation_of(d)) / mean_weight - 1.0);
	for (int i = 0; i + 1 < N; i += 2)
	{
		const float *x = samples + i * DIM;
		double		sum = 0.0;

		for (int d = 0; d < DIM; d++)
			sum += pow((double) weights[d] * (x[d] - x[DIM + d]), 2);
		add_error(&distance_errors,
				  sqrt(sum) / distance_l1(DIM, x, x + DIM) - 1.0);
	}

	ok(weight_errors.largest < 0.4,
	   "L1 weights fall with the root of a dimension's deviation (off by %.3f)",
	   weight_errors.largest);
	ok(sqrt(distance_errors.sum_sq / distance_errors.n) < 0.06,
	   "weighted L2 distances are about L1 distances (off by %.3f)",
	   sqrt(distance_errors.sum_sq / distance_errors.n));
}

/* Samples from which nothing can be learned, and those of any magnitude. */
static void
test_l1_weights_limits(void)
{
	static float samples[3 * 4];
	static const float magnitudes[] = {0.0f, 1e-30f, 1.0f, 1e30f};
	float		floats[vs_l1_nfloats(4)];
	bool		sane = true;

	for (int i = 0; i < lengthof(magnitudes); i++)
		for (int n = 1; n <= 3; n++)
		{
			for (int d = 0; d < n * 4; d++)
				samples[d] = magnitudes[i] * (d % 4 == 0 ? 0 : (d * 7) % 5);
			vs_l1_train(4, n, samples, floats);
			for (int d = 0; d < lengthof(floats); d++)
				sane &= isfinite(floats[d]) && (d >= 4 || floats[d] > 0.0f);
		}
	ok(sane, "L1 weights are finite whatever the samples");
}

int
main(int argc, char **argv)
{
	static const int estimate_dims[] = {64, 100, 384, 784, 1537};
	bool		quick = argc > 1 && strcmp(argv[1], "quick") == 0;
	int			nestimate_dims = quick ? 2 : lengthof(estimate_dims);

	vs_kernel_init();
	test_rotation();
	for (int k = 0; k < lengthof(kernel_names); k++)
		if (vs_kernel_find(kernel_names[k]) != NULL)
			test_f16vec(vs_kernel_find(kernel_names[k]));
	test_outliers();
	test_further_centroids();

	for (int i = 0; i < nestimate_dims; i++)
		for (int bits = 1; bits <= 8; bits *= 2)
			for (VsEstimate e = VS_ESTIMATE_L2_SQ; e <= VS_ESTIMATE_NEGATIVE_IP; e++)
			{
				test_estimates(estimate_dims[i], bits, e, false);
				if (bits <= 4)
					test_estimates(estimate_dims[i], bits, e, true);
			}
	test_whole_vectors(VS_ESTIMATE_L2_SQ, "L2");
	test_whole_vectors(VS_ESTIMATE_NEGATIVE_IP, "product");
	test_whole_vectors(VS_ESTIMATE_L1, "L1");

	for (int i = 0; i < lengthof(estimate_dims); i++)
		for (int bits = 1; bits <= 4; bits *= 2)
			test_l1_codes(estimate_dims[i], bits);
	test_l1_weights();
	test_l1_weights_limits();
	return finish();
}
