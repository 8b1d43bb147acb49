/*
 * hnsw.c
 *		The hnsw access method: its handler.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "fmgr.h"
#include "hnsw/hnsw_check.h"
#include "hnsw/hnsw_private.h"
#include "index/am.h"
#include "index/amvalidate.h"

PG_FUNCTION_INFO_V1(vs_hnsw_handler);

/* An operator class is right if it has one distance and says how to read it. */
static bool
validate(Oid opclass)
{
	return vs_amvalidate_ordering(opclass, "hnsw");
}

Datum
vs_hnsw_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = vs_am_make_routine();

	am->ambuild = vs_hnsw_build;
	am->ambuildempty = vs_hnsw_buildempty;
	am->aminsert = vs_hnsw_insert;
	am->ambulkdelete = vs_hnsw_bulkdelete;
	am->amcostestimate = vs_hnsw_costestimate;
	am->amoptions = vs_hnsw_parse_options;
	am->ambuildphasename = vs_hnsw_buildphasename;
	am->amvalidate = validate;
	am->ambeginscan = vs_hnsw_beginscan;

	PG_RETURN_POINTER(am);
}

void
vs_hnsw_init(void)
{
	static const VsAccessMethod access_method = {
		.name = "hnsw",
		.build = vs_hnsw_build,
		.costestimate = vs_hnsw_costestimate,
		.check = vs_hnsw_check,
		.digest_value = vs_check_digest_vector,
		.stats = vs_hnsw_stats,
	};

	vs_hnsw_options_init();
	vs_am_register(&access_method);
}
