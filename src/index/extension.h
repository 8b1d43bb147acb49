/*
 * extension.h
 *		Objects of the extension by their names, in whatever schema it is.
 */
#ifndef VS_EXTENSION_H
#define VS_EXTENSION_H

#include "postgres.h"

/*
 * The type of this name in the extension's schema, which is that of any of its
 * functions; InvalidOid if there is none.
 */
extern Oid	vs_extension_type(Oid schema, const char *name);

/* The same of an operator between two types. */
extern Oid	vs_extension_operator(Oid schema, const char *name, Oid left,
								  Oid right);

#endif							/* VS_EXTENSION_H */
