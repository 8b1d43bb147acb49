/*
 * hnsw_check_private.h
 *		What the passes of vsearch_check over an hnsw index share.
 */
#ifndef VS_HNSW_CHECK_PRIVATE_H
#define VS_HNSW_CHECK_PRIVATE_H

#include "postgres.h"

#include "hnsw/hnsw_noderead.h"
#include "index/check.h"

/* What is known of a node's place after the first pass. */
typedef struct VsHnswCheckedNode
{
	uint8		state;
	uint8		level;
	uint8		top;			/* level of its highest upper record, or 0 */
	bool		exists;			/* the place is one of a node page */
	bool		reached;
} VsHnswCheckedNode;

/* One check under way. */
typedef struct VsHnswCheck
{
	VsCheck    *check;
	VsHnswIndex *index;
	BlockNumber nblocks;
	uint16	   *kinds;			/* of each block, 0 where it is unsound */
	uint32		nnodes;			/* places, of all blocks */
	VsHnswCheckedNode *nodes;
	int			ndigests;		/* a node: as many codes as it may have */
	uint64	   *digests;		/* of code, factors and centroid; node i's at
								 * i * ndigests, 0 behind them */
	VsHnswNodeCopy copy;
	float	   *x;
	float	   *scratch;
	uint8	   *code;
} VsHnswCheck;

/* Digest of a code with all that belongs to it. */
extern uint64 vs_hnsw_code_digest(const VsHnswGeometry *g, const uint8 *code,
								  const VsCodeFactors *factors, uint8 centroid);

/* Report a list with more links than room. */
extern void vs_hnsw_check_length(VsHnswCheck *state, BlockNumber block,
								 uint32 number, const VsHnswSlots *slots,
								 int capacity);

/* hnsw_check_links.c: second pass, over all links */
extern void vs_hnsw_check_links(VsHnswCheck *state);

/* Read the header of an upper record anywhere; false if there is none. */
extern bool vs_hnsw_read_upper_header(VsHnswCheck *state, uint32 number,
									  VsHnswUpper *header);

/* hnsw_check_walk.c: third pass, from the entry point */
extern void vs_hnsw_check_reachable(VsHnswCheck *state);

#endif							/* VS_HNSW_CHECK_PRIVATE_H */
