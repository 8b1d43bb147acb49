/*
 * hnsw_options.c
 *		Storage parameters and settings of the hnsw access method.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnsw_private.h"

VsOption	vs_hnsw_ef_search = {HNSW_DEFAULT_EF_SEARCH};
int			vs_hnsw_iterative_scan = VS_ITERATIVE_STRICT;
int			vs_hnsw_max_scan_tuples = 20000;
double		vs_hnsw_scan_mem_multiplier = 1.0;
int			vs_hnsw_flat_rows = HNSW_DEFAULT_FLAT_ROWS;

static relopt_kind hnsw_relopt_kind;

void
vs_hnsw_options_init(void)
{
	hnsw_relopt_kind = add_reloption_kind();
	add_int_reloption(hnsw_relopt_kind, "m",
					  "Neighbours of a node on the upper levels, half as many as on the bottom level",
					  HNSW_DEFAULT_M, HNSW_MIN_M, HNSW_MAX_M,
					  AccessExclusiveLock);
	add_int_reloption(hnsw_relopt_kind, "ef_construction",
					  "Candidates considered for a new node's neighbours",
					  HNSW_DEFAULT_EF_CONSTRUCTION, HNSW_MIN_EF_CONSTRUCTION,
					  HNSW_MAX_EF_CONSTRUCTION, AccessExclusiveLock);
	add_int_reloption(hnsw_relopt_kind, "ef_search",
					  "Candidates considered by a search where hnsw.ef_search is not set",
					  -1, HNSW_MIN_EF_SEARCH, HNSW_MAX_EF_SEARCH,
					  ShareUpdateExclusiveLock);
}

bytea *
vs_hnsw_parse_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"m", RELOPT_TYPE_INT, offsetof(VsHnswOptions, m)},
		{"ef_construction", RELOPT_TYPE_INT, offsetof(VsHnswOptions, ef_construction)},
		{"ef_search", RELOPT_TYPE_INT, offsetof(VsHnswOptions, ef_search)},
	};

	return (bytea *) build_reloptions(reloptions, validate, hnsw_relopt_kind,
									  sizeof(VsHnswOptions), table,
									  lengthof(table));
}

int
vs_hnsw_option_m(Relation index)
{
	VsHnswOptions *options = (VsHnswOptions *) index->rd_options;

	return options != NULL ? options->m : HNSW_DEFAULT_M;
}

int
vs_hnsw_option_ef_construction(Relation index)
{
	VsHnswOptions *options = (VsHnswOptions *) index->rd_options;

	return options != NULL ? options->ef_construction :
		HNSW_DEFAULT_EF_CONSTRUCTION;
}

void
vs_hnsw_check_build_options(Relation index)
{
	if (vs_hnsw_option_ef_construction(index) < 2 * vs_hnsw_option_m(index))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ef_construction must be greater than or equal to 2 * m")));
}

void
vs_hnsw_assign_ef_search(int newval, void *extra)
{
	vs_option_assign(&vs_hnsw_ef_search, extra);
}

int
vs_hnsw_effective_ef_search(Relation index)
{
	VsHnswOptions *options = (VsHnswOptions *) index->rd_options;

	return vs_option_effective(&vs_hnsw_ef_search,
							   options != NULL ? options->ef_search : -1);
}
