/*
 * test_encoding.c
 *		What is written to disk has the same bits on every instruction set.
 *
 * What would break: indexes that moved between machines or are read by a
 * standby on another processor, and vsearch_check there, where codes depend on
 * the kernel, the processor, the compiler or the C library.
 *
 * Everything that encoding gives for a fixed set of vectors goes into digests
 * that are constants here: each kernel has to give them, on each processor and
 * with each compiler.  A digest that has to change is a change of the format.
 *
 * Output is TAP.
 */
#include "unit.h"

#include <float.h>

#include "codec.h"
#include "kernel/kernel.h"
#include "kernels.h"
#include "quant/f16vec.h"
#include "quant/residual.h"
#include "quant/rotation.h"

#define NCENTROIDS 16

/* FNV-1a over bytes, continued from hash. */
static uint64
hash_more(uint64 hash, const void *bytes, size_t nbytes)
{
	const uint8 *byte = bytes;

	for (size_t i = 0; i < nbytes; i++)
		hash = (hash ^ byte[i]) * UINT64CONST(0x100000001b3);
	return hash;
}

#define HASH_START UINT64CONST(0xcbf29ce484222325)

/*
 * Vectors that invite differences
 */

typedef enum Pattern
{
	ZEROS,						/* of both signs */
	ONE_ELEMENT,				/* the others zero */
	ALL_EQUAL,
	SMALL_INTEGERS,				/* equally far from several centroids */
	HALFWAY,					/* between two float16 */
	MANY_MAGNITUDES,			/* each element has its own */
	FRACTIONS,
	NPATTERNS
} Pattern;

/*
 * The powers of two that patterns are multiplied by: subnormal numbers, from
 * 1e-30 to 1e30, and the end of the range.
 */
static const int magnitudes[] = {-146, -130, -110, -100, -40, -1, 0, 7, 40, 100,
124};

/* Element i of a pattern, at most 4 in magnitude. */
static double
pattern_element(Pattern pattern, int i)
{
	double		fraction = next_uniform() * 2 - 1;
	int			integer = (int) (next_random() % 5) - 2;

	switch (pattern)
	{
		case ZEROS:
			return i % 3 == 0 ? -0.0 : 0.0;
		case ONE_ELEMENT:
			return i == 0 ? -1.0 : 0.0;
		case ALL_EQUAL:
			return 0.7;
		case SMALL_INTEGERS:
			return integer;
		case HALFWAY:
			return integer * 1024 / 2048.0 + (i % 1024 + 0.5) / 2048;
		case MANY_MAGNITUDES:
			return ldexp(fraction, -(int) (next_random() % 64));
		default:
			return fraction;
	}
}

static void
fill_pattern(Pattern pattern, int magnitude, int dim, float *x)
{
	for (int i = 0; i < dim; i++)
		x[i] = (float) ldexp(pattern_element(pattern, i), magnitude);
}

/*
 * Digests; what they need of a kernel they take from vs_kernel
 */

static float signs[VS_ROTATION_FLIPS * MAX_DIM];
static float x[MAX_DIM];

static uint64
hash_rotations(int bits)
{
	uint64		hash = HASH_START;

	for (int i = 0; i < lengthof(dims); i++)
	{
		VsRotation	rotation;

		vs_rotation_init(&rotation, dims[i], 42, signs);
		random_state = i;
		fill_plain(dims[i], x);
		vs_rotation_apply(&rotation, x);
		hash = hash_more(hash, x, sizeof(float) * dims[i]);
	}
	return hash;
}

/* No magnitude at which a sum becomes infinite: encoding has none. */
static uint64
hash_rotated_patterns(int bits)
{
	uint64		hash = HASH_START;

	random_state = 1;
	for (int i = 0; i < lengthof(dims); i++)
	{
		VsRotation	rotation;

		vs_rotation_init(&rotation, dims[i], i, signs);
		for (int pattern = 0; pattern < NPATTERNS; pattern++)
			for (int m = 0; magnitudes[m] <= 100; m++)
			{
				fill_pattern(pattern, magnitudes[m], dims[i], x);
				vs_rotation_apply(&rotation, x);
				hash = hash_more(hash, x, sizeof(float) * dims[i]);
			}
	}
	return hash;
}

/* All float16 but NaNs. */
static uint64
hash_from_float16(int bits)
{
	static const float scales[] = {1.0f, 0.7f, 1e-40f, 1e36f};
	static uint16 halves[0x10000];
	static float out[0x10000];
	uint64		hash = HASH_START;
	int			n = 0;

	for (int half = 0; half < 0x10000; half++)
		if ((half & 0x7fff) <= 0x7c00)
			halves[n++] = half;
	for (int i = 0; i < lengthof(scales); i++)
	{
		vs_kernel->f16_to_f32(n, halves, scales[i], out);
		hash = hash_more(hash, out, sizeof(float) * n);
	}
	return hash;
}

/* Floats of all exponents, with fractions on both sides of a tie and on it. */
static uint64
hash_to_float16(int bits)
{
	static const float scales[] = {1.0f, 0.7f, 1.0f / (1 << 20), 1 << 15};
	static const uint32 fractions[] = {0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000,
	0x3001, 0x7fefff, 0x7ff000};
	static float in[2 * 255 * lengthof(fractions)];
	static uint16 out[lengthof(in)];
	uint64		hash = HASH_START;

	for (int i = 0; i < lengthof(in); i++)
	{
		uint32		float_bits = (uint32) (i / lengthof(fractions)) % 255 << 23 |
			fractions[i % lengthof(fractions)];

		if (i >= lengthof(in) / 2)
			float_bits |= 0x80000000;
		memcpy(&in[i], &float_bits, sizeof(in[i]));
	}
	for (int i = 0; i < lengthof(scales); i++)
	{
		vs_kernel->f32_to_f16(lengthof(in), in, scales[i], out);
		hash = hash_more(hash, out, sizeof(out));
	}
	return hash;
}

static uint64
hash_f16vecs(int bits)
{
	static uint16 halves[MAX_DIM];
	uint64		hash = HASH_START;

	random_state = 4;
	for (int i = 0; i < lengthof(dims); i++)
		for (int pattern = 0; pattern < NPATTERNS; pattern++)
			for (int m = 0; m < lengthof(magnitudes); m++)
			{
				int			exponent;

				fill_pattern(pattern, magnitudes[m], dims[i], x);
				if (magnitudes[m] == 124 && dims[i] > 1)
					x[1] = FLT_MAX;
				exponent = vs_f16vec_encode(dims[i], x, halves);
				hash = hash_more(hash, halves, sizeof(uint16) * dims[i]);
				hash = hash_more(hash, &exponent, sizeof(exponent));
			}
	return hash;
}

/* The digest continued with x's code. */
static uint64
hash_code(uint64 hash, const VsRabitq *codec)
{
	static Code code;

	encode(codec, x, &code);
	hash = hash_more(hash, code.bytes, vs_code_nbytes(codec->bits, codec->dim));
	hash = hash_more(hash, &code.factors, sizeof(code.factors));
	return hash_more(hash, &code.centroid, 1);
}

/* A codec for dims[i]; codecs take turns in what they estimate. */
static VsRabitq
make_ith_codec(int i, int bits)
{
	return make_codec(dims[i], bits,
					  i % 2 ? VS_ESTIMATE_L2_SQ : VS_ESTIMATE_NEGATIVE_IP,
					  NCENTROIDS, i);
}

static uint64
hash_codes(int bits)
{
	uint64		hash = HASH_START;

	random_state = bits;
	for (int i = 0; i < lengthof(dims); i++)
	{
		VsRabitq	codec = make_ith_codec(i, bits);

		for (int n = 0; n < 20; n++)
		{
			fill_plain(dims[i], x);
			hash = hash_code(hash, &codec);
		}
	}
	return hash;
}

/*
 * Centroids on a grid, as rotated integers are where the dimensions are a power
 * of four, and each of them twice: of centroids equally far the first counts.
 */
static void
put_on_grid(VsRabitq *codec)
{
	float	   *centroids = unconstify(float *, codec->centroids);
	size_t		dim = codec->dim;

	for (size_t i = 0; i < NCENTROIDS * dim; i++)
		centroids[i] = floorf(centroids[i] * 2) / 2;
	for (int c = 1; c < NCENTROIDS; c += 2)
		memcpy(centroids + c * dim, centroids + (c - 1) * dim,
			   sizeof(float) * dim);
}

/*
 * Vectors of all magnitudes with a codec for such, and with one for vectors
 * around 1; where they are beyond its range, clamped.
 */
static uint64
hash_coded_patterns(int bits)
{
	uint64		hash = HASH_START;

	random_state = bits;
	for (int i = 0; i < lengthof(dims); i++)
	{
		VsRabitq	codec = make_ith_codec(i, bits);

		put_on_grid(&codec);
		for (int pattern = 0; pattern < NPATTERNS; pattern++)
			for (int m = 0; m < lengthof(magnitudes); m++)
			{
				fill_pattern(pattern, magnitudes[m], dims[i], x);
				codec.exponent = Max(VS_F16VEC_MIN_EXPONENT,
									 Min(magnitudes[m], VS_F16VEC_MAX_EXPONENT));
				hash = hash_code(hash, &codec);
				codec.exponent = 0;
				hash = hash_code(hash, &codec);
			}
	}
	return hash;
}

/* The digest continued with x's code around the codec's first centroid. */
static uint64
hash_residual(uint64 hash, const VsRabitq *codec)
{
	static float scratch[MAX_DIM];
	static uint8 code[MAX_DIM];
	VsResidualFactors factors;

	vs_rabitq_rotate(codec, x, scratch);
	vs_residual_encode(codec->estimate, codec->bits, codec->dim, scratch,
					   codec->centroids, scratch, code, &factors);
	hash = hash_more(hash, code, vs_code_nbytes(codec->bits, codec->dim));
	return hash_more(hash, &factors, sizeof(factors));
}

/* Codes around a center, of plain vectors and of hard ones. */
static uint64
hash_residuals(int bits)
{
	uint64		hash = HASH_START;

	random_state = bits;
	for (int i = 0; i < lengthof(dims); i++)
	{
		VsRabitq	codec = make_ith_codec(i, bits);

		for (int n = 0; n < 20; n++)
		{
			fill_plain(dims[i], x);
			hash = hash_residual(hash, &codec);
		}
		put_on_grid(&codec);
		codec.exponent = 0;
		for (int pattern = 0; pattern < NPATTERNS; pattern++)
			for (int m = 0; m < lengthof(magnitudes); m++)
			{
				fill_pattern(pattern, magnitudes[m], dims[i], x);
				hash = hash_residual(hash, &codec);
			}
	}
	return hash;
}

/* What all machines give. */
typedef struct Digest
{
	const char *what;
	uint64		(*hash) (int bits);
	int			bits;
	uint64		expected;
} Digest;

static const Digest digests[] = {
	{"rotations", hash_rotations, 0, UINT64CONST(0x27ec3ad9101f563b)},
	{"rotations of hard vectors", hash_rotated_patterns, 0,
	UINT64CONST(0x55b7bdd06d65172b)},
	{"conversions from float16", hash_from_float16, 0,
	UINT64CONST(0xe47859f4e111d04d)},
	{"conversions to float16", hash_to_float16, 0,
	UINT64CONST(0xe19f0872da168b45)},
	{"float16 vectors", hash_f16vecs, 0, UINT64CONST(0x1073599b91434b27)},
	{"codes of 1 bit", hash_codes, 1, UINT64CONST(0x1d51caa6f07adf54)},
	{"codes of 2 bits", hash_codes, 2, UINT64CONST(0x2fdb5145507ab93c)},
	{"codes of 4 bits", hash_codes, 4, UINT64CONST(0x853047006c2be42f)},
	{"codes of 8 bits", hash_codes, 8, UINT64CONST(0x3df51a8427d51166)},
	{"codes of 16 bits", hash_codes, 16, UINT64CONST(0x880827bcefc5a73c)},
	{"codes of 1 bit of hard vectors", hash_coded_patterns, 1,
	UINT64CONST(0xcd447ddff6a9bbc6)},
	{"codes of 2 bits of hard vectors", hash_coded_patterns, 2,
	UINT64CONST(0x6622dff5007d28a0)},
	{"codes of 4 bits of hard vectors", hash_coded_patterns, 4,
	UINT64CONST(0xf41505c080a609b8)},
	{"codes of 8 bits of hard vectors", hash_coded_patterns, 8,
	UINT64CONST(0xd1622938ca8157b0)},
	{"codes of 16 bits of hard vectors", hash_coded_patterns, 16,
	UINT64CONST(0xd82718bea0032e63)},
	{"codes of 1 bit around a center", hash_residuals, 1,
	UINT64CONST(0x2cf6c1e117f6bc28)},
	{"codes of 2 bits around a center", hash_residuals, 2,
	UINT64CONST(0xf9803b6fbce6b3a0)},
	{"codes of 4 bits around a center", hash_residuals, 4,
	UINT64CONST(0x64e722d51eb2eab9)},
};

int
main(void)
{
	for (int k = 0; k < lengthof(kernel_names); k++)
	{
		vs_kernel = vs_kernel_find(kernel_names[k]);
		if (vs_kernel == NULL)
			continue;
		for (int i = 0; i < lengthof(digests); i++)
		{
			uint64		hash = digests[i].hash(digests[i].bits);

			ok(hash == digests[i].expected,
			   "%s: %s are what they always were (%016llx)",
			   vs_kernel->name, digests[i].what, (unsigned long long) hash);
		}
	}
	return finish();
}
