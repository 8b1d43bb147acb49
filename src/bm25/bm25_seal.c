/*
 * bm25_seal.c
 *		Sealing: the records of the write buffer become a segment.
 *
 * Postings are gathered by lexeme in a hash table, over the records' own bytes.
 * They come in the order of documents by themselves; only the lexemes have to be
 * sorted.
 */
#include "postgres.h"

#include "bm25/bm25_merge.h"
#include "bm25/bm25_meta.h"
#include "bm25/bm25_seal.h"
#include "port/pg_bswap.h"
#include "storage/lmgr.h"
#include "storage/page.h"
#include "utils/memutils.h"

/* A posting, in the chain of its lexeme. */
typedef struct Posting
{
	uint32		doc;
	uint32		next;			/* number of the next one, 0 for none */
	uint16		tfs[BM25_LABELS];
} Posting;

typedef struct LexemeKey
{
	const char *bytes;
	uint32		nbytes;
	uint32		hash;
} LexemeKey;

typedef struct Lexeme
{
	LexemeKey	key;
	uint32		first;			/* numbers of its postings */
	uint32		last;
	char		status;			/* simplehash's */
} Lexeme;

#define SH_PREFIX lexemes
#define SH_ELEMENT_TYPE Lexeme
#define SH_KEY_TYPE LexemeKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) ((key).hash)
#define SH_EQUAL(table, a, b) \
	((a).hash == (b).hash && (a).nbytes == (b).nbytes && \
	 memcmp((a).bytes, (b).bytes, (a).nbytes) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A lexeme to be sorted: by its first bytes, then by all. */
typedef struct SortedLexeme
{
	uint64		prefix;
	const Lexeme *lexeme;
} SortedLexeme;

static inline int
compare_sorted(const SortedLexeme *a, const SortedLexeme *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return vs_bm25_compare_lexemes(a->lexeme->key.bytes, a->lexeme->key.nbytes,
								   b->lexeme->key.bytes, b->lexeme->key.nbytes);
}

#define ST_SORT sort_lexemes
#define ST_ELEMENT_TYPE SortedLexeme
#define ST_COMPARE(a, b) compare_sorted(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Records as a source: those of dead rows are not part of it. */
typedef struct RecordSource
{
	VsBm25Source base;
	Relation	rel;
	const VsBm25RecordHeader **rows;	/* documents, then NULLs */
	uint32		nlexemes;
	SortedLexeme *lexemes;
	uint32		next_lexeme;
	uint32		next_posting;	/* of the current lexeme */
	Posting    *postings;		/* from 1 on */
	uint32		npostings;
	uint32		capacity;
} RecordSource;

/* VsBm25SourceMethods.next_lexeme */
static bool
next_lexeme(VsBm25Source *source)
{
	RecordSource *records = (RecordSource *) source;
	const Lexeme *lexeme;

	if (records->next_lexeme == records->nlexemes)
		return false;
	lexeme = records->lexemes[records->next_lexeme++].lexeme;
	records->next_posting = lexeme->first;
	source->lexeme = lexeme->key.bytes;
	source->nbytes = lexeme->key.nbytes;
	return true;
}

/* VsBm25SourceMethods.next_block */
static bool
next_block(VsBm25Source *source, VsBm25Block *block)
{
	RecordSource *records = (RecordSource *) source;

	block->n = 0;
	while (records->next_posting != 0 && block->n < BM25_BLOCK_POSTINGS)
	{
		const Posting *posting = &records->postings[records->next_posting];

		block->docs[block->n] = posting->doc;
		block->lens[block->n] = records->rows[posting->doc]->len;
		for (int i = 0; i < BM25_LABELS; i++)
			block->tfs[i][block->n] = posting->tfs[i];
		block->n++;
		records->next_posting = posting->next;
	}
	return block->n > 0;
}

/* VsBm25SourceMethods.read_tids */
static void
read_tids(VsBm25Source *source, uint32 first, uint32 n, ItemPointerData *tids)
{
	RecordSource *records = (RecordSource *) source;

	for (uint32 i = 0; i < n; i++)
	{
		tids[i] = records->rows[first + i]->tid;
		vs_page_require_tid(records->rel, &tids[i]);
	}
}

static const VsBm25SourceMethods record_methods = {
	.next_lexeme = next_lexeme,
	.next_block = next_block,
	.read_tids = read_tids,
};

/* Add a posting to a lexeme's chain; false if the document has one there. */
static bool
add_posting(RecordSource *records, lexemes_hash * table, uint32 doc, uint32 hash,
			const VsBm25Term *term)
{
	LexemeKey	key = {term->lexeme, term->nbytes, hash};
	uint32		number = ++records->npostings;
	Posting    *posting;
	Lexeme	   *lexeme;
	bool		found;

	if (number >= records->capacity)
	{
		records->capacity *= 2;
		records->postings = repalloc_huge(records->postings,
										  sizeof(Posting) * records->capacity);
	}
	posting = &records->postings[number];
	posting->doc = doc;
	posting->next = 0;
	memcpy(posting->tfs, term->tfs, sizeof(posting->tfs));

	lexeme = lexemes_insert(table, key, &found);
	if (found)
	{
		if (records->postings[lexeme->last].doc == doc)
			return false;
		records->postings[lexeme->last].next = number;
	}
	else
		lexeme->first = number;
	lexeme->last = number;
	return true;
}

/* Add a document's postings. */
static void
add_document(RecordSource *records, lexemes_hash * table,
			 const VsBm25RecordHeader *record)
{
	const uint32 *hashes = vs_bm25_record_hashes(record);
	uint32		position = 0;
	VsBm25Term	term;

	for (uint32 i = 0; i < record->nlexemes; i++)
		if (!vs_bm25_record_next_term(record, &position, &term) ||
			!add_posting(records, table, records->base.ndocs, hashes[i], &term))
			vs_bm25_report_record(record);
	records->rows[records->base.ndocs++] = record;
}

/* The first bytes of a lexeme as a number; none has a byte of 0. */
static uint64
lexeme_prefix(const LexemeKey *key)
{
	uint64		prefix = 0;

	memcpy(&prefix, key->bytes, Min(key->nbytes, sizeof(prefix)));
	return pg_ntoh64(prefix);
}

/* Sort the lexemes of the hash table. */
static void
sort_table(RecordSource *records, lexemes_hash * table)
{
	lexemes_iterator iterator;
	Lexeme	   *lexeme;

	records->lexemes = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(SortedLexeme) *
											  Max(table->members, 1));
	lexemes_start_iterate(table, &iterator);
	while ((lexeme = lexemes_iterate(table, &iterator)) != NULL)
	{
		SortedLexeme *sorted = &records->lexemes[records->nlexemes++];

		sorted->prefix = lexeme_prefix(&lexeme->key);
		sorted->lexeme = lexeme;
	}
	sort_lexemes(records->lexemes, records->nlexemes);
}

/* Make a source of records. */
static VsBm25Source *
record_source(Relation rel, const VsBm25BufferCopy *copy)
{
	RecordSource *records = palloc0(sizeof(RecordSource));
	lexemes_hash *table = lexemes_create(CurrentMemoryContext, 16384, NULL);
	uint32		max_nrows = copy->nbytes / sizeof(VsBm25RecordHeader);
	const VsBm25RecordHeader *record;
	const VsBm25RecordHeader **nulls = palloc(sizeof(*nulls) * max_nrows);
	uint32		offset = 0;

	records->base.methods = &record_methods;
	records->rel = rel;
	records->rows = palloc(sizeof(*records->rows) * max_nrows);
	records->capacity = 65536;
	records->postings = palloc(sizeof(Posting) * records->capacity);
	while ((record = vs_bm25_buffer_record(rel, copy, &offset)) != NULL)
	{
		if (record->flags & BM25_RECORD_DEAD)
			continue;
		if (record->flags & BM25_RECORD_NULL)
			nulls[records->base.nnulls++] = record;
		else
			add_document(records, table, record);
	}
	memcpy(records->rows + records->base.ndocs, nulls,
		   sizeof(*nulls) * records->base.nnulls);
	sort_table(records, table);
	return &records->base;
}

/*
 * Say that a buffer or a record is going to be a segment, and give its id: nothing
 * enters the buffer from then on.  The caller holds the insert lock.
 */
static uint32
begin_segment(Relation rel)
{
	VsBm25MetaEdit change;
	uint32		id = vs_bm25_give_id(vs_bm25_begin_meta(rel, &change),
									 BM25_SEALING);

	vs_bm25_commit_meta(&change);
	return id;
}

/* Write records as a segment; fills in its entry, whose rows are 0 if all are dead. */
static void
write_segment(Relation rel, uint32 id, const VsBm25BufferCopy *copy,
			  VsBm25SegmentEntry *entry)
{
	VsBm25Source *source = record_source(rel, copy);

	memset(entry, 0, sizeof(VsBm25SegmentEntry));
	if (source->ndocs == 0 && source->nnulls == 0)
		return;
	vs_bm25_merge(rel, id, VS_EDIT_LOGGED, &source, 1, NULL, NULL, entry);

	/* A vacuum with a lower number has marked what it removes in the buffer. */
	entry->vacuumed = id;
}

/* Seal the buffer.  The caller holds the insert lock. */
static void
seal(Relation rel)
{
	uint32		id = begin_segment(rel);
	VsBm25BufferTotals totals;
	VsBm25Meta *meta = vs_bm25_read_all_meta(rel, &totals);
	VsBm25BufferCopy copy;
	VsBm25SegmentEntry entry;
	VsBm25MetaEdit change;

	vs_bm25_buffer_copy(rel, &meta->buffer, &totals, &copy);
	if (copy.is_stale)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("write buffer of index \"%s\" is corrupted",
						RelationGetRelationName(rel)),
				 errhint("Please REINDEX it.")));
	write_segment(rel, id, &copy, &entry);

	/* A new buffer begins, on the pages of the old one. */
	vs_bm25_begin_meta(rel, &change);
	vs_bm25_publish(change.meta, BM25_SEALING, &entry);
	change.meta->buffer.generation = change.meta->next_id++;
	change.meta->buffer.tail = BM25_NO_TAIL;
	vs_bm25_commit_meta(&change);
}

bool
vs_bm25_seal_buffer(Relation rel, Size nbytes)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "bm25 seal",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	VsBm25BufferTotals totals;
	VsBm25Meta *meta;
	bool		done;

	LockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
	meta = vs_bm25_read_all_meta(rel, &totals);
	done = vs_bm25_buffer_has_room(&totals, nbytes);
	if (!done && meta->nsegments < BM25_MAX_SEGMENTS)
	{
		seal(rel);
		done = true;
	}
	UnlockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return done;
}

bool
vs_bm25_seal_record(Relation rel, const VsBm25RecordHeader *record)
{
	VsBm25BufferCopy copy = {
		.nbytes = record->nbytes,
		.bytes = (char *) record,
	};
	VsBm25SegmentEntry entry;
	VsBm25MetaEdit change;
	bool		has_room;

	LockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
	has_room = vs_bm25_read_meta(rel)->nsegments < BM25_MAX_SEGMENTS;
	if (has_room)
	{
		write_segment(rel, begin_segment(rel), &copy, &entry);
		vs_bm25_publish(vs_bm25_begin_meta(rel, &change), BM25_SEALING, &entry);
		vs_bm25_commit_meta(&change);
	}
	UnlockPage(rel, BM25_INSERT_LOCK, ExclusiveLock);
	return has_room;
}
