/*
 * recent.c
 *		In which shared buffers this backend has found pages of late.
 *
 * A direct-mapped table from blocks to buffers: blocks that follow each other
 * have places that do, so that an index with no more blocks than the table has
 * places does not compete with itself.  It begins small, for backends that ask
 * one query, and grows when entries turn out to be others' too often.
 */
#include "postgres.h"

#include "compat.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/recent.h"
#include "utils/memutils.h"

#define FIRST_NPLACES 1024
#define GROWTH 4
#define MAX_NPLACES (1024 * 1024)

static Buffer *places = NULL;	/* InvalidBuffer where nothing is known */
static uint32 nplaces = 0;		/* a power of two */
static uint32 nmisled = 0;		/* look-ups that found another page's buffer */

static inline Buffer *
place_of(Relation rel, BlockNumber block)
{
	uint32		file = vs_compat_file_number(vs_compat_file_key(rel));

	return &places[(block + file * 0x9E3779B1u) & (nplaces - 1)];
}

/* Make the table, or one that is larger; what it held is forgotten. */
static void
enlarge(void)
{
	uint32		wanted = nplaces == 0 ? FIRST_NPLACES : nplaces * GROWTH;
	Buffer	   *larger = MemoryContextAllocZero(TopMemoryContext,
												sizeof(Buffer) * wanted);

	if (places != NULL)
		pfree(places);
	places = larger;
	nplaces = wanted;
	nmisled = 0;
}

/*
 * Whether pinning by ReadRecentBuffer is as good as ReadBuffer, which also
 * raises the usage count that keeps a buffer from being evicted.
 */
static inline bool
is_well_used(Buffer buffer)
{
	BufferDesc *desc = GetBufferDescriptor(buffer - 1);

	return BUF_STATE_GET_USAGECOUNT(pg_atomic_read_u32(&desc->state)) >=
		BM_MAX_USAGE_COUNT;
}

Buffer
vs_recent_read(Relation rel, BlockNumber block)
{
	Buffer	   *place;
	Buffer		buffer;

	if (RelationUsesLocalBuffers(rel))
		return ReadBuffer(rel, block);
	if (unlikely(nmisled > nplaces / 4 && nplaces < MAX_NPLACES) ||
		unlikely(places == NULL))
		enlarge();

	place = place_of(rel, block);
	buffer = *place;
	if (likely(buffer != InvalidBuffer) && likely(is_well_used(buffer)) &&
		likely(ReadRecentBuffer(vs_compat_file_key(rel), MAIN_FORKNUM, block,
								buffer)))
	{
		pgstat_count_buffer_read(rel);
		pgstat_count_buffer_hit(rel);
		return buffer;
	}
	buffer = ReadBuffer(rel, block);
	if (*place != buffer)
	{
		nmisled += *place != InvalidBuffer;
		*place = buffer;
	}
	return buffer;
}

/* Records go to the second-level cache: there are too many for the first. */
void
vs_recent_prefetch(Relation rel, BlockNumber block, Size offset, Size nbytes)
{
	Buffer		buffer;
	const char *page;

	if (unlikely(places == NULL) || RelationUsesLocalBuffers(rel))
		return;
	buffer = *place_of(rel, block);
	if (buffer == InvalidBuffer)
		return;
	page = (const char *) BufferGetBlock(buffer);
	__builtin_prefetch(GetBufferDescriptor(buffer - 1), 1);
	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - 1);
	for (Size i = 0; i < nbytes; i += PG_CACHE_LINE_SIZE / 2)
		__builtin_prefetch(page + offset + i, 0, 2);
}
