/*
 * ivf.c
 *		The ivfflat access method: its handler.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "fmgr.h"
#include "index/am.h"
#include "index/amvalidate.h"
#include "ivf/ivf_check.h"
#include "ivf/ivf_private.h"

PG_FUNCTION_INFO_V1(vs_ivf_handler);

/* An operator class is right if it has one distance and says how to read it. */
static bool
validate(Oid opclass)
{
	return vs_amvalidate_ordering(opclass, "ivfflat");
}

Datum
vs_ivf_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = vs_am_make_routine();

	am->ambuild = vs_ivf_build;
	am->ambuildempty = vs_ivf_buildempty;
	am->aminsert = vs_ivf_insert;
	am->ambulkdelete = vs_ivf_bulkdelete;
	am->amcostestimate = vs_ivf_costestimate;
	am->amoptions = vs_ivf_parse_options;
	am->ambuildphasename = vs_ivf_buildphasename;
	am->amvalidate = validate;
	am->ambeginscan = vs_ivf_beginscan;

	PG_RETURN_POINTER(am);
}

void
vs_ivf_init(void)
{
	static const VsAccessMethod access_method = {
		.name = "ivfflat",
		.build = vs_ivf_build,
		.costestimate = vs_ivf_costestimate,
		.check = vs_ivf_check,
		.digest_value = vs_check_digest_vector,
		.stats = vs_ivf_stats,
	};

	vs_ivf_options_init();
	vs_am_register(&access_method);
}
