/*
 * hnsw_check.h
 *		Verification of an hnsw index, for vsearch_check.
 */
#ifndef VS_HNSW_CHECK_H
#define VS_HNSW_CHECK_H

#include "postgres.h"

#include "hnsw/hnsw_private.h"
#include "index/check.h"

/* See VsAccessMethod. */
extern void vs_hnsw_check(Relation rel, VsCheck *check);

#endif							/* VS_HNSW_CHECK_H */
