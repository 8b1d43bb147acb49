/*
 * recent.h
 *		In which shared buffers this backend has found pages of late.
 *
 * A search reads some fifty pages in no order.  The buffer manager finds each by
 * a look-up in a hash table as large as shared_buffers, whose bucket, element
 * and buffer descriptor are cache misses one after the other, under a lock that
 * all backends take.  Here a backend remembers the buffer of a page.  Whether the
 * page is still there is seen in the buffer's descriptor, which pinning it needs
 * anyhow; and the page itself can be fetched into the processor's cache before
 * anything is known for sure.
 */
#ifndef VS_RECENT_H
#define VS_RECENT_H

#include "postgres.h"

#include "storage/bufmgr.h"
#include "utils/rel.h"

/* ReadBuffer for an existing block, by way of the remembered buffer. */
extern Buffer vs_recent_read(Relation rel, BlockNumber block);

/*
 * Have the processor fetch what reading the block, and then its "nbytes" from
 * "offset" and its special space, will touch.  Does nothing for a page whose
 * buffer is not known; never waits, never fails.
 */
extern void vs_recent_prefetch(Relation rel, BlockNumber block, Size offset,
							   Size nbytes);

#endif							/* VS_RECENT_H */
