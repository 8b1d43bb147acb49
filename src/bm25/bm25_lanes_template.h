/*
 * bm25_lanes_template.h
 *		128 numbers packed in lanes.
 *
 * Before including it, define
 *
 *		PACK, UNPACK			names of functions
 *		UNPACK_ROW				and of a part
 *		NUMBER					type of the numbers
 *		LANES					16 bytes of them
 *		NBITS					bits of a number
 *
 * All are undefined at the end.
 */

#define NLANES ((int) (sizeof(LANES) / sizeof(NUMBER)))

static void
PACK(const NUMBER * numbers, NUMBER base, int width, uint8 *bytes)
{
	LANES		word = {0};
	int			nused = 0;

	for (int i = 0; i < BM25_BLOCK_POSTINGS && width > 0; i += NLANES)
	{
		LANES		row;

		memcpy(&row, numbers + i, sizeof(row));
		row -= base;
		word |= row << nused;
		nused += width;
		if (nused < NBITS)
			continue;
		memcpy(bytes, &word, sizeof(word));
		bytes += sizeof(word);
		nused -= NBITS;
		/* What the word had no room for; a shift by NBITS is undefined. */
		word = nused == 0 ? (LANES)
		{
			0
		} : row >> (width - nused);
	}
}

/* Unpack row r: width and r are constants where this is inlined. */
static pg_attribute_always_inline void
UNPACK_ROW(const uint8 *bytes, NUMBER base, int width, int r, NUMBER * numbers)
{
	int			shift = r * width % NBITS;
	LANES		row = {0};
	LANES		next;

	bytes += r * width / NBITS * (int) sizeof(row);
	if (width > 0)
	{
		memcpy(&row, bytes, sizeof(row));
		row >>= shift;
	}
	if (shift + width > NBITS)
	{
		memcpy(&next, bytes + sizeof(next), sizeof(next));
		row |= next << (NBITS - shift);
	}
	if (width < NBITS)
		row &= (NUMBER) ((1U << width % NBITS) - 1);
	row += base;
	memcpy(numbers + r * NLANES, &row, sizeof(row));
}

#define ROWS4(width, r) \
	UNPACK_ROW(bytes, base, width, r, numbers); \
	UNPACK_ROW(bytes, base, width, (r) + 1, numbers); \
	UNPACK_ROW(bytes, base, width, (r) + 2, numbers); \
	UNPACK_ROW(bytes, base, width, (r) + 3, numbers)

#define ROWS16(width, r) \
	ROWS4(width, r); \
	ROWS4(width, (r) + 4); \
	ROWS4(width, (r) + 8); \
	ROWS4(width, (r) + 12)

/* There are as many rows as a number has bits. */
#if NBITS == 32
#define CASE(width) \
	case width: \
		ROWS16(width, 0); \
		ROWS16(width, 16); \
		break
#else
#define CASE(width) \
	case width: \
		ROWS16(width, 0); \
		break
#endif

static void
UNPACK(const uint8 *bytes, NUMBER base, int width, NUMBER * numbers)
{
	switch (width)
	{
			CASE(0);
			CASE(1);
			CASE(2);
			CASE(3);
			CASE(4);
			CASE(5);
			CASE(6);
			CASE(7);
			CASE(8);
			CASE(9);
			CASE(10);
			CASE(11);
			CASE(12);
			CASE(13);
			CASE(14);
			CASE(15);
			CASE(16);
#if NBITS == 32
			CASE(17);
			CASE(18);
			CASE(19);
			CASE(20);
			CASE(21);
			CASE(22);
			CASE(23);
			CASE(24);
			CASE(25);
			CASE(26);
			CASE(27);
			CASE(28);
			CASE(29);
			CASE(30);
			CASE(31);
			CASE(32);
#endif
	}
}

#undef CASE
#undef ROWS16
#undef ROWS4
#undef NLANES
#undef PACK
#undef UNPACK
#undef UNPACK_ROW
#undef NUMBER
#undef LANES
#undef NBITS
