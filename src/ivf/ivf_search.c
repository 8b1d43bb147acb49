/*
 * ivf_search.c
 *		Nearest rows of some lists, one after the other.
 *
 * A list page is locked while its codes are scored, a vector page while the
 * distance is computed.  Between the two a row's slot may be given to another
 * row: README.md, "Scan", says why that is harmless.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "ivf/ivf_codes.h"
#include "ivf/ivf_search.h"
#include "miscadmin.h"
#include "quant/f16vec.h"
#include "utils/memutils.h"

/* Tags of candidates. */
#define IS_BOUND	0
#define IS_EXACT	1

/* Vectors fetched into the processor's cache ahead of need. */
#define NFORESEEN	3

#define FIRST_CAPACITY 1024

VsIvfProbe *
vs_ivf_probe_create(const VsIvfIndex *index, const float *x)
{
	const VsRabitq *codec = &index->codec;
	VsIvfProbe *probe = palloc(sizeof(VsIvfProbe));

	probe->scaled = palloc(sizeof(float) * codec->dim);
	vs_rabitq_scale(codec, x, probe->scaled);
	probe->rotated = probe->scaled;
	if (!vs_ivf_is_exact(index))
	{
		probe->rotated = palloc(sizeof(float) * codec->dim);
		memcpy(probe->rotated, probe->scaled, sizeof(float) * codec->dim);
		vs_rotation_apply(&codec->rotation, probe->rotated);
	}
	return probe;
}

VsIvfSearch *
vs_ivf_search_create(VsIvfIndex *index, const VsIvfProbe *probe,
					 bool of_centroids)
{
	const VsIvfGeometry *g = &index->geometry;
	VsIvfSearch *search = palloc0(sizeof(VsIvfSearch));

	search->index = index;
	search->probe = probe;
	search->of_centroids = of_centroids;
	search->center = palloc(sizeof(float) * g->dim);
	search->vector.halves = palloc(sizeof(uint16) * g->dim);
	search->bounds = palloc(sizeof(float) * g->nslots);
	if (!vs_ivf_is_exact(index))
		search->query = vs_residual_query_create(index->codec.estimate, g->bits,
												 g->dim);

	search->capacity = FIRST_CAPACITY;
	search->rows = palloc(sizeof(VsIvfRowPlace) * search->capacity);
	vs_candidates_init(&search->heap, FIRST_CAPACITY);
	return search;
}

void
vs_ivf_search_clear(VsIvfSearch *search)
{
	search->nrows = 0;
	search->heap.n = 0;
}

/* The exact distance to a vector's elements and exponent. */
static float
exact_distance(const VsIvfSearch *search, const uint16 *halves, int exponent)
{
	const VsRabitq *codec = &search->index->codec;
	const float *x = search->of_centroids ? search->probe->rotated :
		search->probe->scaled;
	int			unit = search->of_centroids ? 0 : codec->exponent;
	float		dist = vs_rabitq_exact(codec->estimate, codec->dim, x, halves,
									   vs_f16vec_scale(exponent - unit));

	return isnan(dist) ? INFINITY : dist;
}

/* Add a candidate; the heap is put in order later. */
static void
add_row(VsIvfSearch *search, const VsIvfSlots *slots, int slot, float dist,
		bool is_exact)
{
	const VsIvfGeometry *g = &search->index->geometry;
	VsIvfRowPlace *row;
	VsCandidate candidate = {dist, search->nrows, is_exact ? IS_EXACT : IS_BOUND};

	if (search->nrows == search->capacity)
	{
		search->capacity *= 2;
		search->rows = repalloc_huge(search->rows, sizeof(VsIvfRowPlace) *
									 (Size) search->capacity);
	}
	row = &search->rows[search->nrows++];
	row->tid = slots->tids[slot];
	if (!is_exact)
	{
		row->vector_block = slots->vector_blocks[slot / g->vectors_per_page];
		row->record = slot % g->vectors_per_page;
	}
	vs_minheap_push(&search->heap, candidate);
}

/* Whether a slot is in use, by a row that is wanted. */
static inline bool
is_wanted(const VsIvfSearch *search, const VsIvfSlots *slots, int slot)
{
	const ItemPointerData *tid = &slots->tids[slot];

	return ItemPointerIsValid(tid) &&
		(search->member == NULL || search->member(search->member_state, tid));
}

/* Score the rows of a list page, which is locked. */
static void
score_page(VsIvfSearch *search, const VsIvfSlots *slots)
{
	const VsIvfGeometry *g = &search->index->geometry;
	int			n = vs_ivf_nused(g, slots);
	bool		all_exact = vs_ivf_exact_probe && !search->of_centroids;

	if (search->probe != NULL && search->query != NULL)
		for (int i = 0; i < n; i += VS_IVF_BLOCK_SLOTS)
			vs_ivf_score_block(g, slots, i, Min(VS_IVF_BLOCK_SLOTS, n - i),
							   search->query, search->bounds + i);
	for (int i = 0; i < n; i++)
	{
		if (!is_wanted(search, slots, i))
			continue;
		if (search->probe == NULL)
			add_row(search, slots, i, 0.0f, true);
		else if (search->query != NULL)
			add_row(search, slots, i, all_exact ? -FLT_MAX : search->bounds[i],
					false);
		else
			add_row(search, slots, i,
					exact_distance(search, (const uint16 *)
								   (slots->codes + i * g->code_nbytes),
								   (int16) slots->add[i]),
					true);
	}
}

void
vs_ivf_search_add_list(VsIvfSearch *search, uint32 list)
{
	VsIvfIndex *index = search->index;
	VsIvfEntry	entry = vs_ivf_read_entry(index, list);
	BlockNumber block = entry.first;

	if (search->probe != NULL && search->query != NULL)
	{
		vs_ivf_read_center(index, &entry, search->center);
		vs_residual_query_bind(search->query, search->probe->rotated,
							   search->center);
	}
	while (block != InvalidBlockNumber)
	{
		Buffer		buffer;
		VsIvfSlots	slots;

		CHECK_FOR_INTERRUPTS();
		buffer = vs_ivf_lock_list(index, list, block, BUFFER_LOCK_SHARE);
		slots = vs_ivf_page_slots(&index->geometry, BufferGetPage(buffer));
		score_page(search, &slots);
		block = vs_ivf_next_block(index, block, slots.header);
		UnlockReleaseBuffer(buffer);
	}
}

/* Have the processor fetch the vectors that are likely to be read next. */
static void
foresee(const VsIvfSearch *search)
{
	const VsIvfGeometry *g = &search->index->geometry;

	for (int i = 0; i < NFORESEEN && i < search->heap.n; i++)
	{
		const VsCandidate *candidate = &search->heap.items[i];
		const VsIvfRowPlace *row = &search->rows[candidate->id];

		if (candidate->tag == IS_BOUND)
			vs_page_prefetch(search->index->rel, row->vector_block,
							 row->record * g->vector_nbytes, g->vector_nbytes);
	}
}

/* The exact distance of a row, whose vector is read. */
static float
read_distance(VsIvfSearch *search, const VsIvfRowPlace *row)
{
	VsIvfIndex *index = search->index;
	const VsIvfGeometry *g = &index->geometry;
	Buffer		buffer;
	const int16 *numbers;
	float		dist;

	search->nexact++;
	if (g->pages_per_vector > 1)
	{
		vs_ivf_read_vector(index, row->vector_block, row->record, &search->vector);
		return exact_distance(search, search->vector.halves,
							  search->vector.exponent);
	}
	buffer = vs_page_read(index->rel, row->vector_block, BUFFER_LOCK_SHARE,
						  IVF_PAGE_VECTORS);
	numbers = vs_ivf_page_vector(g, BufferGetPage(buffer), row->record);
	dist = exact_distance(search, (const uint16 *) (numbers + 1), numbers[0]);
	UnlockReleaseBuffer(buffer);
	return dist;
}

bool
vs_ivf_search_next(VsIvfSearch *search, ItemPointer tid, float *dist)
{
	while (search->heap.n > 0)
	{
		VsCandidate candidate = vs_minheap_pop(&search->heap);
		VsIvfRowPlace *row = &search->rows[candidate.id];

		if (candidate.tag == IS_BOUND)
		{
			CHECK_FOR_INTERRUPTS();
			foresee(search);
			candidate.dist = read_distance(search, row);
			candidate.tag = IS_EXACT;
		}
		if (search->heap.n == 0 ||
			candidate.dist <= search->heap.items[0].dist)
		{
			*tid = row->tid;
			*dist = candidate.dist;
			return true;
		}
		vs_minheap_push(&search->heap, candidate);
	}
	return false;
}
