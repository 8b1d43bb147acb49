/*
 * bm25_options.c
 *		Storage parameters and settings of the bm25 access method.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "bm25/bm25_private.h"

#define DEFAULT_K1		1.2
#define MAX_K1			1000.0
#define DEFAULT_B		0.75
#define DEFAULT_WEIGHT	1.0
#define MAX_WEIGHT		1000.0

int			vs_bm25_max_prefix_lexemes = BM25_DEFAULT_MAX_PREFIX_LEXEMES;

static relopt_kind bm25_relopt_kind;

/* They say how to score, not what the index holds: scans go on meanwhile. */
static void
add_option(const char *name, const char *help, double value, double max)
{
	add_real_reloption(bm25_relopt_kind, name, help, value, 0, max,
					   ShareUpdateExclusiveLock);
}

void
vs_bm25_options_init(void)
{
	bm25_relopt_kind = add_reloption_kind();
	add_option("k1", "How much the repetition of a lexeme counts",
			   DEFAULT_K1, MAX_K1);
	add_option("b", "How much the length of a document counts", DEFAULT_B, 1);
	add_option("weight_a", "Weight of positions with label A",
			   DEFAULT_WEIGHT, MAX_WEIGHT);
	add_option("weight_b", "Weight of positions with label B",
			   DEFAULT_WEIGHT, MAX_WEIGHT);
	add_option("weight_c", "Weight of positions with label C",
			   DEFAULT_WEIGHT, MAX_WEIGHT);
	add_option("weight_d", "Weight of positions with label D or none",
			   DEFAULT_WEIGHT, MAX_WEIGHT);
}

bytea *
vs_bm25_parse_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"k1", RELOPT_TYPE_REAL, offsetof(VsBm25Options, k1)},
		{"b", RELOPT_TYPE_REAL, offsetof(VsBm25Options, b)},
		{"weight_a", RELOPT_TYPE_REAL, offsetof(VsBm25Options, weight_a)},
		{"weight_b", RELOPT_TYPE_REAL, offsetof(VsBm25Options, weight_b)},
		{"weight_c", RELOPT_TYPE_REAL, offsetof(VsBm25Options, weight_c)},
		{"weight_d", RELOPT_TYPE_REAL, offsetof(VsBm25Options, weight_d)},
	};

	return (bytea *) build_reloptions(reloptions, validate, bm25_relopt_kind,
									  sizeof(VsBm25Options), table,
									  lengthof(table));
}

void
vs_bm25_get_params(Relation index, VsBm25Params *params)
{
	static const VsBm25Options defaults = {
		.k1 = DEFAULT_K1,
		.b = DEFAULT_B,
		.weight_d = DEFAULT_WEIGHT,
		.weight_c = DEFAULT_WEIGHT,
		.weight_b = DEFAULT_WEIGHT,
		.weight_a = DEFAULT_WEIGHT,
	};
	const VsBm25Options *options = index->rd_options != NULL ?
		(const VsBm25Options *) index->rd_options : &defaults;

	params->k1 = options->k1;
	params->b = options->b;
	params->average_len = 1.0;
	params->weights[0] = options->weight_d;
	params->weights[1] = options->weight_c;
	params->weights[2] = options->weight_b;
	params->weights[3] = options->weight_a;
}
