/*
 * codec.c
 *		Codecs kept by the backend, so that a query need not read the codebook.
 *
 * A codec is immutable and known by its index's file and codebook version.  It
 * is kept until the index shows another version or too many are kept; whoever
 * acquired it holds it until the memory context in which that happened is
 * reset, also after an error.
 */
#include "postgres.h"

#include "compat.h"
#include "index/codec.h"
#include "lib/ilist.h"
#include "utils/memutils.h"

/* Codecs kept beyond those in use. */
#define MAX_KEPT 64

typedef struct KeptCodec
{
	dlist_node	node;			/* most recently used first */
	VsRelFileKey file;
	uint32		version;
	int			nholders;
	bool		kept;			/* still in the list */
	VsRabitq	codec;
	float		floats[FLEXIBLE_ARRAY_MEMBER];	/* that it uses */
} KeptCodec;

static MemoryContext codec_context = NULL;
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
		pfree(kept);
}

/* Memory context callback: a holder is gone. */
static void
release_codec(void *arg)
{
	KeptCodec  *kept = arg;

	Assert(kept->nholders > 0);
	if (--kept->nholders == 0 && !kept->kept)
		pfree(kept);
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
load_codec(Relation index, const VsCodebook *codebook)
{
	KeptCodec  *kept;

	if (codec_context == NULL)
		codec_context = AllocSetContextCreate(TopMemoryContext, "vsearch codecs",
											  ALLOCSET_SMALL_SIZES);
	kept = MemoryContextAlloc(codec_context, offsetof(KeptCodec, floats) +
							  vs_codebook_codec_nbytes(codebook));
	PG_TRY();
	{
		vs_codebook_read(index, codebook, &kept->codec, kept->floats);
	}
	PG_CATCH();
	{
		pfree(kept);
		PG_RE_THROW();
	}
	PG_END_TRY();

	kept->file = vs_compat_file_key(index);
	kept->version = codebook->version;
	kept->nholders = 0;
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
vs_codec_acquire(Relation index, const VsCodebook *codebook)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	KeptCodec  *kept = find_codec(vs_compat_file_key(index),
								  codebook->version);

	if (kept == NULL)
	{
		kept = load_codec(index, codebook);
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
