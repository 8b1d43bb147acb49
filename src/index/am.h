/*
 * am.h
 *		The access methods of this library, for what treats all alike.
 *
 * The planner and the functions over indexes know them only through this.
 */
#ifndef VS_AM_H
#define VS_AM_H

#include "postgres.h"

#include "access/amapi.h"
#include "index/check.h"
#include "index/stats.h"
#include "nodes/pathnodes.h"
#include "utils/rel.h"

typedef struct VsAccessMethod
{
	const char *name;
	/* These two tell the access method's indexes from others'. */
	ambuild_function build;
	amcostestimate_function costestimate;

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
	uint64		null_digest;	/* of a row with a NULL; 0: has no place in it */

	/* Report numbers on an index, while others may change it. */
	void		(*stats) (Relation index, VsStats *stats);
} VsAccessMethod;

/*
 * What the handlers of all access methods say alike: rows are ordered by one
 * operator, by the scans of index/scan.h.  The rest is to be filled in.
 */
extern IndexAmRoutine *vs_am_make_routine(void);

/* Make an access method known; am must live forever. */
extern void vs_am_register(const VsAccessMethod *am);

/* The access method of an index; NULL if it is not one of ours. */
extern const VsAccessMethod *vs_am_of_index(Relation index);

/* The same for what the planner knows of an index. */
extern const VsAccessMethod *vs_am_of_index_info(const IndexOptInfo *info);

#endif							/* VS_AM_H */
