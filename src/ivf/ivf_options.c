/*
 * ivf_options.c
 *		Storage parameters and settings of the ivfflat access method.
 */
#include "postgres.h"

#include <math.h>

#include "access/reloptions.h"
#include "ivf/ivf_private.h"

VsOption	vs_ivf_probes = {IVF_DEFAULT_PROBES, false};
int			vs_ivf_iterative_scan = VS_ITERATIVE_STRICT;
int			vs_ivf_max_probes = IVF_MAX_LISTS;
bool		vs_ivf_exact_probe = false;

/*
 * auto_lists: a list for so many rows; from the square of that on as many lists
 * as rows in each.
 */
#define ROWS_PER_LIST 1000

static relopt_kind ivf_relopt_kind;

void
vs_ivf_options_init(void)
{
	ivf_relopt_kind = add_reloption_kind();
	add_int_reloption(ivf_relopt_kind, "lists",
					  "Number of inverted lists",
					  IVF_DEFAULT_LISTS, 1, IVF_MAX_LISTS,
					  AccessExclusiveLock);
	add_bool_reloption(ivf_relopt_kind, "auto_lists",
					   "Chooses the number of inverted lists by the number of rows",
					   false, AccessExclusiveLock);
	add_int_reloption(ivf_relopt_kind, "probes",
					  "Lists probed by a scan where ivfflat.probes is not set",
					  -1, 1, IVF_MAX_LISTS, ShareUpdateExclusiveLock);
	add_string_reloption(ivf_relopt_kind, "centroids_from",
						 "Table of vectors that builds take for centroids",
						 NULL, vs_ivf_check_centroids_from,
						 ShareUpdateExclusiveLock);
}

bytea *
vs_ivf_parse_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"lists", RELOPT_TYPE_INT, offsetof(VsIvfOptions, lists)},
		{"auto_lists", RELOPT_TYPE_BOOL, offsetof(VsIvfOptions, auto_lists)},
		{"probes", RELOPT_TYPE_INT, offsetof(VsIvfOptions, probes)},
		{"centroids_from", RELOPT_TYPE_STRING, offsetof(VsIvfOptions, centroids_from)},
	};

	return (bytea *) build_reloptions(reloptions, validate, ivf_relopt_kind,
									  sizeof(VsIvfOptions), table,
									  lengthof(table));
}

int
vs_ivf_option_lists(Relation index, double nrows)
{
	const VsIvfOptions *options = (const VsIvfOptions *) index->rd_options;
	double		lists;

	if (options == NULL)
		return IVF_DEFAULT_LISTS;
	if (!options->auto_lists)
		return options->lists;
	lists = ceil(Min(nrows / ROWS_PER_LIST, sqrt(nrows)));
	return Max(Min(lists, IVF_MAX_LISTS), 1);
}

char *
vs_ivf_option_centroids_from(Relation index)
{
	VsIvfOptions *options = (VsIvfOptions *) index->rd_options;

	if (options == NULL || options->centroids_from == 0)
		return NULL;
	return pstrdup(GET_STRING_RELOPTION(options, centroids_from));
}

void
vs_ivf_assign_probes(int newval, void *extra)
{
	vs_option_assign(&vs_ivf_probes, extra);
}

int
vs_ivf_effective_probes(Relation index)
{
	const VsIvfOptions *options = (const VsIvfOptions *) index->rd_options;

	return vs_option_effective(&vs_ivf_probes,
							   options != NULL ? options->probes : -1);
}
