/*
 * hnsw_codebook.c
 *		The codec's floats, on pages.
 *
 * They are one stream of floats over a chain of pages.  Centroids may be
 * appended: codes name their centroid, so what was written before stays valid.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "hnsw/hnsw_nodewrite.h"
#include "miscadmin.h"

VsRabitq *
vs_hnsw_train_codec(VsHnswIndex *index, float *samples, int n)
{
	VsRabitq   *codec = palloc0(sizeof(VsRabitq));
	int			dim = index->meta.dim;

	index->meta.seed = pg_prng_uint32(&pg_global_prng_state);

	codec->dim = dim;
	codec->bits = index->meta.bits;
	codec->estimate = vs_hnsw_estimate(&index->meta);
	codec->ncentroids = HNSW_CENTROIDS;
	vs_rotation_init(&codec->rotation, dim, index->meta.seed,
					 palloc(vs_rotation_signs_nbytes(dim)));
	vs_rabitq_train(codec, samples, n, index->meta.seed,
					palloc(sizeof(float) * vs_rabitq_codebook_nfloats(codec)));

	index->meta.exponent = codec->exponent;
	index->meta.residual = codec->residual;
	index->meta.ncentroids = codec->ncentroids;
	index->meta.codebook_version = pg_prng_uint32(&pg_global_prng_state);
	return codec;
}

/* Write one page of the codebook, which is new and locked; releases it. */
static void
write_codebook_page(VsHnswIndex *index, Buffer buffer, BlockNumber next,
					const float *floats, Size nfloats, VsEditMode mode)
{
	VsEdit		edit;
	Page		page;
	VsHnswCodebookHeader *header;

	vs_edit_begin(&edit, index->rel, mode);
	page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
	vs_page_init(page, HNSW_PAGE_CODEBOOK,
				 vs_hnsw_page_nbytes(&index->geometry, HNSW_PAGE_CODEBOOK));
	header = (VsHnswCodebookHeader *) vs_page_records(page);
	header->next = next;
	header->nfloats = nfloats;
	memcpy(header + 1, floats, sizeof(float) * nfloats);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

/* Write floats to a new chain of pages; returns the first. */
static BlockNumber
write_chain(VsHnswIndex *index, const float *floats, Size nfloats, VsEditMode mode)
{
	int			npages = (nfloats + HNSW_CODEBOOK_FLOATS - 1) / HNSW_CODEBOOK_FLOATS;
	BlockNumber first = InvalidBlockNumber;

	/* From the last page to the first, so that each knows its successor. */
	for (int i = npages - 1; i >= 0; i--)
	{
		Size		begin = (Size) i * HNSW_CODEBOOK_FLOATS;
		Buffer		buffer;
		BlockNumber block;

		CHECK_FOR_INTERRUPTS();
		buffer = vs_hnsw_extend(index);
		block = BufferGetBlockNumber(buffer);
		write_codebook_page(index, buffer, first, floats + begin,
							Min(nfloats - begin, HNSW_CODEBOOK_FLOATS), mode);
		first = block;
	}
	return first;
}

void
vs_hnsw_write_codebook(VsHnswIndex *index, const VsRabitq *codec, VsEditMode mode)
{
	/* The codebook begins with the mean. */
	index->meta.codebook_block =
		write_chain(index, codec->mean, vs_rabitq_codebook_nfloats(codec), mode);
	index->meta.trained_nblocks = RelationGetNumberOfBlocks(index->rel);
}

/* The last page of the codebook. */
static BlockNumber
last_codebook_block(VsHnswIndex *index)
{
	BlockNumber block = index->meta.codebook_block;

	for (;;)
	{
		Buffer		buffer = vs_page_read(index->rel, block, BUFFER_LOCK_SHARE,
										  HNSW_PAGE_CODEBOOK);
		BlockNumber next = ((VsHnswCodebookHeader *)
							vs_page_records(BufferGetPage(buffer)))->next;

		UnlockReleaseBuffer(buffer);
		if (next == InvalidBlockNumber)
			return block;
		block = next;
	}
}

void
vs_hnsw_append_centroids(VsHnswIndex *index, const float *centroids, int n,
						 float residual)
{
	BlockNumber first = write_chain(index, centroids,
									(Size) index->meta.dim * n, VS_EDIT_LOGGED);
	BlockNumber last = last_codebook_block(index);
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
		VsHnswCodebookHeader *header;

		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		meta = vs_hnsw_page_meta(vs_edit_page(&edit, meta_buffer, VS_EDIT_CHANGE));
		meta->ncentroids += n;
		meta->residual = residual;
		meta->codebook_version = pg_prng_uint32(&pg_global_prng_state);
		header = (VsHnswCodebookHeader *)
			vs_page_records(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE));
		header->next = first;
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta_buffer);
}

void
vs_hnsw_read_codebook(Relation index, const VsHnswMeta *meta, float *floats,
					  Size nfloats)
{
	BlockNumber block = meta->codebook_block;
	Size		nread = 0;

	while (nread < nfloats && block != InvalidBlockNumber)
	{
		Buffer		buffer = vs_page_read(index, block, BUFFER_LOCK_SHARE,
										  HNSW_PAGE_CODEBOOK);
		const VsHnswCodebookHeader *header = (const VsHnswCodebookHeader *)
			vs_page_records(BufferGetPage(buffer));
		Size		n = Min(header->nfloats, HNSW_CODEBOOK_FLOATS);

		n = Min(n, nfloats - nread);
		memcpy(floats + nread, header + 1, sizeof(float) * n);
		nread += n;
		block = n > 0 ? header->next : InvalidBlockNumber;
		UnlockReleaseBuffer(buffer);
	}

	if (nread < nfloats)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("codebook of index \"%s\" is incomplete",
						RelationGetRelationName(index)),
				 errhint("Please REINDEX it.")));
}
