/*
 * test_kernel.c
 *		Every kernel that this processor runs, against plain references.
 *
 * What would break: wrong distances or missed elements at some length or
 * alignment, reads beyond an array (which only crash when an array happens to
 * end a page), codes or conversions that differ between two machines.
 *
 * Arrays lie against inaccessible pages, so a read or write beyond either end
 * is a crash.  Given an argument, "quick", long arrays are of some lengths only:
 * for an emulated processor.  Output is TAP.
 */
#include "c.h"

#include <math.h>

#include "arena.h"
#include "kernel/half.h"
#include "kernel/kernel.h"
#include "kernels.h"

/* The server's own printf is in a library that this program does without. */
#undef printf

#define MAX_DIM 2050

/* Where lengths begin to be left out if a test is to be quick. */
#define QUICK_MAX_DIM 300

/* Half the distance between 1 and the next float. */
#define UNIT_ROUNDOFF (1.0 / (1 << 24))

static int	ntests = 0;
static int	nfailed = 0;
static bool quick = false;

/* Report one test: that a kernel's function does what is promised. */
static void
ok(bool passed, const char *kernel, const char *function, const char *promise)
{
	ntests++;
	if (!passed)
		nfailed++;
	printf("%sok %d - %s %s %s\n",
		   passed ? "" : "not ", ntests, kernel, function, promise);
}

/*
 * Random numbers, the same in every run (splitmix64).
 */
static uint64 random_state = 20240229;

static uint64
next_random(void)
{
	uint64		z = (random_state += UINT64CONST(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Uniform in -1..1. */
static double
next_uniform(void)
{
	return (double) (next_random() >> 11) / (UINT64CONST(1) << 52) - 1;
}

/* Uniform among the integers low..high. */
static int
next_integer(int low, int high)
{
	return low + (int) (next_random() % (uint64) (high - low + 1));
}

/* The length to test after dim. */
static int
next_dim(int dim)
{
	return dim + (quick && dim >= QUICK_MAX_DIM ? 7 : 1);
}

/*
 * Distances
 */

/* What the functions under test read, and the same values in double. */
typedef struct Input
{
	int			dim;
	float		scale;
	const float *a;
	const float *b;
	const uint16 *half_a;
	const uint16 *half_b;
	double		value_a[MAX_DIM];
	double		value_b[MAX_DIM];
	double		value_half_a[MAX_DIM];
	double		value_half_b[MAX_DIM];
	double		value_scaled_b[MAX_DIM];
} Input;

static Arena arena_a;
static Arena arena_b;
static Arena arena_half_a;
static Arena arena_half_b;
static Arena arena_query;

/*
 * Fill the input: with small integers, whose every sum is exact in float4
 * whatever its order, or with fractions.
 */
static void
fill_input(Input *input, int dim, Placement placement, bool integers)
{
	float	   *a = place(arena_a, placement, dim, sizeof(float));
	float	   *b = place(arena_b, placement, dim, sizeof(float));
	uint16	   *half_a = place(arena_half_a, placement, dim, sizeof(uint16));
	uint16	   *half_b = place(arena_half_b, placement, dim, sizeof(uint16));

	input->dim = dim;
	input->scale = integers ? 0.25 : 0.7f;
	input->a = a;
	input->b = b;
	input->half_a = half_a;
	input->half_b = half_b;

	for (int i = 0; i < dim; i++)
	{
		a[i] = integers ? next_integer(-16, 16) : next_uniform();
		b[i] = integers ? next_integer(-16, 16) : next_uniform();
		half_a[i] = vs_float_to_half(integers ? next_integer(-16, 16)
									 : next_uniform());
		half_b[i] = vs_float_to_half(integers ? next_integer(-16, 16)
									 : next_uniform());

		input->value_a[i] = a[i];
		input->value_b[i] = b[i];
		input->value_half_a[i] = vs_half_to_float(half_a[i]);
		input->value_half_b[i] = vs_half_to_float(half_b[i]);
		input->value_scaled_b[i] = input->value_half_b[i] * input->scale;
	}
}

/* A term of each metric's sum. */
static double
l2_sq_term(double a, double b)
{
	return (a - b) * (a - b);
}

static double
ip_term(double a, double b)
{
	return a * b;
}

static double
l1_term(double a, double b)
{
	return fabs(a - b);
}

/*
 * Does a result agree with the sum that it stands for?
 *
 * Sums of exact terms must be exact.  Otherwise the error of a sum is at most
 * the roundings on a term's longest way into it, each UNIT_ROUNDOFF times what
 * the sum were if nothing cancelled out (Higham, Accuracy and Stability of
 * Numerical Algorithms, section 4.2).  On that way are the additions within a
 * lane, at most 16 to join lanes and accumulators, and 5 in the term itself:
 * scaling and subtracting, both twice where squared, and squaring.
 */
static bool
is_close(const char *kernel, float result, double (*term) (double, double),
		 int dim, const double *a, const double *b, bool exact)
{
	int			lanes = strcmp(kernel, "scalar") == 0 ? 1 : 4;
	double		nroundings = dim / lanes + 16 + 5;
	double		sum = 0;
	double		sum_abs = 0;

	for (int i = 0; i < dim; i++)
	{
		sum += term(a[i], b[i]);
		sum_abs += fabs(term(fabs(a[i]), -fabs(b[i])));
	}

	return exact ? result == sum :
		fabs(result - sum) <= nroundings * UNIT_ROUNDOFF * sum_abs;
}

/* Numbers of the distance functions in the tests' report. */
enum
{
	F32_L2_SQ, F32_IP, F32_L1, F32_COSINE,
	F16_L2_SQ, F16_IP, F16_L1, F16_COSINE,
	F32_F16_L2_SQ, F32_F16_IP, F32_F16_L1,
	NDISTANCES
};

static const char *const distance_names[NDISTANCES] = {
	"f32_l2_sq", "f32_ip", "f32_l1", "f32_cosine",
	"f16_l2_sq", "f16_ip", "f16_l1", "f16_cosine",
	"f32_f16_l2_sq", "f32_f16_ip", "f32_f16_l1"
};

/* The three sums of a cosine. */
static bool
is_close_cosine(const char *kernel, VsCosineSums sums,
				int dim, const double *a, const double *b, bool exact)
{
	return is_close(kernel, sums.ip, ip_term, dim, a, b, exact) &&
		is_close(kernel, sums.norm_a_sq, ip_term, dim, a, a, exact) &&
		is_close(kernel, sums.norm_b_sq, ip_term, dim, b, b, exact);
}

/* All distances of one input; passed[] is cleared where one is wrong. */
static void
check_distances(const VsKernel *k, const Input *in, bool exact, bool *passed)
{
	const char *name = k->name;
	int			dim = in->dim;
	const double *a = in->value_a;
	const double *b = in->value_b;

	passed[F32_L2_SQ] &= is_close(name, k->f32_l2_sq(dim, in->a, in->b),
								  l2_sq_term, dim, a, b, exact);
	passed[F32_IP] &= is_close(name, k->f32_ip(dim, in->a, in->b),
							   ip_term, dim, a, b, exact);
	passed[F32_L1] &= is_close(name, k->f32_l1(dim, in->a, in->b),
							   l1_term, dim, a, b, exact);
	passed[F32_COSINE] &= is_close_cosine(name,
										  k->f32_cosine(dim, in->a, in->b),
										  dim, a, b, exact);

	b = in->value_scaled_b;
	passed[F32_F16_L2_SQ] &=
		is_close(name, k->f32_f16_l2_sq(dim, in->a, in->half_b, in->scale),
				 l2_sq_term, dim, a, b, exact);
	passed[F32_F16_IP] &=
		is_close(name, k->f32_f16_ip(dim, in->a, in->half_b, in->scale),
				 ip_term, dim, a, b, exact);
	passed[F32_F16_L1] &=
		is_close(name, k->f32_f16_l1(dim, in->a, in->half_b, in->scale),
				 l1_term, dim, a, b, exact);

	a = in->value_half_a;
	b = in->value_half_b;
	passed[F16_L2_SQ] &= is_close(name,
								  k->f16_l2_sq(dim, in->half_a, in->half_b),
								  l2_sq_term, dim, a, b, exact);
	passed[F16_IP] &= is_close(name, k->f16_ip(dim, in->half_a, in->half_b),
							   ip_term, dim, a, b, exact);
	passed[F16_L1] &= is_close(name, k->f16_l1(dim, in->half_a, in->half_b),
							   l1_term, dim, a, b, exact);
	passed[F16_COSINE] &=
		is_close_cosine(name, k->f16_cosine(dim, in->half_a, in->half_b),
						dim, a, b, exact);
}

/* Every length at every placement. */
static void
test_distances(const VsKernel *kernel, bool integers)
{
	static Input input;
	bool		passed[NDISTANCES];

	memset(passed, true, sizeof(passed));
	for (int dim = 1; dim <= MAX_DIM; dim = next_dim(dim))
		for (int placement = 0; placement < NPLACEMENTS; placement++)
		{
			fill_input(&input, dim, placement, integers);
			check_distances(kernel, &input, integers, passed);
		}

	for (int i = 0; i < NDISTANCES; i++)
		ok(passed[i], kernel->name, distance_names[i],
		   integers ? "sums integers exactly"
		   : "errs no more than its roundings");
}

/*
 * Conversions
 */

static uint32
bits_of(float value)
{
	uint32		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static float
float_of(uint32 bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* A half's value from its definition; not for NaN. */
static double
value_of_half(uint16 half)
{
	int			exponent = (half >> 10) & 0x1f;
	int			fraction = half & 0x03ff;
	double		magnitude;

	if (exponent == 0x1f)
		magnitude = INFINITY;
	else if (exponent == 0)
		magnitude = ldexp(fraction, -24);
	else
		magnitude = ldexp(0x0400 | fraction, exponent - 25);

	return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

/* Every half becomes the float of its value; NaNs stay the same, quiet. */
static void
test_half_to_float(void)
{
	bool		passed = true;

	for (int half = 0; half <= PG_UINT16_MAX; half++)
	{
		uint32		bits = bits_of(vs_half_to_float(half));

		if ((half & 0x7fff) > 0x7c00)
			passed &= bits == ((uint32) (half & 0x8000) << 16 | 0x7fc00000 |
							   (uint32) (half & 0x01ff) << 13);
		else
			passed &= bits == bits_of((float) value_of_half(half));
	}
	ok(passed, "half.h", "vs_half_to_float", "gives every half's value");
}

/*
 * Around every half: itself, the floats next to it, the point halfway to the
 * next half and the floats next to that.  2^16 takes infinity's place as a
 * neighbour, as IEEE 754 has it.
 */
static void
test_float_to_half(void)
{
	bool		passed = true;

	for (int half = 0; half < 0x7c00; half++)
	{
		double		next = half == 0x7bff ? 65536 : value_of_half(half + 1);
		float		value = (float) value_of_half(half);
		float		halfway = (float) ((value + next) / 2);
		uint16		even = (half & 1) == 0 ? half : half + 1;

		passed &= vs_float_to_half(value) == half;
		passed &= vs_float_to_half(nextafterf(value, INFINITY)) == half;
		passed &= vs_float_to_half(nextafterf(halfway, 0)) == half;
		passed &= vs_float_to_half(halfway) == even;
		passed &= vs_float_to_half(nextafterf(halfway, INFINITY)) == half + 1;
		passed &= vs_float_to_half(nextafterf((float) next, 0)) == half + 1;

		passed &= vs_float_to_half(-value) == (half | 0x8000);
		passed &= vs_float_to_half(-halfway) == (even | 0x8000);
	}
	ok(passed, "half.h", "vs_float_to_half", "rounds to nearest, ties to even");

	passed = vs_float_to_half(INFINITY) == 0x7c00 &&
		vs_float_to_half(-INFINITY) == 0xfc00 &&
		vs_float_to_half(65520) == 0x7c00 &&
		vs_float_to_half(3e38f) == 0x7c00 &&
		vs_float_to_half(1e-45f) == 0 &&
		vs_float_to_half(-1e-45f) == 0x8000 &&
		vs_float_to_half(float_of(0x7f800001)) == 0x7e00 &&
		vs_float_to_half(float_of(0xffc02000)) == 0xfe01;
	ok(passed, "half.h", "vs_float_to_half", "knows infinities and NaNs");
}

/* All halves, at every length and placement, with a scale. */
static void
test_f16_to_f32(const VsKernel *kernel)
{
	static const float scales[] = {1, 0.7f, 1e-40f, 1e36f};
	bool		passed = true;
	uint16		half = 0;

	for (int dim = 1; dim <= MAX_DIM; dim = next_dim(dim))
		for (int placement = 0; placement < NPLACEMENTS; placement++)
		{
			float		scale = scales[dim % lengthof(scales)];
			uint16	   *in = place(arena_half_a, placement, dim, sizeof(*in));
			float	   *out = place(arena_b, placement, dim, sizeof(*out));

			for (int i = 0; i < dim; i++)
				in[i] = half++;
			kernel->f16_to_f32(dim, in, scale, out);
			for (int i = 0; i < dim; i++)
				passed &= bits_of(out[i]) ==
					bits_of(vs_half_to_float(in[i]) * scale);
		}
	ok(passed, kernel->name, "f16_to_f32", "equals vs_half_to_float");
}

/*
 * Random floats of any kind, and many where rounding is hard: halves with
 * some bits beyond them.
 */
static void
test_f32_to_f16(const VsKernel *kernel)
{
	static const float scales[] = {1, 0.7f, 1.0f / (1 << 20), 1 << 15};
	bool		passed = true;

	for (int dim = 1; dim <= MAX_DIM; dim = next_dim(dim))
		for (int placement = 0; placement < NPLACEMENTS; placement++)
		{
			float		scale = scales[dim % lengthof(scales)];
			float	   *in = place(arena_a, placement, dim, sizeof(*in));
			uint16	   *out = place(arena_half_b, placement, dim,
									sizeof(*out));

			for (int i = 0; i < dim; i++)
			{
				uint64		r = next_random();
				uint32		half_bits = bits_of(vs_half_to_float(r >> 32));

				in[i] = float_of(r >> 63 ? (uint32) r :
								 half_bits + ((uint32) r & 0x3) * 0x0800);
			}
			kernel->f32_to_f16(dim, in, scale, out);
			for (int i = 0; i < dim; i++)
				passed &= out[i] == vs_float_to_half(in[i] * scale);
		}
	ok(passed, kernel->name, "f32_to_f16", "equals vs_float_to_half");
}

/* No conversion writes to elements that it was not asked for. */
static void
test_conversion_bounds(const VsKernel *kernel)
{
	static uint16 half[MAX_DIM + 2];
	static float value[MAX_DIM + 2];
	bool		passed = true;

	for (int dim = 1; dim <= MAX_DIM; dim = next_dim(dim))
	{
		memset(half, 0x55, sizeof(half));
		memset(value, 0x55, sizeof(value));
		kernel->f32_to_f16(dim, (float *) arena_a.begin, 1, half + 1);
		kernel->f16_to_f32(dim, (uint16 *) arena_half_a.begin, 1, value + 1);
		passed &= half[0] == 0x5555 && half[dim + 1] == 0x5555 &&
			bits_of(value[0]) == 0x55555555 &&
			bits_of(value[dim + 1]) == 0x55555555;
	}
	ok(passed, kernel->name, "conversions", "write only what they convert");
}

/*
 * What encoding computes
 */

/* A sum in the order that kernel.h promises: over 16 lanes, then pairwise. */
static float
exact_sum(float (*term) (float, float), int dim, const float *a, const float *b)
{
	float		lanes[16] = {0};

	for (int i = 0; i < dim; i++)
		lanes[i % 16] += term(a[i], b[i]);
	for (int width = 8; width > 0; width /= 2)
		for (int i = 0; i < width; i++)
			lanes[i] += lanes[i + width];
	return lanes[0];
}

static float
exact_ip_term(float a, float b)
{
	return a * b;
}

static float
exact_l2_sq_term(float a, float b)
{
	return (a - b) * (a - b);
}

static float
exact_abs_term(float a, float b)
{
	return fabsf(a);
}

/* Sums and the largest magnitude, to the bit. */
static void
test_exact_sums(const VsKernel *kernel)
{
	static Input input;
	bool		passed = true;

	for (int dim = 1; dim <= MAX_DIM; dim = next_dim(dim))
		for (int placement = 0; placement < NPLACEMENTS; placement++)
		{
			const float *a;
			const float *b;
			float		largest = 0;

			fill_input(&input, dim, placement, false);
			a = input.a;
			b = input.b;
			for (int i = 0; i < dim; i++)
				largest = fabsf(a[i]) > largest ? fabsf(a[i]) : largest;

			passed &= bits_of(kernel->exact_ip(dim, a, b)) ==
				bits_of(exact_sum(exact_ip_term, dim, a, b));
			passed &= bits_of(kernel->exact_l2_sq(dim, a, b)) ==
				bits_of(exact_sum(exact_l2_sq_term, dim, a, b));
			passed &= bits_of(kernel->exact_sum_abs(dim, a)) ==
				bits_of(exact_sum(exact_abs_term, dim, a, a));
			passed &= kernel->max_abs(dim, a) == largest;
		}
	ok(passed, kernel->name, "exact sums", "have the bits of their definition");
}

/* The transform stage by stage from the narrowest, to the bit. */
static void
test_hadamard(const VsKernel *kernel)
{
	static float expected[MAX_DIM];
	bool		passed = true;

	for (int n = 1; n <= MAX_DIM; n *= 2)
		for (int placement = 0; placement < NPLACEMENTS; placement++)
		{
			float	   *x = place(arena_a, placement, n, sizeof(*x));

			for (int i = 0; i < n; i++)
				expected[i] = x[i] = next_uniform();
			for (int width = 1; width < n; width *= 2)
				for (int i = 0; i < n; i++)
					if ((i & width) == 0)
					{
						float		a = expected[i];
						float		b = expected[i + width];

						expected[i] = a + b;
						expected[i + width] = a - b;
					}
			for (int i = 0; i < n; i++)
				expected[i] *= 0.7f;
			kernel->hadamard(n, 0.7f, x);
			passed &= memcmp(x, expected, sizeof(float) * n) == 0;
		}
	ok(passed, kernel->name, "hadamard", "has the bits of its definition");
}

/*
 * Codes
 */

#define NCODES 5

/* Element i of a code, from the format's definition. */
static int
code_element(int bits, const uint8 *code, int i)
{
	int			element = 0;

	for (int bit = 0; bit < bits; bit++)
	{
		int			at = i * bits + bit;

		element |= ((code[at / 8] >> (at % 8)) & 1) << bit;
	}
	return element;
}

/*
 * Dot products of random codes, or of those with the largest sums, at a
 * placement: the codes side by side with a gap that no kernel may touch or
 * depend on, the prepared query in a buffer that is no larger than promised.
 */
static bool
check_code_dots(const VsKernel *kernel, int bits, int dim,
				Placement placement, bool extreme)
{
	int			nbytes = (int) vs_code_nbytes(bits, dim);
	int			stride = nbytes + (placement == AT_BEGIN ? 3 : 0);
	int			nunused = nbytes * 8 - dim * bits;
	int8		query[MAX_DIM];
	int32		dots[NCODES];
	uint8	   *prepared;
	uint8	   *codes;

	prepared = place(arena_query, AT_END, vs_code_query_nbytes(bits, dim), 1);
	codes = place(arena_a, placement, (NCODES - 1) * stride + nbytes, 1);

	for (int i = 0; i < dim; i++)
		query[i] = extreme ? (dim % 2 == 0 ? 127 : -127)
			: next_integer(-127, 127);
	for (int i = 0; i < (NCODES - 1) * stride + nbytes; i++)
		codes[i] = extreme ? 0xff : next_random();
	for (int j = 0; j < NCODES; j++)
		codes[j * stride + nbytes - 1] &= 0xff >> nunused;

	memset(prepared, 0x55, vs_code_query_nbytes(bits, dim));
	kernel->prepare_code_query(bits, dim, query, prepared);
	kernel->code_dots(bits, dim, prepared, codes, stride, NCODES, dots);

	for (int j = 0; j < NCODES; j++)
	{
		int32		sum = 0;

		for (int i = 0; i < dim; i++)
			sum += code_element(bits, codes + j * stride, i) * query[i];
		if (dots[j] != sum)
			return false;
	}
	return true;
}

/*
 * A code prepared as the query against itself and another, and its sum.
 */
static bool
check_prepare_code(const VsKernel *kernel, int bits, int dim)
{
	int			nbytes = (int) vs_code_nbytes(bits, dim);
	int			nunused = nbytes * 8 - dim * bits;
	uint8	   *codes = place(arena_a, AT_END, 2 * nbytes, 1);
	uint8	   *query = codes + nbytes;
	uint8	   *prepared = place(arena_query, AT_END,
								 vs_code_query_nbytes(bits, dim), 1);
	int32		dots[2];
	int32		sums[3] = {0};

	for (int i = 0; i < 2 * nbytes; i++)
		codes[i] = next_random();
	codes[nbytes - 1] &= 0xff >> nunused;
	query[nbytes - 1] &= 0xff >> nunused;

	for (int i = 0; i < dim; i++)
	{
		int			q = 2 * code_element(bits, query, i) - ((1 << bits) - 1);

		sums[0] += code_element(bits, codes, i) * q;
		sums[1] += code_element(bits, query, i) * q;
		sums[2] += q;
	}

	memset(prepared, 0x55, vs_code_query_nbytes(bits, dim));
	if (kernel->prepare_code(bits, dim, query, prepared) != sums[2])
		return false;
	kernel->code_dots(bits, dim, prepared, codes, nbytes, 2, dots);
	return dots[0] == sums[0] && dots[1] == sums[1];
}

static void
test_code_dots(const VsKernel *kernel, int bits, const char *function)
{
	bool		passed = true;

	for (int dim = 1; dim <= MAX_DIM; dim = next_dim(dim))
	{
		for (int placement = 0; placement < NPLACEMENTS; placement++)
			passed &= check_code_dots(kernel, bits, dim, placement, false);
		passed &= check_code_dots(kernel, bits, dim, AT_END, true);
		if (bits <= 4)
			passed &= check_prepare_code(kernel, bits, dim);
	}
	ok(passed, kernel->name, function, "is exact");
}

/*
 * The choice of a kernel
 */

static void
test_choice(void)
{
	ok(strcmp(vs_kernel->name, "scalar") == 0,
	   "vs_kernel", "before vs_kernel_init", "is scalar");
	vs_kernel_init();
	ok(vs_kernel == vs_kernel_find("auto"),
	   "vs_kernel", "after vs_kernel_init", "is the best");
	ok(vs_kernel_find(vs_kernel->name) == vs_kernel,
	   "vs_kernel_find", "of a kernel's name", "finds it");
	ok(vs_kernel_find("abacus") == NULL,
	   "vs_kernel_find", "of an unknown name", "finds nothing");
}

/*
 * Products of bytes
 */

#define BYTE_DIM	71			/* not whole quads */
#define BYTE_STRIDE	80
#define BYTE_GROUPS	7			/* not whole tiles */
#define BYTE_COLUMNS (BYTE_GROUPS * VS_BYTES_GROUP)

/* Rounding, its sums, and no byte beyond. */
static void
test_quantize(const VsKernel *kernel)
{
	bool		same = true;

	for (int dim = 1; dim <= BYTE_DIM; dim++)
	{
		float		x[BYTE_DIM];
		float		dither[BYTE_DIM];
		int8		bytes[BYTE_DIM + 1];
		VsByteSums	sums;
		int			sum = 0;
		int			sum_sq = 0;

		for (int i = 0; i < dim; i++)
		{
			x[i] = (float) next_uniform();
			dither[i] = (float) (next_uniform() + 1) / 2;
		}
		bytes[dim] = 77;
		sums = kernel->bytes->quantize(dim, x, 126.5f, dither, bytes);
		for (int i = 0; i < dim; i++)
		{
			same &= bytes[i] == (int) floorf(x[i] * 126.5f + dither[i]);
			sum += bytes[i];
			sum_sq += bytes[i] * bytes[i];
		}
		same &= sums.sum == sum && sums.sum_sq == sum_sq && bytes[dim] == 77;
	}
	ok(same, kernel->name, "bytes.quantize", "rounds up to the dither");
}

/* Products of extreme and other bytes. */
static void
test_byte_products(const VsKernel *kernel)
{
	const int	nquads = vs_bytes_nquads(BYTE_DIM);
	static int8 rows[2 * VS_BYTES_ROWS * BYTE_STRIDE];
	static uint8 packed[BYTE_COLUMNS * BYTE_STRIDE];
	static int32 dots[2 * VS_BYTES_ROWS * BYTE_COLUMNS];
	bool		same = true;

	for (int i = 0; i < lengthof(rows); i++)
		rows[i] = i < BYTE_STRIDE ? -127 : next_integer(-127, 127);
	for (int i = 0; i < lengthof(packed); i++)
		packed[i] = i < BYTE_STRIDE ? 255 : next_integer(0, 255);
	for (int ngroups = 1; ngroups <= BYTE_GROUPS; ngroups++)
	{
		int			ncolumns = ngroups * VS_BYTES_GROUP;

		kernel->bytes->products(2 * VS_BYTES_ROWS, ngroups, nquads, rows,
								BYTE_STRIDE, packed, dots);
		for (int r = 0; r < 2 * VS_BYTES_ROWS; r++)
			for (int c = 0; c < ncolumns; c++)
			{
				int32		sum = 0;

				for (int i = 0; i < 4 * nquads; i++)
					sum += rows[r * BYTE_STRIDE + i] *
						packed[((c / VS_BYTES_GROUP * nquads + i / 4) *
								VS_BYTES_GROUP + c % VS_BYTES_GROUP) * 4 + i % 4];
				same &= dots[r * ncolumns + c] == sum;
			}
	}
	ok(same, kernel->name, "bytes.products", "are exact");
}

/* What scores are not below, and which of them are low. */
static void
test_byte_bounds(const VsKernel *kernel)
{
	static int32 dots[BYTE_COLUMNS];
	static float offsets[BYTE_COLUMNS];
	static float steps[BYTE_COLUMNS];
	static float norms[BYTE_COLUMNS];
	static float lower[BYTE_COLUMNS];
	static uint32 found[BYTE_COLUMNS + VS_BYTES_GROUP];
	const VsByteRow row = {100, 0.01f, 0.5f, 0.25f};
	VsByteColumns columns = {offsets, steps, norms};
	double		least = INFINITY;
	float		limit;
	bool		near = true;
	bool		right = true;

	for (int i = 0; i < BYTE_COLUMNS; i++)
	{
		dots[i] = next_integer(-100000, 100000);
		offsets[i] = (float) next_uniform();
		steps[i] = (float) next_uniform() + 1;
		norms[i] = (float) next_uniform() + 1;
	}
	limit = kernel->bytes->bound(BYTE_GROUPS, dots, row, columns, lower);
	for (int i = 0; i < BYTE_COLUMNS; i++)
	{
		double		score = offsets[i] - 0.01 * steps[i] * (dots[i] - 100);
		double		room = 0.5 * norms[i] + 0.25 * steps[i];

		near &= fabs(lower[i] - (score - room)) <= 1e-6 * (fabs(score) + room);
		least = Min(least, score + room);
	}
	near &= fabs(limit - least) <= 1e-6 * fabs(least);
	ok(near, kernel->name, "bytes.bound", "leaves room");

	lower[3] = NAN;
	for (int n = 0; n <= BYTE_COLUMNS; n++)
	{
		int			nfound = kernel->bytes->find(n, lower, 0.0f, found);
		int			expected = 0;

		for (int i = 0; i < n; i++)
			if (!(lower[i] > 0.0f))
				right &= expected < nfound && found[expected++] == i;
		right &= nfound == expected;
	}
	ok(right, kernel->name, "bytes.find", "finds all that are not above");
}

int
main(int argc, char **argv)
{
	quick = argc > 1 && strcmp(argv[1], "quick") == 0;
	arena_a = create_arena((MAX_DIM + 1) * sizeof(float) * 2);
	arena_b = create_arena((MAX_DIM + 1) * sizeof(float));
	arena_half_a = create_arena((MAX_DIM + 1) * sizeof(uint16));
	arena_half_b = create_arena((MAX_DIM + 1) * sizeof(uint16));
	arena_query = create_arena(vs_code_query_nbytes(8, MAX_DIM));

	test_choice();
	test_half_to_float();
	test_float_to_half();

	for (int i = 0; i < lengthof(kernel_names); i++)
	{
		const VsKernel *kernel = vs_kernel_find(kernel_names[i]);

		if (kernel == NULL)
		{
			printf("# %s: not for this processor\n", kernel_names[i]);
			continue;
		}
		test_distances(kernel, true);
		test_distances(kernel, false);
		test_f16_to_f32(kernel);
		test_f32_to_f16(kernel);
		test_conversion_bounds(kernel);
		test_exact_sums(kernel);
		test_hadamard(kernel);
		test_code_dots(kernel, 1, "code_dots of 1 bit");
		test_code_dots(kernel, 2, "code_dots of 2 bits");
		test_code_dots(kernel, 4, "code_dots of 4 bits");
		test_code_dots(kernel, 8, "code_dots of 8 bits");
		if (kernel->bytes == NULL)
			continue;
		test_quantize(kernel);
		test_byte_products(kernel);
		test_byte_bounds(kernel);
	}

	printf("1..%d\n", ntests);
	return nfailed == 0 ? 0 : 1;
}
