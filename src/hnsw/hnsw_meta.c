/*
 * hnsw_meta.c
 *		The metapage.
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_private.h"
#include "index/meta.h"
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
		meta->bits == vs_hnsw_code_bits(meta->dim) &&
		(meta->state == HNSW_FLAT || meta->state == HNSW_GRAPH) &&
		meta->exponent >= VS_F16VEC_MIN_EXPONENT &&
		meta->exponent <= VS_F16VEC_MAX_EXPONENT &&
		(meta->state == HNSW_FLAT || meta->ncentroids >= 1) &&
		meta->ncentroids <= VS_RABITQ_MAX_CENTROIDS &&
		isfinite(meta->residual) && meta->residual >= 0.0f &&
		meta->entry_level >= -1 && meta->entry_level <= HNSW_MAX_LEVEL;
}

/* ERROR unless we can go by the metapage. */
static void
check_meta(Relation index, const VsOpclass *opclass, const VsHnswMeta *meta)
{
	VsMetaFacts facts = {
		.am = "an hnsw",
		.is_ours = meta->magic == HNSW_MAGIC,
		.version = meta->version,
		.known_version = HNSW_VERSION,
		.metric = meta->metric,
		.dim = meta->dim,
		.is_sane = is_meta_sane(meta),
	};

	vs_meta_require(index, opclass, &facts);
}

/* Copy what the metapage says. */
static void
read_meta(Relation rel, VsHnswMeta *meta)
{
	Buffer		buffer = vs_page_read(rel, HNSW_META_BLOCK, BUFFER_LOCK_SHARE,
									  HNSW_PAGE_META);

	*meta = *vs_hnsw_page_meta(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
}

/* Hold the codec that index->meta names. */
static void
hold_codec(VsHnswIndex *index)
{
	MemoryContext old;

	if (index->codec != NULL &&
		index->codec_version == index->meta.codebook_version)
		return;
	old = MemoryContextSwitchTo(index->context);
	index->codec = vs_hnsw_acquire_codec(index->rel, &index->meta);
	index->codec_version = index->meta.codebook_version;
	MemoryContextSwitchTo(old);
}

/* Read the metapage and what follows from it. */
static void
load_meta(VsHnswIndex *index)
{
	read_meta(index->rel, &index->meta);
	check_meta(index->rel, index->opclass, &index->meta);
	vs_hnsw_geometry_init(&index->geometry, index->meta.dim, index->meta.m,
						  index->meta.bits);
	if (index->meta.state == HNSW_GRAPH)
		hold_codec(index);
}

VsHnswIndex *
vs_hnsw_open(Relation rel)
{
	VsHnswIndex *index = palloc0(sizeof(VsHnswIndex));

	index->rel = rel;
	index->context = CurrentMemoryContext;
	index->opclass = vs_opclass_of_index(rel);
	load_meta(index);
	return index;
}

VsHnswIndex *
vs_hnsw_open_new(Relation rel)
{
	VsHnswIndex *index = palloc0(sizeof(VsHnswIndex));

	index->rel = rel;
	index->context = CurrentMemoryContext;
	index->opclass = vs_opclass_of_index(rel);
	vs_hnsw_meta_form(&index->meta, rel);
	vs_hnsw_geometry_init(&index->geometry, index->meta.dim, index->meta.m,
						  index->meta.bits);
	return index;
}

void
vs_hnsw_refresh(VsHnswIndex *index)
{
	load_meta(index);
}

void
vs_hnsw_refresh_codec(VsHnswIndex *index)
{
	VsHnswMeta	meta;

	read_meta(index->rel, &meta);
	check_meta(index->rel, index->opclass, &meta);
	index->meta.ncentroids = meta.ncentroids;
	index->meta.residual = meta.residual;
	index->meta.codebook_version = meta.codebook_version;
	hold_codec(index);
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

bool
vs_hnsw_note_training(VsHnswIndex *index, BlockNumber nblocks)
{
	Buffer		buffer = vs_page_read(index->rel, HNSW_META_BLOCK,
									  BUFFER_LOCK_EXCLUSIVE, HNSW_PAGE_META);
	bool		first = vs_hnsw_page_meta(BufferGetPage(buffer))->trained_nblocks ==
		index->meta.trained_nblocks;

	if (first)
	{
		VsEdit		edit;

		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		vs_hnsw_page_meta(vs_edit_page(&edit, buffer,
									   VS_EDIT_CHANGE))->trained_nblocks = nblocks;
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
	return first;
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
