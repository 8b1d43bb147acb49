/*
 * hnsw_page.h
 *		The bytes of an hnsw index on disk.
 *
 * Block 0 is the metapage.  All other blocks may be of any kind:
 *
 *	codebook page	the codec's mean and centroids, one stream over a chain of
 *					pages: see index/codebook.c
 *	node page		nodes of the bottom level, one for each distinct vector (or
 *					each ten copies of one)
 *	slots page		continuation of a node that does not fit its page
 *	upper page		records of the upper levels
 *
 * A node is known by its number: block * nodes_per_page + position on the page.
 * The same holds for upper records with upper_per_page.
 *
 * Node, where nodes_per_page >= 1 and npages = 1:
 *
 *	+----------+------------------+------------------------------------------+
 *	| VsHnswNode | float16 vector   | slot block: m0 neighbours                |
 *	| 72 bytes | dim * 2, aligned | links, factors, dists, centroids, codes  |
 *	+----------+------------------+------------------------------------------+
 *
 * Where a node does not fit one page with enough neighbours it takes npages
 * adjacent pages: first those of the vector (the VsHnswNode in front), then those
 * of the slots, each a slot block of its own.  Each of these pages carries the
 * node's generation in its VsPageOpaque: a reader who meets two generations has
 * run into a reused node, and leaves it.
 *
 * Slot block of capacity c: VsHnswSlotsHeader, then arrays of c elements each:
 *
 *	uint32 links | VsCodeFactors factors | uint16 dists | uint8 centroids |
 *	uint8 kinds | codes, code_nbytes each
 *
 * Neighbours fill the first nlinks elements without gaps; bytes behind them are
 * not defined.  Arrays rather than records: a page's codes are scored at once.
 */
#ifndef VS_HNSW_PAGE_H
#define VS_HNSW_PAGE_H

#include "postgres.h"

#include "quant/rabitq.h"
#include "storage/itemptr.h"
#include "storage/page.h"

#define HNSW_MAGIC		0x76734857	/* "WHsv" */
#define HNSW_VERSION	3

#define HNSW_META_BLOCK 0

#define HNSW_PAGE_META		0x4801
#define HNSW_PAGE_CODEBOOK	0x4802
#define HNSW_PAGE_NODE		0x4803
#define HNSW_PAGE_SLOTS		0x4804
#define HNSW_PAGE_UPPER		0x4805

#define HNSW_INVALID_ID		PG_UINT32_MAX

/* Heap TIDs that one node holds: rows with the same vector. */
#define HNSW_NODE_TIDS		10

#define HNSW_MAX_LEVEL		16

typedef enum VsHnswState
{
	HNSW_FLAT = 1,				/* nodes without neighbours, scanned all */
	HNSW_GRAPH = 2
} VsHnswState;

typedef struct VsHnswMeta
{
	uint32		magic;
	uint16		version;
	uint16		state;			/* VsHnswState */
	uint16		dim;
	uint16		m;
	uint16		ef_construction;
	uint8		metric;			/* VsMetric */
	uint8		bits;			/* of codes, per dimension */
	uint32		seed;			/* of the rotation */
	int16		exponent;		/* the codec's unit */
	uint16		ncentroids;
	uint32		codebook_version;	/* changes with the codebook */
	BlockNumber codebook_block; /* first page, or InvalidBlockNumber */
	uint32		entry;			/* upper record, or node if entry_level is 0 */
	int16		entry_level;	/* -1 while there is none */
	uint16		unused;
	BlockNumber upper_block;	/* first upper page with room, see
								 * hnsw_upper.c */
	BlockNumber tid_directory;	/* room: heap TID to node, not yet built */
	BlockNumber trained_nblocks;	/* the index's size when it was last
									 * thought of (further) centroids */
	float4		residual;		/* typical, of the codec */
} VsHnswMeta;

StaticAssertDecl(sizeof(VsHnswMeta) == 56, "VsHnswMeta is part of the format");

static inline VsHnswMeta *
vs_hnsw_page_meta(Page page)
{
	return (VsHnswMeta *) vs_page_records(page);
}

/*
 * The codebook begins with the mean and HNSW_CENTROIDS centroids; more are
 * appended HNSW_MORE_CENTROIDS at a time.  A code is of the nearest centroid
 * among those that there were when it was made.
 */
#define HNSW_CENTROIDS			16
#define HNSW_MORE_CENTROIDS		4
#define HNSW_MAX_CENTROIDS		64

/* A node's life; the values are flags of nothing and exclude one another. */
typedef enum VsHnswNodeState
{
	HNSW_NODE_FREE = 0,
	HNSW_NODE_LINKING = 1,		/* an insert is, or was, linking it */
	HNSW_NODE_LIVE = 2,
	HNSW_NODE_DELETED = 3		/* no rows left; still leads to neighbours */
} VsHnswNodeState;

typedef struct VsHnswNode
{
	uint8		state;			/* VsHnswNodeState */
	uint8		level;
	int8		exponent;		/* of the float16 vector */
	uint8		ntids;
	uint32		generation;		/* counts the uses of this place */
	ItemPointerData tids[HNSW_NODE_TIDS];
	uint32		unused;
} VsHnswNode;

StaticAssertDecl(sizeof(VsHnswNode) == 72, "VsHnswNode is part of the format");

typedef struct VsHnswUpper
{
	uint8		state;			/* HNSW_NODE_FREE or HNSW_NODE_LIVE */
	uint8		level;			/* 1 or more */
	uint16		unused;
	uint32		node;			/* the node that it stands for */
	uint32		down;			/* its upper record one level below */
	uint32		generation;
} VsHnswUpper;

StaticAssertDecl(sizeof(VsHnswUpper) == 16, "VsHnswUpper is part of the format");

typedef struct VsHnswSlotsHeader
{
	uint16		nlinks;
	uint16		unused;
} VsHnswSlotsHeader;

/* Why a list holds a neighbour. */
typedef enum VsHnswLinkKind
{
	HNSW_LINK_DIVERSE = 0,		/* no nearer neighbour covers it */
	HNSW_LINK_FILL = 1,			/* covered, but there is room */
	HNSW_LINK_TREE = 2			/* keeps the graph connected: never given up */
} VsHnswLinkKind;

/* Where the parts of a slot block lie. */
typedef struct VsHnswSlots
{
	VsHnswSlotsHeader *header;
	uint32	   *links;
	VsCodeFactors *factors;
	uint16	   *dists;			/* float16: neighbour to owner, codec's unit */
	uint8	   *centroids;
	uint8	   *kinds;			/* VsHnswLinkKind */
	uint8	   *codes;
} VsHnswSlots;

/* How nodes are laid out, derived from dim, m and bits. */
typedef struct VsHnswGeometry
{
	int			dim;
	int			m;
	int			m0;				/* neighbours on the bottom level */
	int			bits;
	Size		code_nbytes;

	int			nodes_per_page; /* 1 where a node takes several pages */
	int			npages;			/* pages of one node */
	Size		node_nbytes;	/* on a shared page */

	int			nvector_pages;	/* 0 on a shared page */
	int			halves_first;	/* vector elements on the node's first page */
	int			halves_next;	/* and on each further one */

	int			nslot_blocks;
	int			slots_per_block;
	Size		slots_offset;	/* of the (first) slot block in its record */

	int			upper_m;		/* neighbours on the upper levels */
	int			upper_per_page;
	Size		upper_nbytes;
} VsHnswGeometry;

extern void vs_hnsw_geometry_init(VsHnswGeometry *geometry, int dim, int m, int bits);

/* Bits per dimension of the codes for vectors of dim dimensions. */
extern int	vs_hnsw_code_bits(int dim);

/* Bytes of a slot block. */
extern Size vs_hnsw_slots_nbytes(int capacity, Size code_nbytes);

/* The parts of the slot block at base (4-byte aligned). */
static inline VsHnswSlots
vs_hnsw_slots_at(char *base, int capacity)
{
	VsHnswSlots slots;

	slots.header = (VsHnswSlotsHeader *) base;
	slots.links = (uint32 *) (base + sizeof(VsHnswSlotsHeader));
	slots.factors = (VsCodeFactors *) (slots.links + capacity);
	slots.dists = (uint16 *) (slots.factors + capacity);
	slots.centroids = (uint8 *) (slots.dists + capacity);
	slots.kinds = slots.centroids + capacity;
	slots.codes = slots.kinds + capacity;
	return slots;
}

/* Records on a node page (its first page, if it takes several). */
static inline VsHnswNode *
vs_hnsw_page_node(const VsHnswGeometry *g, Page page, int position)
{
	return (VsHnswNode *) (vs_page_records(page) + position * g->node_nbytes);
}

static inline uint16 *
vs_hnsw_node_vector(VsHnswNode *node)
{
	return (uint16 *) (node + 1);
}

/* The slot block of a node on a shared page. */
static inline VsHnswSlots
vs_hnsw_node_slots(const VsHnswGeometry *g, VsHnswNode *node)
{
	return vs_hnsw_slots_at((char *) node + g->slots_offset, g->slots_per_block);
}

/* The slot block of a slots page. */
static inline VsHnswSlots
vs_hnsw_page_slots(const VsHnswGeometry *g, Page page)
{
	return vs_hnsw_slots_at(vs_page_records(page), g->slots_per_block);
}

static inline VsHnswUpper *
vs_hnsw_page_upper(const VsHnswGeometry *g, Page page, int position)
{
	return (VsHnswUpper *) (vs_page_records(page) + position * g->upper_nbytes);
}

static inline VsHnswSlots
vs_hnsw_upper_slots(const VsHnswGeometry *g, VsHnswUpper *upper)
{
	return vs_hnsw_slots_at((char *) (upper + 1), g->upper_m);
}

/* Numbers of nodes and upper records, and where they lie. */
static inline BlockNumber
vs_hnsw_node_block(const VsHnswGeometry *g, uint32 node)
{
	return node / g->nodes_per_page;
}

static inline int
vs_hnsw_node_position(const VsHnswGeometry *g, uint32 node)
{
	return node % g->nodes_per_page;
}

static inline uint32
vs_hnsw_node_number(const VsHnswGeometry *g, BlockNumber block, int position)
{
	return block * g->nodes_per_page + position;
}

static inline BlockNumber
vs_hnsw_upper_block(const VsHnswGeometry *g, uint32 upper)
{
	return upper / g->upper_per_page;
}

static inline int
vs_hnsw_upper_position(const VsHnswGeometry *g, uint32 upper)
{
	return upper % g->upper_per_page;
}

static inline uint32
vs_hnsw_upper_number(const VsHnswGeometry *g, BlockNumber block, int position)
{
	return block * g->upper_per_page + position;
}

/* A slot block of a node, on the page that holds it. */
static inline VsHnswSlots
vs_hnsw_slots_of_node(const VsHnswGeometry *g, Page page, uint32 node)
{
	if (g->npages > 1)
		return vs_hnsw_page_slots(g, page);
	return vs_hnsw_node_slots(g, vs_hnsw_page_node(g, page,
												   vs_hnsw_node_position(g, node)));
}

/* Bytes of records on each kind of page. */
extern Size vs_hnsw_page_nbytes(const VsHnswGeometry *g, uint16 kind);

#endif							/* VS_HNSW_PAGE_H */
