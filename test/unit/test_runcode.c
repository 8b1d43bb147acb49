/*
 * test_runcode.c
 *		The bytes of a build's runs, there and back.
 *
 * What would break: postings of a bm25 index, wherever a number needs a byte more
 * than it is given, or a posting takes more bytes than buffers have for it.
 *
 * Output is TAP.
 */
#include "unit.h"

#include "bm25/bm25_runcode.h"

/* A number of any magnitude, from 1 bit on. */
static uint64
draw_number(int max_bits)
{
	int			bits = (int) (next_random() % (uint64) max_bits) + 1;

	return next_random() >> (64 - bits);
}

static void
test_numbers(void)
{
	int			nwrong = 0;

	for (int i = 0; i < 100000; i++)
	{
		uint64		number = i < 64 ? UINT64_MAX >> i : draw_number(64);
		uint8		bytes[BM25_RUN_NUMBER_NBYTES];
		const uint8 *end = vs_bm25_run_put_number(bytes, number);
		uint64		read;

		if (end > bytes + sizeof(bytes) ||
			vs_bm25_run_get_number(bytes, &read) != end || read != number)
			nwrong++;
	}
	ok(nwrong == 0, "numbers of all magnitudes: %d wrong", nwrong);
}

/* Frequencies of each kind: one, of label D, stripped, of several labels. */
static void
draw_tfs(int kind, uint16 tfs[BM25_LABELS])
{
	memset(tfs, 0, sizeof(uint16) * BM25_LABELS);
	if (kind == 0)
		tfs[0] = 1;
	else if (kind == 1)
		tfs[0] = (uint16) draw_number(16);
	else if (kind == 3)
		for (int label = 0; label < BM25_LABELS; label++)
			tfs[label] = (uint16) (next_random() % 2 ? draw_number(16) : 0);
	else if (kind == 4)
		memset(tfs, 0xff, sizeof(uint16) * BM25_LABELS);
}

/* Whether a posting is the same when it is read. */
static bool
survives(uint32 previous, uint32 doc, uint32 len, const uint16 tfs[BM25_LABELS],
		 VsBm25Block *block, int i)
{
	uint8		bytes[BM25_RUN_POSTING_NBYTES];
	const uint8 *end = vs_bm25_run_put_posting(bytes, doc - previous, len, tfs);

	if (end > bytes + sizeof(bytes) ||
		vs_bm25_run_get_posting(bytes, previous, block, i) != end)
		return false;
	for (int label = 0; label < BM25_LABELS; label++)
		if (block->tfs[label][i] != tfs[label])
			return false;
	return block->docs[i] == doc && block->lens[i] == len;
}

static void
test_postings(void)
{
	static VsBm25Block block;

	for (int kind = 0; kind < 5; kind++)
	{
		int			nwrong = 0;

		memset(&block, 0xff, sizeof(block));
		for (int n = 0; n < 100000; n++)
		{
			uint32		doc = n == 0 ? PG_UINT32_MAX : (uint32) draw_number(32);
			uint32		previous = n == 0 ? 0 : (uint32) (next_uniform() * doc);
			uint32		len = n == 0 ? PG_UINT32_MAX : (uint32) draw_number(32);
			uint16		tfs[BM25_LABELS];

			draw_tfs(kind, tfs);
			if (!survives(previous, doc, len, tfs, &block,
						  n % BM25_BLOCK_POSTINGS))
				nwrong++;
		}
		ok(nwrong == 0, "postings of kind %d: %d wrong", kind, nwrong);
	}
}

int
main(void)
{
	test_numbers();
	test_postings();
	return finish();
}
