/*
 * ivf_page.h
 *		The bytes of an ivfflat index on disk.
 *
 * Block 0 is the metapage.  The directory follows, adjacent pages with an entry
 * a list.  All other blocks may be of any kind:
 *
 *	list page		the codes of some rows of one list, in a chain
 *	vector page		the float16 vectors of rows of one list page
 *
 * Lists 0 to nlists - 1 hold rows.  The last list, the root, holds their
 * centroids, in the same way: what is a row's heap TID is there the number of a
 * list.  Where there are many lists, the ngroups lists in between hold the
 * centroids, and the root those of these groups.
 *
 * List page, of as many slots as fit:
 *
 *	+---------------+---------------+------+-----+-----+-------+-------------+
 *	| VsIvfListPage | vector_blocks | tids | add | mul | error | codes       |
 *	| 12 bytes      | 4 each        | 6    | 2   | 2   | 2     | code_nbytes |
 *	+---------------+---------------+------+-----+-----+-------+-------------+
 *
 * Arrays rather than records: a page's codes are scored at once.  A slot is free
 * if its TID is invalid; slots from nused on have never been used, and their
 * bytes are zero.  Codes are of a row's difference from its list's centroid
 * (quant/residual.h).
 *
 * Codes begin at a multiple of 32 bytes, and lie in blocks of 32.  A block is
 * packed (kernel/packed.h) once all of its slots have been used, and stays so;
 * until then its codes are row-major.  The last block has room for 32 codes, too,
 * where a page has fewer slots.  Pages of fewer than 32 slots have no blocks:
 * there, codes are row-major for ever.
 *
 * The vector of slot i is record i % vectors_per_page of page vector_blocks[i /
 * vectors_per_page], which is 0 until the first of these slots is used.  Where a
 * vector takes several pages these are adjacent.  A vector record is
 *
 *	+----------------+---------------------------+
 *	| int16 exponent | float16 elements, dim * 2 |
 *	+----------------+---------------------------+
 *
 * a stream of 2-byte numbers that may go on over pages.
 *
 * Where codes are whole vectors (VS_RABITQ_FLOAT16_BITS) there are no vector
 * pages, and "add" is the exponent.
 */
#ifndef VS_IVF_PAGE_H
#define VS_IVF_PAGE_H

#include "postgres.h"

#include "quant/rabitq.h"
#include "storage/itemptr.h"
#include "storage/page.h"

#define IVF_MAGIC		0x46697376	/* "vsiF" */
#define IVF_VERSION		1

#define IVF_META_BLOCK	0

#define IVF_PAGE_META		0x4901
#define IVF_PAGE_DIRECTORY	0x4902
#define IVF_PAGE_LIST		0x4903
#define IVF_PAGE_VECTORS	0x4904

typedef struct VsIvfMeta
{
	uint32		magic;
	uint16		version;
	uint8		metric;			/* VsMetric */
	uint8		bits;			/* of codes, per dimension */
	uint16		dim;
	int16		exponent;		/* vectors times 2^-exponent are coded */
	uint32		seed;			/* of the rotation */
	uint32		nlists;			/* that hold rows */
	BlockNumber directory_block;	/* the first one */
	float4		residual;		/* at build, the median of rows' distances to
								 * their centroids */
	uint32		ngroups;		/* lists that hold centroids; 0: the root does */
	float8		nrows;			/* at build */
} VsIvfMeta;

StaticAssertDecl(sizeof(VsIvfMeta) == 40, "VsIvfMeta is part of the format");

static inline VsIvfMeta *
vs_ivf_page_meta(Page page)
{
	return (VsIvfMeta *) vs_page_records(page);
}

/* What the directory says of a list. */
typedef struct VsIvfEntry
{
	BlockNumber first;			/* list page */
	BlockNumber insert;			/* the first list page that may have a free
								 * slot, as far as is known */
	BlockNumber center_block;	/* page of the centroid's vector record, the
								 * first of adjacent ones */
	uint16		center_record;	/* and which record there */
	uint16		unused;
} VsIvfEntry;

StaticAssertDecl(sizeof(VsIvfEntry) == 16, "VsIvfEntry is part of the format");

#define IVF_ENTRIES_PER_PAGE ((int) (VS_PAGE_CAPACITY / sizeof(VsIvfEntry)))

static inline VsIvfEntry *
vs_ivf_page_entry(Page page, int position)
{
	return (VsIvfEntry *) vs_page_records(page) + position;
}

typedef struct VsIvfListPage
{
	uint32		list;			/* that it belongs to */
	BlockNumber next;			/* of the list, or InvalidBlockNumber */
	uint16		nused;			/* slots that have ever been used */
	uint16		nlive;			/* slots in use */
} VsIvfListPage;

StaticAssertDecl(sizeof(VsIvfListPage) == 12,
				 "VsIvfListPage is part of the format");

/* How rows are laid out, derived from dim and bits. */
typedef struct VsIvfGeometry
{
	int			dim;
	int			bits;
	Size		code_nbytes;
	int			nslots;			/* of a list page */
	int			nblocks;		/* of codes, of a list page */
	Size		codes_offset;	/* of a list page's records */
	Size		list_nbytes;	/* of its records */

	/* Of vector pages; 0 where there are none. */
	int			vectors_per_page;	/* 1 where a vector takes several */
	int			pages_per_vector;
	Size		vector_nbytes;	/* of a record */
	int			nvector_blocks; /* of a list page */
} VsIvfGeometry;

extern void vs_ivf_geometry_init(VsIvfGeometry *g, int dim, int bits);

/* Bits per dimension of the codes for vectors of dim dimensions. */
extern int	vs_ivf_code_bits(int dim);

/* Where the parts of a list page lie. */
typedef struct VsIvfSlots
{
	VsIvfListPage *header;
	BlockNumber *vector_blocks;
	ItemPointerData *tids;
	uint16	   *add;
	uint16	   *mul;
	uint16	   *error;
	uint8	   *codes;
} VsIvfSlots;

static inline VsIvfSlots
vs_ivf_page_slots(const VsIvfGeometry *g, Page page)
{
	VsIvfSlots	slots;

	slots.header = (VsIvfListPage *) vs_page_records(page);
	slots.vector_blocks = (BlockNumber *) (slots.header + 1);
	slots.tids = (ItemPointerData *) (slots.vector_blocks + g->nvector_blocks);
	slots.add = (uint16 *) (slots.tids + g->nslots);
	slots.mul = slots.add + g->nslots;
	slots.error = slots.mul + g->nslots;
	slots.codes = (uint8 *) slots.header + g->codes_offset;
	return slots;
}

/* The vector record, or its part, at a place of a vector page. */
static inline int16 *
vs_ivf_page_vector(const VsIvfGeometry *g, Page page, int record)
{
	return (int16 *) (vs_page_records(page) + record * g->vector_nbytes);
}

/* Numbers of a vector record, the exponent's too, that fit a page. */
#define IVF_NUMBERS_PER_PAGE ((int) (VS_PAGE_CAPACITY / sizeof(uint16)))

/* Bytes of records on each kind of page. */
extern Size vs_ivf_page_nbytes(const VsIvfGeometry *g, uint16 kind);

#endif							/* VS_IVF_PAGE_H */
