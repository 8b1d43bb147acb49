/*
 * bm25_page.h
 *		The bytes of a bm25 index.
 *
 * Block 0 is the metapage.  It knows the write buffer, whose pages hold the rows
 * that were inserted last, and the directory of segments, which hold all others.
 * A segment never changes but for its delete bitmap; merging writes a new one
 * and retires the old.
 *
 * Every page but the metapage carries in its opaque's "generation" the number of
 * its owner: a segment's id, or the write buffer's generation.  Numbers are not
 * used twice in the life of an index; these kinds, and vacuums' numbers, are all
 * drawn from meta.next_id.  A
 * reader that finds another number than it looks for has come too late: the page
 * was given to somebody else, and the metapage says what there is now.
 *
 * A document is a row whose tsvector is not NULL.  Within a segment documents
 * are numbered from 0; behind them rows with a NULL are numbered on.
 */
#ifndef VS_BM25_PAGE_H
#define VS_BM25_PAGE_H

#include "postgres.h"

#include "storage/block.h"
#include "storage/page.h"

#define BM25_MAGIC			0x564D3235	/* "VM25" */
#define BM25_VERSION		2
#define BM25_META_BLOCK		0

enum
{
	BM25_PAGE_META = 1,
	BM25_PAGE_HEADER,			/* of a segment: what it has, and where */
	BM25_PAGE_SEGMENT,			/* bytes of a segment's section */
	BM25_PAGE_BUFFER			/* bytes of the write buffer */
};

/*
 * The write buffer: a stream of records, over pages that are always the same.  The
 * page on which the stream ends is its tail, and says how much there is; so most
 * inserts change that page alone.  A page's records end where the last that was
 * written to it does.
 */
#define BM25_BUFFER_PAGES	64	/* 512 kB */

/* What a buffer holds. */
typedef struct VsBm25BufferTotals
{
	uint32		nbytes;			/* of the stream */
	uint32		ndocs;			/* documents, dead ones too */
	uint32		nnulls;			/* rows with a NULL, dead ones too */
	uint32		unused;			/* 0 */
	uint64		total_len;		/* of the documents */
} VsBm25BufferTotals;

typedef struct VsBm25BufferPage
{
	VsBm25BufferTotals totals;	/* true on the tail; of others nobody asks */
	char		bytes[FLEXIBLE_ARRAY_MEMBER];	/* of the stream */
} VsBm25BufferPage;

/* Bytes of the stream on a page, and on all. */
#define BM25_BUFFER_PAGE_NBYTES \
	(VS_PAGE_CAPACITY - offsetof(VsBm25BufferPage, bytes))
#define BM25_BUFFER_CAPACITY	(BM25_BUFFER_PAGES * BM25_BUFFER_PAGE_NBYTES)

#define BM25_NO_TAIL		PG_UINT32_MAX

typedef struct VsBm25BufferMeta
{
	uint32		generation;		/* what its pages carry */
	uint32		npages;			/* blocks[] that exist */
	uint32		tail;			/* the number of one, BM25_NO_TAIL: it is
								 * empty */
	uint32		unused;			/* 0 */
	BlockNumber blocks[BM25_BUFFER_PAGES];
} VsBm25BufferMeta;

/* The directory of segments. */
#define BM25_MAX_SEGMENTS	190

enum
{
	BM25_SEGMENT_LIVE = 1,
	BM25_SEGMENT_BUSY			/* live, and vacuum is at it: not to be merged
								 * by others */
};

typedef struct VsBm25SegmentEntry
{
	uint32		id;
	BlockNumber header;			/* its first header page */
	uint32		ndocs;			/* documents, deleted ones too */
	uint32		nnulls;			/* rows with a NULL, deleted ones too */
	uint32		ndeleted;		/* documents and NULLs in the delete bitmap */
	uint32		npages;			/* all its pages, headers too */
	uint32		state;			/* BM25_SEGMENT_... */
	uint32		vacuumed;		/* vacuums up to this number have nothing to
								 * remove here */
	uint64		total_len;		/* of all its documents */
} VsBm25SegmentEntry;

StaticAssertDecl(sizeof(VsBm25SegmentEntry) == 40, "part of the format");

/* Who may be writing a segment: each under a lock of its own. */
typedef enum VsBm25Writing
{
	BM25_SEALING,				/* insert lock */
	BM25_MERGING,				/* merge lock */
	BM25_REWRITING,				/* rewrite lock */
	BM25_NWRITING
} VsBm25Writing;

/*
 * A segment that is being written is known by its id alone.  What an error or a
 * crash leaves of that means nothing where the lock is free.
 *
 * Segments that were merged wait in a queue until no reader can know them: it
 * begins and ends here, and each one's header leads to the next.
 */
typedef struct VsBm25Meta
{
	uint32		magic;
	uint32		version;
	uint32		next_id;		/* the next number to give away, from 1 */
	uint32		writing[BM25_NWRITING]; /* ids, or 0 */
	BlockNumber retired_first;	/* header page of the first in the queue, or 0 */
	BlockNumber retired_last;	/* of the last */
	uint32		nsegments;
	uint32		unused;			/* 0 */
	VsBm25BufferMeta buffer;
	VsBm25SegmentEntry segments[FLEXIBLE_ARRAY_MEMBER];
} VsBm25Meta;

/* Bytes of a metapage with n segments: its page's records take no more. */
#define BM25_META_NBYTES(n) \
	(offsetof(VsBm25Meta, segments) + sizeof(VsBm25SegmentEntry) * (n))
#define BM25_META_MAX_NBYTES	BM25_META_NBYTES(BM25_MAX_SEGMENTS)

StaticAssertDecl(BM25_META_MAX_NBYTES <= VS_PAGE_CAPACITY,
				 "a page has room for it");

/*
 * A segment has sections, each a row of pages numbered from 0, filled from the
 * first byte of records on.  Where they are say the runs of its header pages: the
 * first header page begins with a VsBm25SegmentHeader, and runs follow; further
 * ones have runs alone, behind a VsBm25HeaderLink.
 */
typedef enum VsBm25Section
{
	BM25_SECTION_ROWS,			/* TIDs, 6 bytes each, by number */
	BM25_SECTION_DELETES,		/* a bit for each row: 1 is deleted */
	BM25_SECTION_POSTINGS,		/* blocks of postings, none across pages */
	BM25_SECTION_SKIPS,			/* VsBm25Skip of each block of long lists */
	BM25_SECTION_LEXEMES,		/* dictionary, sorted by bytes */
	BM25_SECTION_LEXEME_TREE,	/* its upper levels */
	BM25_NSECTIONS
} VsBm25Section;

/* Rows that a segment can have. */
#define BM25_MAX_ROWS		PG_INT32_MAX

/* Pages "first" and on of a section are blocks "block" and on. */
typedef struct VsBm25Run
{
	uint32		section;
	uint32		first;
	BlockNumber block;
	uint32		npages;
} VsBm25Run;

/* Begins each header page but the first; and is part of that. */
typedef struct VsBm25HeaderLink
{
	BlockNumber next;			/* header page, or InvalidBlockNumber */
	uint32		nruns;			/* on this page */
} VsBm25HeaderLink;

typedef struct VsBm25SegmentHeader
{
	VsBm25HeaderLink link;
	uint32		id;
	uint32		ndocs;
	uint32		nnulls;
	uint32		nlexemes;
	uint64		total_len;
	uint64		npostings;
	uint32		npages[BM25_NSECTIONS];
	uint32		tree_root;		/* page of LEXEME_TREE, if that has any */

	/* Once it is retired; 0 before, or what a failed merge left. */
	BlockNumber retired_next;	/* header page of the next in the queue, or 0 */
	uint64		retired_xid;	/* FullTransactionId from when on nobody new
								 * finds it */
} VsBm25SegmentHeader;

/* Runs that fit the first header page, and any other. */
#define BM25_FIRST_HEADER_RUNS \
	((int) ((VS_PAGE_CAPACITY - sizeof(VsBm25SegmentHeader)) / sizeof(VsBm25Run)))
#define BM25_HEADER_RUNS \
	((int) ((VS_PAGE_CAPACITY - sizeof(VsBm25HeaderLink)) / sizeof(VsBm25Run)))

/*
 * The bounds of a block's scores.  Of its postings one with term frequency (over
 * all labels) tf has a length of at least min_len of the first pair whose tf is
 * not less.  Pairs ascend in both; the last is repeated to fill them up.  A
 * length above UINT16_MAX counts as that; a bound may not be higher than truth.
 */
#define BM25_BOUNDS 3

typedef struct VsBm25Bounds
{
	uint16		tf[BM25_BOUNDS];
	uint16		min_len[BM25_BOUNDS];
} VsBm25Bounds;

/*
 * Where a block of postings is: page of the section, byte of its records.  Short
 * ones are in the dictionary: page has the bit BM25_PLACE_LEXEMES then.
 */
#define BM25_PLACE_LEXEMES	0x80000000

typedef struct VsBm25Place
{
	uint32		page;
	uint16		offset;
	uint16		nbytes;
} VsBm25Place;

/* What is known of a block without reading it. */
typedef struct VsBm25Skip
{
	uint32		last_doc;
	VsBm25Place place;
	VsBm25Bounds bounds;
} VsBm25Skip;

StaticAssertDecl(sizeof(VsBm25Skip) == 24, "part of the format");

static inline VsBm25Meta *
vs_bm25_page_meta(Page page)
{
	return (VsBm25Meta *) vs_page_records(page);
}

static inline VsBm25BufferPage *
vs_bm25_page_buffer(Page page)
{
	return (VsBm25BufferPage *) vs_page_records(page);
}

#endif							/* VS_BM25_PAGE_H */
