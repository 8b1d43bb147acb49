/*
 * bm25_dict.h
 *		The dictionary's bytes.
 *
 * A page of BM25_SECTION_LEXEMES:
 *
 *		VsBm25LexemePage
 *		entries, each of them:
 *			varint of bytes shared with the lexeme before; 0 at a restart
 *			varint of bytes that follow
 *			these bytes
 *			list
 *		uint16 restarts[]: the offset of each BM25_RESTART_INTERVAL-th entry
 *
 *	list:	varint of df
 *			varint of first_skip, if df is above BM25_BLOCK_POSTINGS; otherwise
 *			varint of nbytes * 2 + BM25_LIST_PLACED of the only block, then
 *			the block itself, if that is not set; otherwise
 *			varint of page, varint of offset, varint of last_doc
 *			bounds: tf and min_len, and twice how much more the next are; 0 for
 *			tf ends them
 *
 * A page of BM25_SECTION_LEXEME_TREE stands for adjacent pages of the dictionary
 * (level 1), or of the tree on the level below:
 *
 *		VsBm25TreePage
 *		uint16 ends[]: where each key ends, from the first one's begin on
 *		keys: each is above all lexemes of the child before, and not above any of
 *			its own child; the first one is empty
 */
#ifndef VS_BM25_DICT_H
#define VS_BM25_DICT_H

#include "postgres.h"

#include "bm25/bm25_output.h"
#include "bm25/bm25_page.h"
#include "bm25/bm25_posting.h"
#include "bm25/bm25_segment.h"
#include "bm25/bm25_tsvector.h"

#define BM25_RESTART_INTERVAL 16
#define BM25_LIST_PLACED 1

/* Blocks of up to so many bytes are kept in the dictionary. */
#define BM25_INLINE_NBYTES 48

/* The most bytes that a list takes: five varints and six of 16 bits. */
#define BM25_LIST_MAX_NBYTES \
	Max(5 * 5 + 2 * BM25_BOUNDS * 3, 2 * 5 + BM25_INLINE_NBYTES)

typedef struct VsBm25LexemePage
{
	uint16		nlexemes;		/* above 0 */
	uint16		end;			/* of the entries; restarts follow */
} VsBm25LexemePage;

typedef struct VsBm25TreePage
{
	uint32		first_child;
	uint16		level;
	uint16		nkeys;			/* above 0 */
} VsBm25TreePage;

/*
 * Form a list; returns the byte behind it.  block is NULL or the bytes of its
 * only block, if that is to be kept in the dictionary.
 */
extern uint8 *vs_bm25_form_list(uint8 *p, const VsBm25List *list,
								const uint8 *block);

/*
 * Deform one that begins at p, on page "page" of the dictionary whose records
 * begin at "records"; the byte behind it, NULL if it makes no sense.
 */
extern const uint8 *vs_bm25_deform_list(const uint8 *p, const uint8 *end,
										const char *records, uint32 page,
										VsBm25List *list);

/* Writing a dictionary. */
typedef struct VsBm25DictWriter VsBm25DictWriter;

extern VsBm25DictWriter *vs_bm25_dict_begin(VsBm25Output *output);

/* Add a lexeme, above all before, with its list's bytes. */
extern void vs_bm25_dict_add(VsBm25DictWriter *dict, const char *lexeme,
							 int nbytes, const uint8 *list, int list_nbytes);

/* Finish; returns the tree's root. */
extern uint32 vs_bm25_dict_end(VsBm25DictWriter *dict);

#endif							/* VS_BM25_DICT_H */
