/*
 * bm25_buffer.c
 *		The write buffer's records: forming them, and reading a copy of them.
 */
#include "postgres.h"

#include "bm25/bm25_buffer.h"
#include "common/hashfn.h"
#include "storage/page.h"

/* The least that a lexeme takes in a record; less than that is padding. */
#define MIN_TERM_NBYTES (2 * sizeof(uint16))

uint32
vs_bm25_lexeme_hash(const char *lexeme, int nbytes)
{
	return hash_bytes((const unsigned char *) lexeme, nbytes);
}

void
vs_bm25_buffer_copy(Relation rel, const VsBm25BufferMeta *meta,
					const VsBm25BufferTotals *totals, VsBm25BufferCopy *copy)
{
	copy->generation = meta->generation;
	copy->nbytes = totals->nbytes;
	copy->bytes = palloc(Max(copy->nbytes, 1));
	copy->is_stale = false;

	for (uint32 begin = 0; begin < copy->nbytes; begin += BM25_BUFFER_PAGE_NBYTES)
	{
		BlockNumber block = meta->blocks[begin / BM25_BUFFER_PAGE_NBYTES];
		Buffer		buffer = vs_page_read(rel, block, BUFFER_LOCK_SHARE,
										  BM25_PAGE_BUFFER);
		Page		page = BufferGetPage(buffer);

		if (vs_page_opaque(page)->generation != meta->generation)
			copy->is_stale = true;
		else
			memcpy(copy->bytes + begin, vs_bm25_page_buffer(page)->bytes,
				   Min(copy->nbytes - begin, BM25_BUFFER_PAGE_NBYTES));
		UnlockReleaseBuffer(buffer);
		if (copy->is_stale)
			break;
	}
}

const VsBm25RecordHeader *
vs_bm25_buffer_record(Relation rel, const VsBm25BufferCopy *copy,
					  uint32 *offset)
{
	uint32		nleft = copy->nbytes - *offset;
	const VsBm25RecordHeader *record;

	if (nleft == 0)
		return NULL;
	record = (const VsBm25RecordHeader *) (copy->bytes + *offset);
	if (unlikely(nleft < sizeof(VsBm25RecordHeader) ||
				 record->nbytes > nleft ||
				 record->nbytes % sizeof(uint32) != 0 ||
				 record->nbytes < sizeof(VsBm25RecordHeader) ||
				 record->nlexemes > (record->nbytes - sizeof(VsBm25RecordHeader)) /
				 (sizeof(uint32) + MIN_TERM_NBYTES)))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("write buffer of index \"%s\" has no record at byte %u",
						RelationGetRelationName(rel), *offset),
				 errhint("Please REINDEX it.")));
	*offset += record->nbytes;
	return record;
}

void
vs_bm25_report_record(const VsBm25RecordHeader *record)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("write buffer of a bm25 index has a damaged record, for heap row (%u,%u)",
					ItemPointerGetBlockNumberNoCheck(&record->tid),
					ItemPointerGetOffsetNumberNoCheck(&record->tid)),
			 errhint("Please REINDEX it.")));
}

bool
vs_bm25_record_next_term(const VsBm25RecordHeader *record, uint32 *position,
						 VsBm25Term *term)
{
	const char *terms = (const char *) (vs_bm25_record_hashes(record) +
										record->nlexemes);
	uint32		nleft = (const char *) record + record->nbytes - terms - *position;
	const char *bytes = terms + *position;
	uint16		word;
	Size		tfs_nbytes;

	if (nleft < MIN_TERM_NBYTES)
		return false;
	memcpy(&word, bytes, sizeof(word));
	bytes += sizeof(word);
	tfs_nbytes = sizeof(uint16) * (word & BM25_RECORD_LABELS ? BM25_LABELS : 1);
	term->nbytes = word & ~BM25_RECORD_LABELS;
	term->lexeme = bytes;
	bytes += term->nbytes;
	if (unlikely(term->nbytes > BM25_LEXEME_MAX_NBYTES ||
				 sizeof(word) + term->nbytes + tfs_nbytes > nleft))
		vs_bm25_report_record(record);
	memset(term->tfs, 0, sizeof(term->tfs));
	memcpy(term->tfs, bytes, tfs_nbytes);
	*position += sizeof(word) + term->nbytes + tfs_nbytes;
	return true;
}

/* Read the lexeme of this number. */
static void
read_term(const VsBm25RecordHeader *record, uint32 number, VsBm25Term *term)
{
	uint32		position = 0;

	for (uint32 i = 0; i <= number; i++)
		if (!vs_bm25_record_next_term(record, &position, term))
			vs_bm25_report_record(record);
}

/* Four hashes; vectors are the compilers' own. */
typedef uint32 Hashes __attribute__((vector_size(16)));

/* The first of n hashes from "from" on that is this one; n if none is. */
static uint32
find_hash(const uint32 *hashes, uint32 n, uint32 from, uint32 hash)
{
	uint32		i = from;

	while (i + 4 <= n)
	{
		Hashes		row;
		uint64		equal[2];

		memcpy(&row, hashes + i, sizeof(row));
		row = (Hashes) (row == hash);
		memcpy(equal, &row, sizeof(row));
		if (equal[0] | equal[1])
			break;
		i += 4;
	}
	while (i < n && hashes[i] != hash)
		i++;
	return i;
}

bool
vs_bm25_record_find(const VsBm25RecordHeader *record, uint32 hash,
					const char *lexeme, int nbytes, VsBm25Term *term)
{
	const uint32 *hashes = vs_bm25_record_hashes(record);
	uint32		n = record->nlexemes;

	for (uint32 i = find_hash(hashes, n, 0, hash); i < n;
		 i = find_hash(hashes, n, i + 1, hash))
	{
		read_term(record, i, term);
		if (vs_bm25_compare_lexemes(term->lexeme, term->nbytes,
									lexeme, nbytes) == 0)
			return true;
	}
	return false;
}

/* Whether a term's frequencies take more than that of label D. */
static bool
is_labelled(const VsBm25Term *term)
{
	return term->tfs[0] == 0 || term->tfs[1] || term->tfs[2] || term->tfs[3];
}

/* Write a lexeme; returns where the next one goes. */
static char *
write_term(char *bytes, const VsBm25Term *term)
{
	bool		labelled = is_labelled(term);
	uint16		word = term->nbytes | (labelled ? BM25_RECORD_LABELS : 0);
	Size		tfs_nbytes = sizeof(uint16) * (labelled ? BM25_LABELS : 1);

	memcpy(bytes, &word, sizeof(word));
	bytes += sizeof(word);
	memcpy(bytes, term->lexeme, term->nbytes);
	bytes += term->nbytes;
	memcpy(bytes, term->tfs, tfs_nbytes);
	return bytes + tfs_nbytes;
}

/* The most bytes that the record of a tsvector can take. */
static Size
max_record_nbytes(TSVector tsv)
{
	Size		term_nbytes = sizeof(uint32) + sizeof(uint16) * (1 + BM25_LABELS);

	return sizeof(VsBm25RecordHeader) + VARSIZE(tsv) + term_nbytes * tsv->size +
		sizeof(uint32);
}

/*
 * Write the lexemes of a record whose header says how many there are; returns
 * where it ends.
 */
static char *
write_terms(VsBm25RecordHeader *record, TSVector tsv)
{
	uint32	   *hashes = (uint32 *) (record + 1);
	char	   *bytes = (char *) (hashes + record->nlexemes);
	VsBm25Term	term;

	for (int i = 0; i < tsv->size; i++)
	{
		vs_bm25_get_term(tsv, i, &term);
		record->len += vs_bm25_term_len(term.tfs);
		hashes[i] = vs_bm25_lexeme_hash(term.lexeme, term.nbytes);
		bytes = write_term(bytes, &term);
	}
	while ((bytes - (char *) record) % sizeof(uint32) != 0)
		*bytes++ = 0;
	return bytes;
}

VsBm25RecordHeader *
vs_bm25_form_record(ItemPointer tid, TSVector tsv)
{
	VsBm25RecordHeader *record =
		palloc(tsv != NULL ? max_record_nbytes(tsv) : sizeof(*record));

	memset(record, 0, sizeof(*record));
	record->tid = *tid;
	if (tsv == NULL)
	{
		record->nbytes = sizeof(*record);
		record->flags = BM25_RECORD_NULL;
		return record;
	}
	record->nlexemes = tsv->size;
	record->nbytes = write_terms(record, tsv) - (char *) record;
	return record;
}
