/*
 * driver.h
 *		What every file of the benchmark driver uses: failing, memory, time.
 *
 * The driver is a program of one run: whatever goes wrong ends it with a
 * message, and memory that lives as long as the run is not freed.
 */
#ifndef VS_BENCH_DRIVER_H
#define VS_BENCH_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#define VS_BENCH_COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

extern void vs_bench_fail(const char *format,...)
			__attribute__((noreturn, format(printf, 1, 2)));
extern void vs_bench_say(const char *format,...)
			__attribute__((format(printf, 1, 2)));
extern void *vs_bench_alloc(size_t nbytes);
extern void *vs_bench_realloc(void *memory, size_t nbytes);
extern char *vs_bench_format(const char *format,...)
			__attribute__((format(printf, 1, 2)));
extern double vs_bench_now_s(void);

#endif							/* VS_BENCH_DRIVER_H */
