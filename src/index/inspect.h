/*
 * inspect.h
 *		The SQL functions on an index: who may ask, locks, rows.
 */
#ifndef VS_INSPECT_H
#define VS_INSPECT_H

#include "postgres.h"

#include "fmgr.h"
#include "index/am.h"
#include "nodes/execnodes.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

typedef struct VsInspection
{
	Relation	heap;
	Relation	index;
	const VsAccessMethod *am;
	LOCKMODE	lockmode;		/* of the table */
	ReturnSetInfo *result;		/* materialized, with no rows yet; or NULL */
} VsInspection;

/*
 * Lock the table of an index, and open both.  ERROR unless it is a valid index of
 * one of our access methods that the user owns, or may maintain.
 */
extern void vs_inspect_open_to_maintain(VsInspection *inspection, Oid index,
										LOCKMODE lockmode);

/*
 * Begin a set-returning function whose first argument is an index: lock its
 * table, and open both.  ERROR unless it is a valid index of one of our access
 * methods that the user owns, or may monitor.
 */
extern void vs_inspect_begin(VsInspection *inspection, FunctionCallInfo fcinfo,
							 LOCKMODE lockmode);
extern void vs_inspect_add_row(const VsInspection *inspection, Datum *values,
							   bool *nulls);
extern void vs_inspect_end(VsInspection *inspection);

#endif							/* VS_INSPECT_H */
