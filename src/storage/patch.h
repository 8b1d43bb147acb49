/*
 * patch.h
 *		A change of one page whose bytes the caller names.
 *
 *		vs_patch_begin(&patch, index, buffer);
 *		vs_patch_write(&patch, offset, bytes, nbytes);
 *		...
 *		vs_patch_commit(&patch);
 *
 * It does what an edit of one page does (edit.h), without a copy of the page and
 * without looking for what differs: for changes that are small and frequent.  The
 * caller holds an exclusive lock on the buffer from before vs_patch_begin until
 * after vs_patch_commit, and releases it.  The page, which must be of a kind of ours
 * (vs_page_require), changes in the commit alone; an error before that changes
 * nothing.
 */
#ifndef VS_PATCH_H
#define VS_PATCH_H

#include "postgres.h"

#include "storage/buf.h"
#include "storage/off.h"
#include "utils/rel.h"

/* Parts of a page that one patch can write. */
#define VS_PATCH_MAX_PARTS 4

typedef struct VsPatchPart
{
	OffsetNumber place[2];		/* byte of the page, and how many from there
								 * on */
	const void *bytes;
} VsPatchPart;

typedef struct VsPatch
{
	Relation	index;
	Buffer		buffer;
	uint16		lower;			/* pd_lower, from then on */
	int			nparts;
	VsPatchPart parts[1 + VS_PATCH_MAX_PARTS];	/* the first is pd_lower */
} VsPatch;

/* Begin to change a page whose records take nbytes from then on. */
extern void vs_patch_begin(VsPatch *patch, Relation index, Buffer buffer,
						   Size nbytes);

/*
 * Write bytes from "offset" of the page's records on; they are read in the commit.
 * Parts do not overlap.
 */
extern void vs_patch_write(VsPatch *patch, Size offset, const void *bytes,
						   Size nbytes);

/* Make the changes, and log them. */
extern void vs_patch_commit(VsPatch *patch);

#endif							/* VS_PATCH_H */
