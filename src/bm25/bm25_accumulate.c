/*
 * bm25_accumulate.c
 *		The inverted index of some rows, in memory: what a build's run is made of.
 *
 * A hash table of lexemes, each with the bytes of its postings.  Most lexemes have
 * one or two: what each of them takes is what decides how many rows have room.
 * So lexemes and their bytes lie in an arena, where 4 bytes are an address.
 * README.md, "Build".
 */
#include "postgres.h"

#include "bm25/bm25_accumulate.h"
#include "bm25/bm25_runcode.h"
#include "bm25/bm25_tsvector.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

/* Addresses in the arena are those of its blocks, one after the other. */
#define ARENA_BLOCK_BITS	16
#define ARENA_BLOCK_NBYTES	(1 << ARENA_BLOCK_BITS)
#define ARENA_MAX_NBYTES	((Size) 3 * 1024 * 1024 * 1024)

/* Lexemes that are looked up together, so that cache misses overlap. */
#define BATCH_LEXEMES 16

/* Slots of an empty hash table. */
#define MIN_SLOTS 1024

/* Entries of an empty array. */
#define MIN_TIDS 64
#define MIN_BLOCKS 16

typedef uint32 Address;			/* 0 is none */

/* A lexeme.  Bytes of postings follow it, and then fill a chain of chunks. */
typedef struct Entry
{
	Address		end;			/* where the next byte goes, if there is room */
	Address		chunks;			/* the first, or 0 */
	uint32		last_doc;
	uint32		npostings;
	uint16		nbytes;			/* of the lexeme */
	uint16		room;			/* bytes behind "end" */
	uint8		level;			/* of the last chunk; 0: there is none */
	char		lexeme[FLEXIBLE_ARRAY_MEMBER];
} Entry;

/* Begins with the address of the next chunk, or 0. */
#define CHUNK_HEADER_NBYTES sizeof(Address)

/* Bytes of chunks by level; what follows the last is like it. */
static const uint16 chunk_nbytes[] = {
	0, 16, 24, 36, 52, 80, 120, 180, 268, 400, 600, 900, 1352, 2028
};

#define MAX_LEVEL (lengthof(chunk_nbytes) - 1)

/* Bytes of postings that an entry has room for: so many to so many + 3. */
#define ENTRY_ROOM 5

typedef struct Slot
{
	uint32		hash;
	Address		entry;			/* 0: the slot is free */
} Slot;

/* A lexeme to sort: its first bytes as numbers that compare like them. */
typedef struct SortKey
{
	uint64		first;
	uint32		second;
	Address		entry;
} SortKey;

typedef struct TidArray
{
	ItemPointerData *tids;
	uint32		n;
	uint32		capacity;
} TidArray;

/* Bytes of a list's postings that lie together, and what follows them. */
typedef struct Extent
{
	const uint8 *bytes;
	uint32		nbytes;
	Address		next;			/* chunk */
	int			level;			/* of the extent */
} Extent;

struct VsBm25Accumulator
{
	MemoryContext rows;			/* of all that adding rows allocates */
	Size		memory;

	char	  **blocks;			/* the arena */
	uint32		nblocks;
	uint32		max_blocks;
	uint32		block_used;		/* bytes of the last block */

	Slot	   *slots;
	uint32		nslots;			/* a power of two */
	uint32		nlexemes;

	TidArray	docs;
	TidArray	nulls;
	uint64		npostings;

	/* While the run is produced. */
	SortKey    *keys;
	uint32		next_key;
	const Entry *entry;			/* the current lexeme, or NULL */
	Extent		extent;			/* what is still to come of the current one */
};

static inline char *
address_bytes(const VsBm25Accumulator *a, Address address)
{
	return a->blocks[address >> ARENA_BLOCK_BITS] +
		(address & (ARENA_BLOCK_NBYTES - 1));
}

static inline Entry *
get_entry(const VsBm25Accumulator *a, Address address)
{
	return (Entry *) address_bytes(a, address);
}

static int
compare_keys(const SortKey *x, const SortKey *y, const VsBm25Accumulator *a)
{
	const Entry *x_entry;
	const Entry *y_entry;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	x_entry = get_entry(a, x->entry);
	y_entry = get_entry(a, y->entry);
	return vs_bm25_compare_lexemes(x_entry->lexeme, x_entry->nbytes,
								   y_entry->lexeme, y_entry->nbytes);
}

#define ST_SORT sort_keys
#define ST_ELEMENT_TYPE SortKey
#define ST_COMPARE_ARG_TYPE const VsBm25Accumulator
#define ST_COMPARE(x, y, a) compare_keys(x, y, a)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* An accumulator's empty arrays. */
static void
init_rows(VsBm25Accumulator *a)
{
	a->max_blocks = MIN_BLOCKS;
	a->blocks = MemoryContextAlloc(a->rows, sizeof(char *) * a->max_blocks);
	a->nblocks = 0;
	a->block_used = ARENA_BLOCK_NBYTES;
	a->nslots = MIN_SLOTS;
	a->slots = MemoryContextAllocZero(a->rows, sizeof(Slot) * a->nslots);
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
			nbytes += sizeof(Slot) * a->nslots * 2;
		nbytes += VARSIZE(tsv) + tsv->size *
			(sizeof(Entry) + ENTRY_ROOM + sizeof(SortKey));
	}
	return nbytes;
}

bool
vs_bm25_accumulator_has_room(const VsBm25Accumulator *a, TSVector tsv)
{
	if (a->docs.n + a->nulls.n == 0)
		return true;
	return MemoryContextMemAllocated(a->rows, false) +
		sizeof(SortKey) * a->nlexemes + row_memory(a, tsv) <= a->memory;
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
	a->blocks[a->nblocks] = MemoryContextAlloc(a->rows, ARENA_BLOCK_NBYTES);

	/* The first address is 0, which means none. */
	a->block_used = a->nblocks == 0 ? sizeof(Address) : 0;
	a->nblocks++;
}

/* Allocate a multiple of 4 bytes. */
static inline Address
allocate(VsBm25Accumulator *a, uint32 nbytes)
{
	Address		address;

	Assert(nbytes % sizeof(Address) == 0 && nbytes <= ARENA_BLOCK_NBYTES / 2);
	if (unlikely(a->block_used + nbytes > ARENA_BLOCK_NBYTES))
		add_block(a);
	address = (Address) (a->nblocks - 1) * ARENA_BLOCK_NBYTES + a->block_used;
	a->block_used += nbytes;
	return address;
}

/* Double the hash table. */
static void
grow_slots(VsBm25Accumulator *a)
{
	Slot	   *old = a->slots;
	uint32		nold = a->nslots;
	uint32		mask = nold * 2 - 1;

	a->nslots *= 2;
	a->slots = MemoryContextAllocExtended(a->rows, sizeof(Slot) * a->nslots,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < nold; i++)
		if (old[i].entry != 0)
		{
			uint32		j = old[i].hash & mask;

			while (a->slots[j].entry != 0)
				j = (j + 1) & mask;
			a->slots[j] = old[i];
		}
	pfree(old);
}

/* Room of an entry, and the bytes of postings in it. */
static inline uint32
entry_nbytes(uint32 nbytes)
{
	return TYPEALIGN(sizeof(Address),
					 offsetof(Entry, lexeme) + nbytes + ENTRY_ROOM);
}

static inline uint32
entry_room(uint32 nbytes)
{
	return entry_nbytes(nbytes) - offsetof(Entry, lexeme) - nbytes;
}

static Address
add_entry(VsBm25Accumulator *a, const VsBm25Term *term)
{
	Address		address = allocate(a, entry_nbytes(term->nbytes));
	Entry	   *entry = get_entry(a, address);

	entry->end = address + offsetof(Entry, lexeme) + term->nbytes;
	entry->chunks = 0;
	entry->last_doc = 0;
	entry->npostings = 0;
	entry->nbytes = term->nbytes;
	entry->room = entry_room(term->nbytes);
	entry->level = 0;
	memcpy(entry->lexeme, term->lexeme, term->nbytes);
	a->nlexemes++;
	return address;
}

/* The entry of a lexeme, which is added if there is none. */
static inline Entry *
find_entry(VsBm25Accumulator *a, const VsBm25Term *term, uint32 hash)
{
	uint32		mask = a->nslots - 1;

	for (uint32 i = hash & mask;; i = (i + 1) & mask)
	{
		Slot	   *slot = &a->slots[i];
		Entry	   *entry;

		if (slot->entry == 0)
		{
			slot->hash = hash;
			slot->entry = add_entry(a, term);
			return get_entry(a, slot->entry);
		}
		if (slot->hash != hash)
			continue;
		entry = get_entry(a, slot->entry);
		if (entry->nbytes == term->nbytes &&
			memcmp(entry->lexeme, term->lexeme, term->nbytes) == 0)
			return entry;
	}
}

/* Give an entry without room a chunk. */
static void
add_chunk(VsBm25Accumulator *a, Entry *entry)
{
	int			level = Min(entry->level + 1, MAX_LEVEL);
	Address		chunk = allocate(a, chunk_nbytes[level]);
	Address    *link = &entry->chunks;

	Assert(entry->room == 0);
	if (entry->level > 0)
		link = (Address *) address_bytes(a, entry->end -
										 chunk_nbytes[entry->level]);
	*link = chunk;
	*(Address *) address_bytes(a, chunk) = 0;
	entry->end = chunk + CHUNK_HEADER_NBYTES;
	entry->room = chunk_nbytes[level] - CHUNK_HEADER_NBYTES;
	entry->level = level;
}

/* Append bytes to a list. */
static void
append_bytes(VsBm25Accumulator *a, Entry *entry, const uint8 *bytes, uint32 nbytes)
{
	while (nbytes > 0)
	{
		uint32		n;

		if (entry->room == 0)
			add_chunk(a, entry);
		n = Min(entry->room, nbytes);
		memcpy(address_bytes(a, entry->end), bytes, n);
		entry->end += n;
		entry->room -= n;
		bytes += n;
		nbytes -= n;
	}
}

static inline void
append_posting(VsBm25Accumulator *a, Entry *entry, uint32 doc, uint32 len,
			   const uint16 tfs[BM25_LABELS])
{
	uint8		bytes[BM25_RUN_POSTING_NBYTES];
	uint8	   *end = vs_bm25_run_put_posting(bytes, doc - entry->last_doc, len,
											  tfs);

	append_bytes(a, entry, bytes, end - bytes);
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
		const Slot *slot = &a->slots[hashes[i] & (a->nslots - 1)];

		if (slot->entry != 0)
			__builtin_prefetch(get_entry(a, slot->entry));
	}
	for (int i = 0; i < n; i++)
		append_posting(a, find_entry(a, &terms[i], hashes[i]), doc, len,
					   terms[i].tfs);
}

static void
add_tid(VsBm25Accumulator *a, TidArray *array, ItemPointer tid)
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

/* Numbers of a lexeme's first bytes, of zeroes behind its end. */
static void
form_key(const Entry *entry, Address address, SortKey *key)
{
	char		bytes[sizeof(uint64) + sizeof(uint32)] = {0};

	memcpy(bytes, entry->lexeme, Min(entry->nbytes, sizeof(bytes)));
	memcpy(&key->first, bytes, sizeof(uint64));
	memcpy(&key->second, bytes + sizeof(uint64), sizeof(uint32));
	key->first = pg_ntoh64(key->first);
	key->second = pg_ntoh32(key->second);
	key->entry = address;
}

void
vs_bm25_accumulator_sort(VsBm25Accumulator *a)
{
	uint32		n = 0;

	a->keys = MemoryContextAllocExtended(a->rows,
										 sizeof(SortKey) * Max(a->nlexemes, 1),
										 MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < a->nslots; i++)
		if (a->slots[i].entry != 0)
			form_key(get_entry(a, a->slots[i].entry), a->slots[i].entry,
					 &a->keys[n++]);
	Assert(n == a->nlexemes);
	sort_keys(a->keys, n, a);
}

/* The bytes in a list's entry. */
static void
first_extent(const Entry *entry, Extent *extent)
{
	extent->bytes = (const uint8 *) entry->lexeme + entry->nbytes;
	extent->nbytes = entry_room(entry->nbytes);
	if (entry->level == 0)
		extent->nbytes -= entry->room;
	extent->next = entry->chunks;
	extent->level = 0;
}

/* Those in the next chunk; false if there is none. */
static bool
next_extent(const VsBm25Accumulator *a, const Entry *entry, Extent *extent)
{
	const char *chunk;

	if (extent->next == 0)
		return false;
	chunk = address_bytes(a, extent->next);
	extent->level = Min(extent->level + 1, MAX_LEVEL);
	extent->bytes = (const uint8 *) chunk + CHUNK_HEADER_NBYTES;
	extent->nbytes = chunk_nbytes[extent->level] - CHUNK_HEADER_NBYTES;
	extent->next = *(const Address *) chunk;
	if (extent->next == 0)
		extent->nbytes -= entry->room;
	return true;
}

/* Bytes of a list's postings. */
static uint64
list_nbytes(const VsBm25Accumulator *a, const Entry *entry)
{
	uint64		nbytes = 0;
	Extent		extent;

	first_extent(entry, &extent);
	do
		nbytes += extent.nbytes;
	while (next_extent(a, entry, &extent));
	return nbytes;
}

/* Write what comes before a list's postings; returns the end. */
static uint8 *
put_header(const VsBm25Accumulator *a, const Entry *entry, uint8 *bytes)
{
	bytes = vs_bm25_run_put_number(bytes, entry->nbytes);
	memcpy(bytes, entry->lexeme, entry->nbytes);
	bytes += entry->nbytes;
	bytes = vs_bm25_run_put_number(bytes, 1);
	bytes = vs_bm25_run_put_number(bytes, 0);
	bytes = vs_bm25_run_put_number(bytes, entry->npostings);
	return vs_bm25_run_put_number(bytes, list_nbytes(a, entry));
}

/* Move on to bytes that are still to come; false if there are none. */
static bool
find_extent(VsBm25Accumulator *a)
{
	if (a->entry == NULL)
		return false;
	while (a->extent.nbytes == 0)
		if (!next_extent(a, a->entry, &a->extent))
		{
			a->entry = NULL;
			return false;
		}
	return true;
}

Size
vs_bm25_accumulator_produce(VsBm25Accumulator *a, uint8 *bytes, Size nbytes)
{
	uint8	   *at = bytes;
	uint8	   *end = bytes + nbytes;

	Assert(nbytes >= BM25_PRODUCED_MIN_NBYTES);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (find_extent(a))
		{
			uint32		n = Min(a->extent.nbytes, end - at);

			memcpy(at, a->extent.bytes, n);
			at += n;
			a->extent.bytes += n;
			a->extent.nbytes -= n;
			if (at == end)
				break;
		}
		else
		{
			if (a->next_key == a->nlexemes ||
				end - at < BM25_PRODUCED_MIN_NBYTES)
				break;
			a->entry = get_entry(a, a->keys[a->next_key++].entry);
			at = put_header(a, a->entry, at);
			first_extent(a->entry, &a->extent);
		}
	}
	return at - bytes;
}
