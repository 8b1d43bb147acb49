/*
 * bm25_packing_template.h
 *		Arrays of numbers of one type.
 *
 * Before including it, define
 *
 *		NUMBER					type of the numbers
 *		NUMBERS					16 bytes of them
 *		NBITS					bits of a number
 *		PUT_ARRAY, GET_ARRAY	names of functions
 *		NAME(function)			names of those that nobody else calls
 *
 * All are undefined at the end.
 */

#define NLANES ((int) (sizeof(NUMBERS) / sizeof(NUMBER)))

/* Pack 128 numbers in lanes. */
static void
NAME(pack_lanes) (const NUMBER *numbers, int width, uint8 *bytes)
{
	const NUMBERS none = {0};
	NUMBERS		word = none;
	int			nused = 0;

	for (int i = 0; i < BM25_BLOCK_POSTINGS && width > 0; i += NLANES)
	{
		NUMBERS		row;

		memcpy(&row, numbers + i, sizeof(row));
		word |= row << nused;
		nused += width;
		if (nused < NBITS)
			continue;
		memcpy(bytes, &word, sizeof(word));
		bytes += sizeof(word);
		nused -= NBITS;
		/* What the word had no room for; shifting by NBITS is undefined. */
		word = nused == 0 ? none : row >> (width - nused);
	}
}

/* Pack fewer numbers. */
static void
NAME(pack_few) (const NUMBER *numbers, int n, int width, uint8 *bytes)
{
	BitWriter	writer = {bytes, 0, 0};

	for (int i = 0; i < n; i++)
		put_bits(&writer, numbers[i], width);
	put_last_bits(&writer);
}

/* Unpack row r: width and r are constants where this is inlined. */
static pg_attribute_always_inline void
NAME(unpack_row) (const uint8 *bytes, NUMBER base, int width, int r, NUMBER *numbers)
{
	int			shift = r * width % NBITS;
	NUMBERS		row = {0};
	NUMBERS		next;

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
	NAME(unpack_row) (bytes, base, width, r, numbers); \
	NAME(unpack_row) (bytes, base, width, (r) + 1, numbers); \
	NAME(unpack_row) (bytes, base, width, (r) + 2, numbers); \
	NAME(unpack_row) (bytes, base, width, (r) + 3, numbers)

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

/* Unpack 128 numbers from lanes. */
static void
NAME(unpack_lanes) (const uint8 *bytes, NUMBER base, int width, NUMBER *numbers)
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

/* Unpack fewer numbers. */
static void
NAME(unpack_few) (const uint8 *bytes, int n, NUMBER base, int width, NUMBER *numbers)
{
	uint64		mask = (UINT64CONST(1) << width) - 1;
	int			nbytes = packed_nbytes(n, width);
	int			nfar = width == 0 ? 0 : count_far_from_end(n, width);
	int			i = 0;

	for (; i < nfar; i++)
		numbers[i] = base +
			(get_bytes(bytes + i * width / 8) >> i * width % 8 & mask);
	for (; i < n; i++)
		numbers[i] = base + (get_last_bytes(bytes, nbytes, i * width / 8) >>
							 i * width % 8 & mask);
}

/* Put the patches of n numbers, if any have bits above a width. */
static uint8 *
NAME(put_patches) (uint8 *p, const NUMBER *numbers, int n, int width)
{
	NUMBER		most = (NUMBER) ((UINT64CONST(1) << width) - 1);
	uint8	   *begin = p++;

	for (int i = 0; i < n; i++)
		if (numbers[i] > most)
		{
			*p++ = i;
			p = vs_bm25_put_varint(p, numbers[i] >> width);
		}
	Assert(p - begin - 1 <= PG_UINT8_MAX);
	*begin = p - begin - 1;
	return p;
}

/* Patch n numbers; returns the byte behind the patches, NULL if corrupt. */
static const uint8 *
NAME(get_patches) (const uint8 *p, const uint8 *end, int n, int width,
				   NUMBER *numbers)
{
	if (p >= end || *p > end - p - 1)
		return NULL;
	end = p + 1 + *p;
	p++;
	while (p < end)
	{
		uint8		i = *p++;
		uint32		high;

		p = vs_bm25_get_varint(p, end, &high);
		if (p == NULL || i >= n)
			return NULL;
		numbers[i] += (NUMBER) (high << width % NBITS);
	}
	return end;
}

uint8 *
PUT_ARRAY(uint8 *p, const NUMBER *numbers, int n, NUMBER base)
{
	NUMBER		rest[BM25_BLOCK_POSTINGS];
	int			counts[NBITS + 1] = {0};
	NUMBER		bits = 0;
	int			largest;
	int			width;
	NUMBER		mask;
	NUMBER		low[BM25_BLOCK_POSTINGS];

	Assert(n >= 1 && n <= BM25_BLOCK_POSTINGS);
	for (int i = 0; i < n; i++)
	{
		rest[i] = numbers[i] - base;
		counts[width_of(rest[i])]++;
		bits |= rest[i];
	}
	largest = width_of(bits);
	width = n == 1 ? largest : choose_width(counts, largest, n);
	mask = (NUMBER) ((UINT64CONST(1) << width) - 1);
	for (int i = 0; i < n; i++)
		low[i] = rest[i] & mask;

	*p++ = width | (width < largest ? BM25_PATCHED : 0);
	if (n == BM25_BLOCK_POSTINGS)
		NAME(pack_lanes) (low, width, p);
	else
		NAME(pack_few) (low, n, width, p);
	p += packed_nbytes(n, width);
	return width < largest ? NAME(put_patches) (p, rest, n, width) : p;
}

const uint8 *
GET_ARRAY(const uint8 *p, const uint8 *end, int n, NUMBER base, NUMBER *numbers)
{
	int			width;
	bool		is_patched;

	Assert(n >= 1 && n <= BM25_BLOCK_POSTINGS);
	if (p >= end)
		return NULL;
	width = *p & ~BM25_PATCHED;
	is_patched = (*p++ & BM25_PATCHED) != 0;
	if (width > NBITS || packed_nbytes(n, width) > end - p)
		return NULL;
	if (n == BM25_BLOCK_POSTINGS)
		NAME(unpack_lanes) (p, base, width, numbers);
	else
		NAME(unpack_few) (p, n, base, width, numbers);
	p += packed_nbytes(n, width);
	return is_patched ? NAME(get_patches) (p, end, n, width, numbers) : p;
}

#undef CASE
#undef ROWS16
#undef ROWS4
#undef NLANES
#undef NUMBER
#undef NUMBERS
#undef NBITS
#undef PUT_ARRAY
#undef GET_ARRAY
#undef NAME
