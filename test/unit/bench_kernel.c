/*
 * bench_kernel.c
 *		Time of every function of every kernel, and its ratio to the scalar one.
 *
 * Calls go through VsKernel, on arrays that lie in the first-level cache.  Dot
 * products of codes are stated for one code out of a batch.
 *
 * Arrays lie at multiples of 8 bytes, each another one, as vectors do in datums
 * and on pages; and, to compare, at multiples of 64.
 */
#include "c.h"

#include "bench.h"
#include "kernel/kernel.h"
#include "kernel/packed.h"
#include "kernels.h"

/* The server's own printf is in a library that this program does without. */
#undef printf

#define MAX_DIM 1536
#define NCODES 22				/* neighbours of a node, at 784 dimensions */

/* What the timed functions work on. */
typedef struct Work
{
	const VsKernel *kernel;
	int			dim;
	int			bits;
	int			ncodes;
	float	   *a;
	float	   *b;
	uint16	   *half_a;
	uint16	   *half_b;
	int8		query[MAX_DIM];
	uint8		codes[MAX_DIM * VS_PACKED_NCODES];
	int32		dots[VS_PACKED_NCODES];
	uint8		tables[vs_code_tables_nbytes(4, MAX_DIM)];
	int32		bias;
	float		bounds[VS_PACKED_NCODES];
	uint8	   *prepared;
} Work;

/* A call to time; its result is used, lest a compiler drops it. */
typedef float (*Call) (Work *w);

#define DEFINE_CALL(function, ...) \
static float \
call_##function(Work *w) \
{ \
	return w->kernel->function(w->dim, __VA_ARGS__); \
}

#define DEFINE_COSINE_CALL(function, a, b) \
static float \
call_##function(Work *w) \
{ \
	VsCosineSums sums = w->kernel->function(w->dim, a, b); \
\
	return sums.ip + sums.norm_a_sq + sums.norm_b_sq; \
}

DEFINE_CALL(f32_l2_sq, w->a, w->b)
DEFINE_CALL(f32_ip, w->a, w->b)
DEFINE_CALL(f32_l1, w->a, w->b)
DEFINE_COSINE_CALL(f32_cosine, w->a, w->b)
DEFINE_CALL(f16_l2_sq, w->half_a, w->half_b)
DEFINE_CALL(f16_ip, w->half_a, w->half_b)
DEFINE_CALL(f16_l1, w->half_a, w->half_b)
DEFINE_COSINE_CALL(f16_cosine, w->half_a, w->half_b)
DEFINE_CALL(f32_f16_l2_sq, w->a, w->half_b, 0.5)
DEFINE_CALL(f32_f16_ip, w->a, w->half_b, 0.5)
DEFINE_CALL(f32_f16_l1, w->a, w->half_b, 0.5)

static float
call_f16_to_f32(Work *w)
{
	w->kernel->f16_to_f32(w->dim, w->half_a, 0.5, w->a);
	return w->a[0];
}

static float
call_f32_to_f16(Work *w)
{
	w->kernel->f32_to_f16(w->dim, w->b, 0.5, w->half_b);
	return w->half_b[0];
}

static float
call_prepare_code_query(Work *w)
{
	w->kernel->prepare_code_query(w->bits, w->dim, w->query, w->prepared);
	return w->prepared[0];
}

static float
call_prepare_code(Work *w)
{
	return w->kernel->prepare_code(w->bits, w->dim, w->codes, w->prepared);
}

static float
call_code_dots(Work *w)
{
	w->kernel->code_dots(w->bits, w->dim, w->prepared, w->codes,
						 vs_code_nbytes(w->bits, w->dim), w->ncodes, w->dots);
	return w->dots[0];
}

static float
call_prepare_tables(Work *w)
{
	w->bias = w->kernel->prepare_tables(w->bits, w->dim, w->query, w->tables);
	return w->tables[0];
}

static float
call_packed_dots(Work *w)
{
	w->kernel->packed_dots(w->bits, w->dim, w->tables, w->bias, w->codes, w->dots);
	return w->dots[0];
}

static float
call_code_bounds(Work *w)
{
	VsBoundTerms terms = {1.0f, 1.0f, 1.0f, 1.0f, true};

	return w->kernel->code_bounds(&terms, w->ncodes, w->dots, w->half_a, w->half_b,
								  w->half_a, w->bounds);
}

static float
call_max_sum_abs(Work *w)
{
	return w->kernel->max_sum_abs(w->dim, 4, w->a);
}

/* A line of the report. */
typedef struct Line
{
	const char *title;
	Call		call;
	int			bits;
	int			ncodes;
} Line;

static const Line lines[] = {
	{"f32_l2_sq", call_f32_l2_sq},
	{"f32_ip", call_f32_ip},
	{"f32_l1", call_f32_l1},
	{"f32_cosine", call_f32_cosine},
	{"f16_l2_sq", call_f16_l2_sq},
	{"f16_ip", call_f16_ip},
	{"f16_l1", call_f16_l1},
	{"f16_cosine", call_f16_cosine},
	{"f32_f16_l2_sq", call_f32_f16_l2_sq},
	{"f32_f16_ip", call_f32_f16_ip},
	{"f32_f16_l1", call_f32_f16_l1},
	{"f16_to_f32", call_f16_to_f32},
	{"f32_to_f16", call_f32_to_f16},
	{"prepare_code_query, 1 bit", call_prepare_code_query, 1, 1},
	{"prepare_code_query, 4 bits", call_prepare_code_query, 4, 1},
	{"prepare_code, 4 bits", call_prepare_code, 4, 1},
	{"code_dots, 1 bit, of 22", call_code_dots, 1, NCODES},
	{"code_dots, 2 bits, of 22", call_code_dots, 2, NCODES},
	{"code_dots, 4 bits, of 22", call_code_dots, 4, NCODES},
	{"code_dots, 8 bits, of 22", call_code_dots, 8, NCODES},
	{"code_dots, 1 bit, alone", call_code_dots, 1, 1},
	{"code_dots, 4 bits, alone", call_code_dots, 4, 1},
	{"prepare_tables, 1 bit", call_prepare_tables, 1, 1},
	{"prepare_tables, 2 bits", call_prepare_tables, 2, 1},
	{"prepare_tables, 4 bits", call_prepare_tables, 4, 1},
	{"packed_dots, 1 bit", call_packed_dots, 1, VS_PACKED_NCODES},
	{"packed_dots, 2 bits", call_packed_dots, 2, VS_PACKED_NCODES},
	{"packed_dots, 4 bits", call_packed_dots, 4, VS_PACKED_NCODES},
	{"code_bounds, of 32", call_code_bounds, 1, VS_PACKED_NCODES},
	{"max_sum_abs", call_max_sum_abs},
};

static volatile float sink;

/* Nanoseconds of a call, or of one code where there are several. */
static double
time_line(const Line *line, Work *w)
{
	double		best = 1e9;
	int			ncalls = 0;
	double		begin;

	w->bits = line->bits;
	w->ncodes = line->ncodes;
	if (w->bits > 0)
		call_prepare_code_query(w);

	begin = now_ns();
	for (; now_ns() - begin < ROUND_NS; ncalls++)
		sink = line->call(w);

	for (int round = 0; round < NROUNDS; round++)
	{
		begin = now_ns();
		for (int i = 0; i < ncalls; i++)
			sink = line->call(w);
		best = Min(best, (now_ns() - begin) / ncalls);
	}
	return best / Max(line->ncodes, 1);
}

/* Put the arrays at odd multiples of 8 bytes, or at multiples of 64. */
static void
place_arrays(Work *w, bool aligned)
{
	static char memory[4][MAX_DIM * sizeof(float) + 64]
				pg_attribute_aligned(64);

	w->a = (float *) (memory[0] + (aligned ? 0 : 8));
	w->b = (float *) (memory[1] + (aligned ? 0 : 24));
	w->half_a = (uint16 *) (memory[2] + (aligned ? 0 : 8));
	w->half_b = (uint16 *) (memory[3] + (aligned ? 0 : 24));

	for (int i = 0; i < MAX_DIM; i++)
	{
		w->a[i] = (i * 37 % 101) / 101.0f;
		w->b[i] = (i * 53 % 97) / 97.0f;
	}
	vs_kernel->f32_to_f16(MAX_DIM, w->a, 1, w->half_a);
	vs_kernel->f32_to_f16(MAX_DIM, w->b, 1, w->half_b);
}

/* Time everything at a number of dimensions. */
static void
report(Work *w, int dim, bool aligned)
{
	w->dim = dim;
	place_arrays(w, aligned);
	printf("\n%d dimensions, arrays aligned to %d bytes: ns (times scalar)\n"
		   "%-28s", dim, aligned ? 64 : 8, "");
	for (int k = 0; k < lengthof(kernel_names); k++)
		if (vs_kernel_find(kernel_names[k]) != NULL)
			printf("%17s", kernel_names[k]);
	printf("\n");

	for (int i = 0; i < lengthof(lines); i++)
	{
		double		scalar = 0;

		printf("%-28s", lines[i].title);
		for (int k = 0; k < lengthof(kernel_names); k++)
		{
			double		ns;

			w->kernel = vs_kernel_find(kernel_names[k]);
			if (w->kernel == NULL)
				continue;
			ns = time_line(&lines[i], w);
			if (scalar == 0)
				scalar = ns;
			printf("%9.1f (%5.1f)", ns, scalar / ns);
		}
		printf("\n");
	}
}

int
main(void)
{
	static uint8 prepared[vs_code_query_nbytes(8, MAX_DIM)]
				pg_attribute_aligned(VS_CODE_QUERY_ALIGN);
	static Work work = {.prepared = prepared};

	for (int i = 0; i < MAX_DIM; i++)
		work.query[i] = i * 71 % 127 - 63;
	for (int i = 0; i < lengthof(work.codes); i++)
		work.codes[i] = (i * 2654435761U) >> 24;

	report(&work, 768, false);
	report(&work, 768, true);
	report(&work, 784, false);
	report(&work, 64, true);
	report(&work, 128, true);
	report(&work, 384, true);
	report(&work, 1536, true);
	return 0;
}
