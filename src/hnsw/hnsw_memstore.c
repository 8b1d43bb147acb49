/*
 * hnsw_memstore.c
 *		A graph in memory: searching it.
 *
 * Distances come from 4-bit codes around the mean (see README.md, "Build"),
 * or from the float16 elements themselves where vectors are so short that
 * these take little room.
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw_memgraph_private.h"
#include "kernel/kernel.h"
#include "quant/f16vec.h"

/* Distance of float16 elements to a query in the codec's unit. */
static inline float
exact_distance(const VsHnswMemGraph *graph, const float *query,
			   const VsMemVector *vector)
{
	return vs_rabitq_exact(graph->build_codec.estimate, graph->dim, query,
						   (const uint16 *) (vector + 1), vector->mul);
}

/* Distance of a node to the query, or to the anchor. */
static inline float
node_distance(const VsHnswMemGraph *graph, const float *query,
			  const VsRabitqQuery *bound, uint32 node)
{
	const VsMemVector *vector = vs_memgraph_vector(graph, node);
	float		dist;

	if (graph->exact)
		dist = exact_distance(graph, query, vector);
	else
		dist = vs_rabitq_estimate_one(bound, (const uint8 *) (vector + 1),
									  vector->add, vector->mul);
	return isnan(dist) ? INFINITY : dist;
}

float
vs_memgraph_query_distance(const VsHnswMemGraph *graph, uint32 node)
{
	const VsHnswVisited *visited = &graph->visited;
	uint32		place = vs_visited_place(visited, node);

	if (likely(visited->ids[place] == node))
		return visited->notes[place].dist;
	return node_distance(graph, graph->query, graph->bound, node);
}

/* VsHnswStore.expand */
static int
memgraph_expand(VsHnswStore *store, int level, VsCandidate *node, float bound,
				VsCandidate *fresh, bool *is_result)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;
	VsHnswVisited *visited = &graph->visited;
	uint32	   *ids = graph->copy.ids;
	int			n = vs_memlist_read_ids(vs_memgraph_list(graph, node->id, level),
										ids);
	int			nfresh = 0;
	int			nkept = 0;

	*is_result = true;
	vs_visited_reserve(visited, n);
	for (int i = 0; i < n; i++)
	{
		uint32		place;

		if (!vs_visited_add(visited, ids[i], &place))
			continue;
		vs_memgraph_prefetch(graph, ids[i]);
		fresh[nfresh++] = (VsCandidate) {.id = ids[i], .tag = place};
	}

	for (int i = 0; i < nfresh; i++)
	{
		uint32		id = fresh[i].id;
		float		dist = node_distance(graph, graph->query, graph->bound, id);

		visited->notes[fresh[i].tag].dist = dist;
		if (dist >= bound)
			continue;
		vs_memgraph_prefetch_list(graph, id, level);
		fresh[nkept++] = (VsCandidate) {.dist = dist, .id = id};
	}
	return nkept;
}

/* VsHnswStore.is_final */
static bool
memgraph_is_final(VsHnswStore *store, int level)
{
	return true;
}

/* VsHnswStore.entry_distance */
static float
memgraph_entry_distance(VsHnswStore *store, int level, uint32 id)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;

	return node_distance(graph, graph->query, graph->bound, id);
}

/* VsHnswStore.descend */
static uint32
memgraph_descend(VsHnswStore *store, int level, uint32 id)
{
	return id;
}

/* VsHnswStore.mark */
static void
memgraph_mark(VsHnswStore *store, uint32 id)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;
	uint32		place;

	vs_visited_reserve(&graph->visited, 1);
	if (vs_visited_add(&graph->visited, id, &place))
		graph->visited.notes[place].dist = memgraph_entry_distance(store, 0, id);
}

/* VsHnswStore.reset */
static void
memgraph_reset(VsHnswStore *store)
{
	vs_visited_reset(&((VsHnswMemGraph *) store)->visited);
}

/* VsHnswStore.anchor */
static void
memgraph_anchor(VsHnswStore *store, const VsCandidate *candidate)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;
	const VsMemVector *vector = vs_memgraph_vector(graph, candidate->id);

	if (graph->exact)
		vs_kernel->f16_to_f32(graph->dim, (const uint16 *) (vector + 1),
							  vector->mul, graph->anchor_query);
	else
		vs_rabitq_query_bind_code(graph->anchor_bound,
								  (const uint8 *) (vector + 1),
								  vector->add, vector->mul);
}

/* VsHnswStore.distance */
static float
memgraph_distance(VsHnswStore *store, const VsCandidate *candidate)
{
	VsHnswMemGraph *graph = (VsHnswMemGraph *) store;

	return node_distance(graph, graph->anchor_query, graph->anchor_bound,
						 candidate->id);
}

void
vs_memgraph_init_store(VsHnswMemGraph *graph)
{
	VsHnswStore *store = &graph->store;

	store->expand = memgraph_expand;
	store->is_final = memgraph_is_final;
	store->entry_distance = memgraph_entry_distance;
	store->descend = memgraph_descend;
	store->mark = memgraph_mark;
	store->reset = memgraph_reset;
	store->anchor = memgraph_anchor;
	store->distance = memgraph_distance;
}

/* Whether the index's codes are not the vectors themselves. */
static inline bool
is_coded(const VsHnswMemGraph *graph)
{
	return graph->index->codec->bits != VS_RABITQ_FLOAT16_BITS;
}

void
vs_memgraph_bind(VsHnswMemGraph *graph, const VsHnswVector *vector)
{
	float	   *x = graph->query;

	/* Both codecs rotate alike. */
	vs_kernel->f16_to_f32(graph->dim, vector->halves,
						  vs_f16vec_scale(vector->exponent), x);
	if (is_coded(graph))
		graph->clamped = vs_rabitq_rotate(&graph->build_codec, x, graph->rotated);
	if (graph->exact)
		vs_kernel->f16_to_f32(graph->dim, vector->halves,
							  vs_f16vec_scale(vector->exponent -
											  graph->build_codec.exponent), x);
	else
		vs_rabitq_query_bind_rotated(graph->bound, graph->rotated,
									 graph->clamped);
}

/* Keep the query's float16 elements. */
static void
store_float16(VsHnswMemGraph *graph, VsMemVector *target,
			  const VsHnswVector *vector)
{
	target->add = 0.0f;
	target->mul = vs_f16vec_scale(vector->exponent -
								  graph->build_codec.exponent);
	memcpy(target + 1, vector->halves, sizeof(uint16) * graph->dim);
}

/* Keep the query's code. */
static void
store_code(VsHnswMemGraph *graph, VsMemVector *target)
{
	VsCodeFactors factors;
	uint8		centroid;

	vs_rabitq_encode_rotated(&graph->build_codec, graph->rotated, graph->clamped,
							 graph->scratch, (uint8 *) (target + 1), &factors,
							 &centroid);
	vs_kernel->f16_to_f32(1, &factors.add, 1.0f, &target->add);
	vs_kernel->f16_to_f32(1, &factors.mul, 1.0f, &target->mul);
}

void
vs_memgraph_store_vector(VsHnswMemGraph *graph, uint32 node,
						 const VsHnswVector *vector)
{
	const VsRabitq *codec = graph->index->codec;
	uint8	   *code = graph->codes + graph->index->geometry.code_nbytes * node;

	if (is_coded(graph))
		vs_rabitq_encode_rotated(codec, graph->rotated, graph->clamped,
								 graph->scratch, code, &graph->factors[node],
								 &graph->centroids[node]);
	else
	{
		vs_kernel->f16_to_f32(graph->dim, vector->halves,
							  vs_f16vec_scale(vector->exponent), graph->rotated);
		vs_rabitq_encode(codec, graph->rotated, graph->scratch, code,
						 &graph->factors[node], &graph->centroids[node]);
	}

	if (graph->exact)
		store_float16(graph, vs_memgraph_vector(graph, node), vector);
	else
		store_code(graph, vs_memgraph_vector(graph, node));
}
