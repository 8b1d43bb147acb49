/*
 * scan.h
 *		Scans that return rows in order of distance: what all have in common.
 *
 * An access method fills in a VsScanMethod; its amrescan, amgettuple and
 * amendscan are the functions below, and its ambeginscan calls vs_scan_begin.
 * What it keeps of a scan is one struct, "state", which is zeroes when "start"
 * is called, at the first row that is wanted after each rescan.
 */
#ifndef VS_SCAN_H
#define VS_SCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "index/opclass.h"

/*
 * All are called in a memory context that lives until the next rescan or the
 * scan's end.
 */
typedef struct VsScanMethod
{
	const char *name;			/* of the access method */
	Size		state_nbytes;
	bool		does_unordered; /* scans need not be ordered */

	/* Begin to search for what scan->orderByData asks for. */
	void		(*start) (IndexScanDesc scan, void *state);

	/*
	 * The next row's TID; false if there is none, and is not called again.
	 * What else the scan says of a row is to be set where it is not usual:
	 * nothing to recheck, and no distances.
	 */
	bool		(*next) (void *state, ItemPointer tid);

	/* Free what is not memory; NULL if there is no such thing. */
	void		(*end) (void *state);
} VsScanMethod;

/* method must live as long as the process. */
extern IndexScanDesc vs_scan_begin(Relation index, int nkeys, int norderbys,
								   const VsScanMethod *method);
extern void vs_scan_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						   ScanKey orderbys, int norderbys);
extern bool vs_scan_gettuple(IndexScanDesc scan, ScanDirection direction);
extern void vs_scan_end(IndexScanDesc scan);

/*
 * Read the vector that a scan looks for (dim floats, as the opclass reads it),
 * for "start".  NULL if it has no direction by which rows could be near: it is
 * a NULL, or zero under cosine.
 */
extern float *vs_scan_read_query(IndexScanDesc scan, const VsOpclass *opclass,
								 int dim);

#endif							/* VS_SCAN_H */
