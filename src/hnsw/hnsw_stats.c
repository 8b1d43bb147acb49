/*
 * hnsw_stats.c
 *		Numbers on the state of an hnsw index, for vsearch_index_stats.
 *
 * All pages are read once, in order, without holding up anybody.
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_private.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"

/* What was counted. */
typedef struct Tally
{
	const VsHnswGeometry *geometry;
	double		nrows;
	double		nnodes[HNSW_MAX_LEVEL + 1]; /* in use, of each level */
	double		nlinking;
	double		ndeleted;
	double		nfree_bytes;
	double		ndead_bytes;
} Tally;

/* Count the nodes of a page, which is locked. */
static void
tally_nodes(Tally *tally, Page page)
{
	const VsHnswGeometry *g = tally->geometry;
	double		node_nbytes = (double) BLCKSZ * g->npages / g->nodes_per_page;

	for (int i = 0; i < g->nodes_per_page; i++)
	{
		const VsHnswNode *node = vs_hnsw_page_node(g, page, i);

		switch ((VsHnswNodeState) node->state)
		{
			case HNSW_NODE_FREE:
				tally->nfree_bytes += node_nbytes;
				break;
			case HNSW_NODE_DELETED:
				tally->ndeleted++;
				tally->ndead_bytes += node_nbytes;
				break;
			case HNSW_NODE_LINKING:
				tally->nlinking++;
				/* FALLTHROUGH */
			case HNSW_NODE_LIVE:
				tally->nnodes[0]++;
				tally->nrows += node->ntids;
				break;
		}
	}
}

/* Count the upper records of a page, which is locked. */
static void
tally_uppers(Tally *tally, Page page)
{
	const VsHnswGeometry *g = tally->geometry;

	for (int i = 0; i < g->upper_per_page; i++)
	{
		const VsHnswUpper *upper = vs_hnsw_page_upper(g, page, i);

		if (upper->state == HNSW_NODE_FREE)
			tally->nfree_bytes += (double) BLCKSZ / g->upper_per_page;
		else if (upper->level <= HNSW_MAX_LEVEL)
			tally->nnodes[upper->level]++;
	}
}

/* Count all that the pages hold. */
static void
tally_pages(Tally *tally, Relation rel, BlockNumber nblocks)
{
	BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < nblocks; block++)
	{
		Buffer		buffer;
		Page		page;

		CHECK_FOR_INTERRUPTS();
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_NORMAL,
									strategy);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		switch (vs_page_kind(page))
		{
			case 0:
				tally->nfree_bytes += BLCKSZ;
				break;
			case HNSW_PAGE_NODE:
				tally_nodes(tally, page);
				break;
			case HNSW_PAGE_UPPER:
				tally_uppers(tally, page);
				break;
		}
		UnlockReleaseBuffer(buffer);
	}
	FreeAccessStrategy(strategy);
}

/* Report how many nodes there are, of which kind and level. */
static void
report_nodes(VsStats *stats, const Tally *tally)
{
	int			nlevels = 1;

	vs_stats_add(stats, "rows", tally->nrows,
				 "those deleted are among them until vacuum");
	vs_stats_add(stats, "nodes", tally->nnodes[0], "rows of one vector share one");
	vs_stats_add(stats, "linking_nodes", tally->nlinking,
				 "of inserts under way, or cut off");
	vs_stats_add(stats, "deleted_nodes", tally->ndeleted,
				 "for vacuum to free, after an earlier one was cut off");

	for (int level = 1; level <= HNSW_MAX_LEVEL; level++)
		if (tally->nnodes[level] > 0)
			nlevels = level + 1;
	vs_stats_add(stats, "levels", nlevels, NULL);
	for (int level = 0; level < nlevels; level++)
		vs_stats_add(stats, psprintf("level_%d_nodes", level),
					 tally->nnodes[level], NULL);
}

/* Report how well the codec suits the rows that there are now. */
static void
report_codec(VsStats *stats, VsHnswIndex *index, BlockNumber nblocks)
{
	const VsRabitq *codec = index->codec;
	bool		is_exact = codec->bits == VS_RABITQ_FLOAT16_BITS;
	float	   *samples;
	int			n;

	vs_stats_add(stats, "code_bits", codec->bits,
				 is_exact ? "a dimension: codes are the vectors themselves" :
				 "a dimension");
	if (is_exact)
		return;
	vs_stats_add(stats, "centroids", codec->ncentroids,
				 "some are added as the index grows");
	samples = vs_hnsw_sample_nodes(index, HNSW_META_BLOCK + 1, nblocks, &n);
	if (n > 0)
		vs_stats_add_drift(stats,
						   ldexp(vs_rabitq_residual(codec, samples, n),
								 codec->exponent),
						   ldexp(index->meta.residual, codec->exponent));
	pfree(samples);
}

void
vs_hnsw_stats(Relation rel, VsStats *stats)
{
	VsHnswIndex *index = vs_hnsw_open(rel);
	BlockNumber nblocks = RelationGetNumberOfBlocks(rel);
	bool		is_flat = index->meta.state == HNSW_FLAT;
	Tally		tally = {.geometry = &index->geometry};
	VsStatsSpace space = {0};

	vs_stats_add_text(stats, "state", is_flat ?
					  "flat: of few rows, which scans read all" : "graph");
	tally_pages(&tally, rel, nblocks);
	report_nodes(stats, &tally);
	space.npages = nblocks;
	space.nfree_bytes = tally.nfree_bytes;
	space.ndead_bytes = tally.ndead_bytes;
	vs_stats_add_space(stats, &space);
	if (!is_flat)
		report_codec(stats, index, nblocks);
}
