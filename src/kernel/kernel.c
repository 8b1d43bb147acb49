/*
 * kernel.c
 *		Choice of a kernel for the processor that runs us.
 *
 * The arithmetic is in the kernel_*.c files, one per instruction set.
 */
#include "c.h"

#ifdef __x86_64__
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif

#ifdef __aarch64__
#if __has_include(<sys/auxv.h>)
#include <sys/auxv.h>
#endif
#endif

#include "kernel/kernel.h"
#include "kernel/kernel_private.h"

/* A kernel and whether this processor, and its operating system, can run it. */
typedef struct Candidate
{
	const VsKernel *kernel;
	bool		(*is_supported) (void);
} Candidate;

const VsKernel *vs_kernel = &vs_kernel_scalar;

/* The plain C kernel runs anywhere. */
static bool
has_scalar(void)
{
	return true;
}

#ifdef __x86_64__

/*
 * Both ways answer for the processor and for the register state that the
 * operating system saves.  The C library has looked already; asking anew costs
 * each new connection, in a virtual machine, some ten microseconds a question.
 */
#ifdef CPU_FEATURE_ACTIVE
#define SUPPORTS(library_name, compiler_name) CPU_FEATURE_ACTIVE(library_name)
#else
#define SUPPORTS(library_name, compiler_name) \
	__builtin_cpu_supports(compiler_name)
#endif

/* F16C is older than AVX2: a processor with the one has the other. */
static bool
has_avx2(void)
{
	return SUPPORTS(AVX2, "avx2") && SUPPORTS(FMA, "fma");
}

/* AVX-512 as from Cascade Lake and Zen 4 on. */
static bool
has_avx512(void)
{
	return has_avx2() &&
		SUPPORTS(AVX512F, "avx512f") &&
		SUPPORTS(AVX512BW, "avx512bw") &&
		SUPPORTS(AVX512DQ, "avx512dq") &&
		SUPPORTS(AVX512VL, "avx512vl") &&
		SUPPORTS(AVX512_VNNI, "avx512vnni");
}

#endif

#ifdef __aarch64__

/* NEON belongs to AArch64. */
static bool
has_neon(void)
{
	return true;
}

/* As from ARMv8.4 on, and on many processors of 8.2; Linux tells. */
static bool
has_neon_dotprod(void)
{
#ifdef HWCAP_ASIMDDP
	return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
	return false;
#endif
}

#endif

/* Best first. */
static const Candidate candidates[] = {
#ifdef __x86_64__
	{&vs_kernel_avx512, has_avx512},
	{&vs_kernel_avx2, has_avx2},
#endif
#ifdef __aarch64__
	{&vs_kernel_neon_dotprod, has_neon_dotprod},
	{&vs_kernel_neon, has_neon},
#endif
	{&vs_kernel_scalar, has_scalar},
};

void
vs_kernel_init(void)
{
	vs_kernel = vs_kernel_find("auto");
}

const VsKernel *
vs_kernel_find(const char *name)
{
	bool		any = strcmp(name, "auto") == 0;

	for (int i = 0; i < lengthof(candidates); i++)
	{
		const Candidate *candidate = &candidates[i];

		if ((any || strcmp(name, candidate->kernel->name) == 0) &&
			candidate->is_supported())
			return candidate->kernel;
	}

	return NULL;
}
