/*
 * test_packed.c
 *		Packed codes and bounds, on every kernel that this processor runs.
 *
 * What would break: bounds that are too high, so that an inverted list's scan
 * loses rows; results that differ between rows of one page or two processors;
 * reads beyond a block that ends a page.
 *
 * Given an argument, "quick", long codes are of some lengths only: for an
 * emulated processor.  Output is TAP.
 */
#include "unit.h"

#include <float.h>

#include "arena.h"
#include "kernel/half.h"
#include "kernel/kernel.h"
#include "kernel/packed.h"
#include "kernels.h"

#define MAX_DIM 2200
#define QUICK_MAX_DIM 300
#define NCODES VS_PACKED_NCODES
#define MAX_NBYTES vs_code_nbytes(4, MAX_DIM)

static bool quick = false;
static Arena block_arena;
static Arena tables_arena;
static uint8 codes[NCODES * MAX_NBYTES];

/* The length to test after dim. */
static int
next_dim(int dim)
{
	return dim + (quick && dim >= QUICK_MAX_DIM ? 77 : dim >= 300 ? 7 : 1);
}

/* Uniform among the integers low..high. */
static int
next_integer(int low, int high)
{
	return low + (int) (next_random() % (uint64) (high - low + 1));
}

/* Fill 32 codes with random bits, or with ones; unused bits stay zero. */
static void
draw_codes(int bits, int dim, bool ones)
{
	size_t		nbytes = vs_code_nbytes(bits, dim);
	int			nunused = (int) nbytes * 8 - dim * bits;

	for (size_t i = 0; i < NCODES * nbytes; i++)
		codes[i] = ones ? 0xff : (uint8) next_random();
	for (int j = 0; j < NCODES; j++)
		codes[(j + 1) * nbytes - 1] &= 0xff >> nunused;
}

/*
 * Draw a query whose elements add up to what a table's entries hold, or to less.
 */
static void
draw_query(int bits, int dim, bool extreme, int8 *query)
{
	int			largest = bits == 1 ? 63 : bits == 2 ? 42 : 127;
	int			sign = dim % 2 == 0 ? 1 : -1;

	for (int i = 0; i < dim; i++)
		query[i] = extreme ? sign * largest : next_integer(-largest, largest);
	if (bits == 1 && dim >= 4)
	{
		query[0] = 127;
		query[1] = -127;
		query[2] = 0;
		query[3] = 1;
	}
}

/* Element i of a code, from the format's definition. */
static int
code_element(int bits, const uint8 *code, int i)
{
	return (code[i * bits / 8] >> (i * bits % 8)) & ((1 << bits) - 1);
}

/* Packing, and writing and reading single codes, agree. */
static void
test_packing(void)
{
	static uint8 block[vs_packed_nbytes(MAX_NBYTES)];
	static uint8 other[vs_packed_nbytes(MAX_NBYTES)];
	static uint8 code[MAX_NBYTES];
	bool		passed = true;

	for (int nbytes = 1; nbytes <= 300; nbytes++)
	{
		draw_codes(4, 2 * nbytes, false);
		vs_packed_fill(nbytes, codes, block);
		memset(other, 0x5a, sizeof(other));
		for (int j = 0; j < NCODES; j++)
			vs_packed_set(nbytes, other, j * 7 % NCODES,
						  codes + j * 7 % NCODES * nbytes);
		passed &= memcmp(block, other, vs_packed_nbytes(nbytes)) == 0;
		for (int j = 0; j < NCODES; j++)
		{
			vs_packed_get(nbytes, block, j, code);
			passed &= memcmp(code, codes + j * nbytes, nbytes) == 0;
		}
	}
	ok(passed, "codes come out of a block as they went in");
}

/* Dot products are those of the definition. */
static bool
check_dots(const VsKernel *kernel, int bits, int dim, bool extreme)
{
	size_t		nbytes = vs_code_nbytes(bits, dim);
	uint8	   *block = place(block_arena, AT_END, vs_packed_nbytes(nbytes), 1);
	uint8	   *tables = place(tables_arena, AT_END,
							   vs_code_tables_nbytes(bits, dim), 1);
	static int8 query[MAX_DIM];
	int32		dots[NCODES];
	int32		bias;
	bool		passed = true;

	draw_codes(bits, dim, extreme);
	draw_query(bits, dim, extreme, query);
	vs_packed_fill(nbytes, codes, block);
	bias = kernel->prepare_tables(bits, dim, query, tables);
	kernel->packed_dots(bits, dim, tables, bias, block, dots);
	for (int j = 0; j < NCODES; j++)
	{
		int32		sum = 0;

		for (int i = 0; i < dim; i++)
			sum += code_element(bits, codes + j * nbytes, i) * query[i];
		passed &= dots[j] == sum;
	}
	return passed;
}

static void
test_dots(const VsKernel *kernel, int bits)
{
	bool		passed = true;

	for (int dim = 1; dim <= MAX_DIM; dim = next_dim(dim))
		for (int extreme = 0; extreme <= 1; extreme++)
			passed &= check_dots(kernel, bits, dim, extreme);
	ok(passed, "%s: dot products of packed codes of %d bits are exact",
	   kernel->name, bits);
}

/* Bounds are those of the formula, to what float4 rounds. */
static void
test_bounds(const VsKernel *kernel)
{
	bool		passed = true;

	for (int n = 1; n <= 70; n++)
		for (int squares = 0; squares <= 1; squares++)
		{
			VsBoundTerms terms = {3.0f, 0.25f, 2.0f, 1.5f, squares != 0};
			uint16	   *halves = place(tables_arena, AT_END, 3 * n,
									   sizeof(uint16));
			float	   *bounds = place(block_arena, AT_END, n, sizeof(float));
			int32		dots[70];
			float		lowest = INFINITY;
			float		returned;

			for (int i = 0; i < n; i++)
				dots[i] = next_integer(-1000, 1000);
			for (int i = 0; i < 3 * n; i++)
				halves[i] = vs_float_to_half((float) (next_uniform() * 8.0 - 4.0));
			returned = kernel->code_bounds(&terms, n, dots, halves, halves + n,
										   halves + 2 * n, bounds);
			for (int i = 0; i < n; i++)
			{
				double		add = vs_half_to_float(halves[i]);
				double		mul = vs_half_to_float(halves[n + i]);
				double		error = vs_half_to_float(halves[2 * n + i]);
				double		bound = 3.0 + (squares ? add * add : add) +
					mul * (0.25 * dots[i] - 2.0) - 1.5 * error;

				passed &= fabs(bounds[i] - bound) < 1e-3;
				lowest = Min(lowest, bounds[i]);
			}
			passed &= returned == lowest;
		}
	ok(passed, "%s: bounds are those of the formula", kernel->name);
}

/* Numbers beside codes that are none, or infinite. */
static void
test_odd_bounds(const VsKernel *kernel)
{
	static const uint16 odd[] = {0x7c00, 0xfc00, 0x7e00, 0x0000, 0x7bff};
	VsBoundTerms terms = {1.0f, 1.0f, 0.0f, 1.0f, true};
	bool		passed = true;

	for (int i = 0; i < 125; i++)
	{
		uint16		add[17];
		uint16		mul[17];
		uint16		error[17];
		int32		dots[17];
		float		bounds[17];
		float		returned;

		for (int j = 0; j < 17; j++)
		{
			add[j] = odd[i % 5];
			mul[j] = odd[i / 5 % 5];
			error[j] = odd[i / 25];
			dots[j] = j - 8;
		}
		returned = kernel->code_bounds(&terms, 17, dots, add, mul, error, bounds);
		for (int j = 0; j < 17; j++)
			passed &= bounds[j] >= -FLT_MAX && bounds[j] >= returned;
	}
	ok(passed, "%s: bounds are numbers, and none is minus infinity",
	   kernel->name);
}

static void
test_max_sum_abs(const VsKernel *kernel)
{
	bool		passed = true;

	for (int dim = 1; dim <= 300; dim++)
		for (int width = 1; width <= 4; width *= 2)
		{
			float	   *x = place(tables_arena, AT_END, dim, sizeof(float));
			float		largest = 0.0f;

			for (int i = 0; i < dim; i++)
				x[i] = (float) next_integer(-1000, 1000);
			for (int i = 0; i < dim; i += width)
			{
				float		sum = 0.0f;

				for (int j = i; j < Min(i + width, dim); j++)
					sum += fabsf(x[j]);
				largest = Max(largest, sum);
			}
			passed &= kernel->max_sum_abs(dim, width, x) == largest;
		}
	ok(passed, "%s: largest sums of neighbours", kernel->name);
}

int
main(int argc, char **argv)
{
	quick = argc > 1 && strcmp(argv[1], "quick") == 0;
	block_arena = create_arena(vs_packed_nbytes(MAX_NBYTES));
	tables_arena = create_arena(vs_code_tables_nbytes(4, MAX_DIM));

	test_packing();
	for (int i = 0; i < lengthof(kernel_names); i++)
	{
		const VsKernel *kernel = vs_kernel_find(kernel_names[i]);

		if (kernel == NULL)
			continue;
		for (int bits = 1; bits <= 4; bits *= 2)
			test_dots(kernel, bits);
		test_bounds(kernel);
		test_odd_bounds(kernel);
		test_max_sum_abs(kernel);
	}
	return finish();
}
