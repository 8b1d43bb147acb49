/*
 * blas.c
 *		Products of large matrices, by OpenBLAS.
 *
 * Loading it must leave the process as it was: with one thread, and with the
 * processor's rounding and its way with subnormal numbers, on which codes rely.
 */
#include "postgres.h"

#include <dlfcn.h>
#include <fenv.h>

#include "index/blas.h"

#define LIBRARY "libopenblas.so.0"

/* Read by the library when it is loaded: how many threads it starts. */
#define THREADS_VARIABLE "OPENBLAS_NUM_THREADS"

/* CBLAS's numbers for what is passed. */
#define ROW_MAJOR		101
#define NO_TRANSPOSE	111
#define TRANSPOSE		112

typedef void (*SgemmFunction) (int order, int transpose_a, int transpose_b,
							   int m, int n, int k, float alpha,
							   const float *a, int lda,
							   const float *b, int ldb,
							   float beta, float *c, int ldc);
typedef void (*SetThreadsFunction) (int nthreads);

/* NULL until the library is loaded; it is never unloaded. */
static SgemmFunction sgemm = NULL;

/* Report why the library cannot be used: dlerror's words. */
static void
report_unusable(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FILE),
			 errmsg("could not load library \"%s\"", LIBRARY),
			 errdetail_internal("%s", reason),
			 errhint("Install OpenBLAS, in Debian the package libopenblas0.")));
}

/* Set an environment variable, or remove it where value is NULL. */
static bool
restore_variable(const char *name, const char *value)
{
	return (value != NULL ? setenv(name, value, 1) : unsetenv(name)) == 0;
}

/*
 * Open the library without threads; NULL if that fails, and then dlerror tells
 * why.  Raises no error while the environment is changed.
 */
static void *
open_library(void)
{
	const char *value = getenv(THREADS_VARIABLE);
	char	   *before = value != NULL ? pstrdup(value) : NULL;
	fenv_t		arithmetic;
	void	   *library;

	if (setenv(THREADS_VARIABLE, "1", 1) != 0)
		elog(ERROR, "could not set environment: %m");
	fegetenv(&arithmetic);
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	fesetenv(&arithmetic);
	if (!restore_variable(THREADS_VARIABLE, before))
		elog(ERROR, "could not restore environment: %m");
	return library;
}

void
vs_blas_load(void)
{
	void	   *library;
	SgemmFunction sgemm_found;
	SetThreadsFunction set_threads;

	if (sgemm != NULL)
		return;
	library = open_library();
	if (library == NULL)
		report_unusable(dlerror());
	sgemm_found = (SgemmFunction) dlsym(library, "cblas_sgemm");
	set_threads = (SetThreadsFunction) dlsym(library,
											 "openblas_set_num_threads");
	if (sgemm_found == NULL || set_threads == NULL)
	{
		char	   *reason = pstrdup(dlerror());

		dlclose(library);
		report_unusable(reason);
	}
	set_threads(1);
	sgemm = sgemm_found;
}

void
vs_blas_products(int m, int n, int dim, const float *a, const float *b,
				 float *c)
{
	vs_blas_load();
	sgemm(ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, m, n, dim, 1.0f, a, dim, b, dim,
		  0.0f, c, n);
}
