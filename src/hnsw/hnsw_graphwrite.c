/*
 * hnsw_graphwrite.c
 *		From a graph in memory to pages.
 */
#include "postgres.h"

#include "hnsw/hnsw_graphwrite.h"
#include "miscadmin.h"

/* The number of a node's upper record. */
static uint32
upper_number(const VsHnswIndex *index, const VsHnswMemGraph *graph, uint32 node,
			 int level, const VsHnswNumbering *numbering)
{
	const VsHnswGeometry *g = &index->geometry;
	uint32		upper = vs_hnsw_memgraph_upper(graph, node, level);

	return vs_hnsw_upper_number(g, numbering->first_upper_block +
								upper / g->upper_per_page,
								upper % g->upper_per_page);
}

/* The number of a node on a level. */
static uint32
number_on_level(const VsHnswIndex *index, const VsHnswMemGraph *graph, uint32 node,
				int level, const VsHnswNumbering *numbering)
{
	if (level == 0)
		return numbering->node_ids[node];
	return upper_number(index, graph, node, level, numbering);
}

int
vs_hnsw_form_links(const VsHnswIndex *index, const VsHnswMemGraph *graph, uint32 node,
				   int level, const VsHnswNumbering *numbering, VsHnswLink *links)
{
	VsHnswMemLinks neighbors = vs_hnsw_memgraph_links(graph, node, level);

	for (int i = 0; i < neighbors.n; i++)
	{
		uint32		neighbor = neighbors.ids[i];
		VsHnswLink *link = &links[i];

		link->id = number_on_level(index, graph, neighbor, level, numbering);
		link->dist = neighbors.dists[i];
		link->kind = neighbors.kinds[i];
		link->code = vs_hnsw_memgraph_code(graph, neighbor, &link->factors,
										   &link->centroid);
	}
	return neighbors.n;
}

/* Write one upper record to its place on a page. */
static void
write_upper(VsHnswIndex *index, const VsHnswMemGraph *graph, uint32 node, int level,
			const VsHnswNumbering *numbering, Page page, int position,
			VsHnswLink *links)
{
	const VsHnswGeometry *g = &index->geometry;
	VsHnswUpper *record = vs_hnsw_page_upper(g, page, position);
	VsHnswSlots slots = vs_hnsw_upper_slots(g, record);
	int			n = vs_hnsw_form_links(index, graph, node, level, numbering, links);

	memset(record, 0, sizeof(VsHnswUpper));
	record->state = HNSW_NODE_LIVE;
	record->level = level;
	record->node = numbering->node_ids[node];
	record->down = level > 1 ?
		upper_number(index, graph, node, level - 1, numbering) :
		HNSW_INVALID_ID;
	record->generation = 1;
	vs_hnsw_set_slots(g, &slots, links, n);
}

void
vs_hnsw_write_upper_pages(VsHnswIndex *index, const VsHnswMemGraph *graph,
						  const VsHnswNumbering *numbering, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	uint32		nuppers = vs_hnsw_memgraph_nuppers(graph);
	VsHnswLink *links = palloc(sizeof(VsHnswLink) * g->upper_m);
	uint32		node = 0;
	int			level = 1;
	BlockNumber partial = InvalidBlockNumber;

	for (uint32 written = 0; written < nuppers;)
	{
		int			n = Min(nuppers - written, g->upper_per_page);
		Buffer		buffer;
		Page		page;
		VsEdit		edit;

		CHECK_FOR_INTERRUPTS();
		vs_page_extend(index->rel, 1, &buffer);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		Assert(BufferGetBlockNumber(buffer) ==
			   numbering->first_upper_block + written / g->upper_per_page);

		vs_edit_begin(&edit, index->rel, mode);
		page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
		vs_hnsw_init_page(g, page, HNSW_PAGE_UPPER);
		for (int i = 0; i < n; i++)
		{
			/* Lists are numbered by node, then by level. */
			while (level > vs_hnsw_memgraph_level(graph, node))
			{
				node++;
				level = 1;
			}
			write_upper(index, graph, node, level++, numbering, page, i, links);
		}
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);

		written += n;
		if (n < g->upper_per_page)
			partial = numbering->first_upper_block +
				(written - 1) / g->upper_per_page;
	}
	pfree(links);
	if (partial != InvalidBlockNumber)
		vs_hnsw_chain_upper_page(index, partial, mode);
}

void
vs_hnsw_set_entry(VsHnswIndex *index, const VsHnswMemGraph *graph,
				  const VsHnswNumbering *numbering)
{
	uint32		node;
	int			level;

	if (!vs_hnsw_memgraph_entry(graph, &node, &level))
		return;
	index->meta.entry = number_on_level(index, graph, node, level, numbering);
	index->meta.entry_level = level;
}
