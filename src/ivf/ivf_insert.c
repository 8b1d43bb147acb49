/*
 * ivf_insert.c
 *		Inserting one row.
 *
 * A slot is filled together with its vector, or after it where that takes
 * several pages: whoever sees the slot finds the vector.  See README.md,
 * "Insert".
 */
#include "postgres.h"

#include "ivf/ivf_lists.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"

/* A row on its way into a list. */
typedef struct Insertion
{
	VsIvfIndex *index;
	uint32		list;
	VsIvfRow	row;
	Buffer		tail;			/* locked: the list's last page, if the slot
								 * is on a new one, or else invalid */
	Buffer		buffer;			/* locked: the list page with the slot */
	int			slot;
	Buffer	   *vectors;		/* locked: pages of its vector, NULL if codes
								 * are vectors */
	bool		vectors_are_new;
} Insertion;

/* The list that a row belongs to. */
static uint32
nearest_list(VsIvfIndex *index, const VsIvfProbe *probe)
{
	uint32		list;

	if (!vs_ivf_lists_next(vs_ivf_lists_create(index, probe), &list))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no lists",
						RelationGetRelationName(index->rel)),
				 errhint("Please REINDEX it.")));
	return list;
}

/* Encode the row for its list. */
static void
encode(Insertion *insertion)
{
	VsIvfIndex *index = insertion->index;
	VsIvfEntry	entry = vs_ivf_read_entry(index, insertion->list);
	float	   *center = palloc(sizeof(float) * index->geometry.dim);
	float	   *scratch = palloc(sizeof(float) * index->geometry.dim);

	if (!vs_ivf_is_exact(index))
		vs_ivf_read_center(index, &entry, center);
	vs_ivf_encode_row(index, center, scratch, &insertion->row);
}

/* The first free slot of a list page, or -1. */
static int
find_free_slot(const VsIvfGeometry *g, const VsIvfSlots *slots)
{
	int			nused = vs_ivf_nused(g, slots);

	for (int i = slots->header->nlive < nused ? 0 : nused; i < g->nslots; i++)
		if (!ItemPointerIsValid(&slots->tids[i]))
			return i;
	return -1;
}

/* Lock a page of zeroes that vacuum found, behind a block; or return invalid. */
static Buffer
lock_zero_page(VsIvfIndex *index, BlockNumber after)
{
	BlockNumber block = GetFreeIndexPage(index->rel);
	Buffer		buffer;

	if (block == InvalidBlockNumber || !vs_page_exists(index->rel, block))
		return InvalidBuffer;
	if (block <= after)
	{
		/* It may suit another list. */
		RecordFreeIndexPage(index->rel, block);
		return InvalidBuffer;
	}

	/*
	 * Somebody who has just extended the index by it may be writing it.  Not
	 * waited for: he may be waiting for a page that we have.
	 */
	buffer = ReadBuffer(index->rel, block);
	if (ConditionalLockBuffer(buffer))
	{
		if (PageIsNew(BufferGetPage(buffer)))
			return buffer;
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	}
	ReleaseBuffer(buffer);
	return InvalidBuffer;
}

/*
 * A page of zeroes behind a block, locked: one that a crash left and vacuum found,
 * or a new one, which somebody else may have taken for such a one meanwhile.
 */
static Buffer
lock_new_page(VsIvfIndex *index, BlockNumber after)
{
	Buffer		buffer = lock_zero_page(index, after);

	while (buffer == InvalidBuffer)
	{
		vs_page_extend(index->rel, 1, &buffer);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		if (PageIsNew(BufferGetPage(buffer)))
			break;
		UnlockReleaseBuffer(buffer);
		buffer = InvalidBuffer;
	}
	return buffer;
}

/*
 * New pages for a vector, locked.  Where it takes several they are adjacent, and
 * vacuum leaves pages of zeroes alone.
 */
static void
lock_new_vectors(VsIvfIndex *index, Buffer *buffers)
{
	int			n = index->geometry.pages_per_vector;

	if (n == 1)
	{
		buffers[0] = lock_new_page(index, IVF_META_BLOCK);
		return;
	}
	vs_page_extend(index->rel, n, buffers);
	for (int i = 0; i < n; i++)
		LockBuffer(buffers[i], BUFFER_LOCK_EXCLUSIVE);
}

/*
 * Lock the first list page that has a free slot, from where one may be, or
 * else a new one and the last of the list.  Returns where it began to look.
 */
static BlockNumber
lock_free_slot(Insertion *insertion)
{
	VsIvfIndex *index = insertion->index;
	const VsIvfGeometry *g = &index->geometry;
	BlockNumber begin = vs_ivf_read_entry(index, insertion->list).insert;
	BlockNumber block = begin;

	insertion->tail = InvalidBuffer;
	for (;;)
	{
		Buffer		buffer = vs_ivf_lock_list(index, insertion->list, block,
											  BUFFER_LOCK_EXCLUSIVE);
		VsIvfSlots	slots = vs_ivf_page_slots(g, BufferGetPage(buffer));

		insertion->slot = find_free_slot(g, &slots);
		insertion->buffer = buffer;
		if (insertion->slot >= 0)
			break;
		block = vs_ivf_next_block(index, block, slots.header);
		if (block == InvalidBlockNumber)
		{
			insertion->tail = buffer;
			insertion->slot = 0;
			insertion->buffer = lock_new_page(index, BufferGetBlockNumber(buffer));
			break;
		}
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	return begin;
}

/* Lock the pages of the slot's vector, new ones if there are none yet. */
static void
lock_vectors(Insertion *insertion)
{
	VsIvfIndex *index = insertion->index;
	const VsIvfGeometry *g = &index->geometry;
	BlockNumber block = 0;

	if (g->vectors_per_page == 0)
		return;

	if (insertion->tail == InvalidBuffer)
	{
		VsIvfSlots	slots = vs_ivf_page_slots(g, BufferGetPage(insertion->buffer));

		block = slots.vector_blocks[insertion->slot / g->vectors_per_page];
	}
	insertion->vectors_are_new = block == 0;
	insertion->vectors = palloc(sizeof(Buffer) * g->pages_per_vector);
	if (insertion->vectors_are_new)
		lock_new_vectors(index, insertion->vectors);
	else
		for (int i = 0; i < g->pages_per_vector; i++)
			insertion->vectors[i] = vs_page_read(index->rel, block + i,
												 BUFFER_LOCK_EXCLUSIVE,
												 IVF_PAGE_VECTORS);
}

/* Take a page of the vector into an edit, and write its part. */
static void
edit_vector_part(Insertion *insertion, VsEdit *edit, int part)
{
	const VsIvfGeometry *g = &insertion->index->geometry;
	bool		is_new = insertion->vectors_are_new;
	Page		page = vs_edit_page(edit, insertion->vectors[part],
									is_new ? VS_EDIT_NEW : VS_EDIT_CHANGE);

	if (is_new)
		vs_ivf_init_page(g, page, IVF_PAGE_VECTORS);
	vs_ivf_set_vector_part(g, page, insertion->slot % g->vectors_per_page, part,
						   &insertion->row.vector);
}

/* Take the list page into an edit, and fill the slot. */
static void
edit_slot(Insertion *insertion, VsEdit *edit)
{
	const VsIvfGeometry *g = &insertion->index->geometry;
	bool		is_new = insertion->tail != InvalidBuffer;
	Page		page = vs_edit_page(edit, insertion->buffer,
									is_new ? VS_EDIT_NEW : VS_EDIT_CHANGE);
	VsIvfSlots	slots;

	if (is_new)
		vs_ivf_init_list_page(g, page, insertion->list);
	slots = vs_ivf_page_slots(g, page);
	vs_ivf_set_slot(g, &slots, insertion->slot, &insertion->row);
	if (insertion->vectors != NULL)
		slots.vector_blocks[insertion->slot / g->vectors_per_page] =
			BufferGetBlockNumber(insertion->vectors[0]);
}

/*
 * Write slot and vector.  A vector over several pages is written first: nobody
 * sees it before the slot.
 */
static void
write_row(Insertion *insertion)
{
	VsIvfIndex *index = insertion->index;
	int			nparts = index->geometry.pages_per_vector;
	VsEdit		edit;

	for (int i = 0; nparts > 1 && i < nparts; i++)
	{
		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		edit_vector_part(insertion, &edit, i);
		vs_edit_commit(&edit);
	}

	vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
	if (insertion->tail != InvalidBuffer)
		vs_ivf_page_slots(&index->geometry,
						  vs_edit_page(&edit, insertion->tail,
									   VS_EDIT_CHANGE)).header->next =
			BufferGetBlockNumber(insertion->buffer);
	edit_slot(insertion, &edit);
	if (nparts == 1)
		edit_vector_part(insertion, &edit, 0);
	vs_edit_commit(&edit);
}

/* Release the pages. */
static void
unlock(Insertion *insertion)
{
	if (insertion->vectors != NULL)
		for (int i = 0; i < insertion->index->geometry.pages_per_vector; i++)
			UnlockReleaseBuffer(insertion->vectors[i]);
	UnlockReleaseBuffer(insertion->buffer);
	if (insertion->tail != InvalidBuffer)
		UnlockReleaseBuffer(insertion->tail);
}

/* Insert a vector (dim floats) for a heap TID. */
static void
insert_vector(VsIvfIndex *index, const float *x, ItemPointer tid)
{
	Insertion	insertion = {.index = index};
	VsIvfRow   *row = &insertion.row;
	float	   *rounded = palloc(sizeof(float) * index->geometry.dim);
	BlockNumber begin;
	BlockNumber found;

	vs_ivf_row_init(row, &index->geometry);
	row->tid = *tid;
	row->vector.exponent = vs_f16vec_encode(index->geometry.dim, x,
											row->vector.halves);

	/* What is stored decides, as it does in a build. */
	vs_kernel->f16_to_f32(index->geometry.dim, row->vector.halves,
						  vs_f16vec_scale(row->vector.exponent), rounded);
	insertion.list = nearest_list(index, vs_ivf_probe_create(index, rounded));
	encode(&insertion);

	begin = lock_free_slot(&insertion);
	lock_vectors(&insertion);
	write_row(&insertion);
	found = BufferGetBlockNumber(insertion.buffer);
	unlock(&insertion);
	if (found != begin)
		vs_ivf_move_insert(index, insertion.list, begin, found);
}

bool
vs_ivf_insert(Relation rel, Datum *values, bool *isnull, ItemPointer tid,
			  Relation heap, IndexUniqueCheck checkUnique, bool indexUnchanged,
			  IndexInfo *indexInfo)
{
	MemoryContext context;
	MemoryContext old;
	VsIvfIndex *index;
	float	   *x;

	if (isnull[0])
		return false;

	context = AllocSetContextCreate(CurrentMemoryContext, "ivfflat insert",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	index = vs_ivf_open(rel);
	x = palloc(sizeof(float) * index->geometry.dim);
	if (vs_opclass_read(index->opclass, values[0], index->geometry.dim, x))
		insert_vector(index, x, tid);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
