/*
 * ivf.h
 *		What the rest of vsearch may know of the ivfflat access method.
 */
#ifndef VS_IVF_H
#define VS_IVF_H

#include "postgres.h"

#include "index/option.h"

#define IVF_MAX_LISTS		32768
#define IVF_DEFAULT_PROBES	1

/* Settings; their names, ranges and help are in settings.c. */
extern VsOption vs_ivf_probes;
extern int	vs_ivf_iterative_scan;	/* a VsIterativeScan */
extern int	vs_ivf_max_probes;
extern bool vs_ivf_exact_probe;

extern void vs_ivf_assign_probes(int newval, void *extra);

/* Called once when the library is loaded. */
extern void vs_ivf_init(void);

#endif							/* VS_IVF_H */
