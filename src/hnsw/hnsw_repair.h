/*
 * hnsw_repair.h
 *		Repairing the graph around deleted nodes.
 */
#ifndef VS_HNSW_REPAIR_H
#define VS_HNSW_REPAIR_H

#include "postgres.h"

#include "hnsw/hnsw_numbers.h"
#include "hnsw/hnsw_private.h"

typedef struct VsHnswRepair VsHnswRepair;

/*
 * Begin to repair an index around nodes and their upper records, both lists
 * ascending.  No insert under way may still link to any of them.
 */
extern VsHnswRepair *vs_hnsw_repair_create(VsHnswIndex *index,
										   const VsHnswNumbers *deleted,
										   const VsHnswNumbers *deleted_uppers);

/* Replace a node's, or an upper record's, links to deleted ones. */
extern void vs_hnsw_repair_node(VsHnswRepair *repair, uint32 node);
extern void vs_hnsw_repair_upper(VsHnswRepair *repair, uint32 upper);

/* Choose another entry point if the present one is deleted. */
extern void vs_hnsw_repair_entry(VsHnswRepair *repair,
								 const VsHnswNumbers *upper_blocks);

/*
 * Search neighbours for a node that a crash left in the middle of its insert,
 * or that has lost too many, and link them both ways on the bottom level.
 * level is that of the node's highest upper record.
 */
extern void vs_hnsw_relink_node(VsHnswIndex *index, uint32 node, int level);

#endif							/* VS_HNSW_REPAIR_H */
