/*
 * bm25.c
 *		The bm25 access method: its handler.
 */
#include "postgres.h"

#include "bm25/bm25_private.h"
#include "catalog/pg_type_d.h"
#include "commands/vacuum.h"
#include "fmgr.h"
#include "index/am.h"
#include "index/amvalidate.h"

PG_FUNCTION_INFO_V1(vs_bm25_handler);

/* An operator class is right if it has the match and the distance. */
static bool
validate(Oid opclass)
{
	static const VsAmOperator operators[BM25_NSTRATEGIES] = {
		{BM25_MATCH_STRATEGY, AMOP_SEARCH, BOOLOID},
		{BM25_DISTANCE_STRATEGY, AMOP_ORDER, FLOAT8OID},
	};

	return vs_amvalidate(opclass, "bm25", operators, lengthof(operators), 0);
}

Datum
vs_bm25_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = vs_am_make_routine();

	am->amstrategies = BM25_NSTRATEGIES;
	am->amsupport = 0;
	am->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL |
		VACUUM_OPTION_PARALLEL_CLEANUP;

	am->ambuild = vs_bm25_build;
	am->ambuildempty = vs_bm25_buildempty;
	am->aminsert = vs_bm25_insert;
	am->ambulkdelete = vs_bm25_bulkdelete;
	am->amvacuumcleanup = vs_bm25_vacuumcleanup;
	am->amcostestimate = vs_bm25_costestimate;
	am->amoptions = vs_bm25_parse_options;
	am->ambuildphasename = vs_bm25_buildphasename;
	am->amvalidate = validate;
	am->ambeginscan = vs_bm25_beginscan;
	am->amgetbitmap = vs_bm25_getbitmap;

	PG_RETURN_POINTER(am);
}

void
vs_bm25_init(void)
{
	static const VsAccessMethod access_method = {
		.name = "bm25",
		.build = vs_bm25_build,
		.costestimate = vs_bm25_costestimate,
		.check = vs_bm25_check,
		.digest_value = vs_bm25_digest_value,
		.null_digest = BM25_NULL_DIGEST,
		.stats = vs_bm25_stats,
	};

	vs_bm25_options_init();
	vs_am_register(&access_method);
}
