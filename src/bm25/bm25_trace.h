/*
 * bm25_trace.h
 *		From an expression of a query to the index on what it stands for.
 */
#ifndef VS_BM25_TRACE_H
#define VS_BM25_TRACE_H

#include "postgres.h"

#include "nodes/pathnodes.h"

/*
 * The bm25 index on a column, or on an expression over columns, of a table: which
 * is followed through joins, subqueries, views and WITH.  Of UNION and the like
 * the first branch counts.  InvalidOid if there is no such index, or if it cannot
 * be told (root may be NULL).  *is_checked: whether the executor checks that the
 * column may be read; it does not for a transition table.
 */
extern Oid	vs_bm25_trace_index(PlannerInfo *root, Node *expr,
								bool *is_checked);

#endif							/* VS_BM25_TRACE_H */
