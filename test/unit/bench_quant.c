/*
 * bench_quant.c
 *		Time of the codec's parts under every kernel.
 *
 * Codes are 1 bit against 16 centroids, as in an index, and 4 bits against one,
 * as while a graph is built.
 */
#include "unit.h"

#include "bench.h"
#include "codec.h"
#include "kernel/kernel.h"
#include "kernels.h"

#define NCODES 22

/* What the timed calls work on. */
typedef struct Work
{
	VsRabitq	index_codec;
	VsRabitq	graph_codec;
	VsRabitqQuery *query;
	VsRabitqQuery *anchor;
	float		x[MAX_DIM];
	float		rotated[MAX_DIM];
	Code		code;
	uint8		codes[NCODES * MAX_DIM];
	VsCodeFactors factors[NCODES];
	uint8		centroids[NCODES];
	float		estimates[NCODES];
} Work;

static void
rotate(Work *w)
{
	vs_rotation_apply(&w->index_codec.rotation, w->rotated);
}

static void
encode_1_bit(Work *w)
{
	vs_rabitq_encode(&w->index_codec, w->x, w->rotated, w->code.bytes,
					 &w->code.factors, &w->code.centroid);
}

static void
encode_4_bits(Work *w)
{
	vs_rabitq_encode(&w->graph_codec, w->x, w->rotated, w->code.bytes,
					 &w->code.factors, &w->code.centroid);
}

static void
bind_query(Work *w)
{
	vs_rabitq_query_bind(w->query, w->x);
}

static void
bind_code(Work *w)
{
	vs_rabitq_query_bind_code(w->anchor, w->codes, 1.0f, 1.0f);
}

static void
estimate_batch(Work *w)
{
	vs_rabitq_estimate(w->query, NCODES, w->codes,
					   vs_code_nbytes(1, w->index_codec.dim), w->factors,
					   w->centroids, w->estimates);
}

static void
estimate_one(Work *w)
{
	w->estimates[0] = vs_rabitq_estimate_one(w->anchor, w->codes, 1.0f, 1.0f);
}

static const struct
{
	const char *title;
	void		(*call) (Work *w);
}			lines[] =

{
	{"rotate", rotate},
	{"encode, 1 bit", encode_1_bit},
	{"encode, 4 bits", encode_4_bits},
	{"bind a query, 1 bit", bind_query},
	{"bind a code, 4 bits", bind_code},
	{"estimate 22, 1 bit", estimate_batch},
	{"estimate one, 4 bits", estimate_one},
};

/* Nanoseconds of a call. */
static double
time_call(void (*call) (Work *w), Work *w)
{
	double		best = 1e9;
	int			ncalls = 0;
	double		begin = now_ns();

	for (; now_ns() - begin < ROUND_NS; ncalls++)
		call(w);
	for (int round = 0; round < NROUNDS; round++)
	{
		begin = now_ns();
		for (int i = 0; i < ncalls; i++)
			call(w);
		best = Min(best, (now_ns() - begin) / ncalls);
	}
	return best;
}

static void
prepare_work(Work *w, int dim)
{
	w->index_codec = make_codec(dim, 1, VS_ESTIMATE_L2_SQ, 16, 1);
	w->graph_codec = make_codec(dim, 4, VS_ESTIMATE_L2_SQ, 1, 1);
	w->query = vs_rabitq_query_create(&w->index_codec);
	w->anchor = vs_rabitq_query_create(&w->graph_codec);
	fill_plain(dim, w->x);
	fill_plain(dim, w->rotated);
	for (int i = 0; i < lengthof(w->codes); i++)
		w->codes[i] = next_random();
	bind_query(w);
	bind_code(w);
}

int
main(void)
{
	static const int bench_dims[] = {768, 784, 1536};
	static Work work;

	for (int i = 0; i < lengthof(bench_dims); i++)
	{
		printf("\n%4d dimensions, ns         ", bench_dims[i]);
		for (int k = 0; k < lengthof(kernel_names); k++)
			if (vs_kernel_find(kernel_names[k]) != NULL)
				printf("%13s", kernel_names[k]);
		printf("\n");
		for (int l = 0; l < lengthof(lines); l++)
		{
			printf("%-28s", lines[l].title);
			for (int k = 0; k < lengthof(kernel_names); k++)
			{
				vs_kernel = vs_kernel_find(kernel_names[k]);
				if (vs_kernel == NULL)
					continue;
				prepare_work(&work, bench_dims[i]);
				printf("%13.1f", time_call(lines[l].call, &work));
			}
			printf("\n");
		}
	}
	return 0;
}
