/*
 * hnsw_private.h
 *		What the files of the hnsw access method share.
 */
#ifndef VS_HNSW_PRIVATE_H
#define VS_HNSW_PRIVATE_H

#include "postgres.h"

#include "access/amapi.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnsw_page.h"
#include "index/opclass.h"
#include "index/stats.h"
#include "nodes/execnodes.h"
#include "quant/rabitq.h"
#include "storage/dsm.h"
#include "storage/edit.h"
#include "storage/shm_toc.h"
#include "utils/rel.h"

/* Support for "the index's build was told nothing": COMPAT's defaults. */
#define HNSW_DEFAULT_M					16
#define HNSW_MIN_M						2
#define HNSW_MAX_M						100
#define HNSW_DEFAULT_EF_CONSTRUCTION	64
#define HNSW_MIN_EF_CONSTRUCTION		4
#define HNSW_MAX_EF_CONSTRUCTION		1000
#define HNSW_DEFAULT_EF_SEARCH			40
#define HNSW_MIN_EF_SEARCH				1
#define HNSW_MAX_EF_SEARCH				1000

/* Rows that the codec is trained from. */
#define HNSW_TRAINING_ROWS				2048

/*
 * Page lock (on the metapage) that every insert holds in share mode.  Vacuum
 * takes and releases it exclusively to wait for the inserts that may not have
 * seen its marks; building the graph of a flat index holds it exclusively.
 */
#define HNSW_INSERT_LOCK				HNSW_META_BLOCK

typedef struct VsHnswOptions
{
	int32		vl_len_;		/* varlena header, do not touch directly */
	int			m;
	int			ef_construction;
	int			ef_search;		/* -1: not given */
} VsHnswOptions;

/*
 * An index as one operation sees it.  Lives in the memory context that was
 * current in vs_hnsw_open, and holds its codecs until that context is reset.
 */
typedef struct VsHnswIndex
{
	Relation	rel;
	const VsOpclass *opclass;
	VsHnswMeta	meta;			/* as of the last vs_hnsw_refresh */
	VsHnswGeometry geometry;
	const VsRabitq *codec;		/* NULL while the index is flat */
	uint32		codec_version;	/* of the codebook that it was read from */
	MemoryContext context;		/* holds the codec */
} VsHnswIndex;

/* What the codes of an index estimate. */
static inline VsEstimate
vs_hnsw_estimate(const VsHnswMeta *meta)
{
	switch (meta->metric)
	{
		case VS_METRIC_IP:
			return VS_ESTIMATE_NEGATIVE_IP;
		case VS_METRIC_L1:
			return VS_ESTIMATE_L1;
		default:
			return VS_ESTIMATE_L2_SQ;
	}
}

/*
 * Whether a tree of links keeps the graph connected.  Not by inner product:
 * every vector's nearest is then one of a few long ones, whose lists would fill
 * with short ones that are nobody's answer.
 */
static inline bool
vs_hnsw_keeps_tree(const VsHnswIndex *index)
{
	return index->meta.metric != VS_METRIC_IP;
}

/* A decoded vector of a node: float16 elements and their exponent. */
typedef struct VsHnswVector
{
	int			exponent;
	uint16	   *halves;
} VsHnswVector;

/* hnsw_options.c: storage parameters, settings */
extern void vs_hnsw_options_init(void);
extern bytea *vs_hnsw_parse_options(Datum reloptions, bool validate);

/* ERROR if the index's parameters do not go together. */
extern void vs_hnsw_check_build_options(Relation index);
extern int	vs_hnsw_option_m(Relation index);
extern int	vs_hnsw_option_ef_construction(Relation index);
extern int	vs_hnsw_effective_ef_search(Relation index);

/* hnsw_meta.c: metapage */

/* Metapage contents of a new index, flat and without a codebook. */
extern void vs_hnsw_meta_form(VsHnswMeta *meta, Relation index);

/*
 * Open an index for one operation: allocated, and its codec held, in the
 * current memory context.
 */
extern VsHnswIndex *vs_hnsw_open(Relation index);

/* An index that is being built: no metapage is read. */
extern VsHnswIndex *vs_hnsw_open_new(Relation index);

/* Read the metapage again. */
extern void vs_hnsw_refresh(VsHnswIndex *index);

/*
 * Read whether centroids were appended, and hold the codec that has them.  The
 * one before stays valid, too.
 */
extern void vs_hnsw_refresh_codec(VsHnswIndex *index);

/* Create the metapage as block 0 of an empty file. */
extern void vs_hnsw_create_meta(VsHnswIndex *index, VsEditMode mode);

/* Write index->meta to the metapage. */
extern void vs_hnsw_write_meta(VsHnswIndex *index, VsEditMode mode);

/* Make the entry point (entry, level) unless there is a higher one already. */
extern void vs_hnsw_raise_entry(VsHnswIndex *index, uint32 entry, int level,
								VsEditMode mode);

/* Replace an entry point, unless somebody else did meanwhile. */
extern void vs_hnsw_replace_entry(VsHnswIndex *index, uint32 old_entry,
								  int old_level, uint32 entry, int level,
								  VsEditMode mode);

/*
 * Note the index's size when further centroids are thought of.  False if
 * somebody else did since the metapage was read.
 */
extern bool vs_hnsw_note_training(VsHnswIndex *index, BlockNumber nblocks);

/* hnsw_codebook.c: the codebook */

/* vs_codec_acquire for the codebook that a metapage names. */
extern const VsRabitq *vs_hnsw_acquire_codec(Relation index,
											 const VsHnswMeta *meta);

/*
 * Train a codec for the index from samples (n x dim, overwritten) in the
 * current memory context, and note it in index->meta.
 */
extern VsRabitq *vs_hnsw_train_codec(VsHnswIndex *index, float *samples, int n);

/* Write a codec to new pages and note them in index->meta. */
extern void vs_hnsw_write_codebook(VsHnswIndex *index, const VsRabitq *codec,
								   VsEditMode mode);

/*
 * Append n centroids (n x dim) to the codebook, for all to use, and note the
 * residual that is typical with them; without effect if somebody else did since
 * index->meta was read.
 */
extern void vs_hnsw_append_centroids(VsHnswIndex *index, const float *centroids,
									 int n, float residual);

/* hnsw_centroids.c: further centroids as the index grows */
extern void vs_hnsw_add_centroids_if_grown(VsHnswIndex *index);

/*
 * Read the vectors of an even selection of the nodes in blocks [begin, end):
 * some hundred.  Returns n x dim floats, palloc'd, and sets *n.
 */
extern float *vs_hnsw_sample_nodes(VsHnswIndex *index, BlockNumber begin,
								   BlockNumber end, int *n);

/* hnsw_build.c */
extern IndexBuildResult *vs_hnsw_build(Relation heap, Relation index,
									   IndexInfo *indexInfo);
extern void vs_hnsw_buildempty(Relation index);
extern char *vs_hnsw_buildphasename(int64 phase);
extern PGDLLEXPORT void vs_hnsw_build_worker(dsm_segment *segment, shm_toc *toc);

/* hnsw_insert.c */
extern bool vs_hnsw_insert(Relation index, Datum *values, bool *isnull,
						   ItemPointer tid, Relation heap,
						   IndexUniqueCheck checkUnique, bool indexUnchanged,
						   IndexInfo *indexInfo);

/*
 * Insert a vector (dim floats) for a heap TID; is_unchanged says that an update
 * left it as it was, so that its node is likely to exist.  The caller holds the
 * insert lock, exclusively if alone.  False if nothing was done because only
 * somebody alone may insert this one.
 */
extern bool vs_hnsw_insert_vector(VsHnswIndex *index, const float *x,
								  ItemPointer tid, bool is_unchanged,
								  bool alone, VsEditMode mode);

/* hnsw_flat.c: the index before it has a graph */
extern void vs_hnsw_flat_insert(VsHnswIndex *index, const VsHnswVector *vector,
								ItemPointer tid, VsEditMode mode);

/* Rows from which on an index has a graph. */
extern int	vs_hnsw_flat_limit(const VsHnswIndex *index);

/* Whether a flat index has as many. */
extern bool vs_hnsw_flat_is_full(VsHnswIndex *index);

/* Build the graph in place; the caller holds the insert lock exclusively. */
extern void vs_hnsw_flat_convert(VsHnswIndex *index);

/* hnsw_scan.c */
extern IndexScanDesc vs_hnsw_beginscan(Relation index, int nkeys, int norderbys);

/* hnsw_vacuum.c */
extern IndexBulkDeleteResult *vs_hnsw_bulkdelete(IndexVacuumInfo *info,
												 IndexBulkDeleteResult *stats,
												 IndexBulkDeleteCallback callback,
												 void *callback_state);

/* hnsw_stats.c: see VsAccessMethod */
extern void vs_hnsw_stats(Relation index, VsStats *stats);

/* hnsw_cost.c */
extern void vs_hnsw_costestimate(struct PlannerInfo *root, struct IndexPath *path,
								 double loop_count, Cost *startup, Cost *total,
								 Selectivity *selectivity, double *correlation,
								 double *pages);

#endif							/* VS_HNSW_PRIVATE_H */
