/*
 * seed.c
 *		What is random in an index, and the setting that makes builds repeatable.
 */
#include "postgres.h"

#include "index/seed.h"
#include "utils/memutils.h"

int			vs_build_seed = 0;
pg_prng_state *vs_prng = &pg_global_prng_state;

/* MemoryContextCallback: the build is over, or has failed. */
static void
end_seed(void *arg)
{
	vs_prng = &pg_global_prng_state;
}

void
vs_seed_begin(MemoryContext context, int participant)
{
	static pg_prng_state seeded;
	MemoryContextCallback *callback;

	if (vs_build_seed == 0)
		return;
	pg_prng_seed(&seeded, ((uint64) participant << 32) | vs_build_seed);
	vs_prng = &seeded;

	callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	callback->func = end_seed;
	MemoryContextRegisterResetCallback(context, callback);
}
