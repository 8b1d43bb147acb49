/*
 * page.h
 *		What every page of every vsearch index has in common.
 *
 * A page holds fixed-size records between the page header and pd_lower, no
 * line pointers, and ends with a VsPageOpaque:
 *
 *	+----------------+------------------------+--------+---------------+
 *	| PageHeaderData | records                | hole   | VsPageOpaque  |
 *	| 24 bytes       | up to pd_lower         |        | 8 bytes       |
 *	+----------------+------------------------+--------+---------------+
 *
 * pd_lower is always true: generic WAL zeroes what lies behind it.
 */
#ifndef VS_PAGE_H
#define VS_PAGE_H

#include "postgres.h"

#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

/* The last two bytes of each page, for pg_filedump and for our own checks. */
#define VS_PAGE_ID 0xFF56

typedef struct VsPageOpaque
{
	uint32		generation;		/* of the record that owns the whole page */
	uint16		kind;			/* the access method's own page kinds, not 0 */
	uint16		page_id;		/* VS_PAGE_ID */
} VsPageOpaque;

StaticAssertDecl(sizeof(VsPageOpaque) == 8, "VsPageOpaque is part of the format");

/* Bytes for records on a page. */
#define VS_PAGE_CAPACITY \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(VsPageOpaque)))

static inline VsPageOpaque *
vs_page_opaque(Page page)
{
	return (VsPageOpaque *) PageGetSpecialPointer(page);
}

/* First byte of the records. */
static inline char *
vs_page_records(Page page)
{
	return (char *) page + MAXALIGN(SizeOfPageHeaderData);
}

/* Bytes that a page's records take; on a damaged page any number, even below 0. */
static inline int
vs_page_nbytes(Page page)
{
	return (int) ((PageHeader) page)->pd_lower -
		(int) MAXALIGN(SizeOfPageHeaderData);
}

/* Say how many bytes the records take, at most VS_PAGE_CAPACITY. */
static inline void
vs_page_set_nbytes(Page page, Size nbytes)
{
	Assert(nbytes <= VS_PAGE_CAPACITY);
	((PageHeader) page)->pd_lower = MAXALIGN(SizeOfPageHeaderData) + nbytes;
}

/* Initialise a page whose records take nbytes, all zero. */
extern void vs_page_init(Page page, uint16 kind, Size nbytes);

/* The kind of a page; 0 for a page of zeroes, left by a crash. */
extern uint16 vs_page_kind(Page page);

/* ERROR unless the page is ours and of this kind; names index and block. */
extern void vs_page_require(Relation index, Buffer buffer, uint16 kind);

/* ERROR if no heap row can have this TID, which a page of the index holds. */
extern void vs_page_require_tid(Relation index, const ItemPointerData *tid);

/* True if the page's bookkeeping is that of a page of ours with nbytes. */
extern bool vs_page_is_sound(Page page, Size nbytes);

/* Whether an index has a block of this number. */
extern bool vs_page_exists(Relation index, BlockNumber block);

/*
 * Have the processor fetch what vs_page_read of a page and then its nbytes of
 * records from "offset" on will touch: the cache misses overlap.  Never fails,
 * whatever the block.
 */
extern void vs_page_prefetch(Relation index, BlockNumber block, Size offset,
							 Size nbytes);

/*
 * Read a page of whatever kind; it is pinned and not locked.  ERROR if there is
 * no such block.
 */
extern Buffer vs_page_pin(Relation index, BlockNumber block);

/*
 * Read and lock (BUFFER_LOCK_SHARE or _EXCLUSIVE) a page that must be of this
 * kind.  ERROR if there is no such block.
 */
extern Buffer vs_page_read(Relation index, BlockNumber block, int lockmode,
						   uint16 kind);

/*
 * Extend the index by npages adjacent pages; all are pinned and none is
 * locked.  A crash before they are written leaves pages of zeroes.
 */
extern void vs_page_extend(Relation index, int npages, Buffer *buffers);

/*
 * Extend the index by npages adjacent pages of zeroes, in the file alone; returns
 * the first.  For a build, which then takes each of them by vs_page_zero.  ERROR
 * if no file can hold them.
 */
extern BlockNumber vs_page_extend_file(Relation index, BlockNumber npages);

/*
 * A page of such a range for whom it belongs to: locked exclusively and zeroes,
 * without reading the file.
 */
extern Buffer vs_page_zero(Relation index, BlockNumber block);

/*
 * Extend the index by a page that is nobody else's: returned locked exclusively
 * and still zeroes.  Who found it through the free space map before us keeps it.
 */
extern Buffer vs_page_extend_locked(Relation index);

#endif							/* VS_PAGE_H */
