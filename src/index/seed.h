/*
 * seed.h
 *		What is random in an index, and the setting that makes builds repeatable.
 */
#ifndef VS_SEED_H
#define VS_SEED_H

#include "postgres.h"

#include "common/pg_prng.h"

/* vsearch.build_seed; 0: builds differ. */
extern int	vs_build_seed;

/*
 * Where everything random of an index comes from: PostgreSQL's generator, and
 * during a build with a seed one that begins with it.
 */
extern pg_prng_state *vs_prng;

/*
 * A participant of a build begins to draw by the setting, until the memory
 * context is deleted or reset.
 */
extern void vs_seed_begin(MemoryContext context, int participant);

#endif							/* VS_SEED_H */
