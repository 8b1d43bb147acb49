/*
 * ivf_private.h
 *		What the files of the ivfflat access method share.
 */
#ifndef VS_IVF_PRIVATE_H
#define VS_IVF_PRIVATE_H

#include "postgres.h"

#include "access/amapi.h"
#include "index/opclass.h"
#include "ivf/ivf.h"
#include "ivf/ivf_page.h"
#include "nodes/execnodes.h"
#include "quant/rabitq.h"
#include "quant/residual.h"
#include "storage/dsm.h"
#include "storage/edit.h"
#include "storage/shm_toc.h"
#include "utils/rel.h"

#define IVF_DEFAULT_LISTS	100

typedef struct VsIvfOptions
{
	int32		vl_len_;		/* varlena header, do not touch directly */
	int			lists;
	bool		auto_lists;
	int			probes;			/* -1: not given */
	int			centroids_from; /* offset of the text, 0: not given */
} VsIvfOptions;

/*
 * An index as one operation sees it; allocated in the memory context that was
 * current in vs_ivf_open.
 */
typedef struct VsIvfIndex
{
	Relation	rel;
	const VsOpclass *opclass;
	VsIvfMeta	meta;
	VsIvfGeometry geometry;

	/* Rotation and unit; codes of rows are around centroids, not its own. */
	VsRabitq	codec;
} VsIvfIndex;

/* Number of the list where searches for centroids begin. */
static inline uint32
vs_ivf_root(const VsIvfIndex *index)
{
	return index->meta.nlists + index->meta.ngroups;
}

/* Whether a list holds centroids and not rows. */
static inline bool
vs_ivf_holds_centroids(const VsIvfIndex *index, uint32 list)
{
	return list >= index->meta.nlists;
}

/* Whether codes are whole vectors. */
static inline bool
vs_ivf_is_exact(const VsIvfIndex *index)
{
	return index->meta.bits == VS_RABITQ_FLOAT16_BITS;
}

/* ivf_options.c: storage parameters, settings */
extern void vs_ivf_options_init(void);
extern bytea *vs_ivf_parse_options(Datum reloptions, bool validate);

/* Lists that an index of so many rows should have. */
extern int	vs_ivf_option_lists(Relation index, double nrows);

/* Where to take centroids from (palloc'd), or NULL. */
extern char *vs_ivf_option_centroids_from(Relation index);

/* Lists that a scan probes first. */
extern int	vs_ivf_effective_probes(Relation index);

/* ivf_meta.c: metapage */

/* Open an index for one operation: allocated in the current memory context. */
extern VsIvfIndex *vs_ivf_open(Relation index);

/*
 * An index that is being built: no metapage is read.  Its codec is to be set up
 * by vs_ivf_set_unit.
 */
extern VsIvfIndex *vs_ivf_open_new(Relation index);

/*
 * Decide on the rotation, and on the unit of codes by how far rows typically are
 * from their centroids (the median).
 */
extern void vs_ivf_set_unit(VsIvfIndex *index, uint32 seed, double residual);

/* The same from what index->meta says, which another participant has decided. */
extern void vs_ivf_use_unit(VsIvfIndex *index);

/* Write index->meta to the metapage, in a build. */
extern void vs_ivf_write_meta(VsIvfIndex *index);

/* ivf_list.c: lists, as far as those who read and write them share it */

/* The directory's entry of a list. */
extern VsIvfEntry vs_ivf_read_entry(VsIvfIndex *index, uint32 list);

/* Write it, in a build. */
extern void vs_ivf_write_entry(VsIvfIndex *index, uint32 list,
							   const VsIvfEntry *entry);

/*
 * Move the place where inserts begin to look for a free slot, if it is "from"
 * still.
 */
extern void vs_ivf_move_insert(VsIvfIndex *index, uint32 list,
							   BlockNumber from, BlockNumber to);

/*
 * Lock a page of a list.  ERROR if it belongs to another one.
 */
extern Buffer vs_ivf_lock_list(VsIvfIndex *index, uint32 list,
							   BlockNumber block, int lockmode);

/*
 * The page that follows one of a list, or InvalidBlockNumber.  ERROR if it
 * does not lie behind it, as all chains go.
 */
extern BlockNumber vs_ivf_next_block(VsIvfIndex *index, BlockNumber block,
									 const VsIvfListPage *header);

/* Slots of a list page that may be in use. */
static inline int
vs_ivf_nused(const VsIvfGeometry *g, const VsIvfSlots *slots)
{
	return Min(slots->header->nused, g->nslots);
}

/* A vector as float16 elements and their exponent. */
typedef struct VsIvfVector
{
	int			exponent;
	uint16	   *halves;			/* dim elements */
} VsIvfVector;

/*
 * Read the vector at a place of a vector page (the first of several), into
 * vector->halves.
 */
extern void vs_ivf_read_vector(VsIvfIndex *index, BlockNumber block, int record,
							   VsIvfVector *vector);

/* Read the centroid of a list, rotated and in the codec's unit (dim floats). */
extern void vs_ivf_read_center(VsIvfIndex *index, const VsIvfEntry *entry,
							   float *center);

/* A row as it is written. */
typedef struct VsIvfRow
{
	ItemPointerData tid;
	VsIvfVector vector;
	uint8	   *code;
	VsResidualFactors factors;
} VsIvfRow;

/* TIDs of centroids: the number of a list. */
static inline void
vs_ivf_set_list_tid(ItemPointer tid, uint32 list)
{
	ItemPointerSet(tid, list, FirstOffsetNumber);
}

static inline uint32
vs_ivf_list_of_tid(const ItemPointerData *tid)
{
	return ItemPointerGetBlockNumberNoCheck(tid);
}

/* Allocate the parts of a row in the current memory context, and free them. */
extern void vs_ivf_row_init(VsIvfRow *row, const VsIvfGeometry *g);
extern void vs_ivf_row_free(VsIvfRow *row);

/*
 * Encode a row of a list with this centroid (dim floats, rotated and in unit)
 * from row->vector; scratch is dim floats.
 */
extern void vs_ivf_encode_row(const VsIvfIndex *index, const float *center,
							  float *scratch, VsIvfRow *row);

/* The same for a centroid as row of a list of centroids. */
extern void vs_ivf_encode_centroid(const VsIvfIndex *index,
								   const float *center, float *scratch,
								   VsIvfRow *row);

/* Fill a slot of a list page, which is free; counts it. */
extern void vs_ivf_set_slot(const VsIvfGeometry *g, VsIvfSlots *slots, int i,
							const VsIvfRow *row);

/* Write part "part" of a vector to its page. */
extern void vs_ivf_set_vector_part(const VsIvfGeometry *g, Page page, int record,
								   int part, const VsIvfVector *vector);

/* Initialise a page, all of its slots free. */
extern void vs_ivf_init_page(const VsIvfGeometry *g, Page page, uint16 kind);
extern void vs_ivf_init_list_page(const VsIvfGeometry *g, Page page, uint32 list);

/* ivf_create.c, ivf_write.c: for the build; nothing of it is WAL-logged */

/*
 * Create the metapage, the directory and the lists of centroids in an empty
 * file, for index->meta.nlists centroids (nlists x dim, as the opclass reads
 * vectors).  The unit must be set; completes index->meta.
 */
extern void vs_ivf_create(VsIvfIndex *index, const float *centroids);

/* Sets the TID and the vector of the next row. */
typedef void (*VsIvfNextRow) (void *state, VsIvfRow *row);

/*
 * Write a list with its nrows rows, once for each list, even an empty one.
 * Several participants may write lists of their own at a time.
 */
extern void vs_ivf_write_list(VsIvfIndex *index, uint32 list, uint64 nrows,
							  VsIvfNextRow next_row, void *state);

extern void vs_ivf_buildempty(Relation index);

/* ivf_build.c */
extern IndexBuildResult *vs_ivf_build(Relation heap, Relation index,
									  IndexInfo *indexInfo);
extern char *vs_ivf_buildphasename(int64 phase);

/* ivf_buildgiven.c: ERROR unless the parameter's value names a table. */
extern void vs_ivf_check_centroids_from(const char *value);

/* ivf_insert.c */
extern bool vs_ivf_insert(Relation index, Datum *values, bool *isnull,
						  ItemPointer tid, Relation heap,
						  IndexUniqueCheck checkUnique, bool indexUnchanged,
						  IndexInfo *indexInfo);

/* ivf_scan.c */
extern IndexScanDesc vs_ivf_beginscan(Relation index, int nkeys, int norderbys);

/* ivf_vacuum.c */
extern IndexBulkDeleteResult *vs_ivf_bulkdelete(IndexVacuumInfo *info,
												IndexBulkDeleteResult *stats,
												IndexBulkDeleteCallback callback,
												void *callback_state);

/* ivf_cost.c */
extern void vs_ivf_costestimate(struct PlannerInfo *root, struct IndexPath *path,
								double loop_count, Cost *startup, Cost *total,
								Selectivity *selectivity, double *correlation,
								double *pages);

#endif							/* VS_IVF_PRIVATE_H */
