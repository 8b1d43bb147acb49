/*
 * hnsw_buildload.c
 *		CREATE INDEX: reading the table, and training the codec.
 */
#include "postgres.h"

#include "catalog/index.h"
#include "common/pg_prng.h"
#include "hnsw/hnsw_build_private.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "utils/memutils.h"
#include "utils/sampling.h"

/* table_index_build_scan callback: spool one row. */
static void
load_row(Relation rel, ItemPointer tid, Datum *values, bool *isnull,
		 bool tupleIsAlive, void *state)
{
	VsHnswBuild *build = state;
	VsHnswIndex *index = build->index;
	MemoryContext old;

	if (isnull[0])
		return;

	old = MemoryContextSwitchTo(build->row_context);
	if (vs_opclass_read(index->opclass, values[0], index->geometry.dim,
						build->x))
	{
		int			exponent = vs_f16vec_encode(index->geometry.dim, build->x,
												build->halves);

		vs_spool_write(build->spool, tid, exponent, build->halves);
		vs_team_report(build->team, 1);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);
}

void
vs_hnsw_build_load(VsHnswBuild *build, IndexInfo *indexInfo)
{
	VsTeam	   *team = build->team;
	VsHnswBuildShared *shared = build->shared;
	double		heap_tuples;

	build->spool = vs_spool_create(build->index->geometry.dim,
								   team->segment != NULL ? &shared->spool : NULL,
								   team->participant);
	heap_tuples = vs_team_scan_table(team, indexInfo, load_row, build);
	vs_spool_end_writing(build->spool);

	SpinLockAcquire(&shared->mutex);
	shared->heap_tuples += heap_tuples;
	shared->broken_hot_chain |= indexInfo->ii_BrokenHotChain;
	SpinLockRelease(&shared->mutex);
}

/* Rows to train from: as many as help, within a quarter of the memory. */
static int
count_samples(const VsHnswBuild *build)
{
	Size		row_nbytes = sizeof(float) * build->index->geometry.dim;
	Size		fitting = (Size) maintenance_work_mem * 1024 / 4 / row_nbytes;
	uint64		nrows = vs_spool_nrows(build->spool);

	return Max(Min(Min(fitting, nrows), HNSW_TRAINING_ROWS), 1);
}

void
vs_hnsw_build_train(VsHnswBuild *build)
{
	VsHnswIndex *index = build->index;
	int			dim = index->geometry.dim;
	int			n = count_samples(build);
	float	   *samples = palloc_extended(sizeof(float) * dim * (Size) n,
										  MCXT_ALLOC_HUGE);
	BlockSamplerData sampler;

	/* It chooses numbers, of rows as well as of blocks, in ascending order. */
	BlockSampler_Init(&sampler, vs_spool_nrows(build->spool), n,
					  pg_prng_uint32(&pg_global_prng_state));
	for (int i = 0; i < n; i++)
	{
		VsSpoolRow	row;

		vs_spool_read(build->spool, BlockSampler_Next(&sampler), &row);
		vs_kernel->f16_to_f32(dim, row.halves, vs_f16vec_scale(row.exponent),
							  samples + (Size) i * dim);
	}
	index->codec = vs_hnsw_train_codec(index, samples, n);
	pfree(samples);
	index->meta.state = HNSW_GRAPH;
	vs_hnsw_write_codebook(index, index->codec, VS_EDIT_BUILD);
}
