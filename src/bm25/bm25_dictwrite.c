/*
 * bm25_dictwrite.c
 *		Writing a segment's dictionary.
 *
 * Pages of entries are written as lexemes come.  Their keys wait in memory: the
 * tree above them is written at the end, level by level.
 */
#include "postgres.h"

#include "bm25/bm25_dict.h"
#include "bm25/bm25_tsvector.h"
#include "bm25/bm25_varint.h"

/* Keys of the pages of one level. */
typedef struct Keys
{
	uint32		n;
	uint32		max;
	char	  **keys;
	uint16	   *nbytes;
} Keys;

struct VsBm25DictWriter
{
	VsBm25Output *output;
	MemoryContext context;
	char	   *page;			/* NULL: none begun */
	VsBm25LexemePage header;
	uint16		restarts[VS_PAGE_CAPACITY / BM25_RESTART_INTERVAL];
	int			nrestarts;
	char		last[BM25_LEXEME_MAX_NBYTES];	/* the lexeme before */
	int			last_nbytes;
	Keys		keys;			/* of the pages */
};

VsBm25DictWriter *
vs_bm25_dict_begin(VsBm25Output *output)
{
	VsBm25DictWriter *dict = palloc0(sizeof(VsBm25DictWriter));

	dict->output = output;
	dict->context = CurrentMemoryContext;
	return dict;
}

static void
add_key(Keys *keys, const char *key, int nbytes)
{
	if (keys->n == keys->max)
	{
		uint32		max = keys->max == 0 ? 64 : keys->max * 2;

		if (keys->max == 0)
		{
			keys->keys = palloc(sizeof(char *) * max);
			keys->nbytes = palloc(sizeof(uint16) * max);
		}
		else
		{
			keys->keys = repalloc_huge(keys->keys, sizeof(char *) * max);
			keys->nbytes = repalloc_huge(keys->nbytes, sizeof(uint16) * max);
		}
		keys->max = max;
	}
	keys->keys[keys->n] = palloc(Max(nbytes, 1));
	memcpy(keys->keys[keys->n], key, nbytes);
	keys->nbytes[keys->n++] = nbytes;
}

static int
count_shared(const char *a, int a_nbytes, const char *b, int b_nbytes)
{
	int			most = Min(a_nbytes, b_nbytes);
	int			n = 0;

	while (n < most && a[n] == b[n])
		n++;
	return n;
}

static void
end_page(VsBm25DictWriter *dict)
{
	Size		restarts_nbytes = sizeof(uint16) * dict->nrestarts;

	memcpy(dict->page, &dict->header, sizeof(dict->header));
	memcpy(dict->page + dict->header.end, dict->restarts, restarts_nbytes);
	vs_bm25_output_end_page(dict->output, BM25_SECTION_LEXEMES,
							dict->header.end + restarts_nbytes);
	dict->page = NULL;
}

/* Begin a page; its key is as much of its first lexeme as tells it from the last. */
static void
begin_page(VsBm25DictWriter *dict, const char *lexeme, int nbytes)
{
	int			nshared = count_shared(dict->last, dict->last_nbytes, lexeme,
									   nbytes);
	MemoryContext previous = MemoryContextSwitchTo(dict->context);

	add_key(&dict->keys, lexeme, Min(nshared + 1, nbytes));
	MemoryContextSwitchTo(previous);
	dict->page = vs_bm25_output_begin_page(dict->output, BM25_SECTION_LEXEMES);
	dict->header.nlexemes = 0;
	dict->header.end = sizeof(VsBm25LexemePage);
	dict->nrestarts = 0;
}

/* Add an entry to the page, if it has room. */
static bool
add_entry(VsBm25DictWriter *dict, const char *lexeme, int nbytes,
		  const uint8 *list, int list_nbytes)
{
	bool		is_restart = dict->header.nlexemes % BM25_RESTART_INTERVAL == 0;
	int			nshared = is_restart ? 0 :
		count_shared(dict->last, dict->last_nbytes, lexeme, nbytes);
	int			nrestarts = dict->nrestarts + (is_restart ? 1 : 0);
	uint8		head[2 * BM25_VARINT_MAX_NBYTES];
	uint8	   *p = vs_bm25_put_varint(head, nshared);
	char	   *entry = dict->page + dict->header.end;
	int			head_nbytes;

	p = vs_bm25_put_varint(p, nbytes - nshared);
	head_nbytes = p - head;
	if (dict->header.end + head_nbytes + nbytes - nshared + list_nbytes +
		nrestarts * sizeof(uint16) > VS_PAGE_CAPACITY)
		return false;

	memcpy(entry, head, head_nbytes);
	entry += head_nbytes;
	memcpy(entry, lexeme + nshared, nbytes - nshared);
	entry += nbytes - nshared;
	memcpy(entry, list, list_nbytes);
	entry += list_nbytes;
	if (is_restart)
		dict->restarts[dict->nrestarts++] = dict->header.end;
	dict->header.end = entry - dict->page;
	dict->header.nlexemes++;
	return true;
}

void
vs_bm25_dict_add(VsBm25DictWriter *dict, const char *lexeme, int nbytes,
				 const uint8 *list, int list_nbytes)
{
	Assert(nbytes <= BM25_LEXEME_MAX_NBYTES);
	Assert(list_nbytes <= BM25_LIST_MAX_NBYTES);
	if (dict->page == NULL)
		begin_page(dict, lexeme, nbytes);
	if (!add_entry(dict, lexeme, nbytes, list, list_nbytes))
	{
		end_page(dict);
		begin_page(dict, lexeme, nbytes);
		if (!add_entry(dict, lexeme, nbytes, list, list_nbytes))
			elog(ERROR, "lexeme of %d bytes does not fit a page", nbytes);
	}
	memcpy(dict->last, lexeme, nbytes);
	dict->last_nbytes = nbytes;
}

/* How many children from "first" on one page of the tree can have. */
static int
count_children(const Keys *children, uint32 first)
{
	Size		nbytes = sizeof(VsBm25TreePage) + sizeof(uint16);
	int			n = 1;

	for (; first + n < children->n; n++)
	{
		nbytes += sizeof(uint16) + children->nbytes[first + n];
		if (nbytes > VS_PAGE_CAPACITY)
			break;
	}
	return n;
}

/* Write a page of the tree; children has the keys of its level. */
static void
write_tree_page(VsBm25Output *output, int level, const Keys *children,
				uint32 first, uint32 first_page, int n)
{
	char	   *page = vs_bm25_output_begin_page(output,
												 BM25_SECTION_LEXEME_TREE);
	VsBm25TreePage *header = (VsBm25TreePage *) page;
	uint16	   *ends = (uint16 *) (header + 1);
	char	   *keys = (char *) (ends + n);
	int			end = 0;

	header->first_child = first_page + first;
	header->level = level;
	header->nkeys = n;
	ends[0] = 0;
	for (int i = 1; i < n; i++)
	{
		memcpy(keys + end, children->keys[first + i], children->nbytes[first + i]);
		end += children->nbytes[first + i];
		ends[i] = end;
	}
	vs_bm25_output_end_page(output, BM25_SECTION_LEXEME_TREE, keys + end - page);
}

/* Write the levels of the tree from the lowest one on; returns the root. */
static uint32
write_tree(VsBm25DictWriter *dict)
{
	Keys		children = dict->keys;
	uint32		first_page = 0; /* of the children */

	for (int level = 1; children.n > 1; level++)
	{
		uint32		next_page = vs_bm25_output_npages(dict->output,
													  BM25_SECTION_LEXEME_TREE);
		Keys		parents = {0};

		for (uint32 first = 0; first < children.n;)
		{
			int			n = count_children(&children, first);

			add_key(&parents, children.keys[first], children.nbytes[first]);
			write_tree_page(dict->output, level, &children, first, first_page, n);
			first += n;
		}
		children = parents;
		first_page = next_page;
	}
	return first_page;
}

uint32
vs_bm25_dict_end(VsBm25DictWriter *dict)
{
	if (dict->page != NULL)
		end_page(dict);
	return write_tree(dict);
}
