/*
 * check.h
 *		vsearch_check: verification of an index, whatever its access method.
 */
#ifndef VS_CHECK_H
#define VS_CHECK_H

#include "postgres.h"

#include "storage/itemptr.h"

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

#endif							/* VS_CHECK_H */
