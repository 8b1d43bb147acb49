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
#include "port/pg_bitutils.h"
#include "quant/f16vec.h"
#include "utils/memutils.h"

/* Tags of candidates. */
#define IS_BLOCK	0
#define IS_ROW		1

/* Blocks whose next vectors are fetched into the processor's cache ahead of need. */
#define NFORESEEN	3

#define FIRST_CAPACITY	32		/* blocks */
#define BLOCK_ROWS		VS_IVF_BLOCK_SLOTS

/* So that rows of all blocks have numbers of 32 bits. */
#define MAX_BLOCKS		(((Size) PG_UINT32_MAX + 1) / BLOCK_ROWS)

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
	if (!vs_ivf_is_exact(index))
		search->query = vs_residual_query_create(index->codec.estimate, g->bits,
												 g->dim);

	search->capacity = FIRST_CAPACITY;
	search->blocks = palloc(sizeof(VsIvfRows) * search->capacity);
	search->dists = palloc(sizeof(float) * BLOCK_ROWS * search->capacity);
	search->tids = palloc(sizeof(ItemPointerData) * BLOCK_ROWS *
						  search->capacity);
	search->vector_capacity = FIRST_CAPACITY * Max(g->nvector_blocks, 1);
	search->vector_blocks = palloc(sizeof(BlockNumber) * search->vector_capacity);
	vs_candidates_init(&search->heap, FIRST_CAPACITY);
	return search;
}

Size
vs_ivf_search_nbytes(const VsIvfSearch *search)
{
	Size		row_nbytes = sizeof(float) + sizeof(ItemPointerData);

	return search->nblocks * (sizeof(VsIvfRows) + BLOCK_ROWS * row_nbytes) +
		search->nvector_blocks * sizeof(BlockNumber) +
		search->heap.capacity * sizeof(VsCandidate);
}

void
vs_ivf_search_clear(VsIvfSearch *search)
{
	search->nrows = 0;
	search->nblocks = 0;
	search->nvector_blocks = 0;
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

/* Have room for one more block. */
static void
grow(VsIvfSearch *search)
{
	if (search->nblocks < search->capacity)
		return;
	if (search->nblocks >= MAX_BLOCKS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the lists of index \"%s\" that a scan probes have too many rows",
						RelationGetRelationName(search->index->rel)),
				 errhint("Set \"ivfflat.probes\" lower.")));
	search->capacity *= 2;
	search->blocks = repalloc_huge(search->blocks,
								   sizeof(VsIvfRows) * search->capacity);
	search->dists = repalloc_huge(search->dists, sizeof(float) * BLOCK_ROWS *
								  search->capacity);
	search->tids = repalloc_huge(search->tids, sizeof(ItemPointerData) *
								 BLOCK_ROWS * search->capacity);
}

/* Note where the vectors of a list page are; returns at which place. */
static Size
add_vector_blocks(VsIvfSearch *search, const VsIvfSlots *slots)
{
	int			n = search->index->geometry.nvector_blocks;
	Size		place = search->nvector_blocks;

	if (place + n > search->vector_capacity)
	{
		search->vector_capacity *= 2;
		search->vector_blocks = repalloc_huge(search->vector_blocks,
											  sizeof(BlockNumber) *
											  search->vector_capacity);
	}
	memcpy(search->vector_blocks + place, slots->vector_blocks,
		   sizeof(BlockNumber) * n);
	search->nvector_blocks += n;
	return place;
}

/* Whether a slot is in use, by a row that is wanted. */
static inline bool
is_wanted(const VsIvfSearch *search, const VsIvfSlots *slots, int slot)
{
	const ItemPointerData *tid = &slots->tids[slot];

	return ItemPointerIsValid(tid) &&
		(search->member == NULL || search->member(search->member_state, tid));
}

/* Of n slots, a bit for each that has a row that is wanted. */
static uint32
wanted_slots(const VsIvfSearch *search, const VsIvfSlots *slots, int first, int n)
{
	uint32		wanted = 0;

	if (search->member == NULL && slots->header->nlive >= slots->header->nused)
		return PG_UINT32_MAX >> (BLOCK_ROWS - n);
	for (int i = 0; i < n; i++)
		wanted |= (uint32) is_wanted(search, slots, first + i) << i;
	return wanted;
}

/*
 * The distances of n rows that are there to be compared, or their bounds: from
 * slot "first" on.  Returns the lowest.
 */
static float
score_rows(const VsIvfSearch *search, const VsIvfSlots *slots, int first, int n,
		   float *dists)
{
	const VsIvfGeometry *g = &search->index->geometry;
	bool		all_exact = vs_ivf_exact_probe && !search->of_centroids;
	float		lowest = INFINITY;

	if (search->probe != NULL && search->query != NULL && !all_exact)
		return vs_ivf_score_block(g, slots, first, n, search->query, dists);
	for (int i = 0; i < n; i++)
	{
		if (search->probe == NULL)
			dists[i] = 0.0f;
		else if (search->query != NULL)
			dists[i] = -FLT_MAX;
		else
			dists[i] = exact_distance(search, (const uint16 *)
									  (slots->codes + (first + i) * g->code_nbytes),
									  (int16) slots->add[first + i]);
		lowest = Min(lowest, dists[i]);
	}
	return lowest;
}

/* The lowest of a block's distances; the loops are made for vectors. */
static float
lowest_dist(const float *dists)
{
	enum
	{
		LANES = 8
	};
	float		lanes[LANES];
	float		lowest;

	memcpy(lanes, dists, sizeof(lanes));
	for (int i = LANES; i < BLOCK_ROWS; i += LANES)
		for (int j = 0; j < LANES; j++)
			lanes[j] = dists[i + j] < lanes[j] ? dists[i + j] : lanes[j];
	lowest = lanes[0];
	for (int j = 1; j < LANES; j++)
		lowest = Min(lowest, lanes[j]);
	return lowest;
}

/*
 * The row of a block that is nearest of those left, of which there are some.
 * Those that are not have an infinite distance.
 */
static int
nearest_left(const VsIvfSearch *search, uint32 block)
{
	VsIvfRows  *rows = &search->blocks[block];
	const float *dists = search->dists + (Size) block * BLOCK_ROWS;

	if (rows->nearest < 0)
	{
		float		lowest = lowest_dist(dists);
		int			i = pg_rightmost_one_pos32(rows->left);

		if (lowest < INFINITY)
			for (i = 0; dists[i] != lowest;)
				i++;
		rows->nearest = i;
		rows->foreseen = false;
	}
	return rows->nearest;
}

/* Leave those rows of a block that are not wanted infinitely far off. */
static void
push_off(float *dists, uint32 wanted)
{
	for (int i = 0; i < BLOCK_ROWS; i++)
		if ((wanted >> i & 1) == 0)
			dists[i] = INFINITY;
}

/* Add the rows of n slots of a list page, which is locked. */
static void
add_block(VsIvfSearch *search, const VsIvfSlots *slots, int first, int n,
		  Size vectors)
{
	VsCandidate candidate = {.id = search->nblocks, .tag = IS_BLOCK};
	VsIvfRows  *rows;
	float	   *dists;

	grow(search);
	rows = &search->blocks[search->nblocks];
	rows->left = wanted_slots(search, slots, first, n);
	if (rows->left == 0)
		return;
	rows->slot = first;
	rows->nearest = -1;
	rows->foreseen = false;
	rows->vectors = vectors;
	dists = search->dists + search->nblocks * BLOCK_ROWS;
	candidate.dist = score_rows(search, slots, first, n, dists);
	memcpy(search->tids + search->nblocks * BLOCK_ROWS, slots->tids + first,
		   sizeof(ItemPointerData) * n);

	if (rows->left != PG_UINT32_MAX)
	{
		push_off(dists, rows->left);
		candidate.dist = lowest_dist(dists);
	}
	search->nblocks++;
	search->nrows += pg_popcount32(rows->left);
	vs_minheap_push(&search->heap, candidate);
}

/* Add the rows of a list page, which is locked. */
static void
add_page(VsIvfSearch *search, const VsIvfSlots *slots)
{
	int			n = vs_ivf_nused(&search->index->geometry, slots);
	Size		vectors = add_vector_blocks(search, slots);

	for (int i = 0; i < n; i += BLOCK_ROWS)
		add_block(search, slots, i, Min(BLOCK_ROWS, n - i), vectors);
}

/* Have the processor fetch a list page that is about to be read. */
static void
foresee_page(const VsIvfSearch *search, BlockNumber block)
{
	if (block != InvalidBlockNumber)
		vs_page_prefetch(search->index->rel, block, 0,
						 search->index->geometry.list_nbytes);
}

/* Add the rows of a list that has this entry. */
static void
add_list(VsIvfSearch *search, uint32 list, const VsIvfEntry *entry)
{
	VsIvfIndex *index = search->index;
	BlockNumber block = entry->first;

	if (search->probe != NULL && search->query != NULL)
	{
		vs_ivf_read_center(index, entry, search->center);
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
		block = vs_ivf_next_block(index, block, slots.header);
		foresee_page(search, block);
		add_page(search, &slots);
		UnlockReleaseBuffer(buffer);
	}
}

void
vs_ivf_search_add_lists(VsIvfSearch *search, const uint32 *lists, uint32 n)
{
	VsIvfEntry	next;

	if (n > 0)
		next = vs_ivf_read_entry(search->index, lists[0]);
	for (uint32 i = 0; i < n; i++)
	{
		VsIvfEntry	entry = next;

		if (i + 1 < n)
		{
			next = vs_ivf_read_entry(search->index, lists[i + 1]);
			foresee_page(search, next.first);
		}
		add_list(search, lists[i], &entry);
	}
}

/* Where the vector of a row is. */
static BlockNumber
locate_vector(const VsIvfSearch *search, uint32 block, int i, int *record)
{
	const VsIvfRows *rows = &search->blocks[block];
	int			per_page = search->index->geometry.vectors_per_page;
	int			slot = rows->slot + i;

	*record = slot % per_page;
	return search->vector_blocks[rows->vectors + slot / per_page];
}

/* Have the processor fetch the vectors that are likely to be read next. */
static void
foresee(const VsIvfSearch *search)
{
	const VsIvfGeometry *g = &search->index->geometry;

	for (int i = 0; i < NFORESEEN && i < search->heap.n; i++)
	{
		const VsCandidate *candidate = &search->heap.items[i];
		BlockNumber block;
		int			nearest;
		int			record;

		if (candidate->tag != IS_BLOCK)
			continue;
		nearest = nearest_left(search, candidate->id);
		if (search->blocks[candidate->id].foreseen)
			continue;
		block = locate_vector(search, candidate->id, nearest, &record);
		vs_page_prefetch(search->index->rel, block, record * g->vector_nbytes,
						 g->vector_nbytes);
		search->blocks[candidate->id].foreseen = true;
	}
}

/* The exact distance of row i of a block, whose vector is read. */
static float
read_distance(VsIvfSearch *search, uint32 block, int i)
{
	VsIvfIndex *index = search->index;
	const VsIvfGeometry *g = &index->geometry;
	int			record;
	BlockNumber vector_block = locate_vector(search, block, i, &record);
	Buffer		buffer;
	const int16 *numbers;
	float		dist;

	if (g->pages_per_vector > 1)
	{
		vs_ivf_read_vector(index, vector_block, record, &search->vector);
		return exact_distance(search, search->vector.halves,
							  search->vector.exponent);
	}
	buffer = vs_page_read(index->rel, vector_block, BUFFER_LOCK_SHARE,
						  IVF_PAGE_VECTORS);
	numbers = vs_ivf_page_vector(g, BufferGetPage(buffer), record);
	dist = exact_distance(search, (const uint16 *) (numbers + 1), numbers[0]);
	UnlockReleaseBuffer(buffer);
	return dist;
}

/*
 * Take the nearest row out of the block on top of the heap, which then has the
 * place that its next row gives it; returns which row.
 */
static int
take_nearest(VsIvfSearch *search)
{
	VsCandidate candidate = search->heap.items[0];
	uint32		block = candidate.id;
	VsIvfRows  *rows = &search->blocks[block];
	float	   *dists = search->dists + (Size) block * BLOCK_ROWS;
	int			taken = nearest_left(search, block);

	rows->left &= ~((uint32) 1 << taken);
	rows->nearest = -1;
	dists[taken] = INFINITY;
	if (rows->left == 0)
		vs_minheap_pop(&search->heap);
	else
	{
		candidate.dist = dists[nearest_left(search, block)];
		vs_minheap_replace(&search->heap, candidate);
	}
	return taken;
}

bool
vs_ivf_search_next(VsIvfSearch *search, ItemPointer tid, float *dist)
{
	bool		are_bounds = search->probe != NULL && search->query != NULL;

	while (search->heap.n > 0)
	{
		VsCandidate candidate = search->heap.items[0];

		if (candidate.tag == IS_ROW)
			vs_minheap_pop(&search->heap);
		else
		{
			uint32		block = candidate.id;
			int			i = take_nearest(search);

			candidate.id = block * BLOCK_ROWS + i;
			candidate.tag = IS_ROW;
			if (are_bounds)
			{
				CHECK_FOR_INTERRUPTS();
				foresee(search);
				candidate.dist = read_distance(search, block, i);
				vs_minheap_push(&search->heap, candidate);
				continue;
			}
		}
		*tid = search->tids[candidate.id];
		*dist = candidate.dist;
		return true;
	}
	return false;
}
