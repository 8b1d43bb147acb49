/*
 * memory.h
 *		Watches the memory of a backend and its parallel workers.
 */
#ifndef VS_BENCH_MEMORY_H
#define VS_BENCH_MEMORY_H

typedef struct VsMemoryWatch VsMemoryWatch;

/* What a watch saw at most, beyond what the backend had when it began. */
typedef struct VsMemoryPeak
{
	int			is_known;		/* 0: the processes could not be read */
	double		total_mb;		/* at one moment */
	double		private_mb;
	double		shared_mb;
	double		touched_mb;		/* of the shared */
	int			nworkers;
} VsMemoryPeak;

extern VsMemoryWatch *vs_bench_begin_memory_watch(int backend_pid);
extern VsMemoryPeak vs_bench_end_memory_watch(VsMemoryWatch *watch);

#endif							/* VS_BENCH_MEMORY_H */
