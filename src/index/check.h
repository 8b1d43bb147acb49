/*
 * check.h
 *		vsearch_check: verification of an index, whatever its access method.
 */
#ifndef VS_CHECK_H
#define VS_CHECK_H

#include "postgres.h"

#include "access/amapi.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

typedef struct VsCheck VsCheck;

/* What vsearch_check must know of an access method. */
typedef struct VsCheckedAm
{
	const char *name;
	/* Tells this access method's indexes from others'. */
	ambuild_function build;

	/*
	 * Verify an index that is locked against changes (but on a standby):
	 * report problems, and every heap TID it holds to vs_check_tid.
	 */
	void		(*check) (Relation index, VsCheck *check);

	/*
	 * The digest of what the index should hold for a row with this value;
	 * false if such a row does not belong into the index.
	 */
	bool		(*digest_value) (Relation index, Datum value, uint64 *digest);
} VsCheckedAm;

/* Make an access method known; am must live forever. */
extern void vs_check_register(const VsCheckedAm *am);

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
