/*
 * bm25_tsvector.c
 *		A tsvector as an index sees it.
 */
#include "postgres.h"

#include "bm25/bm25_tsvector.h"
#include "common/hashfn.h"
#include "utils/fmgrprotos.h"

static bool
has_repeats(TSVector tsv)
{
	const WordEntry *entries = ARRPTR(tsv);
	const char *lexemes = STRPTR(tsv);

	for (int i = 1; i < tsv->size; i++)
		if (unlikely(entries[i].len == entries[i - 1].len &&
					 memcmp(lexemes + entries[i].pos,
							lexemes + entries[i - 1].pos, entries[i].len) == 0))
			return true;
	return false;
}

TSVector
vs_bm25_get_tsvector(Datum value)
{
	TSVector	tsv = DatumGetTSVector(value);

	/* Reading its text unites them. */
	if (unlikely(has_repeats(tsv)))
		return DatumGetTSVector(DirectFunctionCall1(tsvectorin,
													DirectFunctionCall1(tsvectorout,
																		TSVectorGetDatum(tsv))));
	return tsv;
}

void
vs_bm25_get_term(TSVector tsv, int i, VsBm25Term *term)
{
	const WordEntry *entry = &ARRPTR(tsv)[i];

	term->lexeme = STRPTR(tsv) + entry->pos;
	term->nbytes = entry->len;
	memset(term->tfs, 0, sizeof(term->tfs));
	if (entry->haspos)
	{
		const WordEntryPos *positions = POSDATAPTR(tsv, entry);
		int			npositions = POSDATALEN(tsv, entry);

		for (int j = 0; j < npositions; j++)
			term->tfs[WEP_GETWEIGHT(positions[j])]++;
	}
}

uint32
vs_bm25_term_len(const uint16 tfs[BM25_LABELS])
{
	uint32		n = tfs[0] + tfs[1] + tfs[2] + tfs[3];

	return Max(n, 1);
}

uint32
vs_bm25_tsvector_len(TSVector tsv)
{
	uint32		len = 0;

	for (int i = 0; i < tsv->size; i++)
	{
		const WordEntry *entry = &ARRPTR(tsv)[i];

		len += entry->haspos ? Max(POSDATALEN(tsv, entry), 1) : 1;
	}
	return len;
}

uint64
vs_bm25_term_digest(const VsBm25Term *term)
{
	uint64		seed = hash_bytes_extended((const unsigned char *) term->tfs,
										   sizeof(term->tfs), 0);

	return hash_bytes_extended((const unsigned char *) term->lexeme,
							   term->nbytes, seed);
}
