/*
 * ivf_list.c
 *		Lists: what those who read and those who write them share.
 */
#include "postgres.h"

#include "ivf/ivf_codes.h"
#include "ivf/ivf_private.h"
#include "kernel/kernel.h"
#include "quant/f16vec.h"

/* Read and lock the directory page of a list's entry. */
static Buffer
lock_entry(VsIvfIndex *index, uint32 list, int lockmode)
{
	Assert(list <= vs_ivf_root(index));
	return vs_page_read(index->rel,
						index->meta.directory_block + list / IVF_ENTRIES_PER_PAGE,
						lockmode, IVF_PAGE_DIRECTORY);
}

/* ERROR: a list is not as it should be at a block. */
static void
complain(VsIvfIndex *index, BlockNumber block, uint32 list)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("list %u of index \"%s\" is broken at block %u",
					list, RelationGetRelationName(index->rel), block),
			 errhint("Please REINDEX it.")));
}

VsIvfEntry
vs_ivf_read_entry(VsIvfIndex *index, uint32 list)
{
	Buffer		buffer = lock_entry(index, list, BUFFER_LOCK_SHARE);
	VsIvfEntry	entry = *vs_ivf_page_entry(BufferGetPage(buffer),
										   list % IVF_ENTRIES_PER_PAGE);

	UnlockReleaseBuffer(buffer);
	return entry;
}

void
vs_ivf_write_entry(VsIvfIndex *index, uint32 list, const VsIvfEntry *entry)
{
	Buffer		buffer = lock_entry(index, list, BUFFER_LOCK_EXCLUSIVE);
	VsEdit		edit;

	vs_edit_begin(&edit, index->rel, VS_EDIT_BUILD);
	*vs_ivf_page_entry(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
					   list % IVF_ENTRIES_PER_PAGE) = *entry;
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

void
vs_ivf_move_insert(VsIvfIndex *index, uint32 list, BlockNumber from,
				   BlockNumber to)
{
	Buffer		buffer = lock_entry(index, list, BUFFER_LOCK_EXCLUSIVE);
	int			position = list % IVF_ENTRIES_PER_PAGE;

	if (vs_ivf_page_entry(BufferGetPage(buffer), position)->insert == from)
	{
		VsEdit		edit;

		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		vs_ivf_page_entry(vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
						  position)->insert = to;
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
}

Buffer
vs_ivf_lock_list(VsIvfIndex *index, uint32 list, BlockNumber block, int lockmode)
{
	Buffer		buffer = vs_page_read(index->rel, block, lockmode, IVF_PAGE_LIST);

	if (vs_ivf_page_slots(&index->geometry,
						  BufferGetPage(buffer)).header->list != list)
		complain(index, block, list);
	return buffer;
}

BlockNumber
vs_ivf_next_block(VsIvfIndex *index, BlockNumber block,
				  const VsIvfListPage *header)
{
	if (header->next <= block)
		complain(index, block, header->list);
	return header->next;
}

/*
 * Where part "part" of a vector begins among its elements, and how many there
 * are; the exponent takes a number's place in front.
 */
static int
part_of_vector(const VsIvfGeometry *g, int part, int *begin)
{
	int			end = Min((part + 1) * IVF_NUMBERS_PER_PAGE - 1, g->dim);

	*begin = part == 0 ? 0 : part * IVF_NUMBERS_PER_PAGE - 1;
	return end - *begin;
}

void
vs_ivf_read_vector(VsIvfIndex *index, BlockNumber block, int record,
				   VsIvfVector *vector)
{
	const VsIvfGeometry *g = &index->geometry;

	if (record >= g->vectors_per_page)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" refers to vector %d of block %u, which does not exist",
						RelationGetRelationName(index->rel), record, block),
				 errhint("Please REINDEX it.")));
	for (int part = 0; part < g->pages_per_vector; part++)
	{
		Buffer		buffer = vs_page_read(index->rel, block + part,
										  BUFFER_LOCK_SHARE, IVF_PAGE_VECTORS);
		const int16 *numbers = vs_ivf_page_vector(g, BufferGetPage(buffer), record);
		int			begin;
		int			n = part_of_vector(g, part, &begin);

		if (part == 0)
			vector->exponent = *numbers++;
		memcpy(vector->halves + begin, numbers, sizeof(uint16) * n);
		UnlockReleaseBuffer(buffer);
	}
}

void
vs_ivf_set_vector_part(const VsIvfGeometry *g, Page page, int record, int part,
					   const VsIvfVector *vector)
{
	int16	   *numbers = vs_ivf_page_vector(g, page, record);
	int			begin;
	int			n = part_of_vector(g, part, &begin);

	if (part == 0)
		*numbers++ = vector->exponent;
	memcpy(numbers, vector->halves + begin, sizeof(uint16) * n);
}

void
vs_ivf_read_center(VsIvfIndex *index, const VsIvfEntry *entry, float *center)
{
	int			dim = index->geometry.dim;
	VsIvfVector vector;

	Assert(!vs_ivf_is_exact(index));
	vector.halves = palloc(sizeof(uint16) * dim);
	vs_ivf_read_vector(index, entry->center_block, entry->center_record, &vector);
	vs_kernel->f16_to_f32(dim, vector.halves, vs_f16vec_scale(vector.exponent),
						  center);
	pfree(vector.halves);
}

void
vs_ivf_row_init(VsIvfRow *row, const VsIvfGeometry *g)
{
	memset(row, 0, sizeof(VsIvfRow));
	row->vector.halves = palloc(sizeof(uint16) * g->dim);
	row->code = palloc(g->code_nbytes);
}

void
vs_ivf_row_free(VsIvfRow *row)
{
	pfree(row->vector.halves);
	pfree(row->code);
}

/* Encode a vector that is its own code. */
static void
encode_whole(const VsIvfIndex *index, VsIvfRow *row)
{
	memset(&row->factors, 0, sizeof(row->factors));
	row->factors.add = (uint16) (int16) row->vector.exponent;
	memcpy(row->code, row->vector.halves, index->geometry.code_nbytes);
}

/* Encode a row whose vector is to be rotated, or is already. */
static void
encode(const VsIvfIndex *index, bool rotate, const float *center,
	   float *scratch, VsIvfRow *row)
{
	const VsRabitq *codec = &index->codec;

	if (vs_ivf_is_exact(index))
	{
		encode_whole(index, row);
		return;
	}
	vs_kernel->f16_to_f32(codec->dim, row->vector.halves,
						  vs_f16vec_scale(row->vector.exponent), scratch);
	if (rotate)
		vs_rabitq_rotate(codec, scratch, scratch);
	vs_residual_encode(codec->estimate, codec->bits, codec->dim, scratch, center,
					   scratch, row->code, &row->factors);
}

void
vs_ivf_encode_row(const VsIvfIndex *index, const float *center, float *scratch,
				  VsIvfRow *row)
{
	encode(index, true, center, scratch, row);
}

void
vs_ivf_encode_centroid(const VsIvfIndex *index, const float *center,
					   float *scratch, VsIvfRow *row)
{
	encode(index, false, center, scratch, row);
}

void
vs_ivf_set_slot(const VsIvfGeometry *g, VsIvfSlots *slots, int i,
				const VsIvfRow *row)
{
	Assert(i < g->nslots && !ItemPointerIsValid(&slots->tids[i]));
	slots->tids[i] = row->tid;
	slots->add[i] = row->factors.add;
	slots->mul[i] = row->factors.mul;
	slots->error[i] = row->factors.error;
	vs_ivf_set_code(g, slots, i, row->code);
	slots->header->nused = Max(slots->header->nused, i + 1);
	slots->header->nlive++;
}

void
vs_ivf_init_page(const VsIvfGeometry *g, Page page, uint16 kind)
{
	vs_page_init(page, kind, vs_ivf_page_nbytes(g, kind));
}

void
vs_ivf_init_list_page(const VsIvfGeometry *g, Page page, uint32 list)
{
	VsIvfListPage *header;

	vs_ivf_init_page(g, page, IVF_PAGE_LIST);
	header = (VsIvfListPage *) vs_page_records(page);
	header->list = list;
	header->next = InvalidBlockNumber;
}
