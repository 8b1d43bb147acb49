/*
 * bm25_private.h
 *		What the files of the bm25 access method share.
 */
#ifndef VS_BM25_PRIVATE_H
#define VS_BM25_PRIVATE_H

#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "bm25/bm25.h"
#include "bm25/bm25_score.h"
#include "catalog/pg_collation_d.h"
#include "index/check.h"
#include "index/stats.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"

/* Operators of an operator class. */
enum
{
	BM25_MATCH_STRATEGY = 1,	/* tsvector @@ tsquery */
	BM25_DISTANCE_STRATEGY,		/* tsvector <@@> bm25query, for ORDER BY */
	BM25_NSTRATEGIES = BM25_DISTANCE_STRATEGY
};

/* Phases of a build, for pg_stat_progress_create_index. */
enum
{
	BM25_PHASE_LOAD = 2,		/* rows are read, runs are made */
	BM25_PHASE_MERGE,			/* runs become one segment */
	BM25_PHASE_LOG
};

/* Storage parameters. */
typedef struct VsBm25Options
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	double		k1;
	double		b;
	double		weight_d;
	double		weight_c;
	double		weight_b;
	double		weight_a;
} VsBm25Options;

/* bm25_options.c */
extern void vs_bm25_options_init(void);
extern bytea *vs_bm25_parse_options(Datum reloptions, bool validate);

/* An index's parameters but average_len, which is 1. */
extern void vs_bm25_get_params(Relation index, VsBm25Params *params);

/* bm25_group.c */

/* ERROR unless it is an index of ours whose column the current user may read. */
extern void vs_bm25_check_index(Oid index);

/*
 * The index to score by where a query names none: of a table's valid bm25 indexes
 * on a column, or (column 0) on an expression whose Vars are of relation 1, the
 * oldest that is not partial.  InvalidOid if there is none.
 */
extern Oid	vs_bm25_find_index(Relation table, AttrNumber column, Node *expr);

/*
 * The indexes whose statistics score a query that carries this one, and its
 * parameters; they stay locked against being dropped.
 */
extern List *vs_bm25_find_group(Oid index, VsBm25Params *params);

/*
 * What the planner gives to its own calls of bm25_query as their collation.  Users
 * cannot where they name an index: no argument has a collation.  README.md,
 * "Queries and statistics".
 */
#define BM25_PLANNED_COLLATION C_COLLATION_OID

/* bm25_build.c */
extern IndexBuildResult *vs_bm25_build(Relation heap, Relation index,
									   IndexInfo *indexInfo);
extern void vs_bm25_buildempty(Relation index);
extern char *vs_bm25_buildphasename(int64 phase);

/* bm25_insert.c */
extern bool vs_bm25_insert(Relation index, Datum *values, bool *isnull,
						   ItemPointer tid, Relation heap,
						   IndexUniqueCheck checkUnique, bool indexUnchanged,
						   IndexInfo *indexInfo);

/* bm25_vacuum.c */
extern IndexBulkDeleteResult *vs_bm25_bulkdelete(IndexVacuumInfo *info,
												 IndexBulkDeleteResult *stats,
												 IndexBulkDeleteCallback callback,
												 void *callback_state);
extern IndexBulkDeleteResult *vs_bm25_vacuumcleanup(IndexVacuumInfo *info,
													IndexBulkDeleteResult *stats);

/* bm25_check.c, bm25_stats.c: VsAccessMethod's */
#define BM25_NULL_DIGEST UINT64CONST(0x4E554C4C)
extern void vs_bm25_check(Relation index, VsCheck *check);
extern bool vs_bm25_digest_value(Relation index, Datum value, uint64 *digest);
extern void vs_bm25_stats(Relation index, VsStats *stats);

/* bm25_scan.c */
extern IndexScanDesc vs_bm25_beginscan(Relation index, int nkeys, int norderbys);
extern int64 vs_bm25_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap);

/* bm25_cost.c */
extern void vs_bm25_costestimate(PlannerInfo *root, IndexPath *path,
								 double loop_count, Cost *startup, Cost *total,
								 Selectivity *selectivity, double *correlation,
								 double *pages);

#endif							/* VS_BM25_PRIVATE_H */
