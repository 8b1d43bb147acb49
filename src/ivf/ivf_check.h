/*
 * ivf_check.h
 *		What there is to know of an ivfflat index, for vsearch_check and
 *		vsearch_index_stats.
 */
#ifndef VS_IVF_CHECK_H
#define VS_IVF_CHECK_H

#include "postgres.h"

#include "index/check.h"
#include "index/stats.h"
#include "ivf/ivf_private.h"

/* See VsAccessMethod. */
extern void vs_ivf_check(Relation rel, VsCheck *check);
extern void vs_ivf_stats(Relation rel, VsStats *stats);

#endif							/* VS_IVF_CHECK_H */
