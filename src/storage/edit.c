/*
 * edit.c
 *		Atomic, WAL-logged changes of a few pages, over generic WAL.
 */
#include "postgres.h"

#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/edit.h"

void
vs_edit_begin(VsEdit *edit, Relation index, VsEditMode mode)
{
	edit->state = mode == VS_EDIT_LOGGED ? GenericXLogStart(index) : NULL;
	edit->npages = 0;
}

Page
vs_edit_page(VsEdit *edit, Buffer buffer, VsEditKind kind)
{
	Assert(edit->npages < VS_EDIT_MAX_PAGES);
	Assert(BufferIsValid(buffer));

	edit->buffers[edit->npages++] = buffer;
	if (edit->state == NULL)
		return BufferGetPage(buffer);
	return GenericXLogRegisterBuffer(edit->state, buffer,
									 kind == VS_EDIT_NEW ?
									 GENERIC_XLOG_FULL_IMAGE : 0);
}

void
vs_edit_commit(VsEdit *edit)
{
	if (edit->state != NULL)
		GenericXLogFinish(edit->state);
	else
		for (int i = 0; i < edit->npages; i++)
			MarkBufferDirty(edit->buffers[i]);
	edit->npages = 0;
}

void
vs_edit_log_build(Relation index, BlockNumber begin, BlockNumber end)
{
	log_newpage_range(index, MAIN_FORKNUM, begin, end, true);
}

void
vs_edit_write_init_page(Relation index, BlockNumber block, const char *contents)
{
	Buffer		buffer = ReadBufferExtended(index, INIT_FORKNUM, P_NEW,
											RBM_NORMAL, NULL);

	Assert(BufferGetBlockNumber(buffer) == block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	START_CRIT_SECTION();
	memcpy(BufferGetPage(buffer), contents, BLCKSZ);
	MarkBufferDirty(buffer);
	log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
}
