/*
 * hnsw_codebook.c
 *		The codebook of an index, and what its metapage says of it.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "hnsw/hnsw_private.h"
#include "index/codec.h"

/* The codebook as the metapage describes it. */
static VsCodebook
describe_codebook(const VsHnswMeta *meta)
{
	VsCodebook	codebook = {
		.dim = meta->dim,
		.bits = meta->bits,
		.estimate = vs_hnsw_estimate(meta),
		.exponent = meta->exponent,
		.residual = meta->residual,
		.ncentroids = meta->ncentroids,
		.seed = meta->seed,
		.version = meta->codebook_version,
		.first_block = meta->codebook_block,
		.page_kind = HNSW_PAGE_CODEBOOK
	};

	return codebook;
}

const VsRabitq *
vs_hnsw_acquire_codec(Relation index, const VsHnswMeta *meta)
{
	VsCodebook	codebook = describe_codebook(meta);

	return vs_codec_acquire(index, &codebook);
}

VsRabitq *
vs_hnsw_train_codec(VsHnswIndex *index, float *samples, int n)
{
	VsHnswMeta *meta = &index->meta;
	VsCodebook	codebook = describe_codebook(meta);
	VsRabitq   *codec;

	codebook.ncentroids = HNSW_CENTROIDS;
	codec = vs_codebook_train(&codebook, samples, n);
	meta->seed = codebook.seed;
	meta->exponent = codebook.exponent;
	meta->residual = codebook.residual;
	meta->ncentroids = codebook.ncentroids;
	meta->codebook_version = codebook.version;
	return codec;
}

void
vs_hnsw_write_codebook(VsHnswIndex *index, const VsRabitq *codec, VsEditMode mode)
{
	VsCodebook	codebook = describe_codebook(&index->meta);

	vs_codebook_write(index->rel, &codebook, codec, mode);
	index->meta.codebook_block = codebook.first_block;
	index->meta.trained_nblocks = RelationGetNumberOfBlocks(index->rel);
}

void
vs_hnsw_append_centroids(VsHnswIndex *index, const float *centroids, int n,
						 float residual)
{
	VsCodebook	codebook = describe_codebook(&index->meta);
	BlockNumber first = vs_codebook_write_more(index->rel, &codebook, centroids,
											   n);
	BlockNumber last = vs_codebook_last_block(index->rel, &codebook);
	Buffer		meta_buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
										   BUFFER_LOCK_EXCLUSIVE,
										   HNSW_PAGE_META);
	Buffer		buffer = vs_page_read(index->rel, last, BUFFER_LOCK_EXCLUSIVE,
									  HNSW_PAGE_CODEBOOK);

	/* Somebody else may have been faster: then the pages are lost. */
	if (vs_hnsw_page_meta(BufferGetPage(meta_buffer))->codebook_version ==
		index->meta.codebook_version)
	{
		VsEdit		edit;
		VsHnswMeta *meta;

		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		meta = vs_hnsw_page_meta(vs_edit_page(&edit, meta_buffer, VS_EDIT_CHANGE));
		meta->ncentroids += n;
		meta->residual = residual;
		meta->codebook_version = pg_prng_uint32(&pg_global_prng_state);
		vs_codebook_set_next(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE), first);
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta_buffer);
}
