/*
 * test_posting.c
 *		Blocks of postings: what is encoded is decoded, and nothing else is.
 *
 * What would break: postings that come back wrong at some width or number;
 * reads beyond a block, which may end a page, or writes beyond what a block
 * holds, when its bytes are damaged.  Blocks lie before memory that cannot be
 * touched.
 *
 * Given an argument, "quick", fewer are damaged: for an emulated processor.
 * Output is TAP.
 */
#include "unit.h"

#include "arena.h"
#include "bm25/bm25_packing.h"
#include "bm25/bm25_posting.h"

static Arena block_arena;
static Arena bytes_arena;
static int	ndamages = 500000;

/* Below 2^width, which is at most 32; often much less, if there are outliers. */
static uint32
draw(int width, bool outliers)
{
	if (outliers && next_random() % 16 != 0)
		width = Max(width - 5, 0);
	return (uint32) (next_random() & ((UINT64CONST(1) << width) - 1));
}

typedef struct Shape
{
	int			n;
	int			doc_width;
	int			tf_width;
	int			len_width;
	unsigned int labels;		/* that have tfs */
	int			least_tf;
	bool		outliers;
} Shape;

/* Fill a block; returns the doc before. */
static int64
draw_block(const Shape *shape, VsBm25Block *block)
{
	int64		previous = (int64) (next_random() % 1000) - 1;
	int64		doc = previous;

	memset(block, 0, sizeof(*block));
	block->n = shape->n;
	for (int i = 0; i < shape->n; i++)
	{
		uint32		gap = draw(shape->doc_width, shape->outliers);

		/* Room for the docs that follow. */
		doc += Min((uint64) gap,
				   (uint64) ((int64) PG_UINT32_MAX - doc - (shape->n - i))) + 1;
		block->docs[i] = (uint32) doc;
		block->lens[i] = draw(shape->len_width, shape->outliers);
		for (int label = 0; label < BM25_LABELS; label++)
			if (shape->labels & (1 << label))
				block->tfs[label][i] = Max(draw(shape->tf_width, shape->outliers),
										   shape->least_tf);
	}
	return previous;
}

static bool
same_block(const VsBm25Block *a, const VsBm25Block *b)
{
	bool		same = a->n == b->n &&
		memcmp(a->docs, b->docs, sizeof(uint32) * a->n) == 0 &&
		memcmp(a->lens, b->lens, sizeof(uint32) * a->n) == 0;

	for (int label = 0; label < BM25_LABELS; label++)
		same &= memcmp(a->tfs[label], b->tfs[label], sizeof(uint16) * a->n) == 0;
	return same;
}

/* Encode into the end of the arena; *bytes is where. */
static int
encode(const VsBm25Block *block, int64 previous, uint8 **bytes)
{
	static uint8 buffer[BM25_BLOCK_MAX_NBYTES];
	int			nbytes = vs_bm25_block_encode(block, previous, buffer);

	*bytes = place(bytes_arena, AT_END, nbytes, 1);
	memcpy(*bytes, buffer, nbytes);
	return nbytes;
}

static bool
decode(const uint8 *bytes, int nbytes, int64 previous, VsBm25Block *block)
{
	return vs_bm25_block_decode_docs(bytes, nbytes, previous, block) &&
		vs_bm25_block_decode_rest(bytes, nbytes, block);
}

static bool
round_trip(const Shape *shape)
{
	VsBm25Block *block = place(block_arena, AT_END, 1, sizeof(VsBm25Block));
	static VsBm25Block original;
	int64		previous = draw_block(shape, &original);
	uint8	   *bytes;
	int			nbytes = encode(&original, previous, &bytes);

	memset(block, 0x5a, sizeof(*block));
	return nbytes <= BM25_BLOCK_MAX_NBYTES &&
		decode(bytes, nbytes, previous, block) && same_block(&original, block);
}

static void
test_widths(void)
{
	bool		passed = true;

	for (int n = 1; n <= BM25_BLOCK_POSTINGS; n += n < 126 ? 5 : 1)
		for (int width = 0; width <= 32; width++)
			for (int outliers = 0; outliers <= 1; outliers++)
			{
				Shape		shape = {n, width, Min(width, 16), 32 - width, 1, 1,
				outliers != 0};

				passed &= round_trip(&shape);
			}
	ok(passed, "postings come back at each width");
}

static void
test_labels(void)
{
	bool		passed = true;

	for (int n = 1; n <= BM25_BLOCK_POSTINGS; n++)
		for (unsigned int labels = 0; labels < 1 << BM25_LABELS; labels++)
			for (int least = 0; least <= 1; least++)
			{
				Shape		shape = {n, 9, n % 9, 7, labels, least, n % 2 == 0};

				passed &= round_trip(&shape);
			}
	ok(passed, "term frequencies come back, whichever labels there are");
}

/* The last docs that there can be, and the longest gap. */
static void
test_extremes(void)
{
	static VsBm25Block block;
	static VsBm25Block decoded;
	bool		passed = true;

	for (int n = 1; n <= BM25_BLOCK_POSTINGS; n++)
	{
		uint8	   *bytes;
		int			nbytes;

		block.n = n;
		for (int i = 0; i < n; i++)
		{
			block.docs[i] = PG_UINT32_MAX - (n - 1 - i);
			block.lens[i] = i % 2 == 0 ? 0 : PG_UINT32_MAX;
			for (int label = 0; label < BM25_LABELS; label++)
				block.tfs[label][i] = i % 3 == 0 ? 0 : PG_UINT16_MAX;
		}
		nbytes = encode(&block, -1, &bytes);
		passed &= decode(bytes, nbytes, -1, &decoded) &&
			same_block(&block, &decoded);
		/* From a later doc on they would lead beyond the last. */
		passed &= !vs_bm25_block_decode_docs(bytes, nbytes, 0, &decoded);
	}
	ok(passed, "documents end at 2^32 - 1");
}

/* Common words take few bytes. */
static void
test_sizes(void)
{
	static VsBm25Block block;
	uint8		bytes[BM25_BLOCK_MAX_NBYTES];
	bool		passed = true;

	block.n = BM25_BLOCK_POSTINGS;
	for (int i = 0; i < block.n; i++)
	{
		block.docs[i] = i;
		block.lens[i] = 20;
		block.tfs[0][i] = 1;
	}
	passed &= vs_bm25_block_encode(&block, -1, bytes) == 5;
	block.n = 1;
	block.docs[0] = 100000;
	passed &= vs_bm25_block_encode(&block, -1, bytes) == 7;
	ok(passed, "what is the same in all postings takes no bits");
}

/*
 * Decode damaged bytes: whatever they are taken for, docs ascend, and neither
 * memory is overrun.
 */
static bool
survives(uint8 *bytes, int nbytes, int64 previous, VsBm25Block *block)
{
	if (!vs_bm25_block_decode_docs(bytes, nbytes, previous, block))
		return true;
	if (block->n < 1 || block->n > BM25_BLOCK_POSTINGS)
		return false;
	for (int i = 0; i < block->n; i++)
	{
		if ((int64) block->docs[i] <= previous)
			return false;
		previous = block->docs[i];
	}
	vs_bm25_block_decode_rest(bytes, nbytes, block);
	return true;
}

static void
test_damages(void)
{
	VsBm25Block *block = place(block_arena, AT_END, 1, sizeof(VsBm25Block));
	static VsBm25Block original;
	bool		passed = true;

	for (int i = 0; i < ndamages; i++)
	{
		Shape		shape = {1 + i % BM25_BLOCK_POSTINGS, i % 33, i % 17, i % 31,
		i % 16, i % 2, i % 3 == 0};
		int64		previous = draw_block(&shape, &original);
		uint8	   *bytes;
		int			nbytes = encode(&original, previous, &bytes);
		int			ndamaged = 1 + next_random() % 3;
		int			near = next_random() % 2 == 0 ? nbytes : Min(nbytes, 8);

		for (int j = 0; j < ndamaged; j++)
			bytes[next_random() % near] ^= 1 << next_random() % 8;
		passed &= survives(bytes, nbytes, previous, block);
	}
	ok(passed, "damaged bytes do no harm");
}

static void
test_truncation(void)
{
	VsBm25Block *block = place(block_arena, AT_END, 1, sizeof(VsBm25Block));
	static VsBm25Block original;
	bool		passed = true;

	for (int n = 1; n <= BM25_BLOCK_POSTINGS; n++)
	{
		Shape		shape = {n, 10, 3, 8, 0x9, 0, true};
		int64		previous = draw_block(&shape, &original);
		uint8	   *bytes;
		int			nbytes = encode(&original, previous, &bytes);

		for (int less = 1; less <= nbytes; less++)
		{
			uint8	   *moved = bytes + less;

			memmove(moved, bytes, nbytes - less);
			passed &= !decode(moved, nbytes - less, previous, block);
			memmove(bytes, moved, nbytes - less);
			nbytes = encode(&original, previous, &bytes);
		}
	}
	ok(passed, "a block that ends too early is not taken for one");
}

static void
test_noise(void)
{
	VsBm25Block *block = place(block_arena, AT_END, 1, sizeof(VsBm25Block));
	bool		passed = true;

	for (int i = 0; i < ndamages; i++)
	{
		int			nbytes = next_random() % 300;
		uint8	   *bytes = place(bytes_arena, AT_END, nbytes, 1);

		for (int j = 0; j < nbytes; j++)
			bytes[j] = next_random();
		if (nbytes > 2)
		{
			bytes[0] %= BM25_BLOCK_POSTINGS;
			bytes[1] &= BM25_PATCHED | 15;
		}
		passed &= survives(bytes, nbytes, -1, block);
	}
	ok(passed, "bytes of no block do no harm");
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "quick") == 0)
		ndamages = 100000;
	block_arena = create_arena(sizeof(VsBm25Block));
	bytes_arena = create_arena(BM25_BLOCK_MAX_NBYTES);

	test_widths();
	test_labels();
	test_extremes();
	test_sizes();
	test_damages();
	test_truncation();
	test_noise();
	return finish();
}
