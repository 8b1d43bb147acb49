/*
 * hnsw_codec.c
 *		Codecs kept by the backend, so that a query need not read the codebook.
 *
 * A codec is immutable and known by its index's file and codebook version.  It
 * is kept until the index shows another version or too many are kept; whoever
 * acquired it holds it until the memory context in which that happened is
 * reset, also after an error.
 */
#include "postgres.h"

#include "compat.h"
#include "hnsw/hnsw_private.h"
#include "lib/ilist.h"
#include "utils/memutils.h"

/* Codecs kept beyond those in use. */
#define MAX_KEPT 64

typedef struct KeptCodec
{
	dlist_node	node;			/* most recently used first */
	MemoryContext context;		/* holds all of this */
	VsRelFileKey file;
	uint32		version;
	int			nholders;
	bool		kept;			/* still in the list */
	VsRabitq	codec;
} KeptCodec;

static dlist_head kept_codecs = DLIST_STATIC_INIT(kept_codecs);
static int	nkept = 0;

/* Take a codec off the list, and free it unless somebody holds it. */
static void
drop_codec(KeptCodec *kept)
{
	if (kept->kept)
	{
		dlist_delete(&kept->node);
		kept->kept = false;
		nkept--;
	}
	if (kept->nholders == 0)
		MemoryContextDelete(kept->context);
}

/* Memory context callback: a holder is gone. */
static void
release_codec(void *arg)
{
	KeptCodec  *kept = arg;

	Assert(kept->nholders > 0);
	if (--kept->nholders == 0 && !kept->kept)
		MemoryContextDelete(kept->context);
}

/* Find the codec of an index file; drops one of an older version. */
static KeptCodec *
find_codec(VsRelFileKey file, uint32 version)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &kept_codecs)
	{
		KeptCodec  *kept = dlist_container(KeptCodec, node, iter.cur);

		if (!vs_compat_same_file(kept->file, file))
			continue;
		if (kept->version == version)
			return kept;
		drop_codec(kept);
	}
	return NULL;
}

/* Read the codebook of an index into a codec of its own. */
static KeptCodec *
load_codec(Relation index, const VsHnswMeta *meta)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext,
												  "hnsw codec",
												  ALLOCSET_DEFAULT_SIZES);
	KeptCodec  *kept;
	Size		nfloats;
	float	   *floats;

	PG_TRY();
	{
		kept = MemoryContextAllocZero(context, sizeof(KeptCodec));
		kept->codec.dim = meta->dim;
		kept->codec.bits = meta->bits;
		kept->codec.estimate = vs_hnsw_estimate(meta);
		kept->codec.exponent = meta->exponent;
		kept->codec.residual = meta->residual;
		kept->codec.ncentroids = meta->ncentroids;
		nfloats = vs_rabitq_codebook_nfloats(&kept->codec);
		floats = MemoryContextAlloc(context, sizeof(float) * nfloats);
		vs_hnsw_read_codebook(index, meta, floats, nfloats);
		vs_rabitq_use_codebook(&kept->codec, floats);
		vs_rotation_init(&kept->codec.rotation, meta->dim, meta->seed,
						 MemoryContextAlloc(context,
											vs_rotation_signs_nbytes(meta->dim)));
	}
	PG_CATCH();
	{
		MemoryContextDelete(context);
		PG_RE_THROW();
	}
	PG_END_TRY();

	kept->context = context;
	kept->file = vs_compat_file_key(index);
	kept->version = meta->codebook_version;
	return kept;
}

/* Drop the codecs that were not used for longest. */
static void
limit_kept_codecs(void)
{
	while (nkept > MAX_KEPT)
		drop_codec(dlist_container(KeptCodec, node,
								   dlist_tail_node(&kept_codecs)));
}

const VsRabitq *
vs_hnsw_codec_acquire(Relation index, const VsHnswMeta *meta)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	KeptCodec  *kept = find_codec(vs_compat_file_key(index),
								  meta->codebook_version);

	if (kept == NULL)
	{
		kept = load_codec(index, meta);
		dlist_push_head(&kept_codecs, &kept->node);
		kept->kept = true;
		nkept++;
	}
	else
		dlist_move_head(&kept_codecs, &kept->node);

	kept->nholders++;
	callback->func = release_codec;
	callback->arg = kept;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);

	limit_kept_codecs();
	return &kept->codec;
}
