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

/* Form the links of a node's list on a level, to their nodes on another. */
static int
form_links(const VsHnswIndex *index, const VsHnswMemGraph *graph, uint32 node,
		   int list_level, int level, const VsHnswNumbering *numbering,
		   VsHnswLink *links)
{
	VsHnswMemLinks neighbors = vs_hnsw_memgraph_links(graph, node, list_level);

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

int
vs_hnsw_form_links(const VsHnswIndex *index, const VsHnswMemGraph *graph, uint32 node,
				   int level, const VsHnswNumbering *numbering, VsHnswLink *links)
{
	return form_links(index, graph, node, level, level, numbering, links);
}

/* How much a list wants a link: those of the tree first, fills last. */
static int
link_rank(uint8 kind)
{
	return kind == HNSW_LINK_TREE ? 0 : kind == HNSW_LINK_DIVERSE ? 1 : 2;
}

/* qsort comparator: by rank, then by distance. */
static int
compare_links(const void *a, const void *b)
{
	const VsHnswLink *left = a;
	const VsHnswLink *right = b;
	int			difference = link_rank(left->kind) - link_rank(right->kind);

	if (difference != 0)
		return difference;
	return left->dist < right->dist ? -1 : left->dist > right->dist;
}

/* The links that a copy of a node has; their codes stay the copy's. */
static int
links_of_copy(const VsHnswGeometry *g, const VsHnswNodeCopy *copy,
			  VsHnswLink *links)
{
	float	   *dists = palloc(sizeof(float) * g->m0);

	vs_hnsw_decode_dists(&copy->slots, copy->nlinks, dists);
	for (int i = 0; i < copy->nlinks; i++)
		links[i] = (VsHnswLink)
	{
		.id = copy->slots.links[i],
			.dist = dists[i],
			.kind = copy->slots.kinds[i],
			.centroid = copy->slots.centroids[i],
			.factors = copy->slots.factors[i],
			.code = copy->slots.codes + i * g->code_nbytes,
	};
	pfree(dists);
	return copy->nlinks;
}

/*
 * Drop links to a node itself, and all but one to the same neighbour, which
 * gets the best of their kinds.  Returns how many are left.
 */
static int
drop_doubles(uint32 id, VsHnswLink *links, int n)
{
	int			nkept = 0;

	for (int i = 0; i < n; i++)
	{
		int			j = 0;

		if (links[i].id == id)
			continue;
		while (j < nkept && links[j].id != links[i].id)
			j++;
		if (j == nkept)
			links[nkept++] = links[i];
		else if (link_rank(links[i].kind) < link_rank(links[j].kind))
			links[j].kind = links[i].kind;
	}
	return nkept;
}

int
vs_hnsw_form_part_links(const VsHnswIndex *index, const VsHnswMemGraph *graph,
						uint32 node, const VsHnswNumbering *numbering,
						VsHnswLink *links)
{
	return drop_doubles(numbering->node_ids[node], links,
						vs_hnsw_form_links(index, graph, node, 0, numbering,
										   links));
}

void
vs_hnsw_rewrite_links(VsHnswIndex *index, uint32 id, const VsHnswLink *links,
					  int n, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;

	for (int i = 0; i < g->nslot_blocks; i++)
	{
		Buffer		buffer = vs_hnsw_lock_slots(index, id, i,
												BUFFER_LOCK_EXCLUSIVE);
		int			begin = i * g->slots_per_block;
		VsEdit		edit;
		VsHnswSlots slots;

		vs_edit_begin(&edit, index->rel, mode);
		slots = vs_hnsw_slots_of_node(g, vs_edit_page(&edit, buffer,
													  VS_EDIT_CHANGE), id);
		vs_hnsw_set_slots(g, &slots, links + begin,
						  Min(Max(n - begin, 0), g->slots_per_block));
		vs_edit_commit(&edit);
		UnlockReleaseBuffer(buffer);
	}
}

void
vs_hnsw_join_links(VsHnswIndex *index, const VsHnswMemGraph *graph, uint32 node,
				   int list_level, const VsHnswNumbering *numbering,
				   VsHnswNodeCopy *copy)
{
	const VsHnswGeometry *g = &index->geometry;
	uint32		id = numbering->node_ids[node];
	VsHnswLink *links = palloc(sizeof(VsHnswLink) *
							   (g->m0 + Max(g->m0, g->upper_m)));
	int			n;

	if (!vs_hnsw_read_node(index, id, NULL, true, copy))
		elog(ERROR, "node %u of an hnsw build vanished", id);
	n = links_of_copy(g, copy, links);
	n += form_links(index, graph, node, list_level, 0, numbering, links + n);
	n = drop_doubles(id, links, n);
	qsort(links, n, sizeof(VsHnswLink), compare_links);
	vs_hnsw_rewrite_links(index, id, links, Min(n, g->m0), VS_EDIT_BUILD);
	pfree(links);
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

/* The node that each upper list is of. */
static uint32 *
nodes_of_uppers(const VsHnswMemGraph *graph)
{
	uint32	   *nodes = palloc_extended(sizeof(uint32) *
										((Size) vs_hnsw_memgraph_nuppers(graph) + 1),
										MCXT_ALLOC_HUGE);

	for (uint32 node = 0; node < vs_hnsw_memgraph_nnodes(graph); node++)
		for (int level = vs_hnsw_memgraph_level(graph, node); level > 0; level--)
			nodes[vs_hnsw_memgraph_upper(graph, node, level)] = node;
	return nodes;
}

/* Write the lists from "first" on that share a page; returns how many. */
static int
write_upper_page(VsHnswIndex *index, const VsHnswMemGraph *graph,
				 const uint32 *nodes, uint32 first,
				 const VsHnswNumbering *numbering, VsHnswLink *links,
				 VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	int			n = Min(vs_hnsw_memgraph_nuppers(graph) - first,
						g->upper_per_page);
	Buffer		buffer;
	Page		page;
	VsEdit		edit;

	vs_page_extend(index->rel, 1, &buffer);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	Assert(BufferGetBlockNumber(buffer) ==
		   numbering->first_upper_block + first / g->upper_per_page);

	vs_edit_begin(&edit, index->rel, mode);
	page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
	vs_hnsw_init_page(g, page, HNSW_PAGE_UPPER);
	for (int i = 0; i < n; i++)
	{
		uint32		node = nodes[first + i];
		int			level = first + i - vs_hnsw_memgraph_upper(graph, node, 1) + 1;

		write_upper(index, graph, node, level, numbering, page, i, links);
	}
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
	return n;
}

void
vs_hnsw_write_upper_pages(VsHnswIndex *index, const VsHnswMemGraph *graph,
						  const VsHnswNumbering *numbering, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	uint32		nuppers = vs_hnsw_memgraph_nuppers(graph);
	uint32	   *nodes = nodes_of_uppers(graph);
	VsHnswLink *links = palloc(sizeof(VsHnswLink) * g->upper_m);

	vs_hnsw_require_numbers(index, (uint64) numbering->first_upper_block +
							nuppers / g->upper_per_page + 1);
	for (uint32 written = 0; written < nuppers;)
	{
		CHECK_FOR_INTERRUPTS();
		written += write_upper_page(index, graph, nodes, written, numbering,
									links, mode);
	}
	pfree(links);
	pfree(nodes);
	if (nuppers % g->upper_per_page != 0)
		vs_hnsw_chain_upper_page(index, numbering->first_upper_block +
								 nuppers / g->upper_per_page, mode);
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
