/*
 * hnsw_page.c
 *		How nodes are fitted to pages.
 *
 * The number of neighbours on the bottom level is what fits a share of the
 * page, at most 2 * m: see README.md, "Page layout", for the measurements.
 */
#include "postgres.h"

#include "hnsw/hnsw_page.h"

/*
 * A node shares its page with others as long as it keeps this share of the
 * 2 * m neighbours that it could have.
 */
#define MIN_NEIGHBOR_SHARE 0.65

int
vs_hnsw_code_bits(int dim)
{
	if (dim <= 32)
		return VS_RABITQ_FLOAT16_BITS;
	if (dim <= 64)
		return 4;
	if (dim < 192)
		return 2;
	return 1;
}

Size
vs_hnsw_slots_nbytes(int capacity, Size code_nbytes)
{
	return sizeof(VsHnswSlotsHeader) +
		capacity * (sizeof(uint32) + sizeof(VsCodeFactors) + sizeof(uint16) +
					sizeof(uint8) + sizeof(uint8) + code_nbytes);
}

/* The most neighbours whose slot block fits nbytes. */
static int
slots_that_fit(Size nbytes, Size code_nbytes)
{
	Size		one = vs_hnsw_slots_nbytes(1, code_nbytes) - sizeof(VsHnswSlotsHeader);

	if (nbytes < sizeof(VsHnswSlotsHeader))
		return 0;
	return (nbytes - sizeof(VsHnswSlotsHeader)) / one;
}

/*
 * Lay nodes out n to a page; false if that leaves too few neighbours.
 */
static bool
try_shared_page(VsHnswGeometry *g, int nodes_per_page)
{
	Size		share = (VS_PAGE_CAPACITY / nodes_per_page) & ~(Size) 7;
	Size		vector_end = INTALIGN(sizeof(VsHnswNode) + sizeof(uint16) * g->dim);
	int			wanted = 2 * g->m;
	int			fitting;

	if (vector_end >= share)
		return false;
	fitting = slots_that_fit(share - vector_end, g->code_nbytes);
	if (fitting < wanted * MIN_NEIGHBOR_SHARE)
		return false;

	g->nodes_per_page = nodes_per_page;
	g->npages = 1;
	g->m0 = Min(wanted, fitting);
	g->slots_offset = vector_end;
	g->nslot_blocks = 1;
	g->slots_per_block = g->m0;
	g->node_nbytes = MAXALIGN(vector_end +
							  vs_hnsw_slots_nbytes(g->m0, g->code_nbytes));
	g->nvector_pages = 0;
	g->halves_first = g->dim;
	g->halves_next = 0;
	return true;
}

/* Lay a node out over pages of its own. */
static void
use_own_pages(VsHnswGeometry *g)
{
	int			wanted = Max((int) (2 * g->m * MIN_NEIGHBOR_SHARE), 1);

	g->nodes_per_page = 1;
	g->node_nbytes = VS_PAGE_CAPACITY;

	g->halves_first = (VS_PAGE_CAPACITY - sizeof(VsHnswNode)) / sizeof(uint16);
	g->halves_next = VS_PAGE_CAPACITY / sizeof(uint16);
	g->nvector_pages = 1;
	while (g->halves_first + (g->nvector_pages - 1) * g->halves_next < g->dim)
		g->nvector_pages++;

	g->slots_offset = 0;
	g->slots_per_block = Min(slots_that_fit(VS_PAGE_CAPACITY, g->code_nbytes),
							 2 * g->m);
	g->nslot_blocks = (wanted + g->slots_per_block - 1) / g->slots_per_block;
	g->m0 = Min(g->nslot_blocks * g->slots_per_block, 2 * g->m);
	g->slots_per_block = (g->m0 + g->nslot_blocks - 1) / g->nslot_blocks;
	g->m0 = g->nslot_blocks * g->slots_per_block;
	g->npages = g->nvector_pages + g->nslot_blocks;
}

void
vs_hnsw_geometry_init(VsHnswGeometry *g, int dim, int m, int bits)
{
	Size		smallest = INTALIGN(sizeof(VsHnswNode) + sizeof(uint16) * dim);
	bool		shared = false;

	memset(g, 0, sizeof(VsHnswGeometry));
	g->dim = dim;
	g->m = m;
	g->bits = bits;
	g->code_nbytes = vs_code_nbytes(bits, dim);

	for (int n = VS_PAGE_CAPACITY / smallest; n >= 1 && !shared; n--)
		shared = try_shared_page(g, n);
	if (!shared)
		use_own_pages(g);

	/* Upper records never span pages: codes of huge vectors are then fewer. */
	g->upper_m = Min(slots_that_fit(VS_PAGE_CAPACITY - sizeof(VsHnswUpper),
									g->code_nbytes), m);
	g->upper_nbytes = MAXALIGN(sizeof(VsHnswUpper) +
							   vs_hnsw_slots_nbytes(g->upper_m, g->code_nbytes));
	g->upper_per_page = VS_PAGE_CAPACITY / g->upper_nbytes;
}

Size
vs_hnsw_page_nbytes(const VsHnswGeometry *g, uint16 kind)
{
	switch (kind)
	{
		case HNSW_PAGE_META:
			return sizeof(VsHnswMeta);
		case HNSW_PAGE_NODE:
			return g->nodes_per_page * g->node_nbytes;
		case HNSW_PAGE_UPPER:
			return g->upper_per_page * g->upper_nbytes;
		default:
			return VS_PAGE_CAPACITY;
	}
}
