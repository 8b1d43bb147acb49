/*
 * hnsw_insert.c
 *		Inserting one row.
 *
 * A node is written with its own neighbours first, reachable for nobody; then
 * its neighbours are told about it one page at a time, and at last it is marked
 * as linked.  A crash in between leaves a node that some or no neighbours know,
 * marked as such.  See README.md, "Insert".
 */
#include "postgres.h"

#include "hnsw/hnsw_linking.h"
#include "hnsw/hnsw_memgraph.h"
#include "hnsw/hnsw_noderead.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

/* Results of the search for a vector that should be there. */
#define UNCHANGED_EF 8

/* Whether a node's vector is the one being inserted, to the bit. */
static bool
is_identical(const VsHnswLinking *linking, const VsHnswVector *vector)
{
	return vector->exponent == linking->vector.exponent &&
		memcmp(vector->halves, linking->vector.halves,
			   sizeof(uint16) * linking->index->geometry.dim) == 0;
}

/* Add a TID to an existing node; false if it has gone or is full. */
static bool
add_tid(VsHnswLinking *linking, const VsHnswVisit *visit, ItemPointer tid)
{
	VsHnswIndex *index = linking->index;
	const VsHnswGeometry *g = &index->geometry;
	Buffer		buffer = vs_hnsw_lock_node(index, visit->id,
										   BUFFER_LOCK_EXCLUSIVE);
	int			position = vs_hnsw_node_position(g, visit->id);
	VsHnswNode *node = vs_hnsw_page_node(g, BufferGetPage(buffer), position);
	bool		usable = node->generation == visit->generation &&
		(node->state == HNSW_NODE_LIVE || node->state == HNSW_NODE_LINKING) &&
		node->ntids < HNSW_NODE_TIDS;

	if (usable)
	{
		VsEdit		edit;

		vs_edit_begin(&edit, index->rel, linking->mode);
		node = vs_hnsw_page_node(g, vs_edit_page(&edit, buffer, VS_EDIT_CHANGE),
								 position);
		node->tids[node->ntids++] = *tid;
		vs_edit_commit(&edit);
	}
	UnlockReleaseBuffer(buffer);
	return usable;
}

/* Add the TID to a node of the same vector among the results, if there is. */
static bool
join_identical(VsHnswLinking *linking, ItemPointer tid)
{
	const VsHnswSearch *search = linking->search;

	for (Size i = 0; i < search->results.n; i++)
	{
		VsHnswVisit *visit = vs_hnsw_pagestore_visit(linking->pages,
													 search->results.items[i].tag);

		if (visit->ntids < HNSW_NODE_TIDS &&
			is_identical(linking, &visit->vector) &&
			add_tid(linking, visit, tid))
			return true;
	}
	return false;
}

/*
 * Search the graph for neighbours on all levels of the new node.  Returns
 * true if the row found a node of the same vector and was added there.
 */
static bool
search_neighbors(VsHnswLinking *linking, ItemPointer tid)
{
	VsHnswSearch *search = linking->search;
	VsHnswMeta *meta = &linking->index->meta;
	int			top = Min(linking->level, meta->entry_level);

	vs_hnsw_search_descend(search, meta->entry, meta->entry_level, top);
	for (int level = top;; level--)
	{
		vs_hnsw_search_run(search, meta->ef_construction);
		if (level == 0)
			break;
		vs_hnsw_linking_choose(linking);
		vs_hnsw_search_lower(search);
	}

	if (join_identical(linking, tid))
		return true;
	vs_hnsw_linking_choose(linking);
	return false;
}

/*
 * An update left the vector as it was: its node is likely to be found by a
 * short search.  True if the row was added there.
 */
static bool
join_unchanged(VsHnswLinking *linking, ItemPointer tid)
{
	VsHnswSearch *search = linking->search;
	VsHnswMeta *meta = &linking->index->meta;

	vs_hnsw_search_descend(search, meta->entry, meta->entry_level, 0);
	vs_hnsw_search_run(search, UNCHANGED_EF);
	return join_identical(linking, tid);
}

/* Write the new node with all its levels and link it. */
static void
write_and_link(VsHnswLinking *linking, ItemPointer tid)
{
	VsHnswIndex *index = linking->index;
	VsHnswNode	header = {0};
	uint32		id;
	uint32		top;

	header.state = HNSW_NODE_LINKING;
	header.level = linking->level;
	header.exponent = linking->vector.exponent;
	header.ntids = 1;
	header.tids[0] = *tid;
	id = vs_hnsw_write_new_node(index, &header, linking->vector.halves,
								linking->chosen[0].links, linking->chosen[0].n,
								linking->mode);
	vs_hnsw_linking_tell_level(linking, 0, id);

	top = id;
	for (int level = 1; level <= linking->level; level++)
	{
		VsHnswUpper upper = {0};

		upper.state = HNSW_NODE_LIVE;
		upper.level = level;
		upper.node = id;
		upper.down = level > 1 ? top : HNSW_INVALID_ID;
		top = vs_hnsw_write_new_upper(index, &upper, linking->chosen[level].links,
									  linking->chosen[level].n, linking->mode);
		vs_hnsw_linking_tell_level(linking, level, top);
	}
	if (linking->level > index->meta.entry_level)
		vs_hnsw_raise_entry(index, top, linking->level, linking->mode);
	else if (linking->chosen[0].n == 0)
		vs_hnsw_replace_entry(index, index->meta.entry, index->meta.entry_level,
							  top, linking->level, linking->mode);

	vs_hnsw_linking_finish(linking, id, header.generation);
}

/*
 * Insert a vector into the graph.  Under the insert lock in share mode, false
 * and nothing is done if all nodes that searches find are deleted: then it
 * takes somebody alone to begin anew with this node as the entry point.
 */
static bool
insert_into_graph(VsHnswIndex *index, const VsHnswVector *vector, ItemPointer tid,
				  bool is_unchanged, bool alone, VsEditMode mode)
{
	int			level = vs_hnsw_random_level(index->geometry.m);
	VsHnswLinking *linking = vs_hnsw_linking_begin(index, vector,
												   HNSW_INVALID_ID, level, mode);

	if (index->meta.entry_level >= 0)
	{
		if ((is_unchanged && join_unchanged(linking, tid)) ||
			search_neighbors(linking, tid))
			return true;
		if (linking->chosen[0].n == 0 && !alone)
			return false;
	}
	vs_hnsw_linking_form_self(linking);
	write_and_link(linking, tid);
	return true;
}

bool
vs_hnsw_insert_vector(VsHnswIndex *index, const float *x, ItemPointer tid,
					  bool is_unchanged, bool alone, VsEditMode mode)
{
	VsHnswVector vector;

	vector.halves = palloc(sizeof(uint16) * index->geometry.dim);
	vector.exponent = vs_f16vec_encode(index->geometry.dim, x, vector.halves);

	if (index->meta.state != HNSW_FLAT)
		return insert_into_graph(index, &vector, tid, is_unchanged, alone, mode);
	vs_hnsw_flat_insert(index, &vector, tid, mode);
	return true;
}

/*
 * Turn a flat index that has grown into a graph, with nobody else inserting.
 * If somebody is, the next insert may.  Not interruptible: vs_hnsw_flat_limit
 * keeps it short, and a row whose insert is cancelled time and again would stop
 * all others.
 */
static void
convert_if_grown(VsHnswIndex *index)
{
	if (!vs_hnsw_flat_is_full(index) ||
		!ConditionalLockPage(index->rel, HNSW_INSERT_LOCK, ExclusiveLock))
		return;

	HOLD_INTERRUPTS();
	vs_hnsw_refresh(index);
	if (index->meta.state == HNSW_FLAT && vs_hnsw_flat_is_full(index))
		vs_hnsw_flat_convert(index);
	RESUME_INTERRUPTS();
	UnlockPage(index->rel, HNSW_INSERT_LOCK, ExclusiveLock);
}

/*
 * Insert under the insert lock of a mode.  False if it takes the exclusive
 * mode: the first node of a graph is its entry point, and two inserts must not
 * both be first.
 */
static bool
insert_under_lock(VsHnswIndex *index, const float *x, ItemPointer tid,
				  bool is_unchanged, LOCKMODE lockmode)
{
	bool		alone = lockmode == ExclusiveLock;
	bool		done = false;

	LockPage(index->rel, HNSW_INSERT_LOCK, lockmode);

	/* Under the lock the index does not turn from flat to graph. */
	vs_hnsw_refresh(index);
	if (alone || index->meta.state == HNSW_FLAT || index->meta.entry_level >= 0)
		done = vs_hnsw_insert_vector(index, x, tid, is_unchanged, alone,
									 VS_EDIT_LOGGED);
	UnlockPage(index->rel, HNSW_INSERT_LOCK, lockmode);
	return done;
}

bool
vs_hnsw_insert(Relation rel, Datum *values, bool *isnull, ItemPointer tid,
			   Relation heap, IndexUniqueCheck checkUnique, bool indexUnchanged,
			   IndexInfo *indexInfo)
{
	MemoryContext context;
	MemoryContext old;
	VsHnswIndex *index;
	float	   *x;

	if (isnull[0])
		return false;

	context = AllocSetContextCreate(CurrentMemoryContext, "hnsw insert",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);

	/* Detoast before taking the lock that others wait for. */
	index = vs_hnsw_open(rel);
	x = palloc(sizeof(float) * index->geometry.dim);
	if (vs_opclass_read(index->opclass, values[0], index->geometry.dim, x))
	{
		if (!insert_under_lock(index, x, tid, indexUnchanged, ShareLock))
			insert_under_lock(index, x, tid, indexUnchanged, ExclusiveLock);
		if (index->meta.state == HNSW_FLAT)
			convert_if_grown(index);
		else
			vs_hnsw_add_centroids_if_grown(index);
	}

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
