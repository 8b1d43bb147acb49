/*
 * check_parts.c
 *		vsearch_check: what the access methods' parts of it have in common.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "index/am.h"
#include "index/opclass.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "storage/bufmgr.h"
#include "storage/page.h"

/* Whether a page's bounds are those of its kind. */
static bool
has_right_bounds(Page page, Size nbytes)
{
	if (nbytes == VS_CHECK_ANY_NBYTES)
	{
		int			found = vs_page_nbytes(page);

		if (found < 0 || found > VS_PAGE_CAPACITY)
			return false;
		nbytes = found;
	}
	return vs_page_is_sound(page, nbytes);
}

/* Check one page's bookkeeping; returns its kind, 0 if there is nothing. */
static uint16
check_page(VsCheck *check, Relation index, BlockNumber block,
		   const VsCheckKinds *kinds, const void *state)
{
	Buffer		buffer = ReadBuffer(index, block);
	Page		page = BufferGetPage(buffer);
	uint16		kind;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	kind = vs_page_kind(page);
	if (kind == 0)
	{
		if (!PageIsNew(page))
			vs_check_error(check, block, -1, "page is not one of ours");
	}
	else if (kind < kinds->first || kind > kinds->last ||
			 (kind == kinds->meta) != (block == 0))
	{
		vs_check_error(check, block, -1, "unexpected page kind %u", kind);
		kind = 0;
	}
	else if (!has_right_bounds(page, kinds->nbytes == NULL ?
							   VS_CHECK_ANY_NBYTES :
							   kinds->nbytes(state, kind)))
	{
		vs_check_error(check, block, -1,
					   "page bounds do not fit page kind %u", kind);
		kind = 0;
	}
	UnlockReleaseBuffer(buffer);
	return kind;
}

void
vs_check_pages(VsCheck *check, Relation index, BlockNumber nblocks,
			   const VsCheckKinds *kinds, void *state, uint16 *found)
{
	for (BlockNumber block = 0; block < nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		found[block] = check_page(check, index, block, kinds, state);
		if (kinds->examine != NULL && found[block] != 0)
			kinds->examine(state, block, found[block]);
	}
}

uint64
vs_check_vector_digest(int dim, int exponent, const uint16 *halves)
{
	return hash_bytes_extended((const unsigned char *) halves,
							   sizeof(uint16) * dim, exponent);
}

bool
vs_check_digest_vector(Relation index, Datum value, uint64 *digest)
{
	const VsOpclass *opclass = vs_opclass_of_index(index);
	int			dim = vs_opclass_index_dim(index, opclass,
										   vs_am_of_index(index)->name);
	float	   *x = palloc(sizeof(float) * dim);
	uint16	   *halves = palloc(sizeof(uint16) * dim);
	bool		indexed = vs_opclass_read(opclass, value, dim, x);

	if (indexed)
	{
		int			exponent = vs_f16vec_encode(dim, x, halves);

		*digest = vs_check_vector_digest(dim, exponent, halves);
	}
	pfree(x);
	pfree(halves);
	return indexed;
}
