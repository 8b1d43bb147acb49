/*
 * ivf_meta.c
 *		The metapage, and what follows from it.
 */
#include "postgres.h"

#include <math.h>

#include "index/meta.h"
#include "ivf/ivf_private.h"
#include "quant/f16vec.h"

/* log2 of the typical residual's length that the codec's unit gives. */
#define RESIDUAL_EXPONENT 2

/* Dimensions of the index; ERROR if vectors of so few have no directions. */
static int
index_dim(Relation rel, const VsOpclass *opclass)
{
	int			dim = vs_opclass_index_dim(rel, opclass, "ivfflat");

	if (dim == 1 && opclass->metric != VS_METRIC_L2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions must be greater than one for this opclass")));
	return dim;
}

/* Whether all that a metapage says is within its range. */
static bool
is_meta_sane(const VsIvfMeta *meta)
{
	return meta->dim >= 1 && meta->dim <= VS_CODE_MAX_DIM &&
		meta->bits == vs_ivf_code_bits(meta->dim) &&
		meta->exponent >= VS_F16VEC_MIN_EXPONENT &&
		meta->exponent <= VS_F16VEC_MAX_EXPONENT &&
		meta->nlists >= 1 && meta->nlists <= IVF_MAX_LISTS &&
		meta->ngroups <= meta->nlists;
}

/* ERROR unless we can go by the metapage. */
static void
check_meta(Relation rel, const VsOpclass *opclass, const VsIvfMeta *meta)
{
	VsMetaFacts facts = {
		.am = "an ivfflat",
		.is_ours = meta->magic == IVF_MAGIC,
		.version = meta->version,
		.known_version = IVF_VERSION,
		.metric = meta->metric,
		.dim = meta->dim,
		.is_sane = is_meta_sane(meta),
	};

	vs_meta_require(rel, opclass, &facts);
}

void
vs_ivf_use_unit(VsIvfIndex *index)
{
	VsRabitq   *codec = &index->codec;
	const VsIvfMeta *meta = &index->meta;

	memset(codec, 0, sizeof(VsRabitq));
	codec->dim = meta->dim;
	codec->bits = meta->bits;
	codec->estimate = meta->metric == VS_METRIC_IP ?
		VS_ESTIMATE_NEGATIVE_IP : VS_ESTIMATE_L2_SQ;
	codec->exponent = meta->exponent;
	if (!vs_ivf_is_exact(index))
		vs_rotation_init(&codec->rotation, meta->dim, meta->seed,
						 palloc(vs_rotation_signs_nbytes(meta->dim)));
}

void
vs_ivf_set_unit(VsIvfIndex *index, uint32 seed, double residual)
{
	int			exponent = RESIDUAL_EXPONENT;

	if (residual > 0.0)
		frexp(residual, &exponent);
	exponent -= RESIDUAL_EXPONENT;
	index->meta.exponent = Max(Min(exponent, VS_F16VEC_MAX_EXPONENT),
							   VS_F16VEC_MIN_EXPONENT);
	index->meta.residual = residual;
	index->meta.seed = seed;
	vs_ivf_use_unit(index);
}

VsIvfIndex *
vs_ivf_open(Relation rel)
{
	VsIvfIndex *index = palloc0(sizeof(VsIvfIndex));
	Buffer		buffer = vs_page_read(rel, IVF_META_BLOCK, BUFFER_LOCK_SHARE,
									  IVF_PAGE_META);

	index->meta = *vs_ivf_page_meta(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);

	index->rel = rel;
	index->opclass = vs_opclass_of_index(rel);
	check_meta(rel, index->opclass, &index->meta);
	vs_ivf_geometry_init(&index->geometry, index->meta.dim, index->meta.bits);
	vs_ivf_use_unit(index);
	return index;
}

VsIvfIndex *
vs_ivf_open_new(Relation rel)
{
	VsIvfIndex *index = palloc0(sizeof(VsIvfIndex));
	VsIvfMeta  *meta = &index->meta;

	index->rel = rel;
	index->opclass = vs_opclass_of_index(rel);
	meta->magic = IVF_MAGIC;
	meta->version = IVF_VERSION;
	meta->metric = index->opclass->metric;
	meta->dim = index_dim(rel, index->opclass);
	meta->bits = vs_ivf_code_bits(meta->dim);
	meta->directory_block = InvalidBlockNumber;
	vs_ivf_geometry_init(&index->geometry, meta->dim, meta->bits);
	return index;
}

void
vs_ivf_write_meta(VsIvfIndex *index)
{
	VsEdit		edit;
	Buffer		buffer = vs_page_read(index->rel, IVF_META_BLOCK,
									  BUFFER_LOCK_EXCLUSIVE, IVF_PAGE_META);

	vs_edit_begin(&edit, index->rel, VS_EDIT_BUILD);
	*vs_ivf_page_meta(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE)) = index->meta;
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}
