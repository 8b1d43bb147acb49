/*
 * hnsw_pagestore.c
 *		The graph on the index's pages, as scans and inserts see it.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnsw_noderead.h"
#include "hnsw/hnsw_pagestore.h"
#include "hnsw/hnsw_visited.h"
#include "kernel/kernel.h"
#include "quant/f16vec.h"

/*
 * Estimates that miss the bound by no more than this many standard deviations
 * are followed all the same; see README.md, "Scan", for the measurements.
 */
#define FOLLOWED_NOISE 0.5f

/*
 * By L1 the same of what a search has learned of its estimates, from about as
 * many visits.
 */
#define FOLLOWED_SPREAD 2.0
#define LEARNING_VISITS 32
#define MAX_RATIO_TO_MEAN 8.0

/* The note of a node whose code is not kept. */
#define NO_CODE PG_UINT32_MAX

/*
 * First sizes of what grows with a search, as log2 or in elements: enough for
 * hnsw.ef_search = 40, and no more, since each page of memory that a backend
 * touches first has to be made.
 */
#define FIRST_LOG2_MET	10
#define FIRST_VISITS	64
#define FIRST_LEFT_OUT	512
#define FIRST_CODES		1024

struct VsHnswPageStore
{
	VsHnswStore store;			/* must be first */
	VsHnswIndex *index;
	MemoryContext context;		/* that all of this lives in */
	bool		for_insert;

	/* The query. */
	VsHnswProbe *probe;
	VsRabitqQuery *bound;		/* NULL while the index is flat */
	float	   *anchor;

	/* By L1: distances of visited nodes relative to their estimates. */
	bool		learns_ratio;
	int			nratios;
	double		ratio;			/* mean, of late */
	double		ratio_variance;

	/* What was read. */
	VsHnswVisited met;			/* nodes and upper records; notes: codes */
	VsHnswVisit *visits;
	uint32		nvisits;
	uint32		max_visits;
	uint16	   *halves;			/* of visit i at i * dim, for inserts */

	/* Codes met, for inserts. */
	char	   *codes;			/* records of code_record_nbytes */
	Size		code_record_nbytes;
	uint32		ncodes;
	uint32		max_codes;
	char	   *encoded;		/* one record, computed on demand */
	float	   *scratch;

	/* Neighbours that did not beat the bound, for scans. */
	VsCandidateHeap left_out;

	VsHnswNodeCopy copy;		/* the node being expanded */
	uint32		last_upper;		/* upper record in the copy, or invalid */
};

/* A code with what belongs to it. */
typedef struct CodeRecord
{
	VsCodeFactors factors;
	uint8		centroid;
	uint8		unused;			/* codes of 16 bits begin at even addresses */
	uint8		code[FLEXIBLE_ARRAY_MEMBER];
} CodeRecord;

static void set_store_routines(VsHnswStore *store);

VsHnswPageStore *
vs_hnsw_pagestore_create(VsHnswIndex *index, bool for_insert)
{
	VsHnswPageStore *pages = palloc0(sizeof(VsHnswPageStore));
	const VsHnswGeometry *g = &index->geometry;
	int			dim = g->dim;

	pages->index = index;
	pages->context = CurrentMemoryContext;
	pages->for_insert = for_insert;
	set_store_routines(&pages->store);
	pages->store.max_neighbors = Max(g->m0, g->upper_m);
	pages->store.descent_width = 1;
	pages->store.stretch = 1.0f;
	pages->learns_ratio = index->meta.metric == VS_METRIC_L1 &&
		index->meta.bits != VS_RABITQ_FLOAT16_BITS;
	pages->ratio = 1.0;

	pages->probe = vs_hnsw_probe_create(index);
	if (index->codec != NULL)
		pages->bound = vs_rabitq_query_create(index->codec);

	vs_visited_init(&pages->met, FIRST_LOG2_MET, for_insert);
	pages->max_visits = FIRST_VISITS;
	pages->visits = palloc(sizeof(VsHnswVisit) * pages->max_visits);
	if (for_insert)
	{
		pages->anchor = palloc(sizeof(float) * dim);
		pages->scratch = palloc(sizeof(float) * dim);
		pages->halves = palloc(sizeof(uint16) * dim * pages->max_visits);
		pages->code_record_nbytes = INTALIGN(offsetof(CodeRecord, code) +
											 g->code_nbytes);
		pages->max_codes = FIRST_CODES;
		pages->codes = palloc(pages->code_record_nbytes * pages->max_codes);
		pages->encoded = palloc(pages->code_record_nbytes);
	}
	else
		vs_candidates_init(&pages->left_out, FIRST_LEFT_OUT);

	vs_hnsw_node_copy_init(&pages->copy, g);
	pages->copy.probe = pages->probe;
	pages->copy.with_vector = for_insert;
	pages->last_upper = HNSW_INVALID_ID;
	return pages;
}

VsHnswStore *
vs_hnsw_pagestore_store(VsHnswPageStore *pages)
{
	return &pages->store;
}

const VsHnswProbe *
vs_hnsw_pagestore_probe(const VsHnswPageStore *pages)
{
	return pages->probe;
}

/* Bind the query to the codec, for estimates. */
static void
bind_codes(VsHnswPageStore *pages)
{
	vs_rabitq_query_bind(pages->bound, pages->probe->raw);
	pages->store.slack = FOLLOWED_NOISE * pages->bound->noise;
}

void
vs_hnsw_pagestore_bind(VsHnswPageStore *pages, const float *x)
{
	vs_hnsw_probe_bind(pages->probe, x);
	if (pages->bound != NULL)
		bind_codes(pages);

	pages->store.stretch = 1.0f;
	pages->nratios = 0;
	pages->ratio = 1.0;
	pages->nvisits = 0;
	pages->last_upper = HNSW_INVALID_ID;
	pages->store.reset(&pages->store);
}

/*
 * Bind the query to a newer codec; false if there is none.  The index may have
 * got one already, from another store or when it was read again.
 */
static bool
learn_newer_centroids(VsHnswPageStore *pages)
{
	MemoryContext old;

	vs_hnsw_refresh_codec(pages->index);
	if (pages->bound->codec == pages->index->codec)
		return false;
	old = MemoryContextSwitchTo(pages->context);
	pages->bound = vs_rabitq_query_create(pages->index->codec);
	bind_codes(pages);
	MemoryContextSwitchTo(old);
	return true;
}

/* Note the node that was read last; returns its tag. */
static uint32
add_visit(VsHnswPageStore *pages, uint32 id)
{
	const VsHnswNode *header = &pages->copy.header;
	int			dim = pages->index->geometry.dim;
	VsHnswVisit *visit;

	if (pages->nvisits == pages->max_visits)
	{
		pages->max_visits *= 2;
		pages->visits = repalloc_huge(pages->visits,
									  sizeof(VsHnswVisit) * pages->max_visits);
		if (pages->for_insert)
			pages->halves = repalloc_huge(pages->halves, sizeof(uint16) * dim *
										  (Size) pages->max_visits);
	}

	visit = &pages->visits[pages->nvisits];
	visit->id = id;
	visit->generation = header->generation;
	visit->state = header->state;
	visit->level = header->level;
	visit->ntids = Min(header->ntids, HNSW_NODE_TIDS);
	memcpy(visit->tids, header->tids, sizeof(ItemPointerData) * visit->ntids);
	visit->vector.exponent = header->exponent;
	visit->vector.halves = NULL;
	if (pages->for_insert)
		memcpy(pages->halves + (Size) pages->nvisits * dim, pages->copy.halves,
			   sizeof(uint16) * dim);
	return pages->nvisits++;
}

VsHnswVisit *
vs_hnsw_pagestore_visit(VsHnswPageStore *pages, uint32 tag)
{
	VsHnswVisit *visit = &pages->visits[tag];

	Assert(tag < pages->nvisits);
	if (pages->for_insert)
		visit->vector.halves = pages->halves +
			(Size) tag * pages->index->geometry.dim;
	return visit;
}

/* Keep the code of neighbour i; returns its index. */
static uint32
keep_code(VsHnswPageStore *pages, const VsHnswSlots *slots, int i)
{
	Size		code_nbytes = pages->index->geometry.code_nbytes;
	CodeRecord *record;

	if (pages->ncodes == pages->max_codes)
	{
		pages->max_codes *= 2;
		pages->codes = repalloc_huge(pages->codes, pages->code_record_nbytes *
									 (Size) pages->max_codes);
	}
	record = (CodeRecord *) (pages->codes +
							 pages->code_record_nbytes * pages->ncodes);
	record->factors = slots->factors[i];
	record->centroid = slots->centroids[i];
	memcpy(record->code, slots->codes + i * code_nbytes, code_nbytes);
	return pages->ncodes++;
}

/* Append the unvisited neighbours below the bound to fresh. */
static int
collect_fresh(VsHnswPageStore *pages, bool bottom, float bound,
			  VsCandidate *fresh)
{
	const VsHnswNodeCopy *copy = &pages->copy;
	int			nfresh = 0;

	vs_visited_reserve(&pages->met, copy->nlinks);
	for (int i = 0; i < copy->nlinks; i++)
	{
		uint32		id = copy->slots.links[i];
		float		estimate = copy->estimates[i];
		uint32		place;

		if (!(estimate < bound))
		{
			VsCandidate candidate = {.dist = estimate, .id = id};

			if (bottom && !pages->for_insert)
				vs_candidates_append(&pages->left_out, candidate);
			continue;
		}
		if (!vs_visited_add(&pages->met, id, &place))
			continue;
		if (pages->for_insert)
			pages->met.notes[place].code = keep_code(pages, &copy->slots, i);
		fresh[nfresh++] = (VsCandidate)
		{
			.dist = estimate, .id = id,
				.tag = HNSW_NO_VISIT
		};
	}
	return nfresh;
}

/*
 * Read a node or, above the bottom, an upper record to be expanded.  If it has
 * codes of centroids that were appended since the codec was read, read that
 * again, and the node: no lock is held in between.
 */
static bool
read_expanded(VsHnswPageStore *pages, int level, uint32 id)
{
	VsHnswNodeCopy *copy = &pages->copy;
	bool		found;

	do
		found = level > 0 ?
			vs_hnsw_read_upper(pages->index, id, level, pages->bound,
							   pages->for_insert, copy) :
			vs_hnsw_read_node(pages->index, id, pages->bound, pages->for_insert,
							  copy);
	while (found && copy->has_newer_codes && learn_newer_centroids(pages));
	return found;
}

/*
 * Learn from a node that was visited how far off estimates are, and follow them
 * accordingly.  How L1 distances relate to what codes see differs more from
 * query to query than from neighbour to neighbour.
 *
 * In double, whose range holds the squares; and an estimate that is far too low
 * counts as one that is low, or others would seem so far that the search ended.
 */
static void
learn_ratio(VsHnswPageStore *pages, float estimate, float dist)
{
	double		ratio = (double) dist / estimate;
	double		deviation;
	double		stretch;

	if (!(estimate > 0.0f && estimate <= FLT_MAX) ||
		!(dist > 0.0f && dist <= FLT_MAX))
		return;
	if (pages->nratios > 0)
		ratio = Min(ratio, MAX_RATIO_TO_MEAN * pages->ratio);
	deviation = ratio - pages->ratio;
	pages->nratios = Min(pages->nratios + 1, LEARNING_VISITS);
	pages->ratio += deviation / pages->nratios;
	pages->ratio_variance = pages->nratios == 1 ? 0.0 :
		pages->ratio_variance + (deviation * deviation -
								 pages->ratio_variance) / pages->nratios;
	stretch = 1.0 / pages->ratio +
		FOLLOWED_SPREAD * sqrt(pages->ratio_variance) /
		(pages->ratio * pages->ratio);
	pages->store.stretch = (float) Min(Max(stretch, FLT_MIN), FLT_MAX);
}

/* VsHnswStore.expand */
static int
pagestore_expand(VsHnswStore *store, int level, VsCandidate *node, float bound,
				 VsCandidate *fresh, bool *is_result)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;
	VsHnswNodeCopy *copy = &pages->copy;

	*is_result = false;
	if (level > 0)
	{
		if (!read_expanded(pages, level, node->id))
			return 0;
		pages->last_upper = node->id;
		*is_result = true;
	}
	else
	{
		float		estimate = node->dist;

		if (!read_expanded(pages, level, node->id))
			return 0;
		node->dist = copy->dist;
		if (pages->learns_ratio)
			learn_ratio(pages, estimate, node->dist);
		*is_result = copy->header.state != HNSW_NODE_DELETED;
		node->tag = *is_result ? add_visit(pages, node->id) : HNSW_NO_VISIT;
	}
	return collect_fresh(pages, level == 0, bound, fresh);
}

/* VsHnswStore.foresee */
static void
pagestore_foresee(VsHnswStore *store, int level, uint32 id)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;

	if (level == 0)
		vs_hnsw_prefetch_node(pages->index, id);
}

/* VsHnswStore.is_final: upper levels go by estimates alone */
static bool
pagestore_is_final(VsHnswStore *store, int level)
{
	return level > 0;
}

/* Read a node for a candidate's exact distance and visit. */
static bool
load_node(VsHnswPageStore *pages, uint32 node, VsCandidate *candidate)
{
	VsHnswNodeCopy *copy = &pages->copy;

	if (!vs_hnsw_read_node(pages->index, node, NULL, false, copy) ||
		copy->header.state == HNSW_NODE_DELETED)
		return false;

	candidate->dist = copy->dist;
	candidate->tag = add_visit(pages, node);
	return true;
}

bool
vs_hnsw_pagestore_load(VsHnswPageStore *pages, VsCandidate *candidate)
{
	return load_node(pages, candidate->id, candidate);
}

bool
vs_hnsw_pagestore_resolve(VsHnswPageStore *pages, VsCandidate *candidate)
{
	uint32		node = vs_hnsw_upper_node(pages->index, candidate->id);

	return node != HNSW_INVALID_ID && load_node(pages, node, candidate);
}

/*
 * VsHnswStore.entry_distance
 *
 * Infinite where estimates may be off by a factor: none would beat an exact
 * distance, and the walk would end where it begins.  And for scans, which go
 * past the entry point anyhow: they need not read its node.
 */
static float
pagestore_entry_distance(VsHnswStore *store, int level, uint32 id)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;
	VsHnswNodeCopy *copy = &pages->copy;
	uint32		node;

	if (pages->learns_ratio || !pages->for_insert)
		return INFINITY;
	node = level > 0 ? vs_hnsw_upper_node(pages->index, id) : id;
	if (node == HNSW_INVALID_ID ||
		!vs_hnsw_read_node(pages->index, node, NULL, false, copy))
		return INFINITY;
	return copy->dist;
}

/* VsHnswStore.descend */
static uint32
pagestore_descend(VsHnswStore *store, int level, uint32 id)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;

	/*
	 * The best of a level is the last that was read there, more often than
	 * not.
	 */
	if (id == pages->last_upper)
		return pages->copy.below;
	return vs_hnsw_upper_below(pages->index, id, level);
}

/* VsHnswStore.mark */
static void
pagestore_mark(VsHnswStore *store, uint32 id)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;
	uint32		place;

	vs_visited_reserve(&pages->met, 1);
	if (vs_visited_add(&pages->met, id, &place) && pages->for_insert)
		pages->met.notes[place].code = NO_CODE;
}

/* VsHnswStore.reset */
static void
pagestore_reset(VsHnswStore *store)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;

	vs_visited_reset(&pages->met);
	pages->ncodes = 0;
	pages->left_out.n = 0;
}

/* VsHnswStore.anchor */
static void
pagestore_anchor(VsHnswStore *store, const VsCandidate *candidate)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;
	const VsHnswVisit *visit = vs_hnsw_pagestore_visit(pages, candidate->tag);

	vs_kernel->f16_to_f32(pages->index->geometry.dim, visit->vector.halves,
						  vs_f16vec_scale(visit->vector.exponent -
										  pages->probe->exponent),
						  pages->anchor);
}

/* VsHnswStore.distance */
static float
pagestore_distance(VsHnswStore *store, const VsCandidate *candidate)
{
	VsHnswPageStore *pages = (VsHnswPageStore *) store;
	const VsHnswVisit *visit = vs_hnsw_pagestore_visit(pages, candidate->tag);
	int			dim = pages->index->geometry.dim;
	float		scale = vs_f16vec_scale(visit->vector.exponent -
										pages->probe->exponent);
	float		dist = vs_rabitq_exact(vs_hnsw_estimate(&pages->index->meta), dim,
									   pages->anchor, visit->vector.halves,
									   scale);

	return isnan(dist) ? INFINITY : dist;
}

static void
set_store_routines(VsHnswStore *store)
{
	store->expand = pagestore_expand;
	store->foresee = pagestore_foresee;
	store->is_final = pagestore_is_final;
	store->entry_distance = pagestore_entry_distance;
	store->descend = pagestore_descend;
	store->mark = pagestore_mark;
	store->reset = pagestore_reset;
	store->anchor = pagestore_anchor;
	store->distance = pagestore_distance;
}

void
vs_hnsw_pagestore_take_left_out(VsHnswPageStore *pages, VsCandidateHeap *nearest)
{
	for (Size i = 0; i < pages->left_out.n; i++)
	{
		uint32		place;

		vs_visited_reserve(&pages->met, 1);
		if (vs_visited_add(&pages->met, pages->left_out.items[i].id, &place))
			vs_minheap_push(nearest, pages->left_out.items[i]);
	}
	pages->left_out.n = 0;
}

Size
vs_hnsw_pagestore_nbytes(const VsHnswPageStore *pages)
{
	return pages->met.capacity * sizeof(uint32) +
		pages->max_visits * sizeof(VsHnswVisit) +
		pages->left_out.capacity * sizeof(VsCandidate);
}

const uint8 *
vs_hnsw_pagestore_code(VsHnswPageStore *pages, uint32 id,
					   const VsCandidate *candidate, VsCodeFactors *factors,
					   uint8 *centroid)
{
	uint32		place = vs_visited_place(&pages->met, id);
	uint32		code = pages->met.ids[place] == id ?
		pages->met.notes[place].code : NO_CODE;
	CodeRecord *record;

	if (code != NO_CODE)
		record = (CodeRecord *) (pages->codes +
								 pages->code_record_nbytes * code);
	else
	{
		const VsHnswVisit *visit = vs_hnsw_pagestore_visit(pages, candidate->tag);

		record = (CodeRecord *) pages->encoded;
		vs_kernel->f16_to_f32(pages->index->geometry.dim, visit->vector.halves,
							  vs_f16vec_scale(visit->vector.exponent),
							  pages->anchor);
		vs_rabitq_encode(pages->index->codec, pages->anchor, pages->scratch,
						 record->code, &record->factors, &record->centroid);
	}
	*factors = record->factors;
	*centroid = record->centroid;
	return record->code;
}

void
vs_hnsw_pagestore_estimate(VsHnswPageStore *pages, const VsHnswSlots *slots, int n,
						   float *estimates)
{
	vs_rabitq_estimate(pages->bound, n, slots->codes,
					   pages->index->geometry.code_nbytes, slots->factors,
					   slots->centroids, estimates);
	if (pages->learns_ratio)
		for (int i = 0; i < n; i++)
			estimates[i] = (float) (estimates[i] * pages->ratio);
}
