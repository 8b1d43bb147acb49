/*
 * driver.c
 *		Failing, memory and time for the benchmark driver.
 */
#include "driver.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* End the run with a message. */
void
vs_bench_fail(const char *format,...)
{
	va_list		args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Tell whoever watches what goes on; never part of a result. */
void
vs_bench_say(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Memory of nbytes, zeroed; never NULL. */
void *
vs_bench_alloc(size_t nbytes)
{
	void	   *memory = calloc(1, nbytes > 0 ? nbytes : 1);

	if (memory == NULL)
		vs_bench_fail("out of memory: %zu bytes", nbytes);
	return memory;
}

/* As realloc, but never NULL; what is new is not zeroed. */
void *
vs_bench_realloc(void *memory, size_t nbytes)
{
	memory = realloc(memory, nbytes > 0 ? nbytes : 1);
	if (memory == NULL)
		vs_bench_fail("out of memory: %zu bytes", nbytes);
	return memory;
}

/* A new string, printed; the caller may free it. */
char *
vs_bench_format(const char *format,...)
{
	va_list		args;
	char	   *text;
	int			len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		vs_bench_fail("out of memory");
	return text;
}

/* Seconds on a clock that only goes forward. */
double
vs_bench_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}
