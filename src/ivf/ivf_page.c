/*
 * ivf_page.c
 *		How rows are fitted to pages.
 */
#include "postgres.h"

#include "ivf/ivf_page.h"
#include "kernel/packed.h"

int
vs_ivf_code_bits(int dim)
{
	if (dim <= 32)
		return VS_RABITQ_FLOAT16_BITS;
	if (dim <= 64)
		return 4;
	if (dim < 192)
		return 2;
	return 1;
}

/* Numbers of vector pages that a list page of nslots has. */
static int
count_vector_blocks(const VsIvfGeometry *g, int nslots)
{
	if (g->vectors_per_page == 0)
		return 0;
	return (nslots + g->vectors_per_page - 1) / g->vectors_per_page;
}

/* Blocks of codes that a list page of nslots has. */
static int
count_blocks(const VsIvfGeometry *g, int nslots)
{
	if (g->bits == VS_RABITQ_FLOAT16_BITS || nslots < VS_PACKED_NCODES)
		return 0;
	return (nslots + VS_PACKED_NCODES - 1) / VS_PACKED_NCODES;
}

/* Where codes begin in the records of a list page of nslots. */
static Size
codes_offset(const VsIvfGeometry *g, int nslots)
{
	Size		before = MAXALIGN(SizeOfPageHeaderData);
	Size		nbytes = sizeof(VsIvfListPage) +
		sizeof(BlockNumber) * count_vector_blocks(g, nslots) +
		nslots * (sizeof(ItemPointerData) + 3 * sizeof(uint16));

	if (count_blocks(g, nslots) == 0)
		return nbytes;
	return TYPEALIGN(VS_PACKED_NCODES, before + nbytes) - before;
}

/* Bytes of the records of a list page of nslots. */
static Size
list_nbytes(const VsIvfGeometry *g, int nslots)
{
	int			ncodes = Max(count_blocks(g, nslots) * VS_PACKED_NCODES, nslots);

	return codes_offset(g, nslots) + ncodes * g->code_nbytes;
}

/* Pages that nslots rows take. */
static int
count_pages(const VsIvfGeometry *g, int nslots)
{
	return 1 + count_vector_blocks(g, nslots) * g->pages_per_vector;
}

/* Whether rows take fewer pages in list pages of n slots than of "other". */
static bool
is_denser(const VsIvfGeometry *g, int n, int other)
{
	return count_pages(g, n) * other <= count_pages(g, other) * n;
}

/*
 * The number of slots with the fewest pages to a row: the last page of vectors
 * of a list page may not be full, nor the last block of its codes.  Enough for a
 * block, where so many fit: packed codes are worth more than some bytes.
 */
static int
choose_slots(const VsIvfGeometry *g)
{
	int			best = 1;

	for (int n = 2; list_nbytes(g, n) <= VS_PAGE_CAPACITY; n++)
		if (is_denser(g, n, best) ||
			(count_blocks(g, n) > 0 && count_blocks(g, best) == 0))
			best = n;
	return best;
}

void
vs_ivf_geometry_init(VsIvfGeometry *g, int dim, int bits)
{
	memset(g, 0, sizeof(VsIvfGeometry));
	g->dim = dim;
	g->bits = bits;
	g->code_nbytes = vs_code_nbytes(bits, dim);
	if (bits != VS_RABITQ_FLOAT16_BITS)
	{
		int			nnumbers = 1 + dim;

		g->pages_per_vector = (nnumbers + IVF_NUMBERS_PER_PAGE - 1) /
			IVF_NUMBERS_PER_PAGE;
		g->vector_nbytes = sizeof(uint16) * Min(nnumbers, IVF_NUMBERS_PER_PAGE);
		g->vectors_per_page = VS_PAGE_CAPACITY / g->vector_nbytes;
	}
	g->nslots = choose_slots(g);
	g->nblocks = count_blocks(g, g->nslots);
	g->codes_offset = codes_offset(g, g->nslots);
	g->nvector_blocks = count_vector_blocks(g, g->nslots);
	g->list_nbytes = list_nbytes(g, g->nslots);
}

Size
vs_ivf_page_nbytes(const VsIvfGeometry *g, uint16 kind)
{
	switch (kind)
	{
		case IVF_PAGE_META:
			return sizeof(VsIvfMeta);
		case IVF_PAGE_LIST:
			return g->list_nbytes;
		case IVF_PAGE_VECTORS:
			return g->vectors_per_page * g->vector_nbytes;
		default:
			return IVF_ENTRIES_PER_PAGE * sizeof(VsIvfEntry);
	}
}
