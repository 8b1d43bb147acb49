/*
 * edit.h
 *		Atomic, WAL-logged changes of a few pages.
 *
 * The only way in which pages of our indexes change, but for patches of a page
 * (patch.h):
 *
 *		vs_edit_begin(&edit, index, mode);
 *		page = vs_edit_page(&edit, buffer, VS_EDIT_CHANGE);
 *		... change the page ...
 *		vs_edit_commit(&edit);
 *
 * The caller holds exclusive locks on the buffers from before vs_edit_page
 * until after vs_edit_commit, and releases them.  Up to VS_EDIT_MAX_PAGES
 * pages change in one record: after a crash all of them or none.  They are
 * locked in an order that all users of the index keep (its module's README).  An
 * error before the commit changes nothing.
 */
#ifndef VS_EDIT_H
#define VS_EDIT_H

#include "postgres.h"

#include "access/generic_xlog.h"
#include "storage/page.h"

#define VS_EDIT_MAX_PAGES MAX_GENERIC_XLOG_PAGES

typedef enum VsEditMode
{
	VS_EDIT_LOGGED,				/* the normal case (unlogged relations too) */
	VS_EDIT_BUILD				/* the whole fork is logged at the end */
} VsEditMode;

typedef enum VsEditKind
{
	VS_EDIT_CHANGE,				/* log what differs */
	VS_EDIT_NEW					/* log the whole page */
} VsEditKind;

typedef struct VsEdit
{
	GenericXLogState *state;	/* NULL in VS_EDIT_BUILD mode */
	int			npages;
	Buffer		buffers[VS_EDIT_MAX_PAGES];
} VsEdit;

extern void vs_edit_begin(VsEdit *edit, Relation index, VsEditMode mode);

/* Take a page into the edit; returns the copy to change. */
extern Page vs_edit_page(VsEdit *edit, Buffer buffer, VsEditKind kind);

/* Make the changes, and log them. */
extern void vs_edit_commit(VsEdit *edit);

/*
 * Log the pages from "begin" to before "end" that VS_EDIT_BUILD made.  Only
 * for an index that needs WAL.
 */
extern void vs_edit_log_build(Relation index, BlockNumber begin,
							  BlockNumber end);

/*
 * Write one page of an empty index's init fork, always WAL-logged: the fork
 * of an unlogged index must survive a crash.
 */
extern void vs_edit_write_init_page(Relation index, BlockNumber block,
									const char *contents);

#endif							/* VS_EDIT_H */
