/*
 * memory.c
 *		Watches the memory of a backend and its parallel workers.
 *
 * A thread samples /proc every few milliseconds.  Counted are
 *
 * - private: RssAnon of the backend and of each of its workers, less what the
 *   backend had before;
 * - shared: the blocks of the dynamic shared memory segments under /dev/shm
 *   that the backend maps, less those that it mapped before;
 * - touched: how much of these segments any of the processes has used, which
 *   is the sum of their proportional shares (Pss).  A segment's blocks are
 *   allocated at once, used or not, so the difference is memory taken in vain.
 *
 * The server's shared buffers are not counted (every process that reads pages
 * maps them, so VmHWM would be mostly those), nor is the page cache that
 * temporary files take.  Peaks between two samples are missed.
 *
 * The server must run on this machine, and reading the segments wants the
 * rights of its user or of root.
 */
#include "memory.h"

#include "driver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SAMPLE_NS 5000000
#define TOUCHED_EVERY 40		/* samples; reading Pss takes longer */
#define MAX_SEGMENTS 256
#define MAX_WORKERS 64

struct VsMemoryWatch
{
	int			backend_pid;
	int			parent_pid;
	pthread_t	thread;
	atomic_int	is_over;
	double		private_before_mb;
	double		shared_before_mb;
	double		touched_before_mb;
	VsMemoryPeak peak;
};

/* A number from /proc/PID/status, such as "RssAnon:"; -1 where it is not. */
static double
read_status(int pid, const char *field)
{
	char		path[64];
	char		line[256];
	double		value = -1;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			value = strtod(line + strlen(field), NULL);
	fclose(file);
	return value;
}

/* Is this process a parallel worker of the backend? */
static int
is_worker_of(int pid, int backend_pid)
{
	char		path[64];
	char		title[256];
	char		wanted[64];
	size_t		len;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	len = fread(title, 1, sizeof(title) - 1, file);
	fclose(file);
	title[len] = '\0';
	snprintf(wanted, sizeof(wanted), "parallel worker for PID %d",
			 backend_pid);
	return strstr(title, wanted) != NULL;
}

/* Find the backend's workers; the kernel lists the postmaster's children. */
static int
find_workers(const VsMemoryWatch *watch, int *workers)
{
	char		path[64];
	int			n = 0;
	int			pid;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
			 watch->parent_pid, watch->parent_pid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	while (n < MAX_WORKERS && fscanf(file, "%d", &pid) == 1)
		if (is_worker_of(pid, watch->backend_pid))
			workers[n++] = pid;
	fclose(file);
	return n;
}

/* A process's private memory; 0 where the process is gone. */
static double
read_private(int pid)
{
	double		kb = read_status(pid, "RssAnon:");

	return kb > 0 ? kb / 1024 : 0;
}

/*
 * Add up the segments that the backend maps; -1 where its mappings may not be
 * read.  A segment counts with the blocks that it has, touched or not: they
 * are taken from the machine.
 */
static double
read_segments(int pid)
{
	char		path[64];
	char		line[512];
	ino_t		seen[MAX_SEGMENTS];
	int			nseen = 0;
	double		sum_mb = 0;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
	{
		char	   *name = strstr(line, "/dev/shm/PostgreSQL.");
		struct stat status;
		int			i = 0;

		if (name == NULL)
			continue;
		name[strcspn(name, " \n")] = '\0';
		if (stat(name, &status) != 0)
			continue;
		while (i < nseen && seen[i] != status.st_ino)
			i++;
		if (i < nseen || nseen == MAX_SEGMENTS)
			continue;
		seen[nseen++] = status.st_ino;
		sum_mb += status.st_blocks * 512.0 / (1024 * 1024);
	}
	fclose(file);
	return sum_mb;
}

/* A process's share of what is used of the segments that it maps. */
static double
read_touched(int pid)
{
	char		path[64];
	char		line[512];
	int			is_segment = 0;
	double		sum_kb = 0;
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strchr("0123456789abcdef", line[0]) != NULL)
			is_segment = strstr(line, "/dev/shm/PostgreSQL.") != NULL;
		else if (is_segment && strncmp(line, "Pss:", 4) == 0)
			sum_kb += strtod(line + 4, NULL);
	fclose(file);
	return sum_kb / 1024;
}

/* The larger number. */
static double
larger(double a, double b)
{
	return a > b ? a : b;
}

/* Take one sample. */
static void
take_sample(VsMemoryWatch *watch, int with_touched)
{
	VsMemoryPeak *peak = &watch->peak;
	int			workers[MAX_WORKERS];
	int			nworkers = find_workers(watch, workers);
	double		private_mb = read_private(watch->backend_pid);
	double		shared_mb = read_segments(watch->backend_pid);
	double		touched_mb = 0;

	for (int i = 0; i < nworkers; i++)
		private_mb += read_private(workers[i]);
	private_mb -= watch->private_before_mb;
	shared_mb -= watch->shared_before_mb;
	if (with_touched)
	{
		touched_mb = read_touched(watch->backend_pid) -
			watch->touched_before_mb;
		for (int i = 0; i < nworkers; i++)
			touched_mb += read_touched(workers[i]);
	}
	peak->private_mb = larger(peak->private_mb, private_mb);
	peak->shared_mb = larger(peak->shared_mb, shared_mb);
	peak->touched_mb = larger(peak->touched_mb, touched_mb);
	peak->total_mb = larger(peak->total_mb, private_mb + shared_mb);
	if (nworkers > peak->nworkers)
		peak->nworkers = nworkers;
}

/* The thread: sample until the watch is over. */
static void *
sample_until_over(void *arg)
{
	VsMemoryWatch *watch = arg;
	struct timespec pause = {0, SAMPLE_NS};

	for (long i = 0; !atomic_load(&watch->is_over); i++)
	{
		take_sample(watch, i % TOUCHED_EVERY == 0);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Begin to watch a backend, which must be idle now. */
VsMemoryWatch *
vs_bench_begin_memory_watch(int backend_pid)
{
	VsMemoryWatch *watch = vs_bench_alloc(sizeof(*watch));
	double		anon_kb = read_status(backend_pid, "RssAnon:");

	watch->backend_pid = backend_pid;
	watch->parent_pid = read_status(backend_pid, "PPid:");
	watch->private_before_mb = anon_kb / 1024;
	watch->shared_before_mb = read_segments(backend_pid);
	watch->touched_before_mb = read_touched(backend_pid);
	if (anon_kb < 0 || watch->shared_before_mb < 0)
		return watch;
	watch->peak.is_known = 1;
	if (pthread_create(&watch->thread, NULL, sample_until_over, watch) != 0)
		vs_bench_fail("cannot start a thread");
	return watch;
}

/* End the watch and free it. */
VsMemoryPeak
vs_bench_end_memory_watch(VsMemoryWatch *watch)
{
	VsMemoryPeak peak;

	if (watch->peak.is_known)
	{
		atomic_store(&watch->is_over, 1);
		pthread_join(watch->thread, NULL);
	}
	peak = watch->peak;
	free(watch);
	return peak;
}
