/*
 * copy_binary.h
 *		Reading and writing PostgreSQL's binary COPY format.
 */
#ifndef COPY_BINARY_H
#define COPY_BINARY_H

#include <stdint.h>
#include <stdio.h>

/* A field of a tuple read; its bytes last until the next tuple is read. */
typedef struct CopyField
{
	int32_t		len;			/* -1 for NULL */
	const char *data;
} CopyField;

/*
 * Reading: the header, then tuples.  copy_read_tuple returns the number of
 * fields (at most max_fields, or the program ends), -1 at the end.
 */
extern void copy_read_header(FILE *file);
extern int	copy_read_tuple(FILE *file, CopyField *fields, int max_fields);

/* Writing: the header, for each tuple its head and its fields, the end. */
extern void copy_write_header(FILE *file);
extern void copy_write_tuple(FILE *file, int nfields);
extern void copy_write_field(FILE *file, const void *data, int32_t len);
extern void copy_write_int4(FILE *file, int32_t value);
extern void copy_write_vector(FILE *file, const float *values, int dim);
extern void copy_write_end(FILE *file);

/* Numbers in network order. */
extern int32_t copy_get_int32(const char *data);
extern int	copy_get_int16(const char *data);

/* Print a message like printf and end the program. */
extern void fail(const char *format,...)
			__attribute__((format(printf, 1, 2), noreturn));

/* Memory, zeroed, or the program ends. */
extern void *allocate(size_t count, size_t size);
extern void *enlarge(void *memory, size_t count, size_t size);

#endif							/* COPY_BINARY_H */
