/*
 * bm25_write.c
 *		Writing a segment: from documents and sorted postings to pages.
 *
 * A block of postings is encoded when it is full and another posting comes, or
 * when its list ends: only then it is known whether it is the list's only one.
 */
#include "postgres.h"

#include "bm25/bm25_bounds.h"
#include "bm25/bm25_dict.h"
#include "bm25/bm25_output.h"
#include "bm25/bm25_reader.h"
#include "bm25/bm25_tsvector.h"
#include "bm25/bm25_write.h"
#include "utils/memutils.h"

/* A section's page that is being filled. */
typedef struct OpenPage
{
	char	   *bytes;			/* NULL: none */
	int			nbytes;
} OpenPage;

struct VsBm25Writer
{
	Relation	index;
	MemoryContext context;
	VsBm25Output *output;
	VsBm25DictWriter *dict;
	VsBm25SegmentHeader header;
	OpenPage	open[BM25_NSECTIONS];
	uint64		nskips;

	/* The current list, as far as it is written, and its last block. */
	char		lexeme[BM25_LEXEME_MAX_NBYTES];
	int			nbytes;
	VsBm25List	list;
	int64		previous_doc;	/* of the block before, or -1 */
	VsBm25Block block;
};

VsBm25Writer *
vs_bm25_writer_begin(Relation index, uint32 id, VsEditMode mode)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "bm25 segment writer",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(context);
	VsBm25Writer *writer = palloc0(sizeof(VsBm25Writer));

	vs_bm25_forget_header(index, id);
	writer->index = index;
	writer->context = context;
	writer->output = vs_bm25_output_begin(index, id, mode);
	writer->dict = vs_bm25_dict_begin(writer->output);
	writer->header.id = id;
	MemoryContextSwitchTo(previous);
	return writer;
}

/* End a section's page, if it has any. */
static void
end_page(VsBm25Writer *writer, VsBm25Section section)
{
	OpenPage   *open = &writer->open[section];

	if (open->bytes != NULL)
		vs_bm25_output_end_page(writer->output, section, open->nbytes);
	open->bytes = NULL;
	open->nbytes = 0;
}

/* Append bytes that belong on one page to a section; tells where they are. */
static void
append(VsBm25Writer *writer, VsBm25Section section, const void *bytes,
	   int nbytes, VsBm25Place *place)
{
	OpenPage   *open = &writer->open[section];

	if (open->nbytes + nbytes > VS_PAGE_CAPACITY)
		end_page(writer, section);
	if (open->bytes == NULL)
		open->bytes = vs_bm25_output_begin_page(writer->output, section);
	if (place != NULL)
	{
		place->page = vs_bm25_output_npages(writer->output, section);
		place->offset = open->nbytes;
		place->nbytes = nbytes;
	}
	memcpy(open->bytes + open->nbytes, bytes, nbytes);
	open->nbytes += nbytes;
}

static void
add_row(VsBm25Writer *writer, ItemPointer tid)
{
	if (writer->header.ndocs + (uint64) writer->header.nnulls >= BM25_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot grow any further",
						RelationGetRelationName(writer->index)),
				 errhint("Partition the table.")));
	append(writer, BM25_SECTION_ROWS, tid, sizeof(ItemPointerData), NULL);
}

void
vs_bm25_writer_add_document(VsBm25Writer *writer, ItemPointer tid)
{
	Assert(writer->header.nnulls == 0);
	add_row(writer, tid);
	writer->header.ndocs++;
}

void
vs_bm25_writer_add_null(VsBm25Writer *writer, ItemPointer tid)
{
	add_row(writer, tid);
	writer->header.nnulls++;
}

void
vs_bm25_writer_begin_lexeme(VsBm25Writer *writer, const char *lexeme, int nbytes)
{
	Assert(nbytes <= BM25_LEXEME_MAX_NBYTES);
	memcpy(writer->lexeme, lexeme, nbytes);
	writer->nbytes = nbytes;
	memset(&writer->list, 0, sizeof(writer->list));
	writer->previous_doc = -1;
	writer->block.n = 0;
}

static void
append_skip(VsBm25Writer *writer, const VsBm25Skip *skip)
{
	if (writer->nskips == PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot grow any further",
						RelationGetRelationName(writer->index)),
				 errhint("Partition the table.")));
	append(writer, BM25_SECTION_SKIPS, skip, sizeof(*skip), NULL);
	writer->nskips++;
}

/*
 * Write a block of the current list, whose bytes have been encoded; it is the
 * list's only one so far, or gets a skip entry as the others.
 */
static void
write_block(VsBm25Writer *writer, const uint8 *bytes, int nbytes)
{
	VsBm25Block *block = &writer->block;
	VsBm25Skip	skip;

	skip.last_doc = block->docs[block->n - 1];
	append(writer, BM25_SECTION_POSTINGS, bytes, nbytes, &skip.place);
	vs_bm25_block_bounds(block, &skip.bounds);
	if (writer->list.nblocks == 0)
		writer->list.only = skip;
	else
	{
		if (writer->list.nblocks == 1)
		{
			writer->list.first_skip = writer->nskips;
			append_skip(writer, &writer->list.only);
		}
		append_skip(writer, &skip);
	}
	writer->list.nblocks++;
}

/* Take the current block into the list's account, and begin the next one. */
static void
end_block(VsBm25Writer *writer)
{
	VsBm25Block *block = &writer->block;

	writer->previous_doc = block->docs[block->n - 1];
	writer->list.df += block->n;
	writer->header.npostings += block->n;
	block->n = 0;
}

void
vs_bm25_writer_add(VsBm25Writer *writer, uint32 doc, uint32 len,
				   const uint16 tfs[BM25_LABELS])
{
	VsBm25Block *block = &writer->block;
	uint8		bytes[BM25_BLOCK_MAX_NBYTES];

	if (block->n == BM25_BLOCK_POSTINGS)
	{
		write_block(writer, bytes,
					vs_bm25_block_encode(block, writer->previous_doc, bytes));
		end_block(writer);
	}
	block->docs[block->n] = doc;
	block->lens[block->n] = len;
	for (int label = 0; label < BM25_LABELS; label++)
		block->tfs[label][block->n] = tfs[label];
	block->n++;
	writer->header.total_len += vs_bm25_term_len(tfs);
}

void
vs_bm25_writer_end_lexeme(VsBm25Writer *writer)
{
	VsBm25List *list = &writer->list;
	uint8		bytes[BM25_BLOCK_MAX_NBYTES];
	uint8		formed[BM25_LIST_MAX_NBYTES];
	const uint8 *inlined = NULL;
	uint8	   *end;
	int			nbytes;

	if (writer->block.n == 0)
		return;
	nbytes = vs_bm25_block_encode(&writer->block, writer->previous_doc, bytes);
	if (list->nblocks == 0 && nbytes <= BM25_INLINE_NBYTES)
	{
		list->nblocks = 1;
		list->only.place.nbytes = nbytes;
		inlined = bytes;
	}
	else
		write_block(writer, bytes, nbytes);
	end_block(writer);
	end = vs_bm25_form_list(formed, list, inlined);
	vs_bm25_dict_add(writer->dict, writer->lexeme, writer->nbytes, formed,
					 end - formed);
	writer->header.nlexemes++;
}

/* The delete bitmap, still empty. */
static void
write_deletes(VsBm25Writer *writer)
{
	uint64		nrows = (uint64) writer->header.ndocs + writer->header.nnulls;
	uint64		nbytes = (nrows + 7) / 8;

	while (nbytes > 0)
	{
		Size		here = Min(nbytes, VS_PAGE_CAPACITY);

		vs_bm25_output_begin_page(writer->output, BM25_SECTION_DELETES);
		vs_bm25_output_end_page(writer->output, BM25_SECTION_DELETES, here);
		nbytes -= here;
	}
}

void
vs_bm25_writer_end(VsBm25Writer *writer, VsBm25SegmentEntry *entry)
{
	VsBm25SegmentHeader *header = &writer->header;
	MemoryContext previous = MemoryContextSwitchTo(writer->context);

	header->tree_root = vs_bm25_dict_end(writer->dict);
	for (int section = 0; section < BM25_NSECTIONS; section++)
		end_page(writer, section);
	write_deletes(writer);

	memset(entry, 0, sizeof(*entry));
	entry->id = header->id;
	entry->header = vs_bm25_output_end(writer->output, header, &entry->npages);
	entry->ndocs = header->ndocs;
	entry->nnulls = header->nnulls;
	entry->state = BM25_SEGMENT_LIVE;
	entry->total_len = header->total_len;
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(writer->context);
}
