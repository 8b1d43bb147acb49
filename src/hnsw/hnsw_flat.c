/*
 * hnsw_flat.c
 *		The index before it has a graph.
 *
 * An index that starts on an empty or small table knows nothing of its data
 * yet: no centroids can be trained.  Its nodes have no neighbours, and scans
 * read them all.  Once there are about vs_hnsw_flat_rows of them the graph is
 * built in place: each node stays where it is and gets its neighbours.  The
 * metapage says last that there is a graph; a crash before leaves the index
 * flat, with neighbours that nobody looks at.
 */
#include "postgres.h"

#include "hnsw/hnsw_graphwrite.h"
#include "hnsw/hnsw_memgraph.h"
#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_nodewrite.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

/*
 * An index stays flat for fewer rows if they are long, so that the one insert
 * that converts it takes about the same time: see README.md, "Insert".
 */
#define MAX_FLAT_FLOATS	(768 * 1024)
#define MIN_FLAT_ROWS	64

/* Whether a node holds this very vector and has room for a TID. */
static bool
takes_tid(const VsHnswGeometry *g, const VsHnswNode *node, const VsHnswVector *vector)
{
	return node->state == HNSW_NODE_LIVE && node->ntids < HNSW_NODE_TIDS &&
		node->exponent == vector->exponent &&
		memcmp(vs_hnsw_node_vector(unconstify(VsHnswNode *, node)), vector->halves,
			   sizeof(uint16) * g->dim) == 0;
}

/* Add a TID to a node at this position of a page, if it takes it. */
static bool
try_to_join(VsHnswIndex *index, Buffer buffer, int position,
			const VsHnswVector *vector, ItemPointer tid, VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	VsEdit		edit;
	VsHnswNode *node;

	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (!takes_tid(g, vs_hnsw_page_node(g, BufferGetPage(buffer), position), vector))
		return false;
	vs_edit_begin(&edit, index->rel, mode);
	node = vs_hnsw_page_node(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
							 position);
	node->tids[node->ntids++] = *tid;
	vs_edit_commit(&edit);
	return true;
}

/*
 * Add the TID to a node of the same vector, if there is one.  Nodes with pages
 * of their own are not looked at: what they would share is little.
 */
static bool
join_identical(VsHnswIndex *index, const VsHnswVector *vector, ItemPointer tid,
			   VsEditMode mode)
{
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber nblocks = RelationGetNumberOfBlocks(index->rel);
	bool		joined = false;

	if (g->npages > 1)
		return false;
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < nblocks && !joined;
		 block++)
	{
		Buffer		buffer = ReadBuffer(index->rel, block);
		Page		page = BufferGetPage(buffer);

		CHECK_FOR_INTERRUPTS();
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		for (int i = 0; i < g->nodes_per_page && !joined; i++)
			if (vs_page_kind(page) == HNSW_PAGE_NODE &&
				takes_tid(g, vs_hnsw_page_node(g, page, i), vector))
				joined = try_to_join(index, buffer, i, vector, tid, mode);
		UnlockReleaseBuffer(buffer);
	}
	return joined;
}

void
vs_hnsw_flat_insert(VsHnswIndex *index, const VsHnswVector *vector, ItemPointer tid,
					VsEditMode mode)
{
	VsHnswNode	header = {0};

	if (join_identical(index, vector, tid, mode))
		return;

	header.state = HNSW_NODE_LIVE;
	header.exponent = vector->exponent;
	header.ntids = 1;
	header.tids[0] = *tid;
	vs_hnsw_write_new_node(index, &header, vector->halves, NULL, 0, mode);
}

int
vs_hnsw_flat_limit(const VsHnswIndex *index)
{
	int			limit = Max(MAX_FLAT_FLOATS / index->geometry.dim, MIN_FLAT_ROWS);

	return Min(vs_hnsw_flat_rows, limit);
}

bool
vs_hnsw_flat_is_full(VsHnswIndex *index)
{
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber nblocks = RelationGetNumberOfBlocks(index->rel);

	/* Block 0 is the metapage. */
	return (nblocks - 1) / g->npages * (double) g->nodes_per_page >=
		vs_hnsw_flat_limit(index);
}

/* The nodes of a flat index, gathered for conversion. */
typedef struct FlatNodes
{
	uint32		n;
	uint32		capacity;
	uint32	   *ids;
} FlatNodes;

/*
 * Free the upper records that a conversion left behind when it was cut off:
 * a flat index has none.
 */
static void
free_leftover_uppers(VsHnswIndex *index)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(index->rel);

	if (index->meta.upper_block != InvalidBlockNumber)
	{
		index->meta.upper_block = InvalidBlockNumber;
		vs_hnsw_write_meta(index, VS_EDIT_LOGGED);
	}
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < nblocks; block++)
	{
		Buffer		buffer = ReadBuffer(index->rel, block);
		bool		is_upper;

		CHECK_FOR_INTERRUPTS();
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		is_upper = vs_page_kind(BufferGetPage(buffer)) == HNSW_PAGE_UPPER;
		if (is_upper)
		{
			VsEdit		edit;

			vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
			vs_hnsw_init_page(&index->geometry,
							  vs_edit_page(&edit, buffer, VS_EDIT_NEW),
							  HNSW_PAGE_UPPER);
			vs_edit_commit(&edit);
		}
		UnlockReleaseBuffer(buffer);
		if (is_upper)
			vs_hnsw_chain_upper_page(index, block, VS_EDIT_LOGGED);
	}
}

/* Gather the numbers of all nodes in use. */
static void
gather_nodes(VsHnswIndex *index, FlatNodes *nodes)
{
	const VsHnswGeometry *g = &index->geometry;
	BlockNumber nblocks = RelationGetNumberOfBlocks(index->rel);

	nodes->n = 0;
	nodes->capacity = 1024;
	nodes->ids = palloc(sizeof(uint32) * nodes->capacity);

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nodes->n + g->nodes_per_page > nodes->capacity)
		{
			nodes->capacity *= 2;
			nodes->ids = repalloc(nodes->ids, sizeof(uint32) * nodes->capacity);
		}
		nodes->n += vs_hnsw_list_nodes(index, block, nodes->ids + nodes->n);
	}
}

/* Read a node's vector as floats. */
static void
read_vector(VsHnswIndex *index, uint32 id, VsHnswNodeCopy *copy, float *x)
{
	if (!vs_hnsw_read_node(index, id, NULL, false, copy))
		elog(ERROR, "node %u of index \"%s\" vanished", id,
			 RelationGetRelationName(index->rel));
	vs_kernel->f16_to_f32(index->geometry.dim, copy->halves,
						  vs_f16vec_scale(copy->header.exponent), x);
}

/* Train the codec from an even selection of the nodes. */
static void
train_from_nodes(VsHnswIndex *index, const FlatNodes *nodes, VsHnswNodeCopy *copy)
{
	int			dim = index->geometry.dim;
	int			nsamples = Min(nodes->n, HNSW_TRAINING_ROWS);
	float	   *samples = palloc_extended(sizeof(float) * dim * (Size) nsamples,
										  MCXT_ALLOC_HUGE);

	for (int i = 0; i < nsamples; i++)
		read_vector(index, nodes->ids[(uint64) i * nodes->n / nsamples], copy,
					samples + (Size) i * dim);
	index->codec = vs_hnsw_train_codec(index, samples, nsamples);
	pfree(samples);
}

/* Write a node's level, unless it has it; a conversion cut off may have set one. */
static void
write_level(VsHnswIndex *index, uint32 id, int level)
{
	const VsHnswGeometry *g = &index->geometry;
	int			position = vs_hnsw_node_position(g, id);
	Buffer		buffer = vs_hnsw_lock_node(index, id, BUFFER_LOCK_EXCLUSIVE);

	if (vs_hnsw_page_node(g, BufferGetPage(buffer), position)->level != level)
	{
		VsEdit		edit;

		vs_edit_begin(&edit, index->rel, VS_EDIT_LOGGED);
		vs_hnsw_page_node(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
						  position)->level = level;
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
}

void
vs_hnsw_flat_convert(VsHnswIndex *index)
{
	VsHnswNodeCopy copy;
	FlatNodes	nodes;
	VsHnswMemGraphShape shape = {.nparticipants = 1, .keeps_duplicates = true};
	VsHnswMemGraph *graph;
	VsHnswNumbering numbering;
	VsHnswLink *links = palloc(sizeof(VsHnswLink) * index->geometry.m0);

	vs_hnsw_node_copy_init(&copy, &index->geometry);
	free_leftover_uppers(index);
	gather_nodes(index, &nodes);
	if (nodes.n == 0)
		return;

	train_from_nodes(index, &nodes, &copy);
	vs_hnsw_write_codebook(index, index->codec, VS_EDIT_LOGGED);

	shape.max_nodes = nodes.n;
	graph = vs_hnsw_memgraph_create(index, &shape,
									palloc_extended(vs_hnsw_memgraph_nbytes(index, &shape),
													MCXT_ALLOC_HUGE));
	for (uint32 i = 0; i < nodes.n; i++)
	{
		VsHnswVector vector;

		CHECK_FOR_INTERRUPTS();
		if (!vs_hnsw_read_node(index, nodes.ids[i], NULL, false, &copy))
			elog(ERROR, "node %u of index \"%s\" vanished", nodes.ids[i],
				 RelationGetRelationName(index->rel));
		vector.exponent = copy.header.exponent;
		vector.halves = copy.halves;
		vs_hnsw_memgraph_add(graph, &vector, i,
							 vs_hnsw_random_level(index->geometry.m));
	}

	numbering.node_ids = nodes.ids;
	numbering.first_upper_block = RelationGetNumberOfBlocks(index->rel);
	vs_hnsw_write_upper_pages(index, graph, &numbering, VS_EDIT_LOGGED);
	for (uint32 i = 0; i < nodes.n; i++)
	{
		int			n = vs_hnsw_form_links(index, graph, i, 0, &numbering, links);

		CHECK_FOR_INTERRUPTS();
		vs_hnsw_rewrite_links(index, nodes.ids[i], links, n, VS_EDIT_LOGGED);
		write_level(index, nodes.ids[i], vs_hnsw_memgraph_level(graph, i));
	}

	vs_hnsw_set_entry(index, graph, &numbering);
	index->meta.state = HNSW_GRAPH;
	vs_hnsw_write_meta(index, VS_EDIT_LOGGED);
}
