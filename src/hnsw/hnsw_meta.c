/*
 * hnsw_meta.c
 *		The metapage and the codebook pages.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "hnsw/hnsw_private.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

void
vs_hnsw_meta_form(VsHnswMeta *meta, Relation index)
{
	const VsOpclass *opclass = vs_opclass_of_index(index);

	memset(meta, 0, sizeof(VsHnswMeta));
	meta->magic = HNSW_MAGIC;
	meta->version = HNSW_VERSION;
	meta->state = HNSW_FLAT;
	meta->dim = vs_opclass_index_dim(index, opclass, "hnsw");
	meta->m = vs_hnsw_option_m(index);
	meta->ef_construction = vs_hnsw_option_ef_construction(index);
	meta->metric = opclass->metric;
	meta->bits = vs_hnsw_code_bits(meta->dim);
	meta->codebook_block = InvalidBlockNumber;
	meta->entry = HNSW_INVALID_ID;
	meta->entry_level = -1;
	meta->upper_block = InvalidBlockNumber;
	meta->tid_directory = InvalidBlockNumber;
}

/* Whether all that a metapage says is within its range. */
static bool
is_meta_sane(const VsHnswMeta *meta)
{
	return meta->dim >= 1 && meta->dim <= VS_CODE_MAX_DIM &&
		meta->m >= HNSW_MIN_M && meta->m <= HNSW_MAX_M &&
		meta->ef_construction >= HNSW_MIN_EF_CONSTRUCTION &&
		meta->ef_construction <= HNSW_MAX_EF_CONSTRUCTION &&
		(meta->bits == 1 || meta->bits == 2 || meta->bits == 4 ||
		 meta->bits == 8 || meta->bits == VS_RABITQ_FLOAT16_BITS) &&
		(meta->state == HNSW_FLAT || meta->state == HNSW_GRAPH) &&
		meta->exponent >= VS_F16VEC_MIN_EXPONENT &&
		meta->exponent <= VS_F16VEC_MAX_EXPONENT &&
		meta->ncentroids <= VS_RABITQ_MAX_CENTROIDS &&
		meta->entry_level >= -1 && meta->entry_level <= HNSW_MAX_LEVEL;
}

/*
 * ERROR unless the metapage is one that this version reads, and that of an
 * index like this one.
 */
static void
check_meta(Relation index, const VsOpclass *opclass, const VsHnswMeta *meta)
{
	int			dim = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;

	if (meta->magic != HNSW_MAGIC)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is not an hnsw index",
						RelationGetRelationName(index)),
				 errhint("Please REINDEX it.")));
	if (meta->version != HNSW_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" has format version %u, but this version of vsearch reads version %u",
						RelationGetRelationName(index), meta->version,
						HNSW_VERSION),
				 errhint("Please REINDEX it.")));
	if (!is_meta_sane(meta) || meta->metric != opclass->metric ||
		(dim > 0 && meta->dim != dim))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("metapage of index \"%s\" is corrupted",
						RelationGetRelationName(index)),
				 errhint("Please REINDEX it.")));
}

/* Read the metapage and what follows from it. */
static void
load_meta(VsHnswIndex *index)
{
	Buffer		buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
									  BUFFER_LOCK_SHARE, HNSW_PAGE_META);

	index->meta = *vs_hnsw_page_meta(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);

	check_meta(index->rel, index->opclass, &index->meta);
	vs_hnsw_geometry_init(&index->geometry, index->meta.dim, index->meta.m,
						  index->meta.bits);
	if (index->meta.state == HNSW_GRAPH && index->codec == NULL)
		index->codec = vs_hnsw_codec_acquire(index->rel, &index->meta);
}

VsHnswIndex *
vs_hnsw_open(Relation rel)
{
	VsHnswIndex *index = palloc0(sizeof(VsHnswIndex));

	index->rel = rel;
	index->opclass = vs_opclass_of_index(rel);
	load_meta(index);
	return index;
}

VsHnswIndex *
vs_hnsw_open_new(Relation rel)
{
	VsHnswIndex *index = palloc0(sizeof(VsHnswIndex));

	index->rel = rel;
	index->opclass = vs_opclass_of_index(rel);
	vs_hnsw_meta_form(&index->meta, rel);
	vs_hnsw_geometry_init(&index->geometry, index->meta.dim, index->meta.m,
						  index->meta.bits);
	return index;
}

bool
vs_hnsw_refresh(VsHnswIndex *index)
{
	bool		was_flat = index->meta.state == HNSW_FLAT;

	load_meta(index);
	return was_flat && index->meta.state == HNSW_GRAPH;
}

void
vs_hnsw_refresh_entry(VsHnswIndex *index)
{
	Buffer		buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
									  BUFFER_LOCK_SHARE, HNSW_PAGE_META);

	index->meta = *vs_hnsw_page_meta(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
}

void
vs_hnsw_create_meta(VsHnswIndex *index, VsEditMode mode)
{
	VsEdit		edit;
	Buffer		buffer;
	Page		page;

	vs_page_extend(index->rel, 1, &buffer);
	Assert(BufferGetBlockNumber(buffer) == HNSW_META_BLOCK);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);

	vs_edit_begin(&edit, index->rel, mode);
	page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
	vs_page_init(page, HNSW_PAGE_META, sizeof(VsHnswMeta));
	*vs_hnsw_page_meta(page) = index->meta;
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

void
vs_hnsw_write_meta(VsHnswIndex *index, VsEditMode mode)
{
	VsEdit		edit;
	Buffer		buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
									  BUFFER_LOCK_EXCLUSIVE, HNSW_PAGE_META);

	vs_edit_begin(&edit, index->rel, mode);
	*vs_hnsw_page_meta(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE)) = index->meta;
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

/* Note an entry point on the metapage, which is locked exclusively. */
static void
set_entry(VsHnswIndex *index, Buffer buffer, uint32 entry, int level,
		  VsEditMode mode)
{
	VsEdit		edit;
	VsHnswMeta *meta;

	vs_edit_begin(&edit, index->rel, mode);
	meta = vs_hnsw_page_meta(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE));
	meta->entry = entry;
	meta->entry_level = level;
	vs_edit_commit(&edit);
}

void
vs_hnsw_raise_entry(VsHnswIndex *index, uint32 entry, int level,
					VsEditMode mode)
{
	Buffer		buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
									  BUFFER_LOCK_EXCLUSIVE, HNSW_PAGE_META);

	if (vs_hnsw_page_meta(BufferGetPage(buffer))->entry_level < level)
		set_entry(index, buffer, entry, level, mode);
	UnlockReleaseBuffer(buffer);
}

void
vs_hnsw_replace_entry(VsHnswIndex *index, uint32 old_entry, int old_level,
					  uint32 entry, int level, VsEditMode mode)
{
	Buffer		buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
									  BUFFER_LOCK_EXCLUSIVE, HNSW_PAGE_META);
	const VsHnswMeta *meta = vs_hnsw_page_meta(BufferGetPage(buffer));

	if (meta->entry == old_entry && meta->entry_level == old_level)
		set_entry(index, buffer, entry, level, mode);
	UnlockReleaseBuffer(buffer);
}

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
	index->meta.ncentroids = codec->ncentroids;
	index->meta.codebook_version = pg_prng_uint32(&pg_global_prng_state);
	return codec;
}

/* Write one page of the codebook. */
static void
write_codebook_page(VsHnswIndex *index, Buffer buffer, BlockNumber next,
					const float *floats, Size nfloats, VsEditMode mode)
{
	VsEdit		edit;
	Page		page;
	VsHnswCodebookHeader *header;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
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

void
vs_hnsw_write_codebook(VsHnswIndex *index, const VsRabitq *codec, VsEditMode mode)
{
	const float *floats = codec->mean;	/* the codebook begins with it */
	Size		nfloats = vs_rabitq_codebook_nfloats(codec);
	int			npages = (nfloats + HNSW_CODEBOOK_FLOATS - 1) / HNSW_CODEBOOK_FLOATS;
	BlockNumber next = InvalidBlockNumber;

	/* From the last page to the first, so that each knows its successor. */
	for (int i = npages - 1; i >= 0; i--)
	{
		Size		begin = (Size) i * HNSW_CODEBOOK_FLOATS;
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		vs_page_extend(index->rel, 1, &buffer);
		index->meta.codebook_block = BufferGetBlockNumber(buffer);
		write_codebook_page(index, buffer, next, floats + begin,
							Min(nfloats - begin, HNSW_CODEBOOK_FLOATS), mode);
		next = index->meta.codebook_block;
	}
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
