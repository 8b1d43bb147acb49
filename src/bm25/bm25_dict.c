/*
 * bm25_dict.c
 *		Looking lexemes up in a segment's dictionary, and walking it.
 */
#include "postgres.h"

#include "bm25/bm25_dict.h"
#include "bm25/bm25_reader.h"
#include "bm25/bm25_tsvector.h"
#include "bm25/bm25_varint.h"

/* A page of entries that has been checked as a whole. */
typedef struct EntryPage
{
	const char *records;
	uint32		page;
	VsBm25LexemePage header;
	const uint8 *end;			/* of the entries */
	int			nrestarts;
} EntryPage;

/* The head of an entry. */
typedef struct EntryHead
{
	uint32		nshared;
	uint32		nbytes;			/* that follow */
	const uint8 *bytes;
} EntryHead;

static bool
open_entry_page(EntryPage *ep, const char *records, int nbytes, uint32 page)
{
	if (nbytes < sizeof(VsBm25LexemePage))
		return false;
	memcpy(&ep->header, records, sizeof(ep->header));
	ep->records = records;
	ep->page = page;
	ep->end = (const uint8 *) records + ep->header.end;
	ep->nrestarts = (ep->header.nlexemes + BM25_RESTART_INTERVAL - 1) /
		BM25_RESTART_INTERVAL;
	return ep->header.nlexemes > 0 &&
		ep->header.end >= sizeof(VsBm25LexemePage) &&
		ep->header.end + ep->nrestarts * sizeof(uint16) == nbytes;
}

/* The restart's offset; 0 if it is none. */
static int
restart_offset(const EntryPage *ep, int i)
{
	uint16		offset;

	memcpy(&offset, ep->records + ep->header.end + i * sizeof(uint16),
		   sizeof(offset));
	return offset >= sizeof(VsBm25LexemePage) && offset < ep->header.end ?
		offset : 0;
}

/* Returns the byte behind the head, where the list begins; NULL if corrupt. */
static const uint8 *
get_head(const uint8 *p, const uint8 *end, EntryHead *head)
{
	p = vs_bm25_get_varint(p, end, &head->nshared);
	p = vs_bm25_get_varint(p, end, &head->nbytes);
	if (p == NULL || head->nbytes > end - p ||
		head->nshared > BM25_LEXEME_MAX_NBYTES ||
		head->nbytes > BM25_LEXEME_MAX_NBYTES - head->nshared)
		return NULL;
	head->bytes = p;
	return p + head->nbytes;
}

/* Step over a list. */
static const uint8 *
skip_list(const uint8 *p, const uint8 *end)
{
	uint32		df;
	uint32		number;

	p = vs_bm25_get_varint(p, end, &df);
	p = vs_bm25_get_varint(p, end, &number);
	if (p == NULL || df > BM25_BLOCK_POSTINGS)
		return p;
	if (!(number & BM25_LIST_PLACED))
		return number / 2 <= end - p ? p + number / 2 : NULL;
	for (int i = 0; i < 5; i++)
		p = vs_bm25_get_varint(p, end, &number);
	for (int i = 1; i < BM25_BOUNDS; i++)
	{
		p = vs_bm25_get_varint(p, end, &number);
		if (number == 0)
			break;
		p = vs_bm25_get_varint(p, end, &number);
	}
	return p;
}

/* The last restart whose lexeme is not above the given one, or the first. */
static int
find_restart(const EntryPage *ep, const char *lexeme, int nbytes, bool *is_corrupt)
{
	int			low = 0;
	int			high = ep->nrestarts;

	*is_corrupt = false;
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;
		int			offset = restart_offset(ep, middle);
		EntryHead	head;

		if (offset == 0 ||
			get_head((const uint8 *) ep->records + offset, ep->end,
					 &head) == NULL)
		{
			*is_corrupt = true;
			return 0;
		}
		if (vs_bm25_compare_lexemes((const char *) head.bytes, head.nbytes,
									lexeme, nbytes) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/*
 * Look for a lexeme from a restart on, no further than the next.  "common" is what
 * the lexeme shares with the entry before, which is below it: an entry that shares
 * more with that one is below it too, one that shares less is above it.
 */
static bool
find_entry(const EntryPage *ep, int restart, const char *lexeme, int nbytes,
		   VsBm25List *list)
{
	int			offset = restart_offset(ep, restart);
	const uint8 *p = offset == 0 ? NULL : (const uint8 *) ep->records + offset;
	int			n = Min(ep->header.nlexemes - restart * BM25_RESTART_INTERVAL,
						BM25_RESTART_INTERVAL);
	uint32		common = 0;

	list->df = 0;
	for (int i = 0; i < n; i++)
	{
		EntryHead	head;

		p = get_head(p, ep->end, &head);
		if (p == NULL)
			return false;
		if (head.nshared < common)
			return true;
		if (head.nshared == common)
		{
			int			rest = nbytes - common;
			int			most = Min(rest, head.nbytes);
			int			same = 0;

			while (same < most && head.bytes[same] == (uint8) lexeme[common + same])
				same++;
			if (same == rest && same == head.nbytes)
				return vs_bm25_deform_list(p, ep->end, ep->records, ep->page,
										   list) != NULL;
			if (same == rest ||
				(same < head.nbytes &&
				 head.bytes[same] > (uint8) lexeme[common + same]))
				return true;
			common += same;
		}
		p = skip_list(p, ep->end);
	}
	return p != NULL;
}

/* The child of a page of the tree that would have a lexeme. */
static bool
find_child(const char *records, int nbytes, const char *lexeme,
		   int lexeme_nbytes, VsBm25TreePage *header, uint32 *child)
{
	const uint16 *ends = (const uint16 *) (records + sizeof(VsBm25TreePage));
	const char *keys;
	int			keys_nbytes;
	int			low = 0;
	int			high;

	if (nbytes < sizeof(VsBm25TreePage))
		return false;
	memcpy(header, records, sizeof(*header));
	keys = (const char *) (ends + header->nkeys);
	keys_nbytes = nbytes - (keys - records);
	if (header->nkeys == 0 || keys_nbytes < 0)
		return false;
	high = header->nkeys;
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;
		int			begin = ends[middle - 1];
		int			end = ends[middle];

		if (begin > end || end > keys_nbytes)
			return false;
		if (vs_bm25_compare_lexemes(keys + begin, end - begin, lexeme,
									lexeme_nbytes) <= 0)
			low = middle;
		else
			high = middle;
	}
	*child = header->first_child + low;
	return true;
}

/* Find the page of entries that would have a lexeme; false if stale. */
static bool
descend(VsBm25Segment *segment, const char *lexeme, int lexeme_nbytes,
		uint32 *page)
{
	int			level = 0;		/* 0: the root's is not known yet */

	*page = 0;
	if (segment->header.npages[BM25_SECTION_LEXEME_TREE] == 0)
		return !segment->is_stale;
	*page = segment->header.tree_root;
	do
	{
		int			nbytes;
		VsBm25TreePage header;
		uint32		child;
		const char *records = vs_bm25_lock_page(segment,
												BM25_SECTION_LEXEME_TREE,
												*page, &nbytes);

		if (records == NULL)
			return false;
		if (!find_child(records, nbytes, lexeme, lexeme_nbytes, &header, &child) ||
			header.level == 0 || (level > 0 && header.level != level - 1))
			vs_bm25_report_page(segment, BM25_SECTION_LEXEME_TREE, *page);
		vs_bm25_unlock_page(segment, BM25_SECTION_LEXEME_TREE);
		level = header.level;
		*page = child;
	} while (level > 1);
	return true;
}

void
vs_bm25_segment_find(VsBm25Segment *segment, const char *lexeme, int nbytes,
					 VsBm25List *list)
{
	const char *records;
	int			page_nbytes;
	uint32		page;
	EntryPage	ep;
	bool		is_corrupt;

	memset(list, 0, sizeof(*list));
	if (segment->header.nlexemes == 0 ||
		!descend(segment, lexeme, nbytes, &page))
		return;
	records = vs_bm25_lock_page(segment, BM25_SECTION_LEXEMES, page, &page_nbytes);
	if (records == NULL)
		return;
	is_corrupt = !open_entry_page(&ep, records, page_nbytes, page);
	if (!is_corrupt)
	{
		int			restart = find_restart(&ep, lexeme, nbytes, &is_corrupt);

		if (!is_corrupt)
			is_corrupt = !find_entry(&ep, restart, lexeme, nbytes, list);
	}
	if (is_corrupt)
		vs_bm25_report_page(segment, BM25_SECTION_LEXEMES, page);
	vs_bm25_unlock_page(segment, BM25_SECTION_LEXEMES);
}

/* Copy a page of the dictionary; false if there is none, or the segment is stale. */
static bool
copy_page(VsBm25LexemeWalk *walk, uint32 page)
{
	VsBm25Segment *segment = walk->segment;
	const char *records;

	walk->page = page;
	walk->nleft = 0;
	if (page >= segment->header.npages[BM25_SECTION_LEXEMES])
		return false;
	records = vs_bm25_lock_page(segment, BM25_SECTION_LEXEMES, page,
								&walk->copy_nbytes);
	if (records == NULL)
		return false;
	memcpy(walk->copy, records, walk->copy_nbytes);
	vs_bm25_unlock_page(segment, BM25_SECTION_LEXEMES);
	return true;
}

/* Go to an entry of the page that was copied which is a restart. */
static void
go_to_restart(VsBm25LexemeWalk *walk, const EntryPage *ep, int restart)
{
	walk->offset = restart_offset(ep, restart);
	walk->nleft = ep->header.nlexemes - restart * BM25_RESTART_INTERVAL;
	walk->nbytes = 0;
	if (walk->offset == 0)
		vs_bm25_report_page(walk->segment, BM25_SECTION_LEXEMES, walk->page);
}

static void
open_copy(VsBm25LexemeWalk *walk, EntryPage *ep)
{
	if (!open_entry_page(ep, walk->copy, walk->copy_nbytes, walk->page))
		vs_bm25_report_page(walk->segment, BM25_SECTION_LEXEMES, walk->page);
}

/* Step to the next entry; false at the end. */
static bool
step(VsBm25LexemeWalk *walk)
{
	const uint8 *p;
	EntryHead	head;
	EntryPage	ep;

	if (walk->nleft == 0)
	{
		if (!copy_page(walk, walk->page + 1))
			return false;
		open_copy(walk, &ep);
		go_to_restart(walk, &ep, 0);
	}
	else
		open_copy(walk, &ep);
	p = get_head((const uint8 *) walk->copy + walk->offset, ep.end, &head);
	if (p == NULL || head.nshared > walk->nbytes)
		vs_bm25_report_page(walk->segment, BM25_SECTION_LEXEMES, walk->page);
	memcpy(walk->lexeme + head.nshared, head.bytes, head.nbytes);
	walk->nbytes = head.nshared + head.nbytes;
	p = vs_bm25_deform_list(p, ep.end, walk->copy, walk->page, &walk->list);
	if (p == NULL)
		vs_bm25_report_page(walk->segment, BM25_SECTION_LEXEMES, walk->page);
	walk->offset = (const char *) p - walk->copy;
	walk->nleft--;
	return true;
}

void
vs_bm25_walk_begin(VsBm25LexemeWalk *walk, VsBm25Segment *segment,
				   const char *lexeme, int nbytes)
{
	EntryPage	ep;
	bool		is_corrupt;
	uint32		page;

	memset(walk, 0, sizeof(*walk));
	walk->segment = segment;
	walk->copy = palloc(VS_PAGE_CAPACITY);
	walk->page = segment->header.npages[BM25_SECTION_LEXEMES];
	if (segment->header.nlexemes == 0 ||
		!descend(segment, lexeme, nbytes, &page) || !copy_page(walk, page))
		return;
	open_copy(walk, &ep);
	go_to_restart(walk, &ep, find_restart(&ep, lexeme, nbytes, &is_corrupt));
	if (is_corrupt)
		vs_bm25_report_page(segment, BM25_SECTION_LEXEMES, page);
	while (step(walk))
		if (vs_bm25_compare_lexemes(walk->lexeme, walk->nbytes, lexeme,
									nbytes) >= 0)
		{
			walk->is_ahead = true;
			return;
		}
}

bool
vs_bm25_walk_next(VsBm25LexemeWalk *walk)
{
	if (walk->is_ahead)
	{
		walk->is_ahead = false;
		return true;
	}
	return step(walk);
}

void
vs_bm25_walk_end(VsBm25LexemeWalk *walk)
{
	pfree(walk->copy);
}
