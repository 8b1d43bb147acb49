/*
 * bm25_accumulate.c
 *		The inverted index of some rows, in memory: what a build's run is made of.
 *
 * README.md, "Build".
 */
#include "postgres.h"

#include "bm25/bm25_accumulate_private.h"
#include "bm25/bm25_runcode.h"
#include "bm25/bm25_tsvector.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "compat.h"
#include "utils/memutils.h"

#define ARENA_MAX_NBYTES ((Size) 3 * 1024 * 1024 * 1024)

/* Lexemes that are looked up together, so that cache misses overlap. */
#define BATCH_LEXEMES 16

/* Slots of an empty hash table. */
#define MIN_SLOTS 1024

/* Entries of an empty array. */
#define MIN_TIDS 64
#define MIN_BLOCKS 16

/* Each half as large again as the one before; 0 is the entry's own room. */
const uint16 vs_bm25_chunk_nbytes[BM25_MAX_LEVEL + 1] = {
	0, 16, 24, 36, 52, 80, 120, 180, 268, 400, 600, 900, 1352, 2028
};

/* An accumulator's empty arrays. */
static void
init_rows(VsBm25Accumulator *a)
{
	a->max_blocks = MIN_BLOCKS;
	a->blocks = MemoryContextAlloc(a->rows, sizeof(char *) * a->max_blocks);
	a->nblocks = 0;
	a->block_used = BM25_ARENA_BLOCK_NBYTES;
	a->nslots = MIN_SLOTS;
	a->slots = MemoryContextAllocZero(a->rows, sizeof(VsBm25Slot) * a->nslots);
	a->nlexemes = 0;
	memset(&a->docs, 0, sizeof(a->docs));
	memset(&a->nulls, 0, sizeof(a->nulls));
	a->npostings = 0;
	a->keys = NULL;
	a->next_key = 0;
	a->entry = NULL;
}

VsBm25Accumulator *
vs_bm25_accumulator_create(Size memory)
{
	VsBm25Accumulator *a = palloc0(sizeof(VsBm25Accumulator));

	a->rows = AllocSetContextCreate(CurrentMemoryContext,
									"vsearch bm25 build rows",
									ALLOCSET_DEFAULT_SIZES);
	a->memory = Min(memory, ARENA_MAX_NBYTES);
	init_rows(a);
	return a;
}

void
vs_bm25_accumulator_free(VsBm25Accumulator *a)
{
	MemoryContextDelete(a->rows);
	pfree(a);
}

void
vs_bm25_accumulator_reset(VsBm25Accumulator *a)
{
	MemoryContextReset(a->rows);
	init_rows(a);
}

/* Whether the hash table is to grow before n more lexemes come. */
static inline bool
needs_slots(const VsBm25Accumulator *a, uint32 n)
{
	return a->nlexemes + n > a->nslots / 4 * 3;
}

/*
 * What adding a row takes at most, but for chunks: these are as large as what
 * their lists have already, and few rows need many.
 */
static Size
row_memory(const VsBm25Accumulator *a, TSVector tsv)
{
	Size		nbytes = 0;

	if (a->docs.n == a->docs.capacity || a->nulls.n == a->nulls.capacity)
		nbytes += sizeof(ItemPointerData) * (a->docs.n + a->nulls.n);
	if (tsv != NULL)
	{
		if (needs_slots(a, tsv->size))
			nbytes += sizeof(VsBm25Slot) * a->nslots * 2;
		nbytes += VARSIZE(tsv) + tsv->size *
			(sizeof(VsBm25Entry) + BM25_ENTRY_ROOM + sizeof(VsBm25SortKey));
	}
	return nbytes;
}

bool
vs_bm25_accumulator_has_room(const VsBm25Accumulator *a, TSVector tsv)
{
	if (a->docs.n + a->nulls.n == 0)
		return true;
	return MemoryContextMemAllocated(a->rows, false) +
		sizeof(VsBm25SortKey) * a->nlexemes + row_memory(a, tsv) <= a->memory;
}

/* Begin a new block of the arena. */
static void
add_block(VsBm25Accumulator *a)
{
	if (a->nblocks == a->max_blocks)
	{
		a->max_blocks *= 2;
		a->blocks = repalloc(a->blocks, sizeof(char *) * a->max_blocks);
	}
	a->blocks[a->nblocks] = MemoryContextAlloc(a->rows, BM25_ARENA_BLOCK_NBYTES);

	/* The first address is 0, which means none. */
	a->block_used = a->nblocks == 0 ? sizeof(VsBm25Address) : 0;
	a->nblocks++;
}

/* Allocate a multiple of 4 bytes. */
static inline VsBm25Address
allocate(VsBm25Accumulator *a, uint32 nbytes)
{
	VsBm25Address address;

	Assert(nbytes % sizeof(VsBm25Address) == 0 && nbytes <= BM25_ARENA_BLOCK_NBYTES / 2);
	if (unlikely(a->block_used + nbytes > BM25_ARENA_BLOCK_NBYTES))
		add_block(a);
	address = (VsBm25Address) (a->nblocks - 1) * BM25_ARENA_BLOCK_NBYTES + a->block_used;
	a->block_used += nbytes;
	return address;
}

/* Double the hash table. */
static void
grow_slots(VsBm25Accumulator *a)
{
	VsBm25Slot *old = a->slots;
	uint32		nold = a->nslots;
	uint32		mask = nold * 2 - 1;

	a->nslots *= 2;
	a->slots = MemoryContextAllocExtended(a->rows, sizeof(VsBm25Slot) * a->nslots,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < nold; i++)
	{
		uint32		j = old[i].hash & mask;

		CHECK_FOR_INTERRUPTS();
		if (old[i].entry == 0)
			continue;
		while (a->slots[j].entry != 0)
			j = (j + 1) & mask;
		a->slots[j] = old[i];
	}
	pfree(old);
}

static VsBm25Address
add_entry(VsBm25Accumulator *a, const VsBm25Term *term)
{
	VsBm25Address address = allocate(a, vs_bm25_entry_nbytes(term->nbytes));
	VsBm25Entry *entry = vs_bm25_get_entry(a, address);

	entry->end = address + offsetof(VsBm25Entry, lexeme) + term->nbytes;
	entry->chunks = 0;
	entry->last_doc = 0;
	entry->npostings = 0;
	entry->nbytes = term->nbytes;
	entry->room = vs_bm25_entry_room(term->nbytes);
	entry->level = 0;
	memcpy(entry->lexeme, term->lexeme, term->nbytes);
	a->nlexemes++;
	return address;
}

/* The entry of a lexeme, which is added if there is none. */
static inline VsBm25Entry *
find_entry(VsBm25Accumulator *a, const VsBm25Term *term, uint32 hash)
{
	uint32		mask = a->nslots - 1;

	for (uint32 i = hash & mask;; i = (i + 1) & mask)
	{
		VsBm25Slot *slot = &a->slots[i];
		VsBm25Entry *entry;

		if (slot->entry == 0)
		{
			slot->hash = hash;
			slot->entry = add_entry(a, term);
			return vs_bm25_get_entry(a, slot->entry);
		}
		if (slot->hash != hash)
			continue;
		entry = vs_bm25_get_entry(a, slot->entry);
		if (entry->nbytes == term->nbytes &&
			memcmp(entry->lexeme, term->lexeme, term->nbytes) == 0)
			return entry;
	}
}

/* Give an entry without room a chunk. */
static void
add_chunk(VsBm25Accumulator *a, VsBm25Entry *entry)
{
	int			level = Min(entry->level + 1, BM25_MAX_LEVEL);
	VsBm25Address chunk = allocate(a, vs_bm25_chunk_nbytes[level]);
	VsBm25Address *link = &entry->chunks;

	Assert(entry->room == 0);
	if (entry->level > 0)
		link = (VsBm25Address *) vs_bm25_address_bytes(a, entry->end -
													   vs_bm25_chunk_nbytes[entry->level]);
	*link = chunk;
	*(VsBm25Address *) vs_bm25_address_bytes(a, chunk) = 0;
	entry->end = chunk + BM25_CHUNK_HEADER_NBYTES;
	entry->room = vs_bm25_chunk_nbytes[level] - BM25_CHUNK_HEADER_NBYTES;
	entry->level = level;
}

/* Append bytes to a list. */
static void
append_bytes(VsBm25Accumulator *a, VsBm25Entry *entry, const uint8 *bytes, uint32 nbytes)
{
	while (nbytes > 0)
	{
		uint32		n;

		if (entry->room == 0)
			add_chunk(a, entry);
		n = Min(entry->room, nbytes);
		memcpy(vs_bm25_address_bytes(a, entry->end), bytes, n);
		entry->end += n;
		entry->room -= n;
		bytes += n;
		nbytes -= n;
	}
}

/* Append a posting, in place where it surely has room. */
static inline void
append_posting(VsBm25Accumulator *a, VsBm25Entry *entry, uint32 doc, uint32 len,
			   const uint16 tfs[BM25_LABELS])
{
	uint8		bytes[BM25_RUN_POSTING_NBYTES];
	bool		has_room = entry->room >= BM25_RUN_POSTING_NBYTES;
	uint8	   *at = has_room ?
		(uint8 *) vs_bm25_address_bytes(a, entry->end) : bytes;
	uint32		n = vs_bm25_run_put_posting(at, doc - entry->last_doc, len, tfs) -
		at;

	if (has_room)
	{
		entry->end += n;
		entry->room -= n;
	}
	else
		append_bytes(a, entry, bytes, n);
	entry->last_doc = doc;
	entry->npostings++;
}

/* Add up to BATCH_LEXEMES lexemes of a document, from number "first" on. */
static void
add_lexemes(VsBm25Accumulator *a, TSVector tsv, int first, uint32 doc, uint32 len)
{
	int			n = Min(tsv->size - first, BATCH_LEXEMES);
	VsBm25Term	terms[BATCH_LEXEMES];
	uint32		hashes[BATCH_LEXEMES];

	if (needs_slots(a, n))
		grow_slots(a);
	for (int i = 0; i < n; i++)
	{
		vs_bm25_get_term(tsv, first + i, &terms[i]);
		hashes[i] = hash_bytes((const unsigned char *) terms[i].lexeme,
							   terms[i].nbytes);
		__builtin_prefetch(&a->slots[hashes[i] & (a->nslots - 1)]);
	}
	for (int i = 0; i < n; i++)
	{
		const VsBm25Slot *slot = &a->slots[hashes[i] & (a->nslots - 1)];

		if (slot->entry != 0)
			__builtin_prefetch(vs_bm25_get_entry(a, slot->entry));
	}
	for (int i = 0; i < n; i++)
		append_posting(a, find_entry(a, &terms[i], hashes[i]), doc, len,
					   terms[i].tfs);
}

static void
add_tid(VsBm25Accumulator *a, VsBm25TidArray *array, ItemPointer tid)
{
	if (array->n == array->capacity)
	{
		array->capacity = Max(array->capacity * 2, MIN_TIDS);
		array->tids = array->tids == NULL ?
			MemoryContextAlloc(a->rows, sizeof(ItemPointerData) * MIN_TIDS) :
			repalloc_huge(array->tids,
						  sizeof(ItemPointerData) * array->capacity);
	}
	array->tids[array->n++] = *tid;
}

void
vs_bm25_accumulator_add(VsBm25Accumulator *a, ItemPointer tid, TSVector tsv)
{
	uint32		doc = a->docs.n;
	uint32		len;

	Assert(a->keys == NULL);
	if (tsv == NULL)
	{
		add_tid(a, &a->nulls, tid);
		return;
	}
	add_tid(a, &a->docs, tid);
	len = vs_bm25_tsvector_len(tsv);
	for (int i = 0; i < tsv->size; i += BATCH_LEXEMES)
		add_lexemes(a, tsv, i, doc, len);
	a->npostings += tsv->size;
}

void
vs_bm25_accumulator_get_totals(const VsBm25Accumulator *a,
							   VsBm25AccumulatorTotals *totals)
{
	totals->ndocs = a->docs.n;
	totals->nnulls = a->nulls.n;
	totals->nlexemes = a->nlexemes;
	totals->npostings = a->npostings;
	totals->docs = a->docs.tids;
	totals->nulls = a->nulls.tids;
}
