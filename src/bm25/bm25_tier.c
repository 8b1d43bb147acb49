/*
 * bm25_tier.c
 *		Which segments are merged when, and by whom.
 *
 * README.md, "Merge".
 */
#include "postgres.h"

#include "bm25/bm25_merge.h"
#include "bm25/bm25_meta.h"
#include "bm25/bm25_seal.h"
#include "bm25/bm25_space.h"
#include "bm25/bm25_tier.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

/* From so many segments of the first tier on an insert merges some of them. */
#define TIER_NSEGMENTS 8

/* Pages from which on a segment belongs to the second tier. */
#define SECOND_TIER_NPAGES 64

/* The most pages that an insert merges: some 20 ms. */
#define SMALL_NPAGES 128

/* The same where segments have become many. */
#define MEDIUM_NPAGES 256

/* The most segments that are busy at once: the rest is the inserts' to merge. */
#define MAX_NBUSY (BM25_MAX_SEGMENTS - 64)

/* The share of a segment's rows that vacuum lets stay though deleted. */
#define MAX_DELETED_SHARE 0.2

/* Segments to be merged. */
typedef struct Choice
{
	int			n;
	VsBm25SegmentEntry entries[BM25_MAX_SEGMENTS];
} Choice;

/* Chooses among the segments of a metapage, at most MAX_NBUSY. */
typedef void (*Choose) (const VsBm25Meta *meta, Choice *choice);

/*
 * Large merges, one after the other.  Segments that others make meanwhile are left
 * to the next time, so that there is an end.
 */
typedef struct Rewrite
{
	Choose		choose;
	uint32		end_id;			/* others make this and higher ones */
	int			nresults;
	uint32		results[BM25_MAX_SEGMENTS]; /* ids of our own */
} Rewrite;

static int
compare_npages(const void *a, const void *b)
{
	const VsBm25SegmentEntry *left = a;
	const VsBm25SegmentEntry *right = b;

	if (left->npages != right->npages)
		return left->npages < right->npages ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

static int
compare_ids(const void *a, const void *b)
{
	const VsBm25SegmentEntry *left = a;
	const VsBm25SegmentEntry *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

/* Rows that a merge keeps. */
static inline uint64
live_rows(const VsBm25SegmentEntry *entry)
{
	return (uint64) entry->ndocs + entry->nnulls - entry->ndeleted;
}

/* Whether the first tier is full. */
static bool
is_tier_full(const VsBm25SegmentEntry *entries, int n)
{
	return n >= TIER_NSEGMENTS &&
		entries[TIER_NSEGMENTS - 1].npages < SECOND_TIER_NPAGES;
}

/* Leave out the last ones whose rows are too many for one segment. */
static void
limit_rows(Choice *choice)
{
	uint64		nrows = 0;

	for (int i = 0; i < choice->n; i++)
	{
		nrows += live_rows(&choice->entries[i]);
		if (nrows > BM25_MAX_ROWS)
			choice->n = i;
	}
	if (choice->n < 2)
		choice->n = 0;
}

/* Choose the smallest ones, as many as are not too large together. */
static void
choose_smallest(const VsBm25SegmentEntry *entries, int n, uint64 max_npages,
				Choice *choice)
{
	uint64		npages = 0;

	for (int i = 0; i < Min(n, TIER_NSEGMENTS); i++)
	{
		npages += entries[i].npages;
		if (npages > max_npages)
			break;
		choice->entries[choice->n++] = entries[i];
	}
	limit_rows(choice);
}

/*
 * Choose: what an insert merges.  Segments are many by the places that busy ones
 * leave: small merges then cost no more beside a large one.
 */
static void
choose_small(const VsBm25Meta *meta, Choice *choice)
{
	VsBm25SegmentEntry entries[BM25_MAX_SEGMENTS];
	int			n = 0;
	int			nplaces;

	for (uint32 i = 0; i < meta->nsegments; i++)
		if (meta->segments[i].state != BM25_SEGMENT_BUSY)
			entries[n++] = meta->segments[i];
	nplaces = BM25_MAX_SEGMENTS - (meta->nsegments - n);
	qsort(entries, n, sizeof(*entries), compare_npages);

	choice->n = 0;
	if (is_tier_full(entries, n))
		choose_smallest(entries, n, SMALL_NPAGES, choice);
	if (choice->n == 0 && n >= nplaces * 2 / 3)
		choose_smallest(entries, n, MEDIUM_NPAGES, choice);
	if (choice->n == 0 && n >= nplaces - TIER_NSEGMENTS)
		choose_smallest(entries, n, PG_UINT64_MAX, choice);
}

/* Whether vacuum rewrites a segment for its deleted rows alone. */
static bool
is_much_deleted(const VsBm25SegmentEntry *entry)
{
	return entry->ndeleted >
		MAX_DELETED_SHARE * ((double) entry->ndocs + entry->nnulls);
}

/* All segments as a choice, ascending by size; none chosen yet. */
static void
begin_choice(const VsBm25Meta *meta, Choice *choice)
{
	choice->n = 0;
	memcpy(choice->entries, meta->segments,
		   sizeof(*choice->entries) * meta->nsegments);
	qsort(choice->entries, meta->nsegments, sizeof(*choice->entries),
		  compare_npages);
}

/*
 * Choose: all smaller ones with one that is not larger than they are together; or
 * first the smallest of these.
 */
static void
choose_large(const VsBm25Meta *meta, Choice *choice)
{
	uint64		npages = 0;

	begin_choice(meta, choice);
	for (int i = 0; i < meta->nsegments; i++)
	{
		if (choice->entries[i].npages <= npages)
			choice->n = i + 1;
		npages += choice->entries[i].npages;
	}
	choice->n = Min(choice->n, MAX_NBUSY);
	limit_rows(choice);
	for (int i = 0; i < meta->nsegments && choice->n == 0; i++)
		if (is_much_deleted(&choice->entries[i]))
		{
			choice->entries[0] = choice->entries[i];
			choice->n = 1;
		}
}

/* Choose: the smallest, if there are more than can be merged at once. */
static void
choose_excess(const VsBm25Meta *meta, Choice *choice)
{
	begin_choice(meta, choice);
	if (meta->nsegments > MAX_NBUSY)
		choice->n = MAX_NBUSY;
	limit_rows(choice);
}

/*
 * Choose: all that one segment has room for, unless there is one alone without
 * deleted rows.
 */
static void
choose_all(const VsBm25Meta *meta, Choice *choice)
{
	begin_choice(meta, choice);
	choice->n = Min(meta->nsegments, MAX_NBUSY);
	if (choice->n > 1)
		limit_rows(choice);
	else if (choice->n == 1 && choice->entries[0].ndeleted == 0)
		choice->n = 0;
}

/* Choose: some, so that the directory is not full any more. */
static void
choose_some(const VsBm25Meta *meta, Choice *choice)
{
	VsBm25SegmentEntry entries[BM25_MAX_SEGMENTS];

	choice->n = 0;
	memcpy(entries, meta->segments, sizeof(*entries) * meta->nsegments);
	qsort(entries, meta->nsegments, sizeof(*entries), compare_npages);
	if (meta->nsegments == BM25_MAX_SEGMENTS)
		choose_smallest(entries, meta->nsegments, PG_UINT64_MAX, choice);
}

/*
 * Begin to merge what is chosen: give the new segment's id.  Who rewrites marks
 * the sources, and knows that other marks are left over.  The caller holds the
 * merge lock.
 */
static uint32
begin_merge(Relation rel, VsBm25Writing writing, const Choice *choice)
{
	VsBm25MetaEdit change;
	VsBm25Meta *meta = vs_bm25_begin_meta(rel, &change);
	uint32		id = vs_bm25_give_id(meta, writing);

	if (writing == BM25_REWRITING)
	{
		for (uint32 i = 0; i < meta->nsegments; i++)
			meta->segments[i].state = BM25_SEGMENT_LIVE;
		for (int i = 0; i < choice->n; i++)
			vs_bm25_find_segment(meta, choice->entries[i].id)->state =
				BM25_SEGMENT_BUSY;
	}
	vs_bm25_commit_meta(&change);
	return id;
}

/* VsBm25MergeProgress: a large merge takes breaks, as vacuum does. */
static void
take_break(void *state, uint64 npostings)
{
	vs_compat_vacuum_delay_point();
}

/* Write the new segment; fills in its entry, without rows if all are deleted. */
static void
write_merge(Relation rel, uint32 id, VsBm25Writing writing,
			const Choice *choice, VsBm25SegmentEntry *entry)
{
	VsBm25Segment *segments[BM25_MAX_SEGMENTS];
	VsBm25Source *sources[BM25_MAX_SEGMENTS];
	uint64		nrows = 0;

	for (int i = 0; i < choice->n; i++)
		nrows += live_rows(&choice->entries[i]);
	memset(entry, 0, sizeof(VsBm25SegmentEntry));
	if (nrows == 0)
		return;

	for (int i = 0; i < choice->n; i++)
	{
		segments[i] = vs_bm25_segment_open(rel, &choice->entries[i]);
		sources[i] = vs_bm25_segment_source(segments[i]);
	}
	vs_bm25_merge(rel, id, VS_EDIT_LOGGED, sources, choice->n,
				  writing == BM25_REWRITING ? take_break : NULL, NULL, entry);
	for (int i = 0; i < choice->n; i++)
		vs_bm25_segment_close(segments[i]);
}

/*
 * The new segment takes the place of the old; what vacuum has not seen in one of
 * these it has to see there.  The caller holds the merge lock.
 */
static void
end_merge(Relation rel, VsBm25Writing writing, const Choice *choice,
		  VsBm25SegmentEntry *entry)
{
	VsBm25MetaEdit change;

	entry->vacuumed = choice->entries[0].vacuumed;
	for (int i = 1; i < choice->n; i++)
		entry->vacuumed = Min(entry->vacuumed, choice->entries[i].vacuumed);
	vs_bm25_link_retired(rel, choice->entries, choice->n);
	vs_bm25_begin_meta(rel, &change);
	vs_bm25_retire(&change, choice->entries, choice->n);
	vs_bm25_publish(change.meta, writing, entry);
	vs_bm25_commit_meta(&change);
}

/* Make one small merge, if any is due.  The caller holds the merge lock. */
static bool
merge_small(Relation rel, Relation heap, Choice *choice)
{
	VsBm25SegmentEntry entry;
	uint32		id;

	choose_small(vs_bm25_read_meta(rel), choice);
	if (choice->n == 0)
		return false;
	qsort(choice->entries, choice->n, sizeof(*choice->entries), compare_ids);
	id = begin_merge(rel, BM25_MERGING, choice);
	write_merge(rel, id, BM25_MERGING, choice, &entry);
	end_merge(rel, BM25_MERGING, choice, &entry);
	vs_bm25_reclaim_few(rel, heap);
	return true;
}

/* Whether a segment was there when we began, or is our own. */
static bool
is_ours(const Rewrite *rewrite, uint32 id)
{
	for (int i = 0; i < rewrite->nresults; i++)
		if (rewrite->results[i] == id)
			return true;
	return id < rewrite->end_id;
}

/* Choose among the segments that are ours. */
static void
choose_ours(Relation rel, const Rewrite *rewrite, Choice *choice)
{
	VsBm25Meta *meta = vs_bm25_read_meta(rel);
	uint32		n = 0;

	for (uint32 i = 0; i < meta->nsegments; i++)
		if (is_ours(rewrite, meta->segments[i].id))
			meta->segments[n++] = meta->segments[i];
	meta->nsegments = n;
	rewrite->choose(meta, choice);
	pfree(meta);
}

/*
 * Make one merge of any size, if one is due.  The caller holds the rewrite lock;
 * others make small merges and seal buffers meanwhile.
 */
static bool
merge_large(Relation rel, Relation heap, Rewrite *rewrite, Choice *choice)
{
	VsBm25SegmentEntry entry;
	uint32		id;

	LockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
	choose_ours(rel, rewrite, choice);
	if (choice->n == 0)
	{
		UnlockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
		return false;
	}
	qsort(choice->entries, choice->n, sizeof(*choice->entries), compare_ids);
	id = begin_merge(rel, BM25_REWRITING, choice);
	rewrite->results[rewrite->nresults++] = id;
	UnlockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);

	write_merge(rel, id, BM25_REWRITING, choice, &entry);

	LockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
	end_merge(rel, BM25_REWRITING, choice, &entry);
	UnlockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
	vs_bm25_reclaim_all(rel, heap);
	return true;
}

/*
 * Make merges of any size, up to so many (BM25_MAX_SEGMENTS at most); returns how
 * many segments of.
 */
static int
merge_repeatedly(Relation rel, Relation heap, Choose choose, int max_nmerges)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "bm25 large merge",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Rewrite		rewrite = {.choose = choose};
	int			nmerged = 0;

	Assert(max_nmerges <= BM25_MAX_SEGMENTS);
	LockPage(rel, BM25_REWRITE_LOCK, ExclusiveLock);
	rewrite.end_id = vs_bm25_read_meta(rel)->next_id;
	for (int i = 0; i < max_nmerges; i++)
	{
		Choice	   *choice = palloc(sizeof(Choice));

		if (!merge_large(rel, heap, &rewrite, choice))
			break;
		nmerged += choice->n;
		MemoryContextReset(context);
	}
	UnlockPage(rel, BM25_REWRITE_LOCK, ExclusiveLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return nmerged;
}

void
vs_bm25_merge_small(Relation rel, Relation heap)
{
	MemoryContext context;
	MemoryContext old;

	if (!ConditionalLockPage(rel, BM25_MERGE_LOCK, ExclusiveLock))
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "bm25 small merge",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	merge_small(rel, heap, palloc(sizeof(Choice)));
	UnlockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
vs_bm25_make_room(Relation rel, Relation heap)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "bm25 merge for room",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	bool		has_room;

	LockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);
	has_room = vs_bm25_read_meta(rel)->nsegments < BM25_MAX_SEGMENTS ||
		merge_small(rel, heap, palloc(sizeof(Choice)));
	UnlockPage(rel, BM25_MERGE_LOCK, ExclusiveLock);

	/* Those that are busy are done soon, or were left so. */
	if (!has_room)
		merge_repeatedly(rel, heap, choose_some, 1);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
vs_bm25_merge_large(Relation rel, Relation heap)
{
	merge_repeatedly(rel, heap, choose_large, BM25_MAX_SEGMENTS);
}

int
vs_bm25_merge_all(Relation rel, Relation heap)
{
	int			nmerged;

	while (!vs_bm25_seal_buffer(rel, BM25_BUFFER_CAPACITY))
		vs_bm25_make_room(rel, heap);

	/* Once each: under load there is always something to merge again. */
	nmerged = merge_repeatedly(rel, heap, choose_excess, 1);
	return nmerged + merge_repeatedly(rel, heap, choose_all, 1);
}
