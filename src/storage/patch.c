/*
 * patch.c
 *		A change of one page whose bytes the caller names, over generic WAL.
 *
 * README.md, "Patches".
 */
#include "postgres.h"

#include "access/xloginsert.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/edit.h"
#include "storage/patch.h"

static void
add_part(VsPatch *patch, Size place, const void *bytes, Size nbytes)
{
	VsPatchPart *part = &patch->parts[patch->nparts++];

	Assert(patch->nparts <= lengthof(patch->parts));
	part->place[0] = place;
	part->place[1] = nbytes;
	part->bytes = bytes;
}

void
vs_patch_begin(VsPatch *patch, Relation index, Buffer buffer, Size nbytes)
{
	Assert(nbytes <= VS_PAGE_CAPACITY);

	patch->index = index;
	patch->buffer = buffer;
	patch->lower = MAXALIGN(SizeOfPageHeaderData) + nbytes;
	patch->nparts = 0;
	add_part(patch, offsetof(PageHeaderData, pd_lower), &patch->lower,
			 sizeof(patch->lower));
}

void
vs_patch_write(VsPatch *patch, Size offset, const void *bytes, Size nbytes)
{
	Size		place = MAXALIGN(SizeOfPageHeaderData) + offset;

	Assert(place + nbytes <= patch->lower);
	add_part(patch, place, bytes, nbytes);
}

/*
 * What lies behind the records is zero, and so is what comes to be among them and no
 * part writes: as replay has it.  Relations without WAL may have other bytes there.
 */
static void
write_parts(const VsPatch *patch, Page page)
{
	uint16		lower = ((PageHeader) page)->pd_lower;
	uint16		upper = Max(lower, patch->lower);

	lower = Min(lower, patch->lower);
	memset((char *) page + lower, 0, upper - lower);
	for (int i = 0; i < patch->nparts; i++)
	{
		const VsPatchPart *part = &patch->parts[i];

		memcpy((char *) page + part->place[0], part->bytes, part->place[1]);
	}
}

/* Log the parts as generic WAL's own fragments. */
static XLogRecPtr
log_parts(VsPatch *patch)
{
	XLogBeginInsert();
	XLogRegisterBuffer(0, patch->buffer, REGBUF_STANDARD);
	for (int i = 0; i < patch->nparts; i++)
	{
		VsPatchPart *part = &patch->parts[i];

		XLogRegisterBufData(0, (char *) part->place, sizeof(part->place));
		XLogRegisterBufData(0, (char *) part->bytes, part->place[1]);
	}
	return XLogInsert(RM_GENERIC_ID, 0);
}

static void
commit_directly(VsPatch *patch)
{
	Page		page = BufferGetPage(patch->buffer);

	START_CRIT_SECTION();
	write_parts(patch, page);
	MarkBufferDirty(patch->buffer);
	if (RelationNeedsWAL(patch->index))
		PageSetLSN(page, log_parts(patch));
	END_CRIT_SECTION();
}

static void
commit_as_edit(VsPatch *patch)
{
	VsEdit		edit;

	vs_edit_begin(&edit, patch->index, VS_EDIT_LOGGED);
	write_parts(patch, vs_edit_page(&edit, patch->buffer, VS_EDIT_CHANGE));
	vs_edit_commit(&edit);
}

void
vs_patch_commit(VsPatch *patch)
{
	if (VS_COMPAT_KNOWS_GENERIC_WAL)
		commit_directly(patch);
	else
		commit_as_edit(patch);
}
