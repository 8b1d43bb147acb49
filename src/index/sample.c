/*
 * sample.c
 *		An even random sample of a stream of vectors (Vitter's algorithm R).
 */
#include "postgres.h"

#include "index/sample.h"

VsSample *
vs_sample_create(int dim, int nrows, Size nbytes)
{
	VsSample   *sample = palloc0(sizeof(VsSample));
	Size		row_nbytes = sizeof(float) * dim;

	sample->dim = dim;
	sample->capacity = Max(Min(nrows, (int64) (nbytes / row_nbytes)), 1);
	sample->rows = palloc_extended(row_nbytes * sample->capacity,
								   MCXT_ALLOC_HUGE);
	pg_prng_seed(&sample->prng, pg_prng_uint64(&pg_global_prng_state));
	return sample;
}

void
vs_sample_add(VsSample *sample, const float *x)
{
	uint64		place = sample->nseen++;

	if (sample->n < sample->capacity)
		place = sample->n++;
	else
	{
		place = pg_prng_uint64_range(&sample->prng, 0, place);
		if (place >= sample->capacity)
			return;
	}
	memcpy(sample->rows + place * sample->dim, x, sizeof(float) * sample->dim);
}

void
vs_sample_free(VsSample *sample)
{
	pfree(sample->rows);
	pfree(sample);
}
