/*
 * meta.h
 *		What is made sure of before a metapage is believed.
 */
#ifndef VS_META_H
#define VS_META_H

#include "postgres.h"

#include "index/opclass.h"
#include "utils/rel.h"

/* What a metapage says. */
typedef struct VsMetaFacts
{
	const char *am;				/* access method with its article: "an hnsw" */
	bool		is_ours;		/* it begins with the right number */
	unsigned int version;		/* of the format */
	unsigned int known_version; /* that we read */
	VsMetric	metric;
	int			dim;
	bool		is_sane;		/* all else is as it can be */
} VsMetaFacts;

/*
 * ERROR unless the metapage is one that this version reads, and that of an index
 * like this one.  opclass is NULL where an index has no metric.
 */
extern void vs_meta_require(Relation index, const VsOpclass *opclass,
							const VsMetaFacts *facts);

#endif							/* VS_META_H */
