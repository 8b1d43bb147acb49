/*
 * hnsw_nodewrite.h
 *		Writing nodes, upper records and their neighbours.
 */
#ifndef VS_HNSW_NODEWRITE_H
#define VS_HNSW_NODEWRITE_H

#include "postgres.h"

#include "hnsw/hnsw_private.h"

/* A neighbour as it is written into a slot. */
typedef struct VsHnswLink
{
	uint32		id;
	float		dist;			/* to the owner, codec's unit */
	uint8		kind;			/* VsHnswLinkKind */
	uint8		centroid;
	VsCodeFactors factors;
	const uint8 *code;
} VsHnswLink;

/*
 * Find a place for a node and write it with its neighbours.  header gives
 * state, level, exponent and TIDs; its generation is set to the one written.
 * Returns the node's number.
 */
extern uint32 vs_hnsw_write_new_node(VsHnswIndex *index, VsHnswNode *header,
									 const uint16 *halves, const VsHnswLink *links,
									 int nlinks, VsEditMode mode);

/* The same for an upper record. */
extern uint32 vs_hnsw_write_new_upper(VsHnswIndex *index, VsHnswUpper *header,
									  const VsHnswLink *links, int nlinks,
									  VsEditMode mode);

/*
 * ERROR if in an index of so many blocks nodes or upper records would have no
 * number any more.
 */
extern void vs_hnsw_require_numbers(VsHnswIndex *index, uint64 nblocks);

/* vs_page_extend_locked; ERROR if nodes or upper records there can have no number. */
extern Buffer vs_hnsw_extend(VsHnswIndex *index);

/* Link an upper page that has room into the chain, unless it is there. */
extern void vs_hnsw_chain_upper_page(VsHnswIndex *index, BlockNumber block,
									 VsEditMode mode);

/* Fill a slot, which must be below the capacity. */
extern void vs_hnsw_set_slot(const VsHnswGeometry *g, VsHnswSlots *slots, int i,
							 const VsHnswLink *link);

/* Fill a whole slot block. */
extern void vs_hnsw_set_slots(const VsHnswGeometry *g, VsHnswSlots *slots,
							  const VsHnswLink *links, int nlinks);

/* Initialise a page of nodes or upper records, all free. */
extern void vs_hnsw_init_page(const VsHnswGeometry *g, Page page, uint16 kind);

/* Write part "page_of_node" of a vector to its page. */
extern void vs_hnsw_set_vector_part(const VsHnswGeometry *g, Page page,
									int page_of_node, const uint16 *halves);

/* Decode n distances as slots hold them. */
extern void vs_hnsw_decode_dists(const VsHnswSlots *slots, int n, float *dists);

/*
 * The block that follows an upper page in the chain of those with room:
 * InvalidBlockNumber at its end, the metapage's if the page is not in it.
 */
extern BlockNumber vs_hnsw_next_in_chain(Page page);

#endif							/* VS_HNSW_NODEWRITE_H */
