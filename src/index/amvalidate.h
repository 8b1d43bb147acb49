/*
 * amvalidate.h
 *		Validation of operator classes.
 */
#ifndef VS_AMVALIDATE_H
#define VS_AMVALIDATE_H

#include "postgres.h"

/*
 * Validate an operator class of an access method that only orders: one
 * ordering operator, strategy 1, that returns float8, and the support function
 * VS_OPCLASS_PROC, internal to internal.  Reports what is wrong as INFO.
 */
extern bool vs_amvalidate_ordering(Oid opclass, const char *am_name);

#endif							/* VS_AMVALIDATE_H */
