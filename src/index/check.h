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
 * Note a heap TID that the index holds, and the digest of what it holds for
 * it; a second time is an error.
 */
extern void vs_check_tid(VsCheck *check, const ItemPointerData *tid,
						 uint64 digest, int64 block, int64 node);

/* The kinds of pages that an access method has. */
typedef struct VsCheckKinds
{
	uint16		first;
	uint16		last;
	uint16		meta;			/* that of the metapage, block 0, alone */

	/* Bytes of records of a kind; state is what vs_check_page was given. */
	Size		(*nbytes) (const void *state, uint16 kind);
} VsCheckKinds;

/*
 * Check one page's bookkeeping.  Returns its kind, or 0 if there is nothing that
 * can be read.
 */
extern uint16 vs_check_page(VsCheck *check, Relation index, BlockNumber block,
							const VsCheckKinds *kinds, const void *state);

/* Digest of a vector as rows are stored, for vs_check_tid. */
extern uint64 vs_check_vector_digest(int dim, int exponent,
									 const uint16 *halves);

/* VsAccessMethod.digest_value of those that store vectors. */
extern bool vs_check_digest_vector(Relation index, Datum value, uint64 *digest);

#endif							/* VS_CHECK_H */
