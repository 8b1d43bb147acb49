/*
 * bm25_tier.h
 *		Which segments are merged when, and by whom.
 */
#ifndef VS_BM25_TIER_H
#define VS_BM25_TIER_H

#include "postgres.h"

#include "utils/rel.h"

/*
 * Merge segments of the lowest tiers, if they are many enough; for an insert that
 * has made one.  Returns at once where somebody else does so.
 */
extern void vs_bm25_merge_small(Relation rel, Relation heap);

/* Merge until the directory has room for a segment, whatever it takes. */
extern void vs_bm25_make_room(Relation rel, Relation heap);

/*
 * Merge as vacuum does: until each segment is larger than all smaller ones
 * together, and those of which much is deleted.  What others make meanwhile is
 * left out.
 */
extern void vs_bm25_merge_large(Relation rel, Relation heap);

/*
 * Merge all segments into one, the buffer too, and leave out what is deleted.
 * Returns how many segments were merged, 0 if nothing was to be done.
 */
extern int	vs_bm25_merge_all(Relation rel, Relation heap);

#endif							/* VS_BM25_TIER_H */
