/*
 * test_graph.c
 *		The layout of nodes and the choice of neighbours, without a server.
 *
 * What would break: nodes that overlap or leave their page at some number of
 * dimensions, lists with too few neighbours, neighbours chosen twice, nodes
 * that nobody links to.
 *
 * Output is TAP.
 */
#include "postgres.h"

#include "unit.h"

#include "hnsw/hnsw_graph.h"
#include "hnsw/hnsw_page.h"

#define MAX_DIM 16000

/*
 * Geometry
 */

/* Whether a list with room for "capacity" fits in front of "end". */
static bool
list_fits(const VsHnswGeometry *g, char *base, int capacity, const char *end)
{
	VsHnswSlots slots = vs_hnsw_slots_at(base, capacity);

	/* Arrays follow one another, each aligned as its elements want. */
	return (char *) slots.links >= base + sizeof(VsHnswSlotsHeader) &&
		(char *) slots.factors == (char *) (slots.links + capacity) &&
		(char *) slots.dists == (char *) (slots.factors + capacity) &&
		(char *) slots.centroids == (char *) (slots.dists + capacity) &&
		slots.kinds == slots.centroids + capacity &&
		slots.codes == slots.kinds + capacity &&
		(uintptr_t) slots.links % sizeof(uint32) == 0 &&
		(uintptr_t) slots.dists % sizeof(uint16) == 0 &&
		(char *) slots.codes + capacity * g->code_nbytes <= end &&
		base + vs_hnsw_slots_nbytes(capacity, g->code_nbytes) <= end;
}

/* Whether nodes that share a page keep apart. */
static bool
shared_nodes_fit(const VsHnswGeometry *g, Page page)
{
	char	   *records = vs_page_records(page);

	for (int i = 0; i < g->nodes_per_page; i++)
	{
		VsHnswNode *node = vs_hnsw_page_node(g, page, i);
		char	   *end = (char *) node + g->node_nbytes;
		VsHnswSlots slots = vs_hnsw_node_slots(g, node);

		if ((char *) node != records + i * g->node_nbytes ||
			end > records + VS_PAGE_CAPACITY ||
			(char *) (vs_hnsw_node_vector(node) + g->dim) > (char *) slots.header ||
			!list_fits(g, (char *) slots.header, g->slots_per_block, end))
			return false;
	}
	return g->nodes_per_page >= 1 && g->slots_per_block == g->m0 &&
		g->nslot_blocks == 1;
}

/* Whether the pages of a node hold its vector and its lists. */
static bool
own_pages_fit(const VsHnswGeometry *g, Page page)
{
	char	   *records = vs_page_records(page);
	int			nhalves = g->halves_first + (g->nvector_pages - 1) * g->halves_next;

	return g->nodes_per_page == 1 &&
		g->npages == g->nvector_pages + g->nslot_blocks &&
		g->nvector_pages >= 1 && nhalves >= g->dim &&
		sizeof(VsHnswNode) + sizeof(uint16) * g->halves_first <= VS_PAGE_CAPACITY &&
		sizeof(uint16) * g->halves_next <= VS_PAGE_CAPACITY &&
		g->nslot_blocks * g->slots_per_block >= g->m0 &&
		list_fits(g, records, g->slots_per_block, records + VS_PAGE_CAPACITY);
}

/* Whether upper records keep apart. */
static bool
uppers_fit(const VsHnswGeometry *g, Page page)
{
	for (int i = 0; i < g->upper_per_page; i++)
	{
		VsHnswUpper *upper = vs_hnsw_page_upper(g, page, i);
		char	   *end = (char *) upper + g->upper_nbytes;

		if (end > vs_page_records(page) + VS_PAGE_CAPACITY ||
			!list_fits(g, (char *) vs_hnsw_upper_slots(g, upper).header,
					   g->upper_m, end))
			return false;
	}
	return g->upper_per_page >= 1;
}

/* Whether numbers lead back to where they came from. */
static bool
numbers_return(const VsHnswGeometry *g)
{
	BlockNumber block = 4711;
	int			last = g->nodes_per_page - 1;
	int			last_upper = g->upper_per_page - 1;
	uint32		node = vs_hnsw_node_number(g, block, last);
	uint32		upper = vs_hnsw_upper_number(g, block, last_upper);

	return vs_hnsw_node_block(g, node) == block &&
		vs_hnsw_node_position(g, node) == last &&
		vs_hnsw_upper_block(g, upper) == block &&
		vs_hnsw_upper_position(g, upper) == last_upper;
}

static void
test_geometry(int m)
{
	PGAlignedBlock block;
	bool		fits = true;
	bool		enough = true;
	bool		enough_above = true;
	bool		returns = true;

	for (int dim = 1; dim <= MAX_DIM; dim++)
	{
		VsHnswGeometry g;

		vs_hnsw_geometry_init(&g, dim, m, vs_hnsw_code_bits(dim));
		fits &= g.npages == 1 ? shared_nodes_fit(&g, (Page) block.data) :
			own_pages_fit(&g, (Page) block.data);
		fits &= uppers_fit(&g, (Page) block.data);
		fits &= vs_hnsw_page_nbytes(&g, HNSW_PAGE_NODE) <= VS_PAGE_CAPACITY &&
			vs_hnsw_page_nbytes(&g, HNSW_PAGE_UPPER) <= VS_PAGE_CAPACITY;
		returns &= numbers_return(&g);

		/* Some two thirds of what was asked for; 20 of 32 by default. */
		enough &= g.m0 <= 2 * m && g.m0 >= (int) (2 * m * 0.65);
		enough_above &= g.upper_m <= m && g.upper_m >= Min(m, 4);
	}
	ok(fits, "m = %d: nodes and upper records fit their pages", m);
	ok(returns, "m = %d: numbers lead back to blocks and positions", m);
	ok(enough, "m = %d: nodes have two thirds of 2 * m neighbours or more", m);
	ok(enough_above, "m = %d: upper records have 4 neighbours or more", m);
}

/*
 * Neighbours: points on a plane as the store.
 */

typedef struct PlaneStore
{
	VsHnswStore store;			/* must be first */
	double		x[200];
	double		y[200];
	uint32		anchor;
} PlaneStore;

static void
plane_anchor(VsHnswStore *store, const VsCandidate *candidate)
{
	((PlaneStore *) store)->anchor = candidate->id;
}

static float
plane_between(const PlaneStore *plane, uint32 a, uint32 b)
{
	return (float) (pow(plane->x[a] - plane->x[b], 2) +
					pow(plane->y[a] - plane->y[b], 2));
}

static float
plane_distance(VsHnswStore *store, const VsCandidate *candidate)
{
	PlaneStore *plane = (PlaneStore *) store;

	return plane_between(plane, plane->anchor, candidate->id);
}

/* Whether a is as near to b as b is to the query. */
static bool
covers(const PlaneStore *plane, VsCandidate a, VsCandidate b)
{
	return plane_between(plane, a.id, b.id) <= b.dist;
}

/* Random points as candidates for a query at the origin, sorted. */
static void
make_candidates(PlaneStore *plane, VsCandidate *candidates, int n)
{
	for (int i = 0; i < n; i++)
	{
		/* A coarse grid, so that there are ties and equal points. */
		plane->x[i] = floor(next_uniform() * 21) - 10;
		plane->y[i] = floor(next_uniform() * 21) - 10;
		candidates[i] = (VsCandidate) {.id = i};
		candidates[i].dist = (float) (plane->x[i] * plane->x[i] +
									  plane->y[i] * plane->y[i]);
	}
	vs_candidates_sort(candidates, n);
}

/*
 * Whether a selection is what it should be: none twice, those that cover
 * others first and not covered by one another, then the nearest of the rest.
 */
static bool
is_right_selection(const PlaneStore *plane, const VsCandidate *all, int n,
				   const VsCandidate *chosen, int nchosen, const uint8 *kinds)
{
	bool		taken[200] = {false};
	int			ncovering = 0;
	int			next = 0;

	while (ncovering < nchosen && !kinds[ncovering])
		ncovering++;

	for (int i = 0; i < nchosen; i++)
	{
		if (taken[chosen[i].id] || (kinds[i] != 0) != (i >= ncovering))
			return false;
		taken[chosen[i].id] = true;
		for (int j = 0; j < i && i < ncovering; j++)
			if (covers(plane, chosen[j], chosen[i]))
				return false;
	}

	/* Nobody who is not covered was passed over before there was no room. */
	for (int i = 0; i < n && ncovering < nchosen; i++)
	{
		bool		is_covering = false;
		bool		covered = false;

		for (int j = 0; j < ncovering; j++)
		{
			is_covering |= chosen[j].id == all[i].id;
			covered |= covers(plane, chosen[j], all[i]);
		}
		if (!is_covering && !covered)
			return false;
	}

	/* The rest in order of distance. */
	for (int i = ncovering; i < nchosen; i++)
	{
		for (bool found = false; !found; next++)
		{
			bool		is_covering = false;

			for (int j = 0; j < ncovering; j++)
				is_covering |= chosen[j].id == all[next].id;
			if (is_covering)
				continue;
			if (chosen[i].id != all[next].id)
				return false;
			found = true;
		}
	}
	return true;
}

static void
test_select(void)
{
	static PlaneStore plane;
	bool		right = true;
	bool		count = true;

	plane.store.anchor = plane_anchor;
	plane.store.distance = plane_distance;
	for (int round = 0; round < 3000; round++)
	{
		VsCandidate all[200];
		VsCandidate chosen[200];
		uint8		kinds[200];
		int			n = (int) (next_uniform() * 200);
		int			max_links = 1 + (int) (next_uniform() * 40);
		int			nchosen;

		make_candidates(&plane, all, n);
		memcpy(chosen, all, sizeof(all));
		nchosen = vs_hnsw_select_neighbors(&plane.store, chosen, n, max_links,
										   kinds);
		count &= nchosen == Min(n, max_links);
		right &= is_right_selection(&plane, all, n, chosen, nchosen, kinds);
	}
	ok(count, "lists are filled as far as there are candidates");
	ok(right, "the uncovered are chosen first, then the nearest of the rest");
}

/* One call of vs_hnsw_place_link, with what it was given. */
typedef struct Placing
{
	int			n;
	int			capacity;
	float		dists[40];
	uint8		before[40];
	uint8		after[40];
	float		to_new[40];
	float		dist;
	bool		as_tree;
	uint8		new_kind;
	int			slot;
} Placing;

static void
place_at_random(Placing *p)
{
	p->capacity = 1 + (int) (next_uniform() * 40);
	p->n = next_uniform() < 0.5 ? p->capacity :
		(int) (next_uniform() * (p->capacity + 1));
	p->dist = (float) floor(next_uniform() * 20);
	p->as_tree = next_uniform() < 0.5;
	for (int i = 0; i < p->n; i++)
	{
		p->dists[i] = (float) floor(next_uniform() * 20);
		p->to_new[i] = (float) floor(next_uniform() * 30);
		p->before[i] = p->after[i] = (uint8) (next_uniform() * 3);
	}
	p->slot = vs_hnsw_place_link(p->n, p->capacity, p->dists, p->after, p->dist,
								 p->to_new, p->as_tree, &p->new_kind);
}

/* Whether the list had room for one more link of the tree. */
static bool
had_tree_room(const Placing *p)
{
	int			ntree = 0;
	int			limit = p->capacity / 2;

	for (int i = 0; i < p->n; i++)
		ntree += p->before[i] == HNSW_LINK_TREE;
	if (limit < 3)
		limit = p->capacity - 1 < 3 ? p->capacity - 1 : 3;
	return ntree < limit;
}

/* Whether kinds say who is covered, now that there is the new one. */
static bool
kinds_are_right(const Placing *p)
{
	bool		covered = false;
	bool		is_tree = p->as_tree && had_tree_room(p);

	for (int i = 0; i < p->n; i++)
		covered |= p->before[i] == HNSW_LINK_DIVERSE &&
			p->dists[i] <= p->dist && p->to_new[i] <= p->dist;
	if (p->new_kind != (is_tree ? HNSW_LINK_TREE :
						covered ? HNSW_LINK_FILL : HNSW_LINK_DIVERSE))
		return false;

	for (int i = 0; i < p->n; i++)
	{
		bool		by_new = p->before[i] == HNSW_LINK_DIVERSE && !is_tree &&
			!covered && p->dists[i] > p->dist && p->to_new[i] < p->dists[i];

		if (p->after[i] != (by_new ? HNSW_LINK_FILL : p->before[i]))
			return false;
	}
	return true;
}

/* Whether the slot is a fair one. */
static bool
slot_is_right(const Placing *p)
{
	bool		has_fill = false;

	if (p->n < p->capacity)
		return p->slot == p->n;
	if (p->slot < 0)
		return p->slot == -1 && p->new_kind != HNSW_LINK_TREE;
	if (p->slot >= p->n || p->after[p->slot] == HNSW_LINK_TREE)
		return false;

	/* The covered go first, the farthest of a kind before the others. */
	for (int i = 0; i < p->n; i++)
		has_fill |= p->after[i] == HNSW_LINK_FILL;
	if (has_fill && p->after[p->slot] != HNSW_LINK_FILL)
		return false;
	for (int i = 0; i < p->n; i++)
		if (p->after[i] == p->after[p->slot] &&
			p->dists[i] > p->dists[p->slot])
			return false;

	/* A covered one pushes out only what is farther, and only covered ones. */
	return p->new_kind != HNSW_LINK_FILL ||
		(p->after[p->slot] == HNSW_LINK_FILL && p->dists[p->slot] > p->dist);
}

static void
test_place(void)
{
	bool		kinds = true;
	bool		slots = true;
	bool		welcome = true;

	for (int round = 0; round < 100000; round++)
	{
		Placing		p = {0};

		place_at_random(&p);
		kinds &= kinds_are_right(&p);
		slots &= slot_is_right(&p);

		/* An uncovered one nearer than the farthest is let in. */
		if (p.new_kind == HNSW_LINK_DIVERSE && p.slot < 0)
			for (int i = 0; i < p.n; i++)
				welcome &= p.after[i] == HNSW_LINK_TREE ||
					(p.after[i] == HNSW_LINK_DIVERSE && p.dists[i] <= p.dist);
	}
	ok(kinds, "a new link sets the kinds of those it covers, and its own");
	ok(slots, "a new link grows the list or takes the place missed least");
	ok(welcome, "a link is left out only where all others are nearer");
}

int
main(void)
{
	static const int ms[] = {2, 5, 16, 40, 100};

	for (int i = 0; i < lengthof(ms); i++)
		test_geometry(ms[i]);
	test_select();
	test_place();
	return finish();
}
