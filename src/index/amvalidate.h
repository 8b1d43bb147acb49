/*
 * amvalidate.h
 *		Validation of operator classes.
 */
#ifndef VS_AMVALIDATE_H
#define VS_AMVALIDATE_H

#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_amop.h"

/* An operator that an operator class must have. */
typedef struct VsAmOperator
{
	StrategyNumber strategy;
	char		purpose;		/* AMOP_SEARCH or AMOP_ORDER */
	Oid			result;			/* type */
} VsAmOperator;

/*
 * Validate an operator class of an access method: whether it has all of these
 * operators and no others, and the support functions 1 to nfunctions, internal to
 * internal, and no others.  Reports what is wrong as INFO.
 */
extern bool vs_amvalidate(Oid opclass, const char *am_name,
						  const VsAmOperator *operators, int noperators,
						  int nfunctions);

/*
 * The same for an access method that only orders: by one operator, strategy 1,
 * that returns float8, with the support function VS_OPCLASS_PROC.
 */
extern bool vs_amvalidate_ordering(Oid opclass, const char *am_name);

#endif							/* VS_AMVALIDATE_H */
