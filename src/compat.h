/*
 * compat.h
 *		Differences between the supported PostgreSQL versions (15 to 18).
 *
 * The only file that tests PG_VERSION_NUM.  Everything else includes this
 * one where an interface changed and uses the newest version's spelling.
 */
#ifndef VSEARCH_COMPAT_H
#define VSEARCH_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "vsearch needs PostgreSQL 15 or newer"
#endif

/* varatt.h was split from postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Input functions can report errors softly from 16 on. */
#if PG_VERSION_NUM < 160000
#define errsave(context, ...) ereport(ERROR, __VA_ARGS__)
#define ereturn(context, dummy_value, ...) ereport(ERROR, __VA_ARGS__)
#endif

/* How a declaration begins whose function does not return; it was the end. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

#include "utils/rel.h"

/* What identifies a relation's current file; renamed in 16. */
#if PG_VERSION_NUM >= 160000
typedef RelFileLocator VsRelFileKey;
#define vs_compat_file_key(rel) ((rel)->rd_locator)
#define vs_compat_same_file(a, b) RelFileLocatorEquals(a, b)
#define vs_compat_file_number(file) ((file).relNumber)
#else
typedef RelFileNode VsRelFileKey;
#define vs_compat_file_key(rel) ((rel)->rd_node)
#define vs_compat_same_file(a, b) RelFileNodeEquals(a, b)
#define vs_compat_file_number(file) ((file).relNode)
#endif

#include "utils/guc.h"

/* Memory for a setting's "extra"; guc.c has its own context from 16 on. */
#if PG_VERSION_NUM >= 160000
#define vs_compat_guc_malloc(elevel, nbytes) guc_malloc(elevel, nbytes)
#else
static inline void *
vs_compat_guc_malloc(int elevel, size_t nbytes)
{
	void	   *memory = malloc(nbytes);

	if (memory == NULL)
		ereport(elevel,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return memory;
}
#endif

#include "storage/buffile.h"

/* Read exactly nbytes of a temporary file; BufFileReadExact came with 16. */
#if PG_VERSION_NUM >= 160000
#define vs_compat_buffile_read_exact(file, data, nbytes) \
	BufFileReadExact(file, data, nbytes)
#else
static inline void
vs_compat_buffile_read_exact(BufFile *file, void *data, size_t nbytes)
{
	if (BufFileRead(file, data, nbytes) != nbytes)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read %zu bytes of a temporary file",
						nbytes)));
}
#endif

#include "storage/smgr.h"

/*
 * Extend a relation's main fork by nblocks of zeroes from "first", its end, on.
 * The file system reserves room for them from 16 on; before, as for hash
 * indexes, only the last one is written.
 */
#if PG_VERSION_NUM >= 160000
#define vs_compat_zero_extend(rel, first, nblocks) \
	smgrzeroextend(RelationGetSmgr(rel), MAIN_FORKNUM, first, nblocks, false)
#else
static inline void
vs_compat_zero_extend(Relation rel, BlockNumber first, int nblocks)
{
	PGAlignedBlock zeroes = {{0}};

	smgrextend(RelationGetSmgr(rel), MAIN_FORKNUM, first + nblocks - 1,
			   zeroes.data, false);
}
#endif

#include "utils/tuplesort.h"

/* The next datum of a sort, valid until the next call; got "copy" in 16. */
#if PG_VERSION_NUM >= 160000
#define vs_compat_tuplesort_getdatum(sort, value, isnull) \
	tuplesort_getdatum(sort, true, false, value, isnull, NULL)
#else
#define vs_compat_tuplesort_getdatum(sort, value, isnull) \
	tuplesort_getdatum(sort, true, value, isnull, NULL)
#endif

/* Count a search of an index for EXPLAIN ANALYZE, from 18 on. */
#if PG_VERSION_NUM >= 180000
#define vs_compat_count_index_search(scan) \
	do { \
		if ((scan)->instrument) \
			(scan)->instrument->nsearches++; \
	} while (0)
#else
#define vs_compat_count_index_search(scan) ((void) 0)
#endif

/* Sleep for cost-based vacuum delay; analyze has its own from 18 on. */
#if PG_VERSION_NUM >= 180000
#define vs_compat_vacuum_delay_point() vacuum_delay_point(false)
#else
#define vs_compat_vacuum_delay_point() vacuum_delay_point()
#endif

/* Whether a role owns a relation; one function for all classes from 16 on. */
#if PG_VERSION_NUM >= 160000
#define vs_compat_owns_relation(relation, role) \
	object_ownercheck(RelationRelationId, relation, role)
#else
#define vs_compat_owns_relation(relation, role) \
	pg_class_ownercheck(relation, role)
#endif

/* Whether a role has the right to maintain a table, which came with 17. */
#if PG_VERSION_NUM >= 170000
#define vs_compat_may_maintain(table, role) \
	(pg_class_aclcheck(table, role, ACL_MAINTAIN) == ACLCHECK_OK)
#else
#define vs_compat_may_maintain(table, role) false
#endif

/* Functions of expressions run with a safe search_path from 17 on. */
#if PG_VERSION_NUM >= 170000
#define vs_compat_restrict_search_path() RestrictSearchPath()
#else
#define vs_compat_restrict_search_path() ((void) 0)
#endif

/*
 * Make a path worse than any that settings like enable_seqscan disable: from 18
 * on a path counts the disabled nodes in it, and cost decides among equals.
 */
#if PG_VERSION_NUM >= 180000
#define vs_compat_forbid_path(path) ((path)->disabled_nodes += 1000)
#else
#define vs_compat_forbid_path(path) ((void) 0)
#endif

#include "access/attmap.h"

/* Map columns of the same names, all of which must be there. */
#if PG_VERSION_NUM >= 160000
#define vs_compat_build_attrmap_by_name(from, to) \
	build_attrmap_by_name(from, to, false)
#else
#define vs_compat_build_attrmap_by_name(from, to) build_attrmap_by_name(from, to)
#endif

#include "nodes/parsenodes.h"

/*
 * What the columns of GROUP BY stand for: they are a range table entry of its own
 * from 18 on; NIL for other entries.
 */
#if PG_VERSION_NUM >= 180000
#define vs_compat_group_exprs(rte) \
	((rte)->rtekind == RTE_GROUP ? (rte)->groupexprs : NIL)
#else
#define vs_compat_group_exprs(rte) NIL
#endif

/* Say that an access method builds in parallel; core asks from 17 on. */
#if PG_VERSION_NUM >= 170000
#define vs_compat_set_parallel_build(am) ((am)->amcanbuildparallel = true)
#else
#define vs_compat_set_parallel_build(am) ((void) 0)
#endif

/*
 * Whether a generic WAL record's bytes are known: for each block fragments of offset,
 * length (OffsetNumbers) and bytes.  It is so from 15 to 18, as standbys and
 * pg_waldump of a major version's releases all read them.
 */
#ifndef VS_COMPAT_KNOWS_GENERIC_WAL
#define VS_COMPAT_KNOWS_GENERIC_WAL (PG_VERSION_NUM < 190000)
#endif

#endif							/* VSEARCH_COMPAT_H */
