/*
 * meta.c
 *		What is made sure of before a metapage is believed.
 */
#include "postgres.h"

#include "index/meta.h"

void
vs_meta_require(Relation index, const VsOpclass *opclass,
				const VsMetaFacts *facts)
{
	int			dim = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;

	if (!facts->is_ours)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is not %s index",
						RelationGetRelationName(index), facts->am),
				 errhint("Please REINDEX it.")));
	if (facts->version != facts->known_version)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" has format version %u, but this version of vsearch reads version %u",
						RelationGetRelationName(index), facts->version,
						facts->known_version),
				 errhint("Please REINDEX it.")));
	if (!facts->is_sane ||
		(opclass != NULL && facts->metric != opclass->metric) ||
		(dim > 0 && facts->dim != dim))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("metapage of index \"%s\" is corrupted",
						RelationGetRelationName(index)),
				 errhint("Please REINDEX it.")));
}
