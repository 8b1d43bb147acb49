/*
 * toast.h
 *		Reading many values of a table that were moved out of line.
 *
 * For who reads a whole table: values lie mostly in the order of their rows, so
 * that one scan of the TOAST table's index finds one after the other.  Any order
 * is read correctly.
 */
#ifndef VS_TOAST_H
#define VS_TOAST_H

#include "postgres.h"

#include "utils/rel.h"

typedef struct VsToastReader VsToastReader;

/*
 * Begin to read a table's values, in the current memory context; NULL if none can
 * be out of line.  Locks the TOAST table until the end.
 */
extern VsToastReader *vs_toast_begin(Relation heap);

/*
 * A value that PG_DETOAST_DATUM leaves as it is: the same, or one that is in
 * memory until the next call.  What is compressed, or not as expected, is
 * returned as it is, for PG_DETOAST_DATUM.  "reader" may be NULL.
 */
extern Datum vs_toast_read(VsToastReader *reader, Datum value);

extern void vs_toast_end(VsToastReader *reader);

#endif							/* VS_TOAST_H */
