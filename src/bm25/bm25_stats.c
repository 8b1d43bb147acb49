/*
 * bm25_stats.c
 *		The numbers of vsearch_index_stats.
 */
#include "postgres.h"

#include "bm25/bm25_meta.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_segment.h"
#include "miscadmin.h"
#include "storage/freespace.h"

/* From so many segments on, or such a share of deleted rows, merging pays off. */
#define MANY_SEGMENTS 16
#define MAX_DELETED_SHARE 0.2

/* A merge takes as much space again, and what it replaces is free afterwards. */
#define MAX_EMPTY_SHARE 0.75

/* Sums over all segments. */
typedef struct Tally
{
	double		ndocs;
	double		nnulls;
	double		ndeleted;
	double		total_len;
	double		npages;
	double		nlexemes;
	double		npostings;
	double		section_npages[BM25_NSECTIONS];
} Tally;

/* Add what the header of a segment says. */
static void
tally_header(Tally *tally, Relation rel, const VsBm25SegmentEntry *entry)
{
	VsBm25Segment *segment = vs_bm25_segment_open(rel, entry);

	tally->nlexemes += segment->header.nlexemes;
	tally->npostings += segment->header.npostings;
	for (int i = 0; i < BM25_NSECTIONS; i++)
		tally->section_npages[i] += segment->header.npages[i];
	vs_bm25_segment_close(segment);
}

/* Add up what the metapage leads to. */
static void
tally_all(Tally *tally, Relation rel, const VsBm25Meta *meta,
		  const VsBm25BufferTotals *totals)
{
	tally->ndocs = totals->ndocs;
	tally->nnulls = totals->nnulls;
	tally->total_len = totals->total_len;
	for (uint32 i = 0; i < meta->nsegments; i++)
	{
		const VsBm25SegmentEntry *entry = &meta->segments[i];

		CHECK_FOR_INTERRUPTS();
		tally->ndocs += entry->ndocs;
		tally->nnulls += entry->nnulls;
		tally->ndeleted += entry->ndeleted;
		tally->total_len += entry->total_len;
		tally->npages += entry->npages;
		tally_header(tally, rel, entry);
	}
}

/* Report the documents, by which scores are computed. */
static void
report_documents(VsStats *stats, const Tally *tally)
{
	vs_stats_add(stats, "documents", tally->ndocs,
				 "those deleted are among them until merged");
	vs_stats_add(stats, "nulls", tally->nnulls,
				 "rows with a NULL, the same");
	vs_stats_add(stats, "deleted", tally->ndeleted,
				 "of these that vacuum has found, and not yet merged away");
	vs_stats_add(stats, "average_length",
				 tally->ndocs > 0.0 ? tally->total_len / tally->ndocs : 0.0,
				 "positions a document");
}

/* Report the segments, and what they consist of. */
static void
report_segments(VsStats *stats, const Tally *tally, const VsBm25Meta *meta,
				const VsBm25BufferTotals *totals)
{
	static const char *const sections[BM25_NSECTIONS] = {
		[BM25_SECTION_ROWS] = "row_bytes",
		[BM25_SECTION_DELETES] = "delete_bytes",
		[BM25_SECTION_POSTINGS] = "posting_bytes",
		[BM25_SECTION_SKIPS] = "skip_bytes",
		[BM25_SECTION_LEXEMES] = "lexeme_bytes",
		[BM25_SECTION_LEXEME_TREE] = "lexeme_tree_bytes",
	};

	vs_stats_add(stats, "segments", meta->nsegments,
				 "a query looks into each");
	vs_stats_add(stats, "lexemes", tally->nlexemes,
				 "counted in each segment");
	vs_stats_add(stats, "postings", tally->npostings, NULL);
	for (int i = 0; i < BM25_NSECTIONS; i++)
		vs_stats_add(stats, sections[i], tally->section_npages[i] * BLCKSZ,
					 NULL);
	vs_stats_add(stats, "buffer_rows",
				 (double) totals->ndocs + totals->nnulls,
				 "inserted last, which a query reads all");
	vs_stats_add(stats, "buffer_bytes", totals->nbytes, NULL);
}

/* Advise to merge where queries would be faster, or scores truer. */
static void
advise(VsStats *stats, const Tally *tally, const VsBm25Meta *meta)
{
	double		nrows = tally->ndocs + tally->nnulls;

	if (meta->nsegments >= MANY_SEGMENTS)
		vs_stats_advise(stats, VS_ADVICE_MERGE, "it has %u segments",
						meta->nsegments);
	if (tally->ndeleted > MAX_DELETED_SHARE * nrows)
		vs_stats_advise(stats, VS_ADVICE_MERGE, "%.0f%% of its rows are deleted",
						100.0 * tally->ndeleted / nrows);
}

/* Report the space. */
static void
report_space(VsStats *stats, Relation rel, const Tally *tally,
			 const VsBm25Meta *meta)
{
	VsStatsSpace space = {
		.npages = RelationGetNumberOfBlocks(rel),
		.dead_detail = "replaced by merges, until nobody reads it any more",
		.max_empty_share = MAX_EMPTY_SHARE,
	};
	double		nused = 1.0 + meta->buffer.npages + tally->npages;
	double		nfree = 0.0;

	for (BlockNumber block = 0; block < space.npages; block++)
	{
		if (block % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		nfree += GetRecordedFreeSpace(rel, block) > 0;
	}
	space.nfree_bytes = nfree * BLCKSZ;
	space.ndead_bytes = Max(space.npages - nused - nfree, 0.0) * BLCKSZ;
	vs_stats_add_space(stats, &space);
}

void
vs_bm25_stats(Relation index, VsStats *stats)
{
	VsBm25BufferTotals totals;
	VsBm25Meta *meta = vs_bm25_read_all_meta(index, &totals);
	Tally		tally = {0};

	tally_all(&tally, index, meta, &totals);
	report_documents(stats, &tally);
	report_segments(stats, &tally, meta, &totals);
	report_space(stats, index, &tally, meta);
	advise(stats, &tally, meta);
}
