/*
 * bm25_produce.c
 *		The bytes of a run, from the inverted index of its rows.
 */
#include "postgres.h"

#include "bm25/bm25_accumulate_private.h"
#include "bm25/bm25_runcode.h"
#include "bm25/bm25_tsvector.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

static int
compare_keys(const VsBm25SortKey *x, const VsBm25SortKey *y, const VsBm25Accumulator *a)
{
	const VsBm25Entry *x_entry;
	const VsBm25Entry *y_entry;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	x_entry = vs_bm25_get_entry(a, x->entry);
	y_entry = vs_bm25_get_entry(a, y->entry);
	return vs_bm25_compare_lexemes(x_entry->lexeme, x_entry->nbytes,
								   y_entry->lexeme, y_entry->nbytes);
}

#define ST_SORT sort_keys
#define ST_ELEMENT_TYPE VsBm25SortKey
#define ST_COMPARE_ARG_TYPE const VsBm25Accumulator
#define ST_COMPARE(x, y, a) compare_keys(x, y, a)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Numbers of a lexeme's first bytes, of zeroes behind its end. */
static void
form_key(const VsBm25Entry *entry, VsBm25Address address, VsBm25SortKey *key)
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
										 sizeof(VsBm25SortKey) * Max(a->nlexemes, 1),
										 MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < a->nslots; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (a->slots[i].entry != 0)
			form_key(vs_bm25_get_entry(a, a->slots[i].entry), a->slots[i].entry,
					 &a->keys[n++]);
	}
	Assert(n == a->nlexemes);
	sort_keys(a->keys, n, a);
}

/* The bytes in a list's entry. */
static void
first_extent(const VsBm25Entry *entry, VsBm25Extent *extent)
{
	extent->bytes = (const uint8 *) entry->lexeme + entry->nbytes;
	extent->nbytes = vs_bm25_entry_room(entry->nbytes);
	if (entry->level == 0)
		extent->nbytes -= entry->room;
	extent->next = entry->chunks;
	extent->level = 0;
}

/* Those in the next chunk; false if there is none. */
static bool
next_extent(const VsBm25Accumulator *a, const VsBm25Entry *entry, VsBm25Extent *extent)
{
	const char *chunk;

	if (extent->next == 0)
		return false;
	chunk = vs_bm25_address_bytes(a, extent->next);
	extent->level = Min(extent->level + 1, BM25_MAX_LEVEL);
	extent->bytes = (const uint8 *) chunk + BM25_CHUNK_HEADER_NBYTES;
	extent->nbytes = vs_bm25_chunk_nbytes[extent->level] - BM25_CHUNK_HEADER_NBYTES;
	extent->next = *(const VsBm25Address *) chunk;
	if (extent->next == 0)
		extent->nbytes -= entry->room;
	return true;
}

/* Bytes of a list's postings. */
static uint64
list_nbytes(const VsBm25Accumulator *a, const VsBm25Entry *entry)
{
	uint64		nbytes = 0;
	VsBm25Extent extent;

	first_extent(entry, &extent);
	do
		nbytes += extent.nbytes;
	while (next_extent(a, entry, &extent));
	return nbytes;
}

/* Write what comes before a list's postings; returns the end. */
static uint8 *
put_header(const VsBm25Accumulator *a, const VsBm25Entry *entry, uint8 *bytes)
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
			a->entry = vs_bm25_get_entry(a, a->keys[a->next_key++].entry);
			at = put_header(a, a->entry, at);
			first_extent(a->entry, &a->extent);
		}
	}
	return at - bytes;
}
