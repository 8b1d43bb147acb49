/*
 * hnsw_pagestore.h
 *		The graph on the index's pages, as scans and inserts see it.
 *
 * No lock is held between calls: each page is read under a share lock of its
 * own, and whatever is needed of it later is copied.  See README.md, "Scan",
 * for why links that went stale in between do no harm.
 */
#ifndef VS_HNSW_PAGESTORE_H
#define VS_HNSW_PAGESTORE_H

#include "postgres.h"

#include "hnsw/hnsw_graph.h"
#include "hnsw/hnsw_private.h"
#include "hnsw/hnsw_probe.h"

typedef struct VsHnswPageStore VsHnswPageStore;

/* What was read of a node. */
typedef struct VsHnswVisit
{
	uint32		id;
	uint32		generation;
	uint8		state;			/* VsHnswNodeState */
	uint8		level;
	uint8		ntids;
	ItemPointerData tids[HNSW_NODE_TIDS];
	VsHnswVector vector;		/* halves: only for inserts */
} VsHnswVisit;

/* The tag of a candidate that has no visit. */
#define HNSW_NO_VISIT PG_UINT32_MAX

/*
 * Create a store in the current memory context.  With for_insert it keeps the
 * vectors it reads and the codes it meets, so that nodes can be linked;
 * without, it keeps the neighbours that did not beat the bound, so that the
 * scan can resume.
 */
extern VsHnswPageStore *vs_hnsw_pagestore_create(VsHnswIndex *index, bool for_insert);

extern VsHnswStore *vs_hnsw_pagestore_store(VsHnswPageStore *pages);

/* Make x (dim floats) the query; forgets all visits. */
extern void vs_hnsw_pagestore_bind(VsHnswPageStore *pages, const float *x);

/* The visit that a candidate's tag stands for. */
extern VsHnswVisit *vs_hnsw_pagestore_visit(VsHnswPageStore *pages, uint32 tag);

/* Move the neighbours that were left out into a heap of candidates. */
extern void vs_hnsw_pagestore_take_left_out(VsHnswPageStore *pages,
											VsCandidateHeap *nearest);

/* Bytes of memory that grow with the search. */
extern Size vs_hnsw_pagestore_nbytes(const VsHnswPageStore *pages);

/*
 * Read the node of a candidate on the bottom level, for its exact distance and
 * a visit.  False if it is gone or has no rows.
 */
extern bool vs_hnsw_pagestore_load(VsHnswPageStore *pages, VsCandidate *candidate);

/*
 * Give a result on an upper level its node's exact distance and a visit of it;
 * its id stays the upper record's.  False if it is gone.
 */
extern bool vs_hnsw_pagestore_resolve(VsHnswPageStore *pages, VsCandidate *candidate);

/*
 * The code of a candidate: met in a list while searching, or computed from its
 * visit.  id is the number under which it was met (upper records have their
 * own).  The result is valid until the next call.
 */
extern const uint8 *vs_hnsw_pagestore_code(VsHnswPageStore *pages, uint32 id,
										   const VsCandidate *candidate,
										   VsCodeFactors *factors,
										   uint8 *centroid);

/* Estimated distances of the first n neighbours in a slot block to the query. */
extern void vs_hnsw_pagestore_estimate(VsHnswPageStore *pages,
									   const VsHnswSlots *slots, int n,
									   float *estimates);

/* The query of a store. */
extern const VsHnswProbe *vs_hnsw_pagestore_probe(const VsHnswPageStore *pages);

#endif							/* VS_HNSW_PAGESTORE_H */
