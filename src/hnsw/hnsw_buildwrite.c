/*
 * hnsw_buildwrite.c
 *		CREATE INDEX: from the graph in memory to pages.
 */
#include "postgres.h"

#include <math.h>

#include "access/xloginsert.h"
#include "hnsw/hnsw_build_private.h"
#include "hnsw/hnsw_graphwrite.h"
#include "hnsw/hnsw_nodewrite.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

/* Pages that a participant takes at a time. */
#define PAGES_TAKEN 16

/* Pages that it takes to be logged. */
#define PAGES_LOGGED 256

/* The nearest neighbour of some nodes that is not placed yet, if there is. */
static uint32
nearest_unplaced(const VsHnswBuild *build, const uint32 *nodes, int n,
				 const bool *placed)
{
	uint32		nearest = HNSW_INVALID_ID;
	float		best = INFINITY;

	for (int i = 0; i < n; i++)
	{
		VsHnswMemLinks links = vs_hnsw_memgraph_links(build->graph, nodes[i], 0);

		for (int j = 0; j < links.n; j++)
			if (!placed[links.ids[j]] && links.dists[j] < best)
			{
				best = links.dists[j];
				nearest = links.ids[j];
			}
	}
	return nearest;
}

bool
vs_hnsw_build_is_home(const VsHnswBuild *build, uint32 node)
{
	uint32		rows[HNSW_NODE_TIDS];
	int			n = vs_hnsw_memgraph_rows(build->graph, node, rows);

	for (int i = 0; i < n; i++)
		if (rows[i] < build->shared->nhome)
			return true;
	return false;
}

/*
 * Order the nodes so that those on one page are near each other, and each page
 * begins near the page before: a search that visits one node is likely to visit
 * the others.
 */
static uint32
order_nodes(VsHnswBuild *build)
{
	int			per_page = build->index->geometry.nodes_per_page;
	uint32		nnodes = vs_hnsw_memgraph_nnodes(build->graph);
	bool	   *placed = palloc_extended((Size) nnodes + 1, MCXT_ALLOC_HUGE);
	uint32		nordered = 0;
	uint32		next = 0;

	for (uint32 node = 0; node < nnodes; node++)
		placed[node] = !vs_hnsw_build_is_home(build, node);

	for (;;)
	{
		int			on_page = nordered % per_page;
		int			n = on_page > 0 ? on_page : Min(nordered, per_page);
		uint32		node = nearest_unplaced(build, build->order + nordered - n,
											n, placed);

		if (node == HNSW_INVALID_ID)
		{
			while (next < nnodes && placed[next])
				next++;
			if (next == nnodes)
				break;
			node = next;
		}
		placed[node] = true;
		build->order[nordered++] = node;
		CHECK_FOR_INTERRUPTS();
	}
	pfree(placed);
	return nordered;
}

uint32
vs_hnsw_build_number_nodes(VsHnswBuild *build, BlockNumber first_block)
{
	const VsHnswGeometry *g = &build->index->geometry;
	uint32		n = order_nodes(build);

	vs_hnsw_require_numbers(build->index,
							(uint64) first_block + (uint64) n * g->npages /
							g->nodes_per_page + 1);
	for (uint32 i = 0; i < n; i++)
		build->node_ids[build->order[i]] =
			vs_hnsw_node_number(g, first_block +
								(i / g->nodes_per_page) * g->npages,
								i % g->nodes_per_page);
	return n;
}

BlockNumber
vs_hnsw_build_npages(const VsHnswBuild *build, uint32 nnodes)
{
	const VsHnswGeometry *g = &build->index->geometry;

	return (nnodes + g->nodes_per_page - 1) / g->nodes_per_page * g->npages;
}

/*
 * What the header of a built node says, and its vector, which is valid until
 * the next row of the spool is read.
 */
static VsHnswNode
form_header(const VsHnswBuild *build, uint32 node, uint16 **halves)
{
	VsHnswNode	header = {0};
	uint32		rows[HNSW_NODE_TIDS];
	int			nrows = vs_hnsw_memgraph_rows(build->graph, node, rows);

	header.state = HNSW_NODE_LIVE;
	header.level = vs_hnsw_memgraph_level(build->graph, node);
	header.generation = 1;
	for (int i = 0; i < nrows; i++)
	{
		VsSpoolRow	row;

		if (rows[i] >= build->shared->nhome)
			continue;
		vs_spool_read(build->spool, build->rows[rows[i]], &row);
		header.tids[header.ntids++] = row.tid;
		header.exponent = row.exponent;
		*halves = row.halves;
	}
	return header;
}

/* Form a node's links as they are written. */
static int
form_links(const VsHnswBuild *build, uint32 node,
		   const VsHnswNumbering *numbering, VsHnswLink *links)
{
	if (build->shared->nhome < build->shared->nrows)
		return vs_hnsw_form_part_links(build->index, build->graph, node,
									   numbering, links);
	return vs_hnsw_form_links(build->index, build->graph, node, 0, numbering,
							  links);
}

/* Fill a new page with the nodes that belong there; returns how many. */
static uint32
fill_node_page(VsHnswBuild *build, Buffer buffer,
			   const VsHnswNumbering *numbering, VsHnswLink *links)
{
	VsHnswIndex *index = build->index;
	const VsHnswGeometry *g = &index->geometry;
	uint32		first = (BufferGetBlockNumber(buffer) -
						 build->shared->first_block) * g->nodes_per_page;
	uint32		n = Min(build->shared->nnodes - first, g->nodes_per_page);
	Page		page;
	VsEdit		edit;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	vs_edit_begin(&edit, index->rel, VS_EDIT_BUILD);
	page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
	vs_hnsw_init_page(g, page, HNSW_PAGE_NODE);

	for (uint32 i = 0; i < n; i++)
	{
		VsHnswNode *node = vs_hnsw_page_node(g, page, i);
		VsHnswSlots slots = vs_hnsw_node_slots(g, node);
		uint32		built = build->order[first + i];
		uint16	   *halves;

		*node = form_header(build, built, &halves);
		memcpy(vs_hnsw_node_vector(node), halves, sizeof(uint16) * g->dim);
		vs_hnsw_set_slots(g, &slots, links,
						  form_links(build, built, numbering, links));
	}
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
	return n;
}

/*
 * Take the next pages to be filled, by adding them to the index: their order is
 * that of the nodes.  Returns how many, all pinned; 0 at the end.
 */
static int
take_pages(VsHnswBuild *build, Buffer *buffers)
{
	Relation	rel = build->index->rel;
	BlockNumber end = build->shared->end_block;
	BlockNumber nblocks;
	int			n;

	/* Held throughout, so that pages are adjacent. */
	LockRelationForExtension(rel, ExclusiveLock);
	nblocks = RelationGetNumberOfBlocks(rel);
	Assert(nblocks >= build->shared->first_block && nblocks <= end);
	n = Min(end - nblocks, PAGES_TAKEN);
	if (n > 0)
		vs_page_extend(rel, n, buffers);
	UnlockRelationForExtension(rel, ExclusiveLock);
	return n;
}

void
vs_hnsw_build_write_nodes(VsHnswBuild *build)
{
	VsHnswNumbering numbering = {.node_ids = build->node_ids};
	VsHnswLink *links;
	Buffer		buffers[PAGES_TAKEN];
	int			n;

	links = palloc(sizeof(VsHnswLink) * build->index->geometry.m0);
	while ((n = take_pages(build, buffers)) > 0)
		for (int i = 0; i < n; i++)
			vs_team_report(build->team,
						   fill_node_page(build, buffers[i], &numbering, links));
	pfree(links);
}

/* Write all nodes, where each takes several pages. */
static void
write_node_runs(VsHnswBuild *build)
{
	VsHnswNumbering numbering = {.node_ids = build->node_ids};
	VsHnswLink *links = palloc(sizeof(VsHnswLink) * build->index->geometry.m0);

	for (uint32 i = 0; i < build->shared->nnodes; i++)
	{
		uint32		node = build->order[i];
		uint16	   *halves;
		VsHnswNode	header = form_header(build, node, &halves);
		int			nlinks = form_links(build, node, &numbering, links);

		if (vs_hnsw_write_new_node(build->index, &header, halves, links, nlinks,
								   VS_EDIT_BUILD) != build->node_ids[node])
			elog(ERROR, "node of an hnsw build was written to an unexpected place");
		vs_team_report(build->team, 1);
	}
	pfree(links);
}

void
vs_hnsw_build_write(VsHnswBuild *build, uint32 n)
{
	Relation	rel = build->index->rel;
	VsHnswBuildShared *shared = build->shared;

	shared->nnodes = n;
	shared->first_block = RelationGetNumberOfBlocks(rel);
	shared->end_block = shared->first_block + vs_hnsw_build_npages(build, n);
	if (build->index->geometry.npages > 1)
		write_node_runs(build);
	else
	{
		vs_team_begin_task(build->team, HNSW_TASK_WRITE);
		vs_hnsw_build_write_nodes(build);
		vs_team_end_task(build->team);
	}
}

void
vs_hnsw_build_write_uppers(VsHnswBuild *build)
{
	VsHnswIndex *index = build->index;
	VsHnswNumbering numbering = {
		.node_ids = build->node_ids,
		.first_upper_block = RelationGetNumberOfBlocks(index->rel),
	};

	vs_hnsw_write_upper_pages(index, build->graph, &numbering, VS_EDIT_BUILD);
	vs_hnsw_set_entry(index, build->graph, &numbering);
}

void
vs_hnsw_build_log_pages(VsHnswBuild *build)
{
	VsHnswBuildShared *shared = build->shared;

	for (;;)
	{
		uint64		begin = pg_atomic_fetch_add_u64(&shared->next, PAGES_LOGGED);

		if (begin >= shared->end_block)
			break;
		vs_edit_log_build(build->index->rel, begin,
						  Min(begin + PAGES_LOGGED, shared->end_block));
	}
}
