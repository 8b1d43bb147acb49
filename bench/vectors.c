/*
 * vectors.c
 *		Reads .fvecs, .bvecs and .ivecs, plain or compressed by gzip.
 *
 * A file is a sequence of records, little-endian: an int32 dimension, then
 * that many float32, uint8 or int32 values.  All records of a file have the
 * same dimension.  Nothing here swaps bytes: the driver runs on little-endian
 * machines only.
 */
#include "vectors.h"

#include "driver.h"

#include <string.h>
#include <zlib.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the driver reads vector files on little-endian machines only"
#endif

/* Records of one file as they are read: rows of raw elements. */
typedef struct RecordReader
{
	const char *path;
	gzFile		file;
	int			element_size;
	int			dim;
} RecordReader;

/* Does the path, less a .gz at its end, end so? */
static int
has_suffix(const char *path, const char *suffix)
{
	size_t		len = strlen(path);
	size_t		suffix_len = strlen(suffix);

	if (len > 3 && strcmp(path + len - 3, ".gz") == 0)
		len -= 3;
	return len >= suffix_len &&
		memcmp(path + len - suffix_len, suffix, suffix_len) == 0;
}

/* Begin to read a file; a plain one passes through zlib unchanged. */
static RecordReader
begin_reading(const char *path, int element_size)
{
	RecordReader reader = {path, gzopen(path, "rb"), element_size, 0};

	if (reader.file == NULL)
		vs_bench_fail("cannot open %s", path);
	gzbuffer(reader.file, 1 << 20);
	return reader;
}

/* Read the next record's dimension; 0 at the end of the file. */
static int
next_record(RecordReader *reader)
{
	int32_t		dim;
	int			nread = gzread(reader->file, &dim, sizeof(dim));

	if (nread == 0)
		return 0;
	if (nread != sizeof(dim) || dim < 1 || dim > 1000000 ||
		(reader->dim != 0 && reader->dim != dim))
		vs_bench_fail("%s: damaged record", reader->path);
	reader->dim = dim;
	return 1;
}

/* Read the record's elements, all reader->dim of them. */
static void
read_elements(RecordReader *reader, void *elements)
{
	int			nbytes = reader->dim * reader->element_size;

	if (gzread(reader->file, elements, nbytes) != nbytes)
		vs_bench_fail("%s: ends in the middle of a record", reader->path);
}

/*
 * Read up to limit rows (all of them where it is 0) of elements of 4 bytes, or
 * of bytes that become float4.  Returns the rows; sets their number and width.
 */
static void *
read_rows(const char *path, long limit, int element_size, long *n, int *width)
{
	RecordReader reader = begin_reading(path, element_size);
	long		room = 0;
	char	   *rows = NULL;
	uint8_t    *bytes = NULL;

	*n = 0;
	while ((limit == 0 || *n < limit) && next_record(&reader))
	{
		size_t		row_size = (size_t) reader.dim * 4;
		void	   *row;

		if (*n == room)
		{
			room = room == 0 ? 1024 : room * 2;
			rows = vs_bench_realloc(rows, room * row_size);
		}
		row = rows + *n * row_size;
		if (element_size == 4)
			read_elements(&reader, row);
		else
		{
			float	   *elements = row;

			if (bytes == NULL)
				bytes = vs_bench_alloc(reader.dim);
			read_elements(&reader, bytes);
			for (int i = 0; i < reader.dim; i++)
				elements[i] = bytes[i];
		}
		(*n)++;
	}
	gzclose(reader.file);
	if (*n == 0)
		vs_bench_fail("%s: holds no vectors", path);
	*width = reader.dim;
	return rows;
}

/* Read up to limit vectors, all of them where limit is 0. */
VsVectors
vs_bench_read_vectors(const char *path, long limit)
{
	VsVectors	vectors;
	int			element_size;

	if (has_suffix(path, ".fvecs"))
		element_size = 4;
	else if (has_suffix(path, ".bvecs"))
		element_size = 1;
	else
		vs_bench_fail("%s: vectors come as .fvecs or .bvecs, also with .gz",
					  path);
	vectors.data = read_rows(path, limit, element_size, &vectors.n,
							 &vectors.dim);
	return vectors;
}

/* Read up to limit rows of row numbers, all of them where limit is 0. */
VsNeighbours
vs_bench_read_neighbours(const char *path, long limit)
{
	VsNeighbours neighbours;

	if (!has_suffix(path, ".ivecs"))
		vs_bench_fail("%s: row numbers come as .ivecs, also with .gz", path);
	neighbours.ids = read_rows(path, limit, 4, &neighbours.n,
							   &neighbours.width);
	return neighbours;
}

/* Read n labels, a byte each. */
uint8_t *
vs_bench_read_labels(const char *path, long n)
{
	uint8_t    *labels = vs_bench_alloc(n);
	gzFile		file = gzopen(path, "rb");

	if (file == NULL)
		vs_bench_fail("cannot open %s", path);
	if (gzread(file, labels, n) != n)
		vs_bench_fail("%s: fewer labels than rows (%ld)", path, n);
	gzclose(file);
	return labels;
}
