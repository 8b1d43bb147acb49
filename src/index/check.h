/*
 * check.h
 *		vsearch_check: verification of an index, whatever its access method.
 */
#ifndef VS_CHECK_H
#define VS_CHECK_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/rel.h"

typedef struct VsCheck VsCheck;

/* Report a problem of the index, at a block and a node (or -1). */
extern void vs_check_error(VsCheck *check, int64 block, int64 node,
						   const char *format,...) pg_attribute_printf(4, 5);

/* Report something that is allowed but worth knowing. */
extern void vs_check_warning(VsCheck *check, int64 block, int64 node,
							 const char *format,...) pg_attribute_printf(4, 5);

/*
 * Report that something was replaced while it was checked, as happens on a standby.
 * Its TIDs are not known then: the index is not compared with the heap.
 */
extern void vs_check_replaced(VsCheck *check, int64 block, int64 node,
							  const char *what);

/*
 * Note a heap TID that the index holds, and the digest of what it holds for
 * it; a second time is an error.
 */
extern void vs_check_tid(VsCheck *check, const ItemPointerData *tid,
						 uint64 digest, int64 block, int64 node);

/* Pages of a kind need not have the same number of bytes. */
#define VS_CHECK_ANY_NBYTES SIZE_MAX

/* The kinds of pages that an access method has; state is its own. */
typedef struct VsCheckKinds
{
	uint16		first;
	uint16		last;
	uint16		meta;			/* that of the metapage, block 0, alone */

	/* Bytes of records of a kind, or VS_CHECK_ANY_NBYTES; NULL: of all kinds. */
	Size		(*nbytes) (const void *state, uint16 kind);

	/* What else there is to check of a page by itself; NULL: nothing. */
	void		(*examine) (void *state, BlockNumber block, uint16 kind);
} VsCheckKinds;

/*
 * Check the bookkeeping of the first nblocks pages, each of which is then
 * examined.  Sets "found" to their kinds, 0 where nothing can be read.
 */
extern void vs_check_pages(VsCheck *check, Relation index, BlockNumber nblocks,
						   const VsCheckKinds *kinds, void *state,
						   uint16 *found);

/* Digest of a vector as rows are stored, for vs_check_tid. */
extern uint64 vs_check_vector_digest(int dim, int exponent,
									 const uint16 *halves);

/* VsAccessMethod.digest_value of those that store vectors. */
extern bool vs_check_digest_vector(Relation index, Datum value, uint64 *digest);

#endif							/* VS_CHECK_H */
