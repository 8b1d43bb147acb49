/*
 * clones.h
 *		Functions that the compiler makes once for each instruction set.
 *
 * For loops of codecs that compilers vectorise themselves.  Which clone runs is
 * chosen when the library is loaded.  Sums have a fixed order and nothing is
 * fused, so that all compute the same bits.  What a clone is to be faster for
 * must be inlined into it.
 */
#ifndef VS_CLONES_H
#define VS_CLONES_H

/* clang up to 14 has them, but other files cannot call them. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define VS_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VS_CLONES
#endif

#endif							/* VS_CLONES_H */
