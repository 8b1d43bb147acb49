/*
 * copy_binary.c
 *		Reading and writing PostgreSQL's binary COPY format.
 *
 * A file is a header of 19 bytes, tuples, and an int16 of -1.  A tuple is an
 * int16 number of fields and for each an int32 length (-1 for NULL) and its
 * bytes.  All numbers are in network order.
 */
#include "copy_binary.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char signature[11] = "PGCOPY\n\377\r\n";

/* Print a message and end the program. */
void
fail(const char *format,...)
{
	va_list		args;

	fputs("lsa: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Allocate an array of zeros. */
void *
allocate(size_t count, size_t size)
{
	void	   *memory = calloc(count > 0 ? count : 1, size);

	if (memory == NULL)
		fail("out of memory");
	return memory;
}

/* Change the size of an array; what is new is not initialized. */
void *
enlarge(void *memory, size_t count, size_t size)
{
	memory = realloc(memory, count * size);
	if (memory == NULL)
		fail("out of memory");
	return memory;
}

int32_t
copy_get_int32(const char *data)
{
	uint32_t	value;

	memcpy(&value, data, sizeof(value));
	return (int32_t) ntohl(value);
}

int
copy_get_int16(const char *data)
{
	uint16_t	value;

	memcpy(&value, data, sizeof(value));
	return (int16_t) ntohs(value);
}

/* Read exactly this many bytes. */
static void
read_bytes(FILE *file, char *data, size_t len)
{
	if (fread(data, 1, len, file) != len)
		fail("the input ends too early");
}

/* Check the header and skip its extension. */
void
copy_read_header(FILE *file)
{
	char		header[sizeof(signature) + 8];
	int32_t		extension;

	read_bytes(file, header, sizeof(header));
	if (memcmp(header, signature, sizeof(signature)) != 0)
		fail("the input is not in binary COPY format");
	extension = copy_get_int32(header + sizeof(signature) + 4);
	while (extension-- > 0)
		if (fgetc(file) == EOF)
			fail("the input ends too early");
}

/* Read one tuple; see copy_binary.h. */
int
copy_read_tuple(FILE *file, CopyField *fields, int max_fields)
{
	static char *buffer = NULL;
	static size_t size = 0;
	char		word[4];
	size_t		used = 0;
	int			nfields;

	read_bytes(file, word, 2);
	nfields = copy_get_int16(word);
	if (nfields > max_fields)
		fail("a tuple has %d fields, expected %d", nfields, max_fields);

	for (int i = 0; i < nfields; i++)
	{
		int32_t		len;

		read_bytes(file, word, 4);
		len = fields[i].len = copy_get_int32(word);
		if (len <= 0)
			continue;
		if (used + len > size)
		{
			size = 2 * (used + len);
			buffer = enlarge(buffer, size, 1);
		}
		read_bytes(file, buffer + used, len);
		used += len;
	}

	/* The buffer moves no more. */
	used = 0;
	for (int i = 0; i < nfields; i++)
	{
		fields[i].data = buffer + used;
		used += fields[i].len > 0 ? fields[i].len : 0;
	}
	return nfields;
}

static void
write_bytes(FILE *file, const void *data, size_t len)
{
	if (fwrite(data, 1, len, file) != len)
		fail("cannot write the output");
}

static void
write_int32(FILE *file, int32_t value)
{
	uint32_t	word = htonl((uint32_t) value);

	write_bytes(file, &word, sizeof(word));
}

static void
write_int16(FILE *file, int value)
{
	uint16_t	word = htons((uint16_t) value);

	write_bytes(file, &word, sizeof(word));
}

void
copy_write_header(FILE *file)
{
	write_bytes(file, signature, sizeof(signature));
	write_int32(file, 0);		/* flags */
	write_int32(file, 0);		/* length of the extension */
}

void
copy_write_tuple(FILE *file, int nfields)
{
	write_int16(file, nfields);
}

/* A field of any type, as bytes; len -1 is NULL. */
void
copy_write_field(FILE *file, const void *data, int32_t len)
{
	write_int32(file, len);
	if (len > 0)
		write_bytes(file, data, len);
}

void
copy_write_int4(FILE *file, int32_t value)
{
	write_int32(file, 4);
	write_int32(file, value);
}

/* A vector: int16 dimensions, int16 zero, float4 elements. */
void
copy_write_vector(FILE *file, const float *values, int dim)
{
	write_int32(file, 4 + 4 * dim);
	write_int16(file, dim);
	write_int16(file, 0);
	for (int i = 0; i < dim; i++)
	{
		int32_t		bits;

		memcpy(&bits, &values[i], sizeof(bits));
		write_int32(file, bits);
	}
}

/* The end of the tuples; the file is flushed. */
void
copy_write_end(FILE *file)
{
	write_int16(file, -1);
	if (fflush(file) != 0)
		fail("cannot write the output");
}
