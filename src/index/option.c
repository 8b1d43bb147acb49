/*
 * option.c
 *		Settings and storage parameters that access methods have in common.
 */
#include "postgres.h"

#include "compat.h"
#include "index/option.h"

const struct config_enum_entry vs_iterative_scan_options[] = {
	{"off", VS_ITERATIVE_OFF, false},
	{"relaxed_order", VS_ITERATIVE_RELAXED, false},
	{"strict_order", VS_ITERATIVE_STRICT, false},
	{NULL, 0, false}
};

/* Notes in *extra whether the value was SET; guc.c restores it with values. */
bool
vs_option_check(int *newval, void **extra, GucSource source)
{
	bool	   *is_set = vs_compat_guc_malloc(ERROR, sizeof(bool));

	*is_set = source > PGC_S_DEFAULT;
	*extra = is_set;
	return true;
}

void
vs_option_assign(VsOption *option, const void *extra)
{
	option->is_set = extra != NULL && *(const bool *) extra;
}

int
vs_option_effective(const VsOption *option, int parameter)
{
	return option->is_set || parameter < 0 ? option->value : parameter;
}
