/*
 * bm25_prefix.c
 *		The postings of a prefix in a segment, made from those of its lexemes.
 *
 * The lists are read twice: for the documents, of which a bitmap is made, and for
 * the term frequencies, which are added where the bitmap says that a document's
 * posting is.  Nothing is sorted, and it takes no longer however many lists
 * there are.
 */
#include "postgres.h"

#include "bm25/bm25_prefix.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

typedef struct Union
{
	VsBm25Cursor *cursor;		/* whose postings are made */
	VsBm25List *lists;			/* of the lexemes */
	int			nlists;
	uint64	   *words;			/* a bit for each document */
	uint32	   *ranks;			/* documents before each word */
	uint32		nwords;
} Union;

/* What is done with a block of a lexeme's postings. */
typedef void (*BlockFunction) (Union *u, const VsBm25Block *block);

/* Find the lists of all lexemes with the prefix. */
static void
find_lists(Union *u)
{
	const VsBm25Leaf *leaf = u->cursor->leaf;
	VsBm25LexemeWalk *walk = palloc(sizeof(VsBm25LexemeWalk));
	int			nallocated = 16;

	u->lists = palloc(sizeof(VsBm25List) * nallocated);
	vs_bm25_walk_begin(walk, u->cursor->segment, leaf->lexeme, leaf->nbytes);
	while (vs_bm25_walk_next(walk) && vs_bm25_leaf_begins(leaf, walk->lexeme, walk->nbytes))
	{
		if (u->nlists == nallocated)
		{
			nallocated *= 2;
			u->lists = repalloc_huge(u->lists,
									 sizeof(VsBm25List) * nallocated);
		}
		u->lists[u->nlists++] = walk->list;
	}
	vs_bm25_walk_end(walk);
	pfree(walk);
}

/* Read the blocks of all lists; false if the segment is stale. */
static bool
read_lists(Union *u, bool with_rest, BlockFunction function)
{
	VsBm25Block *block = palloc(sizeof(VsBm25Block));
	bool		is_sound = true;

	for (int i = 0; i < u->nlists && is_sound; i++)
	{
		VsBm25Cursor list = {.segment = u->cursor->segment};

		vs_bm25_cursor_use(&list, &u->lists[i]);
		is_sound = list.nblocks > 0;
		for (uint32 number = 0; number < list.nblocks && is_sound; number++)
		{
			is_sound = vs_bm25_cursor_read_docs(&list, number, block) &&
				(!with_rest || vs_bm25_cursor_read_rest(&list, number, block));
			if (is_sound)
				function(u, block);
		}
		if (list.skips != NULL)
			pfree(list.skips);
	}
	pfree(block);
	return is_sound;
}

/* BlockFunction: mark documents that match. */
static void
mark_docs(Union *u, const VsBm25Block *block)
{
	const VsBm25Leaf *leaf = u->cursor->leaf;

	for (int i = 0; i < block->n; i++)
	{
		uint32		doc = block->docs[i];

		if (leaf->labels != BM25_ALL_LABELS)
		{
			uint16		tfs[BM25_LABELS];
			uint16		sums[BM25_LABELS] = {0};

			vs_bm25_block_get_tfs(block, i, tfs);
			vs_bm25_leaf_add(leaf, tfs, sums);
			if (!vs_bm25_leaf_matches(leaf, sums))
				continue;
		}
		u->words[doc / 64] |= UINT64CONST(1) << (doc % 64);
	}
}

/* BlockFunction: add to the postings of the documents marked. */
static void
add_tfs(Union *u, const VsBm25Block *block)
{
	VsBm25Cursor *cursor = u->cursor;

	for (int i = 0; i < block->n; i++)
	{
		uint32		doc = block->docs[i];
		uint64		word = u->words[doc / 64];
		uint64		bit = UINT64CONST(1) << (doc % 64);
		uint32		number;
		VsBm25Block *made;
		uint16		tfs[BM25_LABELS];
		uint16		sums[BM25_LABELS];
		int			at;

		if ((word & bit) == 0)
			continue;
		number = u->ranks[doc / 64] + pg_popcount64(word & (bit - 1));
		made = &cursor->blocks[number / BM25_BLOCK_POSTINGS];
		at = number % BM25_BLOCK_POSTINGS;

		vs_bm25_block_get_tfs(block, i, tfs);
		vs_bm25_block_get_tfs(made, at, sums);
		vs_bm25_leaf_add(cursor->leaf, tfs, sums);
		for (int j = 0; j < BM25_LABELS; j++)
			made->tfs[j][at] = sums[j];
		made->docs[at] = doc;
		made->lens[at] = block->lens[i];
	}
}

/* Count the documents before each word; returns how many there are in all. */
static uint32
rank_docs(Union *u)
{
	uint32		n = 0;

	u->ranks = MemoryContextAllocHuge(CurrentMemoryContext,
									  sizeof(uint32) * u->nwords);
	for (uint32 i = 0; i < u->nwords; i++)
	{
		u->ranks[i] = n;
		n += pg_popcount64(u->words[i]);
	}
	return n;
}

/* Make room for n postings. */
static void
make_blocks(VsBm25Cursor *cursor, uint32 n)
{
	uint32		nblocks = (n + BM25_BLOCK_POSTINGS - 1) / BM25_BLOCK_POSTINGS;

	cursor->blocks = MemoryContextAllocExtended(CurrentMemoryContext,
												sizeof(VsBm25Block) * nblocks,
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < nblocks; i++)
		cursor->blocks[i].n = BM25_BLOCK_POSTINGS;
	cursor->blocks[nblocks - 1].n = n - (nblocks - 1) * BM25_BLOCK_POSTINGS;
	cursor->npostings = n;
	cursor->nblocks = nblocks;
}

/* Skips of blocks that are there: a cursor looks for documents in them. */
static void
make_skips(VsBm25Cursor *cursor)
{
	cursor->skips = MemoryContextAllocExtended(CurrentMemoryContext,
											   sizeof(VsBm25Skip) * cursor->nblocks,
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < cursor->nblocks; i++)
	{
		const VsBm25Block *block = &cursor->blocks[i];

		cursor->skips[i].last_doc = block->docs[block->n - 1];
	}
}

/* Add up the lists in a bitmap of the documents; false if there is nothing. */
static bool
unite(Union *u)
{
	VsBm25Cursor *cursor = u->cursor;
	bool		any_label = cursor->leaf->labels == BM25_ALL_LABELS;
	uint32		n;

	u->nwords = cursor->segment->header.ndocs / 64 + 1;
	u->words = MemoryContextAllocExtended(CurrentMemoryContext,
										  sizeof(uint64) * u->nwords,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (!read_lists(u, !any_label, mark_docs))
		return false;
	n = rank_docs(u);
	if (n == 0)
		return false;
	make_blocks(cursor, n);
	if (!read_lists(u, true, add_tfs))
		return false;
	make_skips(cursor);
	return true;
}

void
vs_bm25_prefix_make(VsBm25Cursor *cursor)
{
	Union		u = {.cursor = cursor};

	find_lists(&u);
	if (u.nlists > 0 && !unite(&u))
	{
		cursor->blocks = NULL;
		cursor->nblocks = 0;
		cursor->npostings = 0;
	}
	pfree(u.lists);
	if (u.words != NULL)
		pfree(u.words);
	if (u.ranks != NULL)
		pfree(u.ranks);
}
