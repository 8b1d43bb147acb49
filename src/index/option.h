/*
 * option.h
 *		Settings and storage parameters that access methods have in common.
 */
#ifndef VS_OPTION_H
#define VS_OPTION_H

#include "postgres.h"

#include "utils/guc.h"

/* How a scan goes on when more rows are wanted than its first search found. */
typedef enum VsIterativeScan
{
	VS_ITERATIVE_OFF,
	VS_ITERATIVE_RELAXED,
	VS_ITERATIVE_STRICT
} VsIterativeScan;

/* Their names. */
extern const struct config_enum_entry vs_iterative_scan_options[];

/*
 * An int setting that gives way to an index's storage parameter unless it was
 * SET, in the session, for the user, or in a configuration file.
 *
 * Its check hook is vs_option_check, and its assign hook calls
 * vs_option_assign.
 */
typedef struct VsOption
{
	int			value;			/* PostgreSQL's variable */
	bool		is_set;
} VsOption;

extern bool vs_option_check(int *newval, void **extra, GucSource source);
extern void vs_option_assign(VsOption *option, const void *extra);

/*
 * What holds for an index with a storage parameter (-1: not given): an explicit
 * SET, or else the parameter, or else the default.
 */
extern int	vs_option_effective(const VsOption *option, int parameter);

#endif							/* VS_OPTION_H */
